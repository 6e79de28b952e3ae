#include "wire/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/mem.h"
#include "wire/address.h"
#include "wire/exchange.h"

/* Of an answer's head, which is ours. */
#define OUT_MAX ((size_t)64 * 1024)

static void on_ready(uv_poll_t *poll, int status, int events);
static void read_on(struct connection *c);
static void feed(struct connection *c, const char *bytes, size_t len);
static const struct refusal *on_body(struct request_parser *p, const char *bytes, size_t len);
static void on_released(uv_handle_t *handle);
static void release(struct connection *c);

static struct list *list_of(struct server *s, enum connection_state state)
{
    switch (state) {
    case CONNECTION_HEAD:
        return &s->idle;
    case CONNECTION_OWED:
        return &s->owed;
    case CONNECTION_BODY:
    case CONNECTION_SENDING:
    case CONNECTION_LINGERING:
        return &s->moving;
    case CONNECTION_GONE:
        break;
    }
    return NULL;
}

void connection_enter(struct connection *c, enum connection_state state)
{
    struct list *list = list_of(c->server, state);

    c->state = state;
    c->since_ms = uv_now(c->server->options.loop);
    list_remove(&c->link);
    if (list)
        list_append(list, &c->link);
}

static bool is_stuck(const struct connection *c)
{
    return c->tls.session && tls_socket_is_stuck(&c->tls);
}

/* Poll for what can be dealt with. It is the same from one request to the next, unless a client
 * sends much ahead or doesn't read. */
void connection_watch(struct connection *c)
{
    int events = 0;

    if (c->state == CONNECTION_GONE)
        return;
    if (!c->at_end && c->ahead.len < READ_MAX && !is_stuck(c))
        events |= UV_READABLE;
    if (connection_has_unsent(c) || is_stuck(c))
        events |= UV_WRITABLE;
    if (events == c->events)
        return;

    c->events = events;
    if (events)
        uv_poll_start(&c->poll, events, on_ready);
    else
        uv_poll_stop(&c->poll);
}

bool connection_open(struct server *s, int fd, struct visitor *visitor)
{
    struct connection *c = xcalloc(1, sizeof *c);

    if (uv_poll_init(s->options.loop, &c->poll, fd) != 0) {
        free(c);
        return false;
    }
    c->server = s;
    c->visitor = visitor;
    c->fd = fd;
    c->ahead = BUF_INIT(READ_MAX);
    c->out = BUF_INIT(OUT_MAX);
    list_init(&c->link);
    list_init(&c->due);
    list_init(&c->stranger);
    request_parser_init(&c->parser, s->limits.header_bytes, on_body);
    connection_enter(c, CONNECTION_HEAD);
    if (s->options.tls) {
        c->tls = (struct tls_socket){ .session = tls_session_new(s->options.tls), .fd = fd };
        server_meet(s, c);
    }
    connection_watch(c);
    return true;
}

/* Bytes in. */

static ssize_t receive_sealed(struct connection *c, void *bytes, size_t room)
{
    ssize_t len = tls_socket_receive(&c->tls, bytes, room);

    if (tls_session_peer(c->tls.session))
        server_part(c->server, c);
    return len;
}

static ssize_t receive(struct connection *c, void *bytes, size_t room)
{
    if (c->tls.session)
        return receive_sealed(c, bytes, room);
    return recv(c->fd, bytes, room, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct connection *c = container_of(poll, struct connection, poll);

    if (status < 0) {
        connection_cut(c);
        return;
    }
    if (events & UV_WRITABLE)
        connection_write_on(c);
    if ((events & UV_READABLE) && c->state != CONNECTION_GONE)
        read_on(c);
    connection_watch(c);
}

/* Its turn hasn't come. */
static bool comes_ahead(const struct connection *c)
{
    return c->state == CONNECTION_OWED || c->state == CONNECTION_SENDING || c->ahead.len > 0;
}

/* What reaches the wrong region isn't to stay in its memory. */
static void wipe(struct buf *b)
{
    if (b->len > 0)
        explicit_bzero(b->bytes, b->len);
    buf_fini(b);
}

static void keep_ahead(struct connection *c, const char *bytes, size_t len)
{
    enum err err = buf_append(&c->ahead, bytes, len);

    if (err)
        connection_cut(c); /* out of memory: no more than READ_MAX was read */
}

static void on_end(struct connection *c)
{
    c->at_end = true;
    if (!comes_ahead(c))
        connection_cut(c);
}

/* The session has failed. Who hasn't proved to be a peer is somebody to report. */
static void turn_away(struct connection *c)
{
    const struct server_options *options = &c->server->options;
    char text[ADDRESS_TEXT_MAX] = "";
    union address address;
    socklen_t len = sizeof address;

    if (options->on_stranger && !tls_session_peer(c->tls.session)) {
        if (getpeername(c->fd, &address.any, &len) == 0)
            address_format(&address, text);
        options->on_stranger(text, tls_session_why(c->tls.session), options->ctx);
    }
    if (c->exchange || connection_has_unsent(c)) {
        connection_cut(c);
        return;
    }
    shutdown(c->fd, SHUT_WR);
    connection_enter(c, CONNECTION_LINGERING);
}

static void read_piece(struct connection *c)
{
    char *bytes = c->server->received;
    size_t room = READ_MAX - c->ahead.len;

    assert(room > 0); /* else it wouldn't be polled for */
    ssize_t len = receive(c, bytes, room);
    if (len > 0 && comes_ahead(c))
        keep_ahead(c, bytes, (size_t)len);
    else if (len > 0)
        feed(c, bytes, (size_t)len);
    else if (len == 0)
        on_end(c);
    else if (errno == EPROTO)
        turn_away(c);
    else if (errno != EAGAIN && errno != EINTR)
        connection_cut(c);
    if (len > 0)
        explicit_bzero(bytes, (size_t)len);
}

/* There is text of it in its session, for which the socket won't be readable. */
static bool has_unread(const struct connection *c)
{
    return c->tls.session && c->state != CONNECTION_GONE && c->ahead.len < READ_MAX &&
           tls_socket_has_unread(&c->tls);
}

static void read_on(struct connection *c)
{
    do
        read_piece(c);
    while (has_unread(c));
}

static void throw_away(struct connection *c, size_t len)
{
    c->thrown_away += len;
    if (c->thrown_away > THROW_AWAY_MAX)
        connection_cut(c);
}

/* What the connection is left with, as it doesn't take requests now. */
static void keep(struct connection *c, const char *bytes, size_t len)
{
    switch (c->state) {
    case CONNECTION_OWED:
    case CONNECTION_SENDING:
        keep_ahead(c, bytes, len);
        break;
    case CONNECTION_LINGERING:
        throw_away(c, len);
        break;
    case CONNECTION_HEAD:
    case CONNECTION_BODY:
    case CONNECTION_GONE:
        break;
    }
}

static void feed(struct connection *c, const char *bytes, size_t len)
{
    bool was_in_head = request_parser_is_in_head(&c->parser);

    while (c->state == CONNECTION_BODY || (c->state == CONNECTION_HEAD && len > 0)) {
        const struct refusal *fault;
        size_t taken;
        enum request_event event = request_parser_feed(&c->parser, bytes, len, &taken, &fault);

        bytes += taken;
        len -= taken;
        switch (event) {
        case REQUEST_HEAD:
            connection_enter(c, CONNECTION_BODY);
            exchange_begin(c);
            break;
        case REQUEST_END:
            exchange_complete(c->exchange);
            was_in_head = false;
            break;
        case REQUEST_FAULT:
            connection_refuse(c, fault);
            break;
        case REQUEST_MORE:
            if (!was_in_head && request_parser_is_in_head(&c->parser))
                connection_enter(c, CONNECTION_HEAD); /* the time for a header begins with it */
            return;
        }
    }
    keep(c, bytes, len);
}

static const struct refusal *on_body(struct request_parser *p, const char *bytes, size_t len)
{
    struct connection *c = container_of(p, struct connection, parser);

    return exchange_collect(c->exchange, bytes, len);
}

void connection_go_on(struct connection *c)
{
    struct buf ahead = c->ahead;

    c->ahead = BUF_INIT(READ_MAX);
    if (ahead.len > 0 || c->state == CONNECTION_BODY)
        feed(c, buf_text(&ahead), ahead.len);
    wipe(&ahead);
    if (has_unread(c))
        read_on(c);
    if (c->at_end && !comes_ahead(c))
        connection_cut(c);
    connection_watch(c);
}

/* The end. */

/* The client gets to see what was said before it gets to hear that nobody listens. */
void connection_hang_up(struct connection *c)
{
    if (c->tls.session)
        tls_socket_end(&c->tls);
    if (c->at_end || !(c->lingers || c->ahead.len > 0)) {
        connection_cut(c);
        return;
    }
    wipe(&c->ahead);
    shutdown(c->fd, SHUT_WR);
    connection_enter(c, CONNECTION_LINGERING);
}

void connection_wait(struct connection *c)
{
    connection_enter(c, CONNECTION_OWED);
}

/* With what came ahead, and if that is nothing: there may be no body. */
void connection_resume(struct connection *c)
{
    connection_enter(c, CONNECTION_BODY);
    server_make_due(c->server, c);
}

bool connection_is_idle(const struct connection *c)
{
    return c->state == CONNECTION_HEAD && c->ahead.len == 0 &&
           !request_parser_is_in_head(&c->parser);
}

void connection_expire(struct connection *c)
{
    bool is_asking =
        c->state == CONNECTION_BODY || (c->state == CONNECTION_HEAD && !connection_is_idle(c));

    if (is_asking)
        connection_refuse(c, &refusal_slow);
    else
        connection_cut(c);
}

void connection_cut(struct connection *c)
{
    if (c->state == CONNECTION_GONE)
        return;

    connection_enter(c, CONNECTION_GONE);
    list_remove(&c->due);
    server_part(c->server, c);
    if (c->exchange)
        exchange_drop(c->exchange);
    connection_drop_answer(c);
    uv_close((uv_handle_t *)&c->poll, on_released);
    close(c->fd);
}

static void on_released(uv_handle_t *handle)
{
    struct connection *c = container_of((uv_poll_t *)handle, struct connection, poll);
    struct server *s = c->server;

    c->released = true;
    release(c);
    server_released(s);
}

void connection_forget(struct connection *c)
{
    release(c);
}

static void release(struct connection *c)
{
    struct server *s = c->server;
    struct visitor *visitor = c->visitor;

    if (!c->released || c->exchange)
        return;

    request_parser_fini(&c->parser);
    wipe(&c->ahead);
    buf_fini(&c->out);
    tls_session_free(c->tls.session);
    free(c);
    server_lost(s, visitor);
}
