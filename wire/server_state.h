/* Server, inside: what its files share. Private to them.
 *
 *   server.c             when: open, accept, deadlines, close
 *   connection.c         bytes of a client
 *   request_parser.c     … as requests
 *   exchange.c           a request and its answer
 *   connection_answer.c  … as bytes */
#ifndef WIRE_SERVER_STATE_H
#define WIRE_SERVER_STATE_H

#include "core/list.h"
#include "wire/answer_head.h"
#include "wire/listener.h"
#include "wire/server.h"
#include "wire/visitors.h"

/* Bytes of one read; and that a client may send before their turn. */
#define READ_MAX ((size_t)16 * 1024)

struct connection;

struct server {
    struct server_options options;
    struct server_limits limits;
    struct listener listener;
    struct visitors visitors;

    struct list idle, moving, owed; /* struct connection, by what it waits for */
    struct list due;                /* struct connection: go on before the loop waits */
    unsigned connections;
    struct list strangers; /* struct connection: who hasn't proved to be a peer, by age */
    unsigned stranger_count;
    size_t buffered_bytes; /* of all bodies */
    size_t answer_bytes;   /* of all answers' bodies, until they are sent */

    uv_prepare_t before_wait; /* active while one is due */
    uv_timer_t sweep;         /* looks for passed deadlines */
    uv_timer_t deadline;      /* of server_close() */
    bool closing;             /* since server_close() */
    bool stopped;             /* `closed` is about to run, or has */
    unsigned handles;         /* not closed yet: our own, the listener, and the connections' */
    void (*closed)(void *ctx);
    void *closed_ctx;

    time_t date_s; /* of `date` */
    char date[ANSWER_DATE_MAX];
    char received[READ_MAX]; /* the last read, of whichever connection */
};

/* server.c, called by connections. */

void server_make_due(struct server *s, struct connection *c);

/* With TLS: one came; it has proved to be a peer, or is gone, which may be said of any. */
void server_meet(struct server *s, struct connection *c);
void server_part(struct server *s, struct connection *c);

/* A connection has been closed by libuv, or was freed. */
void server_released(struct server *s);
void server_lost(struct server *s, struct visitor *visitor);

/* The date of an answer that is written now. */
const char *server_date(struct server *s);

#endif
