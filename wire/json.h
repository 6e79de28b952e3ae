/* Json: a parsed JSON value, and a writer. The one home of jansson.
 *
 * Parsing is for what we read ourselves: it goes through scan_json() first, refuses repeated
 * names and NUL in strings, and takes at most JSON_TREE_MAX bytes' worth of tree. Numbers keep
 * their text, so a dump shows 1.10 and 12345678901234567890 as they came. Payloads aren't
 * parsed: see scan.h.
 *
 * Thread: a value belongs to one. */
#ifndef WIRE_JSON_H
#define WIRE_JSON_H

#include <stdbool.h>

#include "core/buf.h"
#include "wire/scan.h"

#define JSON_TREE_MAX (64u << 20) /* bytes, estimated from the text */

struct json; /* a value inside a tree; borrowed from its root */

/* ERR_INVALID: `*out_fault` says why. */
MUST_USE enum err json_parse(const void *text, size_t len, struct json **out_root,
                             struct scan_fault *out_fault);
void json_free(struct json *root); /* NULL does nothing */

/* All take NULL for "absent", so that look-ups chain. */
enum scan_type json_type_of(const struct json *j);
const struct json *json_member(const struct json *j, const char *name); /* NULL if absent */
const struct json *json_at(const struct json *j, size_t index);
size_t json_count(const struct json *j);             /* of an array or object, else 0 */
const char *json_text(const struct json *j);         /* NULL unless a string */
bool json_int64(const struct json *j, int64_t *out); /* false unless an integer in range */
bool json_bool(const struct json *j);                /* true only for `true` */

/* Call `visit` for each member, in the order of the text. */
void json_each(const struct json *j,
               void (*visit)(const char *name, const struct json *value, void *ctx), void *ctx);

/* Append the value's text: compact, or indented by two. */
MUST_USE enum err json_dump(const struct json *j, bool indent, struct buf *out);

/* Writing.
 *
 * Straight into a buf; commas are the writer's business. Errors stick: write everything, then
 * ask json_write_end(). Text is escaped; bytes that aren't UTF-8 become U+FFFD. */

struct json_writer {
    struct buf *out;
    bool indent; /* set it after json_write_begin(): lines indented by two */

    enum err err; /* so far: for who would rather stop early; never set it */

    /* private */
    unsigned depth; /* containers that are open */
    bool comma;     /* something stands before in the same container */
    bool named;     /* a name was written, its value comes next */
};

void json_write_begin(struct json_writer *w, struct buf *out);
MUST_USE enum err json_write_end(struct json_writer *w);

void json_open_object(struct json_writer *w);
void json_close_object(struct json_writer *w);
void json_open_array(struct json_writer *w);
void json_close_array(struct json_writer *w);
void json_name(struct json_writer *w, const char *name);

void json_put_text(struct json_writer *w, const char *text); /* NULL writes null */
void json_put_bytes(struct json_writer *w, const void *bytes, size_t len); /* as a string */
void json_put_integer(struct json_writer *w, int64_t value);
void json_put_bool(struct json_writer *w, bool value);
void json_put_null(struct json_writer *w);
void json_put_raw(struct json_writer *w, const void *json, size_t len); /* JSON already */
void json_put_value(struct json_writer *w, const struct json *value);   /* NULL writes null */
void json_put_date(struct json_writer *w, uint64_t wall_ms); /* RFC 3339; 0 writes null */

/* A name and its value. */
void json_add_text(struct json_writer *w, const char *name, const char *text);
void json_add_integer(struct json_writer *w, const char *name, int64_t value);
void json_add_unsigned(struct json_writer *w, const char *name,
                       uint64_t value); /* ≤ INT64_MAX */
void json_add_bool(struct json_writer *w, const char *name, bool value);
void json_add_date(struct json_writer *w, const char *name, uint64_t wall_ms);

#endif
