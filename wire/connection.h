/* Connection: the bytes between one client and the server. Private to the server's files.
 *
 *             ┌──────────────── kept alive ─────────────────┐
 *   accept ─► HEAD ─────► BODY ─────► OWED ─────► SENDING ──┴─► (LINGERING) ─► GONE
 *             idle        moving      owed        moving         moving
 *
 * One request at a time: what a client sends ahead waits, up to a bound, beyond which nothing
 * is read. A connection is in exactly one list of its server, which says what it waits for: the
 * client, at most header_timeout_ms (`idle`) or body_timeout_ms (`moving`, whichever way the
 * bytes go); or us, without limit (`owed`). Each list is in the order of its deadlines.
 *
 * All bytes go through two functions, receive() in connection.c and transmit() in
 * connection_answer.c. With TLS there is a session between them and the socket; its handshake is
 * part of the first HEAD. Who fails it is told why by TLS, and LINGERING hears it out.
 *
 * Thread: the loop's. */
#ifndef WIRE_CONNECTION_H
#define WIRE_CONNECTION_H

#include <sys/socket.h>

#include "wire/request_parser.h"
#include "wire/server_state.h"
#include "wire/tls_socket.h"

/* Bytes of a refused request that are read and thrown away, so that its sender gets to see why.
 * One that announces more is answered at once. */
#define THROW_AWAY_MAX ((size_t)8 * 1024 * 1024)

enum connection_state {
    CONNECTION_HEAD,      /* no request, or the first bytes of one */
    CONNECTION_BODY,      /* the exchange has begun */
    CONNECTION_OWED,      /* the owner has the exchange */
    CONNECTION_SENDING,   /* the answer doesn't fit into the socket */
    CONNECTION_LINGERING, /* all is said; until the client has heard it and hangs up */
    CONNECTION_GONE,      /* closed, but an exchange is owed or libuv isn't done with it */
};

struct connection {
    struct server *server;
    struct visitor *visitor;
    uv_poll_t poll;
    int fd;
    struct tls_socket tls; /* its session is NULL without TLS */
    int events;            /* that are polled for */
    bool released;         /* libuv is done with it */
    bool at_end;           /* the client won't send more */
    enum connection_state state;
    struct list link;     /* in a list of the server */
    struct list due;      /* in the server's list of those that go on before the loop waits */
    struct list stranger; /* in the server's list of those, with TLS */
    uint64_t since_ms;    /* when it entered its list, on the loop's clock */

    struct request_parser parser;
    struct buf ahead;          /* received before its turn */
    struct exchange *exchange; /* the current request's; NULL between two */
    size_t thrown_away;        /* bytes of a refused request */

    struct buf out;  /* to send: the head of an answer … */
    struct buf body; /* … and its body */
    size_t sent;     /* of both */
    bool hangs_up;   /* once that is sent */
    bool lingers;    /* and then hears the client out */
};

/* False: the kernel has no room to watch it. Otherwise the descriptor is the connection's now. */
bool connection_open(struct server *s, int fd, struct visitor *visitor);

/* Close. An exchange whose body isn't complete is abandoned; one that is owed stays so. */
void connection_cut(struct connection *c);

/* Last words, whatever was going on. */
void connection_refuse(struct connection *c, const struct refusal *refusal);

/* It has been in its list for too long. */
void connection_expire(struct connection *c);

/* Nothing was asked that isn't answered. */
bool connection_is_idle(const struct connection *c);

/* For server.c, when it is due. */
void connection_go_on(struct connection *c);

/* For the exchange: ask for the body that the client holds back. */
void connection_invite(struct connection *c);

/* For the exchange, which is over. `lines`: of the header, each with its end. `body`, of `type`
 * (NULL: JSON), is taken over, as its share of the server's answer_bytes. */
void connection_answer(struct connection *c, unsigned status, const char *type,
                       const char *lines, struct buf *body);

/* For the exchange: the owner has it now; or its body is wanted after all; or the owner has answered
 * it, too late. */
void connection_wait(struct connection *c);
void connection_resume(struct connection *c);
void connection_forget(struct connection *c);

/* Between its two files. For connection_answer.c: change the state; poll for what can be dealt
 * with now; close once all is said. */
void connection_enter(struct connection *c, enum connection_state state);
void connection_watch(struct connection *c);
void connection_hang_up(struct connection *c);

/* For connection.c: there is something to send; there is room in the socket; its answer, sent or
 * not, is over. */
bool connection_has_unsent(const struct connection *c);
void connection_write_on(struct connection *c);
void connection_drop_answer(struct connection *c);

#endif
