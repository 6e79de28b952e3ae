#include "wire/exchange.h"

#include <assert.h>

#include "core/mem.h"
#include "wire/framing.h"

#define NO_CONTENT 204

/* Of an answer's header lines, which are ours. */
#define LINES_MAX ((size_t)32 * 1024)

static void deliver(struct exchange *x);
static void settle(struct exchange *x, unsigned status, struct buf *body);
static void send_answer(struct exchange *x);

static struct server *server_of(const struct exchange *x)
{
    return x->connection->server;
}

static void drop_body(struct exchange *x)
{
    server_of(x)->buffered_bytes -= x->body.len;
    buf_fini(&x->body);
}

static void exchange_free(struct exchange *x)
{
    x->connection->exchange = NULL;
    drop_body(x);
    server_of(x)->answer_bytes -= x->answer.len;
    buf_fini(&x->answer);
    buf_fini(&x->lines);
    free(x);
}

/* An answer of our own, after which the connection goes on. */
static void refuse(struct exchange *x, const struct refusal *refusal)
{
    struct buf body = BUF_INIT(REFUSAL_TEXT_MAX);

    refusal_write(refusal, &body);
    x->type = NULL;
    settle(x, refusal->status, &body);
    x->state = EXCHANGE_REFUSED;
}

static void refuse_overload(struct exchange *x)
{
    exchange_add_header(x, "Retry-After", "1");
    refuse(x, &refusal_overload);
}

static void ask_on_headers(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    x->is_put_off = false;
    x->in_callback = true;
    options->on_headers(x, options->ctx);
    x->in_callback = false;
    x->state = x->is_answered  ? EXCHANGE_REFUSED
               : x->is_put_off ? EXCHANGE_PUT_OFF
                               : EXCHANGE_BODY;
}

static void judge(struct exchange *x, const struct framing *framing)
{
    struct server *s = server_of(x);

    if (framing->content_length > s->limits.body_bytes)
        refuse(x, &refusal_size);
    else if (framing->content_length > s->limits.buffered_bytes - s->buffered_bytes)
        refuse_overload(x);
    else
        ask_on_headers(x);
}

/* Answer now, instead of reading the body. */
static void cut_short(struct exchange *x)
{
    x->connection->hangs_up = true;
    x->connection->lingers = true;
    send_answer(x);
}

/* As on_headers has decided. */
static void go_by(struct exchange *x)
{
    switch (x->state) {
    case EXCHANGE_REFUSED:
        if (x->is_awaited || x->is_long)
            cut_short(x);
        break;
    case EXCHANGE_BODY:
        if (x->is_awaited)
            connection_invite(x->connection);
        break;
    case EXCHANGE_PUT_OFF:
        connection_wait(x->connection);
        break;
    case EXCHANGE_HEAD:
    case EXCHANGE_OWED:
        break;
    }
}

void exchange_begin(struct connection *c)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    struct framing framing;

    c->exchange = x;
    x->connection = c;
    x->body = BUF_INIT(c->server->limits.body_bytes);
    x->lines = BUF_INIT(LINES_MAX);
    const struct refusal *fault = framing_read(&c->parser.head, &framing);
    if (fault) {
        connection_refuse(c, fault);
        return;
    }
    x->path = framing.path;
    x->query = framing.query;
    x->is_awaited = framing.expects_continue;
    x->is_long = framing.content_length > THROW_AWAY_MAX;
    judge(x, &framing);
    go_by(x);
}

void exchange_put_off(struct exchange *x)
{
    assert(x->state == EXCHANGE_HEAD && x->in_callback && !x->is_answered);
    x->is_put_off = true;
}

/* on_headers has run, on_request never will. */
static void abandon(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    if (options->on_abandoned)
        options->on_abandoned(x, options->ctx);
    x->data = NULL;
}

void exchange_go_on(struct exchange *x)
{
    struct connection *c = x->connection;

    assert(x->state == EXCHANGE_PUT_OFF);
    if (c->state == CONNECTION_GONE) {
        abandon(x);
        exchange_free(x);
        connection_forget(c);
        return;
    }
    x->state = EXCHANGE_HEAD;
    connection_resume(c);
    ask_on_headers(x);
    go_by(x);
}

const struct refusal *exchange_collect(struct exchange *x, const char *bytes, size_t len)
{
    struct server *s = server_of(x);

    if (x->state == EXCHANGE_REFUSED) {
        x->connection->thrown_away += len;
        return x->connection->thrown_away > THROW_AWAY_MAX ? &refusal_size : NULL;
    }
    bool has_room = len <= s->limits.buffered_bytes - s->buffered_bytes;
    if (has_room && buf_append(&x->body, bytes, len) == ERR_OK) {
        s->buffered_bytes += len;
        return NULL;
    }
    abandon(x);
    if (has_room)
        refuse(x, &refusal_size);
    else
        refuse_overload(x);
    return NULL;
}

void exchange_complete(struct exchange *x)
{
    x->connection->thrown_away = 0;
    if (x->state == EXCHANGE_BODY)
        deliver(x);
    else
        send_answer(x);
}

static void deliver(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    x->state = EXCHANGE_OWED;
    x->in_callback = true;
    options->on_request(x, options->ctx);
    x->in_callback = false;
    if (x->is_answered)
        send_answer(x);
    else
        connection_wait(x->connection);
}

void exchange_drop(struct exchange *x)
{
    if (x->state == EXCHANGE_OWED || x->state == EXCHANGE_PUT_OFF)
        return;
    if (x->state == EXCHANGE_BODY)
        abandon(x);
    exchange_free(x);
}

/* The answer. */

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    if (value[strcspn(value, "\r\n")])
        return;

    enum err err = buf_printf(&x->lines, "%s: %s\r\n", name, value);
    assert(!err);
    (void)err;
}

void exchange_set_type(struct exchange *x, const char *type)
{
    x->type = type;
}

static void settle(struct exchange *x, unsigned status, struct buf *body)
{
    if (body && status != NO_CONTENT) {
        x->answer = *body;
        *body = BUF_INIT(body->limit);
    } else if (body) {
        buf_fini(body);
    }
    x->status = status;
    x->is_answered = true;
    server_of(x)->answer_bytes += x->answer.len;
    drop_body(x);
}

/* What a GET asked for may be refused; of all else the client must hear what became of it. */
static bool has_room_for(const struct exchange *x, const struct buf *body)
{
    const struct server *s = server_of(x);

    return !body || strcmp(exchange_method(x), "GET") != 0 ||
           s->answer_bytes + body->len <= s->limits.buffered_bytes;
}

void exchange_reply(struct exchange *x, unsigned status, struct buf *body)
{
    assert(x->state == EXCHANGE_OWED || (x->state == EXCHANGE_HEAD && x->in_callback));
    assert(!x->is_answered);
    if (has_room_for(x, body)) {
        settle(x, status, body);
    } else {
        buf_fini(body);
        refuse_overload(x);
    }
    if (!x->in_callback)
        send_answer(x);
}

static void send_answer(struct exchange *x)
{
    struct connection *c = x->connection;

    if (c->state == CONNECTION_GONE) {
        exchange_free(x);
        connection_forget(c);
        return;
    }
    struct buf body = x->answer, lines = x->lines;
    unsigned status = x->status;
    const char *type = x->type;

    x->answer = BUF_INIT(0);
    x->lines = BUF_INIT(0);
    exchange_free(x);
    connection_answer(c, status, type, buf_text(&lines), &body);
    buf_fini(&lines);
}

/* What the owner sees. */

const char *exchange_method(const struct exchange *x)
{
    return x->connection->parser.head.method;
}

const char *exchange_path(const struct exchange *x)
{
    return x->path;
}

const char *exchange_query(const struct exchange *x)
{
    return x->query;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
    return request_head_field(&x->connection->parser.head, name);
}

const void *exchange_body(const struct exchange *x, size_t *out_len)
{
    *out_len = x->body.len;
    return buf_text(&x->body);
}

const char *exchange_peer(const struct exchange *x)
{
    const struct tls_session *session = x->connection->tls.session;

    return session ? tls_session_peer(session) : NULL;
}

void exchange_set_data(struct exchange *x, void *data)
{
    x->data = data;
}

void *exchange_data(const struct exchange *x)
{
    return x->data;
}
