/* Exchange, connection, server: what server.c and exchange.c share. Private to the two.
 *
 *            server.c: when          exchange.c: what
 *   accept ─► connection ─► request line ─► header ─► body ─► answer ─┐
 *                 ▲  idle        idle        moving    owed    moving │
 *                 └────────────────── kept alive ─────────────────────┘
 *
 * A connection is in exactly one list of its server, and the list says what it waits for: the
 * client, at most header_timeout_ms (`idle`) or body_timeout_ms (`moving`, whichever way the
 * bytes go); or us, without limit (`owed`). Each list is in the order of its deadlines. */
#ifndef WIRE_EXCHANGE_H
#define WIRE_EXCHANGE_H

#include <microhttpd.h>

#include "core/list.h"
#include "wire/listener.h"
#include "wire/server.h"

struct server {
    struct server_options options;
    struct server_limits limits;
    struct MHD_Daemon *daemon;
    struct listener listener;

    struct list idle, moving, owed; /* struct connection */
    unsigned connections;
    size_t buffered_bytes; /* of all bodies */
    size_t answer_bytes;   /* that the library holds for clients */

    uv_poll_t poll; /* the library's epoll descriptor */
    uv_prepare_t before_wait;
    uv_check_t after_wait;
    uv_idle_t again;     /* active: don't wait, there is more to do */
    uv_timer_t sweep;    /* looks for passed deadlines */
    uv_timer_t deadline; /* of server_close() */
    bool due;            /* the library has something to do */
    bool closing;        /* since server_close() */
    bool stopped;        /* the loop doesn't run the library any more */
    unsigned handles;    /* not closed yet */
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct connection {
    struct server *server;
    struct MHD_Connection *mhd;
    int fd;                    /* the library's; we only shut it down */
    struct exchange *exchange; /* the current request; NULL between two */
    struct list link;
    uint64_t since_ms; /* when it entered its list, on the loop's clock */
};

enum exchange_state {
    EXCHANGE_HEADER,   /* the request line is here */
    EXCHANGE_BODY,     /* collecting */
    EXCHANGE_REFUSED,  /* answered; what is left of the body is thrown away first */
    EXCHANGE_OWED,     /* with on_request or later: the connection is suspended */
    EXCHANGE_ANSWERED, /* the answer is being sent */
};

#define EXCHANGE_HEADERS_MAX 16

struct exchange {
    struct connection *connection;
    enum exchange_state state;
    bool in_callback;   /* on_headers or on_request is running */
    const char *method; /* the library's */
    const char *path;   /* both in `target` */
    const char *query;
    void *data;
    struct buf body;
    size_t thrown_away; /* bytes of a refused body */
    size_t answer_len;  /* its share of answer_bytes */
    struct {
        char *name, *value;
    } headers[EXCHANGE_HEADERS_MAX];
    unsigned header_count;
    unsigned status;
    struct MHD_Response *response;
    char target[]; /* as sent, path and query cut apart */
};

/* exchange.c, called by server.c. */

/* Callbacks for the library; `cls` is the server. */
void *exchange_begin(void *cls, const char *target, struct MHD_Connection *mhd);
enum MHD_Result exchange_proceed(void *cls, struct MHD_Connection *mhd, const char *target,
                                 const char *method, const char *version, const char *data,
                                 size_t *len, void **exchange);
void exchange_end(void *cls, struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why);

/* The client is too slow: say so, if nothing was said on this request yet. */
void exchange_expire(struct exchange *x);

/* The server can't wait for the owner's answer any longer: say so to the client. */
void exchange_dismiss(struct exchange *x);

/* server.c, called by exchange.c. */

/* Into another list, or to the end of the same. */
void connection_move(struct connection *c, struct list *list);

/* There is something to do for the library: before the loop waits again. */
void server_wake(struct server *s);

#endif
