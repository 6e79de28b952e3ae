#include "wire/server.h"

#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"
#include "wire/exchange.h"

/* The library keeps a request's line and header in memory of this many times the limit, so that
 * a header somewhat over the limit gets our answer and not its own. It clears that memory for
 * each request: at 3 a request cost 1.4 µs more. */
#define HEADER_MEMORY_FACTOR 2

/* The library is edge-triggered and goes in steps; a few in a row save turns of the loop. */
#define STEPS_IN_A_ROW 8

#define OWN_HANDLES 6

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
static void on_connection(void *cls, struct MHD_Connection *mhd, void **connection,
                          enum MHD_ConnectionNotificationCode what);
static void on_library_ready(uv_poll_t *poll, int status, int events);
static void before_wait(uv_prepare_t *handle);
static void after_wait(uv_check_t *handle);
static void on_again(uv_idle_t *again);
static void on_sweep(uv_timer_t *sweep);
static void on_deadline(uv_timer_t *deadline);
static void finish(struct server *s);
static void on_listener_closed(struct listener *l);
static void on_handle_closed(uv_handle_t *handle);
static void handle_closed(struct server *s);
static void release(struct server *s);

/* Targets are ours to decode. */
static size_t leave_as_is(void *cls, struct MHD_Connection *mhd, char *text)
{
    (void)cls, (void)mhd;
    return strlen(text);
}

static struct MHD_Daemon *start_daemon(struct server *s)
{
    const struct MHD_OptionItem options[] = {
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)exchange_begin, s },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)exchange_end, s },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s },
        { MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)leave_as_is, NULL },
        { MHD_OPTION_CONNECTION_MEMORY_LIMIT,
          (intptr_t)(HEADER_MEMORY_FACTOR * s->limits.header_bytes), NULL },
        { MHD_OPTION_CONNECTION_LIMIT, (intptr_t)s->limits.connections, NULL },
        { MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t)s->limits.connections_per_address,
          NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
                            0, NULL, NULL, exchange_proceed, s, MHD_OPTION_ARRAY, options,
                            MHD_OPTION_END);
}

enum err server_open(struct server **out, const struct server_options *options)
{
    struct server *s = xcalloc(1, sizeof *s);
    uv_loop_t *loop = options->loop;

    s->options = *options;
    s->limits = options->limits ? *options->limits : server_default_limits;
    list_init(&s->idle);
    list_init(&s->moving);
    list_init(&s->owed);

    s->daemon = start_daemon(s);
    enum err err = s->daemon ? ERR_OK : ERR_UNAVAILABLE;
    if (!err)
        err = listener_open(&s->listener, loop, options->address, options->port);
    if (err)
        goto fail;

    int epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    int rc = uv_poll_init(loop, &s->poll, epoll_fd);
    assert(rc == 0); /* it would be our loop that is broken */
    (void)rc;
    uv_poll_start(&s->poll, UV_READABLE, on_library_ready);
    uv_prepare_init(loop, &s->before_wait);
    uv_prepare_start(&s->before_wait, before_wait);
    uv_check_init(loop, &s->after_wait);
    uv_check_start(&s->after_wait, after_wait);
    uv_idle_init(loop, &s->again);
    uv_timer_init(loop, &s->sweep);
    uv_timer_init(loop, &s->deadline);
    s->listener.on_accepted = on_accepted;
    listener_resume(&s->listener);
    *out = s;
    return ERR_OK;

fail:
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    free(s);
    return err;
}

uint16_t server_port(const struct server *s)
{
    return listener_port(&s->listener);
}

/* Connections. */

/* The library closes the descriptor when it refuses the connection. */
static void on_accepted(struct listener *l, int fd, const struct sockaddr *address,
                        socklen_t address_len)
{
    struct server *s = container_of(l, struct server, listener);

    MHD_add_connection(s->daemon, fd, address, address_len);
}

static uint32_t sweep_ms(const struct server_limits *limits)
{
    uint32_t shortest = limits->header_timeout_ms < limits->body_timeout_ms
                            ? limits->header_timeout_ms
                            : limits->body_timeout_ms;
    uint32_t ms = shortest / 8;

    return ms < 10 ? 10 : ms > 1000 ? 1000 : ms;
}

static struct connection *connection_new(struct server *s, struct MHD_Connection *mhd)
{
    struct connection *c = xcalloc(1, sizeof *c);

    c->server = s;
    c->mhd = mhd;
    c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    list_init(&c->link);
    connection_move(c, &s->idle);

    if (s->connections++ == 0)
        uv_timer_start(&s->sweep, on_sweep, sweep_ms(&s->limits), sweep_ms(&s->limits));
    if (s->connections == s->limits.connections)
        listener_pause(&s->listener);
    return c;
}

static void connection_free(struct connection *c)
{
    struct server *s = c->server;

    list_remove(&c->link);
    free(c);
    if (--s->connections == 0)
        uv_timer_stop(&s->sweep);
    if (!s->closing)
        listener_resume(&s->listener);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **connection,
                          enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED)
        *connection = connection_new(cls, mhd);
    else
        connection_free(*connection);
}

/* The library notices, forgets the request and closes. */
static void connection_cut(struct connection *c)
{
    list_remove(&c->link);
    shutdown(c->fd, SHUT_RDWR);
}

void connection_move(struct connection *c, struct list *list)
{
    struct server *s = c->server;

    list_remove(&c->link);
    list_append(list, &c->link);
    c->since_ms = uv_now(s->options.loop);
    if (s->closing && list == &s->idle && !c->exchange)
        connection_cut(c);
}

static void expire(struct server *s, struct list *list, uint32_t timeout_ms)
{
    while (!list_is_empty(list)) {
        struct connection *c = container_of(list->next, struct connection, link);
        if (uv_now(s->options.loop) - c->since_ms < timeout_ms)
            return;
        if (c->exchange)
            exchange_expire(c->exchange);
        connection_cut(c);
    }
}

static void on_sweep(uv_timer_t *sweep)
{
    struct server *s = container_of(sweep, struct server, sweep);

    expire(s, &s->idle, s->limits.header_timeout_ms);
    expire(s, &s->moving, s->limits.body_timeout_ms);
}

/* The loop.
 *
 * Whatever concerns the library only sets `due`; it runs right after the loop has waited, or
 * before it waits again. So all the answers of one turn go out in one run. */

void server_wake(struct server *s)
{
    s->due = true;
    if (s->stopped)
        release(s);
}

static void on_library_ready(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    server_wake(container_of(poll, struct server, poll));
}

/* No connection has a timeout in the library: any wait it asks for is "don't". */
static bool has_more(struct MHD_Daemon *daemon)
{
    MHD_UNSIGNED_LONG_LONG wait_ms;

    return MHD_get_timeout(daemon, &wait_ms) == MHD_YES;
}

static void run_steps(struct server *s)
{
    for (unsigned step = 0; s->due && step < STEPS_IN_A_ROW; step++) {
        s->due = false;
        MHD_run(s->daemon);
        s->due |= has_more(s->daemon);
    }
}

static void run_if_due(struct server *s)
{
    if (s->stopped)
        return;

    run_steps(s);
    if (s->closing && s->connections == 0)
        finish(s);
    else if (s->due)
        uv_idle_start(&s->again, on_again);
    else
        uv_idle_stop(&s->again);
}

static void before_wait(uv_prepare_t *handle)
{
    run_if_due(container_of(handle, struct server, before_wait));
}

static void after_wait(uv_check_t *handle)
{
    run_if_due(container_of(handle, struct server, after_wait));
}

static void on_again(uv_idle_t *again)
{
    (void)again;
}

/* The end. */

void server_close(struct server *s, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx)
{
    assert(!s->closing);
    s->closing = true;
    s->closed = closed;
    s->closed_ctx = ctx;
    s->handles = OWN_HANDLES + 1; /* and the listener */
    listener_close(&s->listener, on_listener_closed);

    struct list idle, *link;
    list_move_all(&s->idle, &idle);
    while ((link = list_pop(&idle))) {
        struct connection *c = container_of(link, struct connection, link);
        connection_move(c, &s->idle); /* cuts it, unless a request has begun */
    }
    uv_timer_start(&s->deadline, on_deadline, timeout_ms, 0);
    server_wake(s);
}

/* What on_request still holds stays in memory until it is answered: see release(). */
static void on_deadline(uv_timer_t *deadline)
{
    struct server *s = container_of(deadline, struct server, deadline);

    for (struct list *link = s->owed.next; link != &s->owed; link = link->next) {
        struct connection *c = container_of(link, struct connection, link);
        exchange_dismiss(c->exchange);
        shutdown(c->fd, SHUT_RDWR);
    }
    finish(s);
}

static void finish(struct server *s)
{
    uv_handle_t *const handles[OWN_HANDLES] = {
        (uv_handle_t *)&s->poll,  (uv_handle_t *)&s->before_wait, (uv_handle_t *)&s->after_wait,
        (uv_handle_t *)&s->again, (uv_handle_t *)&s->sweep,       (uv_handle_t *)&s->deadline,
    };

    s->stopped = true;
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

    if (--s->handles > 0)
        return;

    release(s);
    if (closed)
        closed(ctx);
}

/* The library may not be stopped while connections are suspended, and their exchanges are
 * their owner's: the last answer, which goes nowhere, frees the server. */
static void release(struct server *s)
{
    if (s->handles > 0 || !list_is_empty(&s->owed))
        return;

    MHD_stop_daemon(s->daemon);
    free(s);
}
