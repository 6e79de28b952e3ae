/* Stopping: what a region consists of, closed in reverse.
 *
 *   stopping_begin ─► stop_api ─► stop_dispatcher ─► stop_link ─► stop_peers ─► stop_router
 *                  ─► stop_store ─► on_store_closed
 *
 * Each step runs where its module lives and reports to the main loop by a task. A failed start
 * takes the same way, from the step of the last module that opened. */
#include "daemon/private.h"

#include <unistd.h>

#include "core/log.h"

/* Parts of DAEMON_STOP_MS; the store needs the rest. */
#define API_STOP_MS        2500
#define DISPATCHER_STOP_MS 5000
#define LINK_STOP_MS       7500 /* from the beginning */

static void retire_link(struct task *retire);
static void stop_api(struct task *step);
static void on_api_closed(void *ctx);
static void stop_dispatcher(struct task *step);
static void on_dispatcher_closed(void *ctx);
static void stop_link(struct task *step);
static void on_link_closed(void *ctx);
static void stop_peers(struct daemon *d);
static void on_peers_closed(void *ctx);
static void stop_router(struct task *step);
static void on_router_closed(void *ctx);
static void stop_store(struct task *step);
static void on_store_closed(struct task *step);
static void on_deadline(uv_timer_t *timer);

static void go_on(struct daemon *d, struct loop *where, void (*run)(struct task *))
{
    d->step.run = run;
    inbox_post(&where->inbox, &d->step);
}

void stopping_begin(struct daemon *d)
{
    d->stopping = true;
    d->stop_mono_ms = clock_now().mono_ms;
    if (d->link) {
        d->retire.run = retire_link;
        inbox_post(&d->link_loop.inbox, &d->retire);
    }
    uv_timer_start(&d->deadline, on_deadline, DAEMON_STOP_MS, 0);
    go_on(d, &d->api_loop, stop_api);
}

/* On the link's loop: what it sends for others it finishes meanwhile. */
static void retire_link(struct task *retire)
{
    link_retire(container_of(retire, struct daemon, retire)->link);
}

/* On the api loop. */
static void stop_api(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->api)
        api_close(d->api, API_STOP_MS, on_api_closed, d);
    else
        on_api_closed(d);
}

static void on_api_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->dispatch, stop_dispatcher);
}

/* On the dispatch loop. */
static void stop_dispatcher(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->dispatcher)
        dispatcher_close(d->dispatcher, DISPATCHER_STOP_MS, on_dispatcher_closed, d);
    else
        on_dispatcher_closed(d);
}

static void on_dispatcher_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->link_loop, stop_link);
}

static uint32_t link_time_left_ms(const struct daemon *d)
{
    uint64_t spent_ms = clock_now().mono_ms - d->stop_mono_ms;

    return spent_ms < LINK_STOP_MS ? (uint32_t)(LINK_STOP_MS - spent_ms) : 0;
}

/* On the link's loop. */
static void stop_link(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->link)
        link_close(d->link, link_time_left_ms(d), on_link_closed, d);
    else
        on_link_closed(d);
}

static void on_link_closed(void *ctx)
{
    stop_peers(ctx);
}

static void stop_peers(struct daemon *d)
{
    if (d->peers)
        api_close(d->peers, 0, on_peers_closed, d);
    else
        on_peers_closed(d);
}

static void on_peers_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->dispatch, stop_router);
}

/* On the dispatch loop. Nobody asks why any more. */
static void stop_router(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    if (d->router)
        router_close(d->router, on_router_closed, d);
    else
        on_router_closed(d);
}

static void on_router_closed(void *ctx)
{
    struct daemon *d = ctx;

    go_on(d, &d->main, stop_store);
}

/* On the main loop, from here on. */
static void stop_store(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    step->run = on_store_closed;
    if (d->store)
        store_close(d->store, &d->main.inbox, step);
    else
        on_store_closed(step);
}

static void on_store_closed(struct task *step)
{
    struct daemon *d = container_of(step, struct daemon, step);

    uv_stop(&d->main.uv);
}

/* Something hangs. Ending now is what a crash would do, and the outbox is made for that. */
static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    log_event(LOG_ERROR, "stop_timed_out", LOG_NUM("ms", DAEMON_STOP_MS));
    _exit(DAEMON_FAILED);
}
