/* Request head: the request line and the header of one request, cut into strings in place.
 *
 * Lines end with CR LF, and none continues the one before; the request parser has seen to it.
 * Pure. */
#ifndef WIRE_REQUEST_HEAD_H
#define WIRE_REQUEST_HEAD_H

#include "core/buf.h"
#include "wire/refusal.h"

struct request_field {
    const char *name, *value; /* without blanks around the value */
};

struct request_head {
    struct buf text; /* as received, until it is cut */
    const char *method, *version;
    char *target;
    struct request_field *fields; /* in the order of the text; kept from request to request */
    size_t field_count, field_room;
};

/* `limit`: bytes of a request line and header. */
void request_head_init(struct request_head *h, size_t limit);
void request_head_fini(struct request_head *h);

/* Forget the request, keep the memory. */
void request_head_clear(struct request_head *h);

/* Once `text` is complete, with the empty line at its end. NULL, or what is wrong. */
const struct refusal *request_head_cut(struct request_head *h);

/* The first one's value; NULL if there is none. Any case will do. */
const char *request_head_field(const struct request_head *h, const char *name);

#endif
