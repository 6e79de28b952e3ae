/* Framing: what a request's header says about where its body ends, and whether we believe it.
 *
 * RFC 9112, strictly: two readings of one request are how requests get smuggled past a proxy, so
 * whatever could be read in two ways is refused. Pure. */
#ifndef WIRE_FRAMING_H
#define WIRE_FRAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/request_head.h"

struct framing {
    uint64_t content_length; /* 0 when chunked */
    bool chunked;
    bool is_old;           /* HTTP/1.0 */
    bool expects_continue; /* the client waits for a word from us before the body */
    const char *path, *query;
};

/* NULL, or what is wrong; cuts path and query of the target apart. That a Content-Length is a
 * number that fits the request parser has checked. */
const struct refusal *framing_read(struct request_head *head, struct framing *out);

#endif
