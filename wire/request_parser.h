/* Request parser: the bytes of a connection, as requests. The one home of llhttp.
 *
 *   HEAD ─► on_body, any number of times ─► END ─► HEAD …
 *        └──────────────── FAULT ───────────────┘
 *
 * Bytes may come in any pieces; what comes out doesn't depend on them. Stricter than llhttp,
 * where that is lenient: lines end with CR LF and don't continue, those of a trailer too. A
 * trailer is read and forgotten.
 *
 * Thread: any one. */
#ifndef WIRE_REQUEST_PARSER_H
#define WIRE_REQUEST_PARSER_H

#include <llhttp.h>
#include <stdbool.h>

#include "wire/request_head.h"

enum request_event {
    REQUEST_MORE,  /* all bytes were taken, more are needed */
    REQUEST_HEAD,  /* `head` is complete and cut; go on with the rest, even if it is empty */
    REQUEST_END,   /* the body too; the next byte begins a request and ends `head` */
    REQUEST_FAULT, /* no request can follow */
};

struct request_parser {
    struct request_head head;
    bool keep_alive; /* at REQUEST_END: the client wants to go on */

    /* A piece of the body. Not NULL: a fault. */
    const struct refusal *(*on_body)(struct request_parser *p, const char *bytes, size_t len);

    /* private */
    llhttp_t llhttp;
    enum {
        PARSER_HEAD, /* or before it */
        PARSER_BODY,
        PARSER_TRAILER,
        PARSER_ENDED,
    } state,
        next;             /* after a pause */
    char last;            /* the byte before, in a head or trailer */
    unsigned version_len; /* bytes of "1.1" */
    const struct refusal *fault;
};

/* `limit`: bytes of a request line and header. */
void request_parser_init(struct request_parser *p, size_t limit,
                         const struct refusal *(*on_body)(struct request_parser *p,
                                                          const char *bytes, size_t len));
void request_parser_fini(struct request_parser *p);

/* A request has begun and its head isn't complete. */
bool request_parser_is_in_head(const struct request_parser *p);

/* Up to the next event; `*out_fault` is for REQUEST_FAULT. */
enum request_event request_parser_feed(struct request_parser *p, const char *bytes, size_t len,
                                       size_t *out_taken, const struct refusal **out_fault);

#endif
