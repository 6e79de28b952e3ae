#include "wire/server.h"

#include <assert.h>
#include <unistd.h>

#include "core/mem.h"
#include "wire/connection.h"

#define OWN_HANDLES 3

/* One in so many connections, at least one, may be a stranger's: peers are, too, at first. */
#define STRANGERS_SHARE 2

const struct server_limits server_default_limits = {
    .header_bytes = 16 * 1024,
    .body_bytes = 2 * 1024 * 1024,
    .buffered_bytes = 256 * 1024 * 1024,
    .connections = 4096,
    .connections_per_address = 1024,
    .header_timeout_ms = 10 * 1000,
    .body_timeout_ms = 30 * 1000,
};

static void on_accepted(struct listener *l, int fd, const struct sockaddr *address,
                        socklen_t address_len);
static void before_wait(uv_prepare_t *handle);
static void on_sweep(uv_timer_t *sweep);
static void on_deadline(uv_timer_t *deadline);
static void finish(struct server *s);
static void on_listener_closed(struct listener *l);
static void on_handle_closed(uv_handle_t *handle);
static void handle_closed(struct server *s);
static void release(struct server *s);

enum err server_open(struct server **out, const struct server_options *options)
{
    struct server *s = xcalloc(1, sizeof *s);
    uv_loop_t *loop = options->loop;

    s->options = *options;
    s->limits = options->limits ? *options->limits : server_default_limits;
    s->visitors.most = s->limits.connections_per_address;
    list_init(&s->idle);
    list_init(&s->moving);
    list_init(&s->owed);
    list_init(&s->due);
    list_init(&s->strangers);

    enum err err = listener_open(&s->listener, loop, options->address, options->port);
    if (err) {
        free(s);
        return err;
    }
    uv_prepare_init(loop, &s->before_wait);
    uv_timer_init(loop, &s->sweep);
    uv_timer_init(loop, &s->deadline);
    s->listener.on_accepted = on_accepted;
    listener_resume(&s->listener);
    *out = s;
    return ERR_OK;
}

uint16_t server_port(const struct server *s)
{
    return listener_port(&s->listener);
}

/* Connections. */

static uint32_t sweep_ms(const struct server_limits *limits)
{
    uint32_t shortest = limits->header_timeout_ms < limits->body_timeout_ms
                            ? limits->header_timeout_ms
                            : limits->body_timeout_ms;
    uint32_t ms = shortest / 8;

    return ms < 10 ? 10 : ms > 1000 ? 1000 : ms;
}

static void on_accepted(struct listener *l, int fd, const struct sockaddr *address,
                        socklen_t address_len)
{
    struct server *s = container_of(l, struct server, listener);
    struct visitor *visitor = visitors_enter(&s->visitors, address);

    (void)address_len;
    if (!visitor || !connection_open(s, fd, visitor)) {
        if (visitor)
            visitors_leave(&s->visitors, visitor);
        close(fd);
        return;
    }
    s->handles++;
    if (s->connections++ == 0)
        uv_timer_start(&s->sweep, on_sweep, sweep_ms(&s->limits), sweep_ms(&s->limits));
    if (s->connections == s->limits.connections)
        listener_pause(&s->listener);
}

void server_lost(struct server *s, struct visitor *visitor)
{
    visitors_leave(&s->visitors, visitor);
    if (--s->connections == 0 && !s->stopped)
        uv_timer_stop(&s->sweep);
    if (!s->closing)
        listener_resume(&s->listener);
    else if (s->connections == 0 && !s->stopped)
        finish(s);
    else
        release(s);
}

/* However many come and say nothing, there is room for peers; the oldest stranger makes it. */
void server_meet(struct server *s, struct connection *c)
{
    list_append(&s->strangers, &c->stranger);
    s->stranger_count++;
    if (s->stranger_count > 1 && s->stranger_count > s->limits.connections / STRANGERS_SHARE)
        connection_cut(container_of(s->strangers.next, struct connection, stranger));
}

void server_part(struct server *s, struct connection *c)
{
    if (list_is_empty(&c->stranger))
        return;
    list_remove(&c->stranger);
    s->stranger_count--;
}

void server_released(struct server *s)
{
    handle_closed(s);
}

void server_make_due(struct server *s, struct connection *c)
{
    if (list_is_empty(&s->due))
        uv_prepare_start(&s->before_wait, before_wait);
    list_remove(&c->due);
    list_append(&s->due, &c->due);
}

static void before_wait(uv_prepare_t *handle)
{
    struct server *s = container_of(handle, struct server, before_wait);
    struct list *link;

    while ((link = list_pop(&s->due)))
        connection_go_on(container_of(link, struct connection, due));
    uv_prepare_stop(handle);
}

static void expire(struct server *s, struct list *list, uint32_t timeout_ms)
{
    while (!list_is_empty(list)) {
        struct connection *c = container_of(list->next, struct connection, link);
        if (uv_now(s->options.loop) - c->since_ms < timeout_ms)
            return;
        connection_expire(c);
    }
}

static void on_sweep(uv_timer_t *sweep)
{
    struct server *s = container_of(sweep, struct server, sweep);

    expire(s, &s->idle, s->limits.header_timeout_ms);
    expire(s, &s->moving, s->limits.body_timeout_ms);
}

const char *server_date(struct server *s)
{
    time_t now_s = time(NULL);

    if (now_s != s->date_s) {
        answer_date(now_s, s->date);
        s->date_s = now_s;
    }
    return s->date;
}

/* The end. */

void server_close(struct server *s, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx)
{
    assert(!s->closing);
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    s->handles++;
    listener_close(&s->listener, on_listener_closed);

    for (struct list *link = s->idle.next, *next; link != &s->idle; link = next) {
        struct connection *c = container_of(link, struct connection, link);
        next = link->next;
        if (connection_is_idle(c))
            connection_cut(c);
    }
    if (s->connections > 0)
        uv_timer_start(&s->deadline, on_deadline, timeout_ms, 0);
    else
        finish(s);
}

static void cut_all(struct list *list)
{
    while (!list_is_empty(list))
        connection_cut(container_of(list->next, struct connection, link));
}

/* What on_request still holds stays in memory until it is answered: see release(). */
static void on_deadline(uv_timer_t *deadline)
{
    struct server *s = container_of(deadline, struct server, deadline);

    while (!list_is_empty(&s->owed)) {
        struct connection *c = container_of(s->owed.next, struct connection, link);
        connection_refuse(c, &refusal_stopping);
        connection_cut(c);
    }
    cut_all(&s->idle);
    cut_all(&s->moving);
    finish(s);
}

static void finish(struct server *s)
{
    uv_handle_t *const handles[OWN_HANDLES] = {
        (uv_handle_t *)&s->before_wait,
        (uv_handle_t *)&s->sweep,
        (uv_handle_t *)&s->deadline,
    };

    s->stopped = true;
    s->handles += OWN_HANDLES;
    for (unsigned i = 0; i < OWN_HANDLES; i++) {
        handles[i]->data = s;
        uv_close(handles[i], on_handle_closed);
    }
}

static void on_listener_closed(struct listener *l)
{
    handle_closed(container_of(l, struct server, listener));
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

static void handle_closed(struct server *s)
{
    void (*closed)(void *ctx) = s->closed;
    void *ctx = s->closed_ctx;

    if (--s->handles > 0 || !s->stopped)
        return;

    release(s);
    if (closed)
        closed(ctx);
}

/* Exchanges that are owed are their owner's: the last answer, which goes nowhere, frees the
 * server. */
static void release(struct server *s)
{
    if (s->stopped && s->handles == 0 && s->connections == 0)
        free(s);
}
