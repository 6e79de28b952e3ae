/* Exchange: a request and its answer. Private to the server's files.
 *
 *   exchange_begin ─► on_headers ─► collect … ─► complete ─► on_request ─► … ─► reply: sent, freed
 *                      │  ▲  └─► answered: the body is thrown away first ─────────┘
 *                      └──┘ put off, go on
 *
 * Its strings are the connection's, which therefore stays, open or not, until it is answered. */
#ifndef WIRE_EXCHANGE_H
#define WIRE_EXCHANGE_H

#include "wire/connection.h"

enum exchange_state {
    EXCHANGE_HEAD,    /* on_headers hasn't returned */
    EXCHANGE_PUT_OFF, /* the owner has it, and no body yet */
    EXCHANGE_BODY,    /* collecting */
    EXCHANGE_REFUSED, /* answered; what is left of the body is thrown away first */
    EXCHANGE_OWED,    /* with on_request or later */
};

struct exchange {
    struct connection *connection;
    enum exchange_state state;
    bool in_callback; /* on_headers or on_request is running */
    bool is_answered; /* in there */
    bool is_put_off;  /* in there */
    bool is_awaited;  /* the client holds the body back until it is asked for it */
    bool is_long;     /* the body is more than is read for nothing */
    const char *path, *query;
    void *data;
    struct buf body;
    unsigned status;
    struct buf lines;  /* of the answer's header */
    const char *type;  /* of its body; NULL = JSON */
    struct buf answer; /* its body */
};

/* For the connection. */

/* The parser's head is complete. */
void exchange_begin(struct connection *c);

/* A piece of the body. Not NULL: a fault. */
const struct refusal *exchange_collect(struct exchange *x, const char *bytes, size_t len);

/* The body is complete. */
void exchange_complete(struct exchange *x);

/* The client is gone or was refused; does nothing to an exchange that the owner has. */
void exchange_drop(struct exchange *x);

#endif
