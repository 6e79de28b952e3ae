#include "wire/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <sys/socket.h>

#include "core/mem.h"
#include "wire/framing.h"

/* Bytes of a refused body that are read so that its sender gets to see why. One that announces
 * more is answered at once and hung up on, one that turns out to have more at that point. */
#define THROW_AWAY_MAX ((size_t)8 * 1024 * 1024)

#define OWN_ANSWER_MAX 256

static bool start(struct exchange *x, const char *version);
static void collect(struct exchange *x, const char *data, size_t len);
static void deliver(struct exchange *x);
static enum MHD_Result throw_away(struct exchange *x, size_t len);
static void settle(struct exchange *x, unsigned status, struct buf *body);
static enum MHD_Result send_answer(struct exchange *x);
static void say(struct exchange *x, const char *status, const char *code, const char *detail);

static struct server *server_of(const struct exchange *x)
{
    return x->connection->server;
}

void *exchange_begin(void *cls, const char *target, struct MHD_Connection *mhd)
{
    struct server *s = cls;
    size_t len = strlen(target);
    struct exchange *x = xcalloc(1, sizeof *x + len + 1);

    memcpy(x->target, target, len);
    x->body = BUF_INIT(s->limits.body_bytes);
    x->connection =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    x->connection->exchange = x;
    connection_move(x->connection, &s->idle);
    return x;
}

/* The library calls this when the header is complete, then with each piece of the body, then
 * with an empty piece at its end, and no more once an answer is queued. Queueing one in the
 * first call means that the body is never read and the connection is closed. */
enum MHD_Result exchange_proceed(void *cls, struct MHD_Connection *mhd, const char *target,
                                 const char *method, const char *version, const char *data,
                                 size_t *len, void **exchange)
{
    struct exchange *x = *exchange;
    size_t piece = *len;

    (void)cls, (void)mhd, (void)target;
    *len = 0;
    switch (x->state) {
    case EXCHANGE_HEADER:
        x->method = method;
        return start(x, version) ? MHD_YES : send_answer(x);
    case EXCHANGE_BODY:
        if (piece > 0)
            collect(x, data, piece);
        else
            deliver(x);
        return MHD_YES;
    case EXCHANGE_REFUSED:
        return piece > 0 ? throw_away(x, piece) : send_answer(x);
    case EXCHANGE_OWED:
    case EXCHANGE_ANSWERED:
        break;
    }
    return MHD_NO;
}

/* An answer of our own, in the contract's words. */
static void refuse(struct exchange *x, unsigned status, const char *code, const char *detail)
{
    struct buf body = BUF_INIT(OWN_ANSWER_MAX);

    enum err err = buf_printf(&body, "{\"code\":\"%s\",\"detail\":\"%s\"}", code, detail);
    assert(!err);
    (void)err;
    settle(x, status, &body);
    x->state = EXCHANGE_REFUSED;
}

static void refuse_too_large(struct exchange *x)
{
    refuse(x, 413, "payload_too_large", "Request payload is too large.");
}

static void refuse_overload(struct exchange *x)
{
    exchange_add_header(x, "Retry-After", "1");
    refuse(x, 503, "overloaded", "Too many requests are in progress.");
}

static void ask_on_headers(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    x->in_callback = true;
    options->on_headers(x, options->ctx);
    x->in_callback = false;
    x->state = x->response ? EXCHANGE_REFUSED : EXCHANGE_BODY;
}

/* False: answer at once and close, instead of reading the body. */
static bool start(struct exchange *x, const char *version)
{
    struct server *s = server_of(x);
    struct framing framing;

    connection_move(x->connection, &s->moving);
    const char *fault = framing_read(x->connection->mhd, version, &framing);
    if (!fault && !framing_split_target(x->target, &x->path, &x->query))
        fault = "The request's target is not a path.";
    if (fault) {
        refuse(x, 400, "bad_request", fault);
        return false;
    }

    if (framing.header_bytes > s->limits.header_bytes)
        refuse(x, 431, "header_too_large", "Request header is too large.");
    else if (framing.content_length > s->limits.body_bytes)
        refuse_too_large(x);
    else if (framing.content_length > s->limits.buffered_bytes - s->buffered_bytes)
        refuse_overload(x);
    else
        ask_on_headers(x);

    bool hear_it_out = !framing.expects_continue && framing.content_length <= THROW_AWAY_MAX;
    return x->state == EXCHANGE_BODY || hear_it_out;
}

static enum MHD_Result throw_away(struct exchange *x, size_t len)
{
    x->thrown_away += len;
    if (x->thrown_away <= THROW_AWAY_MAX)
        return MHD_YES;

    say(x, "413 Content Too Large", "payload_too_large", "Request payload is too large.");
    return MHD_NO;
}

static void drop_body(struct exchange *x)
{
    server_of(x)->buffered_bytes -= x->body.len;
    buf_fini(&x->body);
}

/* on_headers has run, on_request never will. */
static void abandon(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    if (options->on_abandoned)
        options->on_abandoned(x, options->ctx);
    x->data = NULL;
}

static void collect(struct exchange *x, const char *data, size_t len)
{
    struct server *s = server_of(x);
    bool has_room = len <= s->limits.buffered_bytes - s->buffered_bytes;

    if (has_room && buf_append(&x->body, data, len) == ERR_OK) {
        s->buffered_bytes += len;
        return;
    }
    abandon(x);
    if (has_room)
        refuse_too_large(x);
    else
        refuse_overload(x);
}

static void deliver(struct exchange *x)
{
    const struct server_options *options = &server_of(x)->options;

    x->state = EXCHANGE_OWED;
    x->in_callback = true;
    options->on_request(x, options->ctx);
    x->in_callback = false;
    if (x->response) {
        send_answer(x);
    } else {
        connection_move(x->connection, &server_of(x)->owed);
        MHD_suspend_connection(x->connection->mhd);
    }
}

/* The answer. */

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
    assert(x->header_count < EXCHANGE_HEADERS_MAX);
    x->headers[x->header_count].name = xstrdup(name);
    x->headers[x->header_count].value = xstrdup(value);
    x->header_count++;
}

/* The library takes the bytes over; an empty body keeps none. */
static struct MHD_Response *response_from(struct buf *body)
{
    struct MHD_Response *response;

    if (body && body->len > 0) {
        response =
            MHD_create_response_from_buffer(body->len, body->bytes, MHD_RESPMEM_MUST_FREE);
        *body = BUF_INIT(body->limit);
    } else {
        response = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    }
    if (!response)
        abort(); /* as xcalloc() */
    return response;
}

/* A header that the library doesn't take, for its value has a line break, is left out. */
static void settle(struct exchange *x, unsigned status, struct buf *body)
{
    if (status == MHD_HTTP_NO_CONTENT && body)
        buf_fini(body);

    x->answer_len = body ? body->len : 0;
    server_of(x)->answer_bytes += x->answer_len;
    struct MHD_Response *response = response_from(body);
    if (x->answer_len > 0)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    for (unsigned i = 0; i < x->header_count; i++)
        MHD_add_response_header(response, x->headers[i].name, x->headers[i].value);
    if (server_of(x)->closing)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    x->status = status;
    x->response = response;
    drop_body(x);
}

/* What a GET asked for may be refused; of all else the client must hear what became of it. */
static bool has_room_for(const struct exchange *x, const struct buf *body)
{
    const struct server *s = server_of(x);

    return !body || strcmp(x->method, MHD_HTTP_METHOD_GET) != 0 ||
           s->answer_bytes + body->len <= s->limits.buffered_bytes;
}

void exchange_reply(struct exchange *x, unsigned status, struct buf *body)
{
    bool is_later = !x->in_callback;

    assert(x->state == EXCHANGE_OWED || (x->state == EXCHANGE_HEADER && x->in_callback));
    assert(!x->response);
    if (has_room_for(x, body)) {
        settle(x, status, body);
    } else {
        buf_fini(body);
        refuse_overload(x);
    }
    if (!is_later)
        return;

    struct connection *c = x->connection;
    send_answer(x);
    MHD_resume_connection(c->mhd);
    server_wake(c->server);
}

/* If the library refuses it asks exchange_proceed() again, which then closes. */
static enum MHD_Result send_answer(struct exchange *x)
{
    struct MHD_Response *response = x->response;

    x->state = EXCHANGE_ANSWERED;
    x->response = NULL;
    connection_move(x->connection, &server_of(x)->moving);
    enum MHD_Result result = MHD_queue_response(x->connection->mhd, x->status, response);
    MHD_destroy_response(response);
    return result;
}

void exchange_end(void *cls, struct MHD_Connection *mhd, void **exchange,
                  enum MHD_RequestTerminationCode why)
{
    struct server *s = cls;
    struct exchange *x = *exchange;

    (void)mhd, (void)why;
    if (!x)
        return;

    if (x->state == EXCHANGE_BODY)
        abandon(x);
    drop_body(x);
    s->answer_bytes -= x->answer_len;
    if (x->response)
        MHD_destroy_response(x->response);
    for (unsigned i = 0; i < x->header_count; i++) {
        free(x->headers[i].name);
        free(x->headers[i].value);
    }
    x->connection->exchange = NULL;
    connection_move(x->connection, &s->idle);
    free(x);
    *exchange = NULL;
}

/* Last words.
 *
 * The library takes answers only at certain points of a request. Where none comes any more
 * these bytes go past it, straight to the socket: nothing else was written on this request. */

static void say(struct exchange *x, const char *status, const char *code, const char *detail)
{
    char body[OWN_ANSWER_MAX], text[2 * OWN_ANSWER_MAX];

    int body_len =
        snprintf(body, sizeof body, "{\"code\":\"%s\",\"detail\":\"%s\"}", code, detail);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 %s\r\n"
                       "Content-Type: application/json\r\n"
                       "Connection: close\r\n"
                       "Content-Length: %d\r\n"
                       "\r\n%s",
                       status, body_len, body);
    (void)send(x->connection->fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void exchange_expire(struct exchange *x)
{
    if (x->state != EXCHANGE_ANSWERED)
        say(x, "408 Request Timeout", "request_timeout", "The request took too long.");
}

void exchange_dismiss(struct exchange *x)
{
    say(x, "503 Service Unavailable", "shutting_down", "The server is shutting down.");
}

/* What the owner sees. */

const char *exchange_method(const struct exchange *x)
{
    return x->method;
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
    return MHD_lookup_connection_value(x->connection->mhd, MHD_HEADER_KIND, name);
}

const void *exchange_body(const struct exchange *x, size_t *out_len)
{
    *out_len = x->body.len;
    return buf_text(&x->body);
}

void exchange_set_data(struct exchange *x, void *data)
{
    x->data = data;
}

void *exchange_data(const struct exchange *x)
{
    return x->data;
}
