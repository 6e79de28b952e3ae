/* Server: HTTP/1.1 on a loop, whose answers may come later.
 *
 *   connection ─► on_headers ─► body, counted ─► on_request ─► … ─► exchange_reply
 *
 * An exchange is one request and its answer. `on_headers` runs when the header is complete: it
 * may answer at once (no token, no such route, too large), and then the body is read and thrown
 * away up to a limit, so that the client sees the answer rather than a reset. Otherwise the
 * body is collected and `on_request` runs. An exchange is answered exactly once, in
 * `on_headers`, in `on_request` or on any later turn of the loop; when the client is gone by
 * then nothing is sent. What `on_headers` can't decide yet it puts off. The answer to a GET for
 * which there is no room becomes a 503; all else may have changed something, and is answered.
 * Until exchange_reply() the exchange and what it returned stay valid, even beyond `closed`. A
 * connection has one exchange at a time: of what a client sends ahead 16 KiB are taken, the rest
 * waits in the socket.
 *
 * What the server answers by itself, as JSON of the contract, see refusal.h: 400, 414, 431, 501
 * or 505 to what is no HTTP/1 or could be read in two ways, and 408 to a client that is too
 * slow: these close the connection; 413 (body too large) and 503 with Retry-After (too much
 * buffered). Only who never began a request, or has left, is hung up on without a word.
 *
 * Thread: the loop's. */
#ifndef WIRE_SERVER_H
#define WIRE_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/buf.h"
#include "core/err.h"

struct server;
struct exchange;
struct tls_context;

struct server_limits {
    size_t header_bytes;   /* request line and header together */
    size_t body_bytes;     /* of one request */
    size_t buffered_bytes; /* of all bodies at once, and of all answers; beyond: 503 */
    unsigned connections;
    unsigned connections_per_address;
    uint32_t header_timeout_ms; /* idle; the request line to the end of the header */
    uint32_t body_timeout_ms;   /* from the header to the end of the body; to send an answer */
};

/* 16 KiB, 2 MiB, 256 MiB, 4096 connections, 1024 from one address, 10 s, 30 s. */
extern const struct server_limits server_default_limits;

struct server_options {
    uv_loop_t *loop;
    const char *address; /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;       /* 0 = any */
    const struct server_limits *limits;
    /* NULL: none. Peers alone are let in, see tls.h, within header_timeout_ms; those who haven't
     * proved to be peers may have half of the connections, beyond which the oldest of them
     * is hung up on. Borrowed until `closed` and the last answer. */
    const struct tls_context *tls;
    void (*on_headers)(struct exchange *x, void *ctx);
    void (*on_request)(struct exchange *x, void *ctx);
    /* Optional: on_request won't follow on_headers, for the client left, was too slow or sent
     * too much. Free what exchange_data() holds; the exchange is not to be answered. */
    void (*on_abandoned)(struct exchange *x, void *ctx);
    /* Optional: one was turned away, from this address, for "shows no certificate" or another
     * phrase of tls_session_why(). As often as strangers like: don't log each. */
    void (*on_stranger)(const char *address, const char *why, void *ctx);
    void *ctx;
};

/* ERR_INVALID: not an address; ERR_FOREIGN: none of this machine; ERR_IN_USE: the port is taken;
 * ERR_DENIED: not ours to open; ERR_UNAVAILABLE: no descriptors. */
MUST_USE enum err server_open(struct server **out, const struct server_options *options);

uint16_t server_port(const struct server *s);

/* Stop accepting; finish the exchanges owed, each connection then closes. `closed` runs once
 * they are done or `timeout_ms` is over, whichever is first. Exchanges that are still owed then
 * have got a 503, but are to be answered nevertheless: the last answer frees the server. */
void server_close(struct server *s, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx);

/* Borrowed until exchange_reply(). */
const char *exchange_method(const struct exchange *x);
const char *exchange_path(const struct exchange *x);  /* as sent: not decoded, no query */
const char *exchange_query(const struct exchange *x); /* as sent, without '?'; "" if none */
const char *exchange_header(const struct exchange *x, const char *name); /* NULL if absent */
const void *exchange_body(const struct exchange *x, size_t *out_len);
const char *
exchange_peer(const struct exchange *x); /* the region that asks; NULL without TLS */

/* What `on_headers` found out, for `on_request`. */
void exchange_set_data(struct exchange *x, void *data);
void *exchange_data(const struct exchange *x);

/* In `on_headers`: it can't be said yet what becomes of the request. Until exchange_go_on() no body
 * is read, for as long as its owner likes; that runs `on_headers` again, or `on_abandoned` if the
 * client has left meanwhile, before it returns. */
void exchange_put_off(struct exchange *x);
void exchange_go_on(struct exchange *x);

/* A header line for the answer; copied. At most 32 KiB in all; a value with a line break is left
 * out. Not Content-Type. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);

/* The Content-Type of the answer's body, which is JSON's unless this is called; a literal. */
void exchange_set_type(struct exchange *x, const char *type);

/* Answer and forget. The bytes of `body` are taken over and `body` is left empty; NULL, or a
 * status of 204: no body. */
void exchange_reply(struct exchange *x, unsigned status, struct buf *body);

#endif
