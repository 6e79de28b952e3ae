/*   courier_send ─► resolve ─► judge ─► libcurl ─► settle ─► done
 *                      └─────────┴───────────────────┴─► settled, on a later turn */
#include "wire/courier.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "core/mem.h"
#include "wire/courier_transfer.h"

#define AGENT_LINE_MAX 128

struct courier {
    uv_loop_t *loop;
    CURLM *multi;
    struct resolver *resolver;
    struct sockets sockets;
    struct transfer_setup setup;
    char agent_line[AGENT_LINE_MAX];
    char *ca_file;

    struct list idle;    /* the pool; the last used first, its memory is warm */
    struct list busy;    /* resolving or sending */
    struct list settled; /* `done` is due */
    size_t active;       /* busy and settled */

    uv_timer_t timer; /* libcurl's */
    uv_idle_t soon; /* what is due at once; a timer of 0 ms would keep the loop from its I/O */
    bool is_due;    /* libcurl is */
    size_t handles; /* of these two, not closed yet */
    bool resolver_open;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_resolved(struct lookup *lookup);
static int on_timer_wanted(CURLM *multi, long timeout_ms, void *ctx);
static void on_timer(uv_timer_t *timer);
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx,
                            void *socket_ctx);
static void on_socket_ready(struct sockets *s, curl_socket_t fd, int select);
static void on_soon(uv_idle_t *idle);
static void on_handle_closed(uv_handle_t *handle);
static void on_socket_gone(struct sockets *s);
static void on_resolver_closed(void *ctx);

static void set_up_multi(struct courier *c, unsigned idle_connections)
{
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)idle_connections);
}

enum err courier_open(struct courier **out, const struct courier_options *options)
{
    struct resolver_options names = { .loop = options->loop,
                                      .name_servers = options->name_servers };
    struct courier *c = xcalloc(1, sizeof *c);

    enum err err = resolver_open(&c->resolver, &names);
    if (err) {
        free(c);
        return err;
    }
    c->resolver_open = true;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0 || !(c->multi = curl_multi_init()))
        abort();
    c->loop = options->loop;
    sockets_init(&c->sockets, c->loop);
    c->sockets.on_ready = on_socket_ready;
    c->sockets.on_closed = on_socket_gone;
    snprintf(c->agent_line, sizeof c->agent_line, "User-Agent: %s", options->user_agent);
    c->ca_file = xstrdup(options->ca_file);
    c->setup = (struct transfer_setup){ .egress = options->egress,
                                        .sockets = &c->sockets,
                                        .agent_line = c->agent_line,
                                        .ca_file = c->ca_file,
                                        .identity = options->identity };
    list_init(&c->idle);
    list_init(&c->busy);
    list_init(&c->settled);
    uv_timer_init(c->loop, &c->timer);
    uv_idle_init(c->loop, &c->soon);
    c->timer.data = c->soon.data = c;
    c->handles = 2;
    set_up_multi(c, options->idle_connections);
    *out = c;
    return ERR_OK;
}

size_t courier_active(const struct courier *c)
{
    return c->active;
}

/* Its outcome is known; `done` runs on a later turn of the loop. */
static void deliver_soon(struct courier *c, struct transfer *t)
{
    assert(t->state == TRANSFER_SETTLED);
    list_remove(&t->link);
    list_append(&c->settled, &t->link);
    uv_idle_start(&c->soon, on_soon);
}

static void deliver(struct courier *c, struct transfer *t)
{
    list_remove(&t->link);
    struct call *call = transfer_release(t);
    list_append(c->idle.next, &t->link); /* before the first */
    c->active--;
    call->done(call);
}

static void give_to_libcurl(struct courier *c, struct transfer *t)
{
    if (!transfer_prepare(t)) {
        deliver_soon(c, t);
        return;
    }
    t->state = TRANSFER_SENDING;
    if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        abort();
}

static void take_from_libcurl(struct courier *c, struct transfer *t)
{
    curl_multi_remove_handle(c->multi, t->easy);
    transfer_leave(t);
}

/* The address in use, if it is still among them, else the first that is allowed. */
static const union address *choose(const struct courier *c, const struct target *target,
                                   const struct addresses *addresses)
{
    const union address *first = NULL;

    for (size_t i = 0; i < addresses->count; i++) {
        const union address *a = &addresses->items[i];
        if (!egress_allows(c->setup.egress, &a->any))
            continue;
        if (target->is_pinned && address_equal(a, &target->address))
            return a;
        if (!first)
            first = a;
    }
    return first;
}

static void judge(struct courier *c, struct transfer *t, const struct addresses *addresses)
{
    const union address *chosen = choose(c, t->target, addresses);

    if (!chosen) {
        transfer_settle_denied(t, &addresses->items[0]);
        deliver_soon(c, t);
        return;
    }
    target_pin(t->target, chosen);
    give_to_libcurl(c, t);
}

static void judge_literal(struct courier *c, struct transfer *t)
{
    const union address *address = &t->target->address;

    if (!egress_allows(c->setup.egress, &address->any)) {
        transfer_settle_denied(t, address);
        deliver_soon(c, t);
        return;
    }
    give_to_libcurl(c, t);
}

static void resolve(struct courier *c, struct transfer *t)
{
    struct addresses known;

    if (resolver_known(c->resolver, t->target->host, &known)) {
        judge(c, t, &known);
        return;
    }
    t->state = TRANSFER_RESOLVING;
    t->lookup = (struct lookup){ .host = t->target->host,
                                 .timeout_ms = t->call->timeout_ms,
                                 .done = on_resolved };
    resolver_ask(c->resolver, &t->lookup);
}

static struct transfer *take_transfer(struct courier *c)
{
    struct list *first = list_pop(&c->idle);

    return first ? container_of(first, struct transfer, link) : transfer_new(&c->setup, c);
}

void courier_send(struct courier *c, struct call *call)
{
    struct transfer *t = take_transfer(c);

    assert(!c->closed);
    c->active++;
    list_append(&c->busy, &t->link);
    if (transfer_begin(t, call) != ERR_OK)
        deliver_soon(c, t);
    else if (t->target->is_literal)
        judge_literal(c, t);
    else
        resolve(c, t);
}

static void on_resolved(struct lookup *lookup)
{
    struct transfer *t = container_of(lookup, struct transfer, lookup);
    struct courier *c = t->owner;

    if (lookup->err == ERR_OK) {
        judge(c, t, &lookup->addresses);
        return;
    }
    transfer_settle_lookup(t);
    deliver_soon(c, t);
}

void courier_cancel(struct courier *c, struct call *call)
{
    struct transfer *t = call->transfer;

    assert(t); /* it is under way */
    if (t->state == TRANSFER_RESOLVING) {
        resolver_cancel(c->resolver, &t->lookup);
        return;
    }
    if (t->state == TRANSFER_SENDING)
        take_from_libcurl(c, t);
    transfer_settle(t, ERR_CANCELED, "canceled");
    deliver_soon(c, t);
}

/* Between libcurl and the loop. */

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
    struct courier *c = ctx;

    (void)multi;
    uv_timer_stop(&c->timer);
    c->is_due = timeout_ms == 0;
    if (c->is_due)
        uv_idle_start(&c->soon, on_soon);
    else if (timeout_ms > 0)
        uv_timer_start(&c->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct courier *c = ctx;

    (void)easy, (void)socket_ctx;
    sockets_want(&c->sockets, fd, what);
    return 0;
}

static void finish(struct courier *c, struct transfer *t, CURLcode result)
{
    transfer_settle_result(t, result);
    if (!t->target->is_literal && transfer_found_nobody(t)) {
        resolver_demote(c->resolver, t->target->host, &t->target->address);
        t->target->is_pinned = false;
    }
    take_from_libcurl(c, t);
}

/* Drive libcurl, and then take what it has finished: its messages come by no other way. All of
 * it, before a `done` may open something: see sockets_forget(). */
static void drive(struct courier *c, curl_socket_t fd, int select)
{
    int running, left;
    CURLMsg *message;
    struct list finished;

    list_init(&finished);
    curl_multi_socket_action(c->multi, fd, select, &running);
    while ((message = curl_multi_info_read(c->multi, &left))) {
        struct transfer *t;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
        finish(c, t, result);
        list_remove(&t->link);
        list_append(&finished, &t->link);
    }
    for (struct list *l; (l = list_pop(&finished));)
        deliver(c, container_of(l, struct transfer, link));
}

static void on_timer(uv_timer_t *timer)
{
    drive(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket_ready(struct sockets *s, curl_socket_t fd, int select)
{
    drive(container_of(s, struct courier, sockets), fd, select);
}

/* What is due, and the end. */

static void shut(struct courier *c)
{
    for (struct list *l; (l = list_pop(&c->idle));)
        transfer_free(container_of(l, struct transfer, link));
    curl_multi_cleanup(c->multi);
    sockets_forget_all(&c->sockets);
    uv_close((uv_handle_t *)&c->timer, on_handle_closed);
    uv_close((uv_handle_t *)&c->soon, on_handle_closed);
    resolver_close(c->resolver, on_resolver_closed, c);
}

static void on_soon(uv_idle_t *idle)
{
    struct courier *c = idle->data;
    struct list due;

    uv_idle_stop(idle);
    if (c->is_due) {
        c->is_due = false;
        drive(c, CURL_SOCKET_TIMEOUT, 0);
    }
    list_move_all(&c->settled, &due);
    for (struct list *l; (l = list_pop(&due));)
        deliver(c, container_of(l, struct transfer, link));
    if (c->closed && c->active == 0)
        shut(c);
}

void courier_close(struct courier *c, void (*closed)(void *ctx), void *ctx)
{
    struct list busy;

    c->closed = closed;
    c->closed_ctx = ctx;
    list_move_all(&c->busy, &busy);
    for (struct list *l; (l = list_pop(&busy));)
        courier_cancel(c, container_of(l, struct transfer, link)->call);
    uv_idle_start(&c->soon, on_soon);
}

static void finish_close(struct courier *c)
{
    if (c->handles > 0 || c->resolver_open || c->sockets.count > 0)
        return;

    sockets_fini(&c->sockets);
    curl_global_cleanup();
    free(c->ca_file);
    void (*closed)(void *) = c->closed;
    void *ctx = c->closed_ctx;
    free(c);
    closed(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct courier *c = handle->data;

    c->handles--;
    finish_close(c);
}

static void on_socket_gone(struct sockets *s)
{
    struct courier *c = container_of(s, struct courier, sockets);

    if (c->closed)
        finish_close(c);
}

static void on_resolver_closed(void *ctx)
{
    struct courier *c = ctx;

    c->resolver_open = false;
    finish_close(c);
}
