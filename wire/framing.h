/* Framing: what a request's header says about where its body ends, and whether we believe it.
 *
 * Stricter than the library (RFC 9112): two readings of one request are how requests get
 * smuggled past a proxy, so whatever could be read in two ways is refused. What can't be seen
 * from here: libmicrohttpd 0.9.75 takes a line that begins with a colon for the end of the
 * header, and mends folded lines; a proxy in front must not pass them on. */
#ifndef WIRE_FRAMING_H
#define WIRE_FRAMING_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

struct framing {
    size_t header_bytes;     /* request line and header */
    uint64_t content_length; /* 0 when chunked */
    bool chunked;
    bool expects_continue; /* the client waits for a word from us before the body */
};

/* NULL, or what is wrong, a fixed text. `version`: as in the request line. */
const char *framing_read(struct MHD_Connection *mhd, const char *version, struct framing *out);

/* The path and query of a request's target, cut apart in place; false if it isn't one that a
 * server understands: "/path", "*", or "http://authority/path". */
bool framing_split_target(char *target, const char **out_path, const char **out_query);

#endif
