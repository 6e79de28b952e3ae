/* Scan: one pass over a JSON text that checks all of it and finds the bytes of a few members.
 *
 * Strict RFC 8259: one value, no trailing bytes, valid UTF-8 (no surrogates, no overlong
 * forms), no unescaped control characters, paired \u surrogates, at most SCAN_DEPTH_MAX levels.
 * A NUL is fine where it is escaped, and numbers may have any length. Builds no tree and
 * allocates nothing. What lies outside the asked members may repeat names; a repeated name
 * among them is refused, for two readers could see two values.
 *
 * Pure. */
#ifndef WIRE_SCAN_H
#define WIRE_SCAN_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define SCAN_DEPTH_MAX        128 /* levels */
#define SCAN_ANSWER_DEPTH_MAX 192 /* of an answer, which wraps what had these */

enum scan_type {
    SCAN_NONE, /* absent */
    SCAN_NULL,
    SCAN_FALSE,
    SCAN_TRUE,
    SCAN_NUMBER,
    SCAN_STRING,
    SCAN_ARRAY,
    SCAN_OBJECT,
};

/* A member of the outermost object that the caller asks for. Names are compared after their
 * escapes are resolved. */
struct scan_member {
    const char *name;    /* in */
    enum scan_type type; /* out */
    const uint8_t *at;   /* out: the value's first byte; borrowed from the text */
    size_t len;          /* out: bytes, without surrounding white space */
};

struct scan_fault {
    const char *why;    /* a fixed text */
    size_t offset;      /* bytes */
    const char *member; /* the repeated one, or NULL */
};

/* Check `len` bytes and fill in `members`. `*out_type` is the type of the outermost value; if
 * it isn't an object all members are SCAN_NONE. ERR_INVALID: not JSON, `*out_fault` says why.
 */
MUST_USE enum err scan_json(const void *text, size_t len, struct scan_member *members,
                            size_t count, enum scan_type *out_type,
                            struct scan_fault *out_fault);

/* The same of a server's answer, which may have SCAN_ANSWER_DEPTH_MAX levels. */
MUST_USE enum err scan_answer(const void *text, size_t len, struct scan_member *members,
                              size_t count, enum scan_type *out_type,
                              struct scan_fault *out_fault);

/* Resolve the escapes of a string that was checked, its quotes included, into `out`, which has
 * room for `len` bytes. The number of bytes; there may be a NUL among them. */
size_t scan_unescape(const uint8_t *at, size_t len, uint8_t *out);

#endif
