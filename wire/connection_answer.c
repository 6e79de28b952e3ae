/* Connection, what goes out: an answer, and the invitation that may come before it. */
#include "wire/connection.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/count.h"
#include "wire/exchange.h"

static void flush(struct connection *c);
static void on_sent(struct connection *c);

void connection_invite(struct connection *c)
{
    enum err err = buf_append_text(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");

    assert(!err);
    (void)err;
    flush(c);
}

void connection_answer(struct connection *c, unsigned status, const char *type,
                       const char *lines, struct buf *body)
{
    const struct request_head *request = &c->parser.head;

    if (!c->parser.keep_alive || c->server->closing)
        c->hangs_up = true;
    bool is_old = request->version && strcmp(request->version, "HTTP/1.0") == 0;
    const struct answer_head head = {
        .status = status,
        .date = server_date(c->server),
        .lines = lines,
        .body_len = body->len,
        .type = type,
        .connection = c->hangs_up ? ANSWER_CLOSES
                      : is_old    ? ANSWER_KEEPS
                                  : ANSWER_STAYS,
    };
    answer_head_write(&head, &c->out);

    c->body = *body;
    *body = BUF_INIT(body->limit);
    if (request->method && strcmp(request->method, "HEAD") == 0)
        connection_drop_answer(c);
    connection_enter(c, CONNECTION_SENDING);
    flush(c);
}

void connection_refuse(struct connection *c, const struct refusal *refusal)
{
    struct buf body = BUF_INIT(REFUSAL_TEXT_MAX);

    if (c->exchange)
        exchange_drop(c->exchange);
    if (connection_has_unsent(c) || c->state == CONNECTION_GONE) {
        connection_cut(c);
        return;
    }
    refusal_write(refusal, &body);
    c->server->answer_bytes += body.len;
    c->hangs_up = true;
    c->lingers = true;
    connection_answer(c, refusal->status, NULL, "", &body);
}

static ssize_t transmit(struct connection *c, const struct iovec *pieces, size_t count)
{
    if (c->tls.session)
        return tls_socket_send(&c->tls, pieces, count);

    const struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = count };

    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

/* What is left of `from` once its first `skip` bytes are sent. */
static struct iovec rest_of(const struct buf *from, size_t skip)
{
    if (skip >= from->len)
        return (struct iovec){ 0 };
    return (struct iovec){ from->bytes + skip, from->len - skip };
}

/* Send what there is. */
static void flush(struct connection *c)
{
    size_t of_body = c->sent > c->out.len ? c->sent - c->out.len : 0;
    const struct iovec pieces[] = { rest_of(&c->out, c->sent), rest_of(&c->body, of_body) };

    ssize_t len = transmit(c, pieces, COUNT(pieces));
    if (len < 0 && errno != EAGAIN && errno != EINTR) {
        connection_cut(c);
        return;
    }
    c->sent += len > 0 ? (size_t)len : 0;
    if (c->sent == c->out.len + c->body.len)
        on_sent(c);
    connection_watch(c);
}

static void on_sent(struct connection *c)
{
    buf_clear(&c->out);
    connection_drop_answer(c);
    c->sent = 0;
    if (c->state == CONNECTION_BODY)
        return; /* that was an invitation */

    if (c->hangs_up || c->server->closing) {
        connection_hang_up(c);
        return;
    }
    connection_enter(c, CONNECTION_HEAD);
    if (c->ahead.len > 0 || c->at_end)
        server_make_due(c->server, c);
}

void connection_write_on(struct connection *c)
{
    if (connection_has_unsent(c))
        flush(c);
    else if (c->tls.session && !tls_socket_push(&c->tls))
        connection_cut(c);
}

bool connection_has_unsent(const struct connection *c)
{
    return c->out.len > 0;
}

void connection_drop_answer(struct connection *c)
{
    c->server->answer_bytes -= c->body.len;
    buf_fini(&c->body);
}
