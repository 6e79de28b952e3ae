/*   dispatcher_open ─► loop:   on_fresh, on_changed, answers ─► on_turn: poke, arm the timer
 *   dispatcher_close ─► on_turn: done? ─► on_webhook_closed ─► on_left ─► handles closed ─► closed */
#include "dispatcher/dispatcher.h"

#include <assert.h>

#include "core/inbox.h"
#include "core/mem.h"
#include "core/random.h"
#include "dispatcher/forwarding.h"
#include "dispatcher/governor.h"
#include "dispatcher/scheduler.h"
#include "dispatcher/webhook.h"

#define HINTS_MAX 4096 /* that may wait for this loop; a lost one costs a survey */

#define IN_FLIGHT_BUSY    64 /* enough to keep a loop busy whose receivers are near */
#define WINDOW_FIRST      4
#define FAIL_LIMIT        5
#define COOL_OFF_FIRST_MS 1000
#define COOL_OFF_MAX_MS   60000
#define LANE_CLAIMS_MAX   256
#define CLAIMS_MAX        8192
#define CLAIMED_BYTES_MAX (32u << 20)
#define IDLE_LANES_MAX    1024

struct dispatcher {
    struct inbox inbox;
    uv_prepare_t turn; /* before the loop waits: whatever happened has been heard */
    uv_timer_t timer;
    uint64_t armed_mono_ms; /* what the timer waits for */
    struct catalog *catalog;
    struct store *store;
    struct store_follower follower;
    struct task left; /* the follower has */
    struct store_watcher watcher;
    struct webhook *webhook;
    struct forwarding *forwarding; /* NULL: no other region is reached */
    struct scheduler *scheduler;
    struct governor governor;

    bool closing;
    bool canceled;
    uint64_t deadline_mono_ms; /* of closing: cancel what is under way */
    unsigned handles_open;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint);
static void on_changed(struct store_follower *follower, struct object *object);
static void on_turn(uv_prepare_t *turn);
static void on_time(uv_timer_t *timer);
static void on_webhook_closed(void *ctx);
static void on_left(struct task *left);
static void on_handle_closed(uv_handle_t *handle);
static void on_inbox_closed(struct inbox *inbox);

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static struct scheduler *make_scheduler(struct dispatcher *d,
                                        const struct dispatcher_options *o)
{
    struct scheduler_options options = {
        .store = o->store,
        .inbox = &d->inbox,
        .catalog = d->catalog,
        .transport = webhook_transport(d->webhook),
        .abroad = d->forwarding ? forwarding_transport(d->forwarding) : NULL,
        .router = o->router,
        .region = o->region,
        .ids = o->ids,
        .disable_after_ms = o->disable_after_ms,
        .retry.count = o->schedule_count,
        .limits = {
            .lane = {
                .window_first = smaller(WINDOW_FIRST, o->in_flight_lane_max),
                .window_max = o->in_flight_lane_max,
                .fail_limit = FAIL_LIMIT,
                .cool_off_first_ms = COOL_OFF_FIRST_MS,
                .cool_off_max_ms = COOL_OFF_MAX_MS,
                .claimed_max = larger(LANE_CLAIMS_MAX, o->in_flight_lane_max),
            },
            .claims_max = CLAIMS_MAX,
            .bytes_max = CLAIMED_BYTES_MAX,
            .idle_max = IDLE_LANES_MAX,
        },
        .in_flight_max = o->in_flight_max,
        .clock = clock_now,
        .random = random_fraction,
    };

    memcpy(options.retry.schedule_s, o->schedule_s, sizeof options.retry.schedule_s);
    return scheduler_new(&options);
}

static struct forwarding *make_forwarding(struct dispatcher *d,
                                          const struct dispatcher_options *o)
{
    return forwarding_new(&(struct forwarding_options){ .inbox = &d->inbox,
                                                        .keyring = o->keyring,
                                                        .forwarder = o->forwarder,
                                                        .router = o->router,
                                                        .timeout_ms = o->timeout_ms });
}

static void start_following(struct dispatcher *d, struct store *store)
{
    d->follower = (struct store_follower){
        .inbox = &d->inbox,
        .catalog = d->catalog,
        .changed = on_changed,
    };
    d->store = store;
    d->watcher = (struct store_watcher){ .inbox = &d->inbox, .fresh = on_fresh };
    store_follow(store, &d->follower);
    store_watch(store, &d->watcher);
}

enum err dispatcher_open(struct dispatcher **out, const struct dispatcher_options *options)
{
    struct dispatcher *d = xcalloc(1, sizeof *d);
    enum err err = inbox_open(&d->inbox, options->loop);

    assert(options->in_flight_lane_max > 0 && options->in_flight_max > 0);
    if (err) {
        free(d);
        return err;
    }
    uv_loop_configure(options->loop, UV_METRICS_IDLE_TIME);
    d->inbox.limit = HINTS_MAX;
    d->handles_open = 3;
    uv_prepare_init(options->loop, &d->turn);
    uv_timer_init(options->loop, &d->timer);
    d->turn.data = d->timer.data = d;
    err = webhook_open(&d->webhook, &(struct webhook_options){
                                        .loop = options->loop,
                                        .inbox = &d->inbox,
                                        .keyring = options->keyring,
                                        .egress = options->egress,
                                        .ca_file = options->ca_file,
                                        .name_servers = options->name_servers,
                                        .timeout_ms = options->timeout_ms,
                                        .connections_max = options->in_flight_max,
                                    });
    if (err) {
        on_left(&d->left);
        return err;
    }
    d->catalog = catalog_new();
    if (options->forwarder)
        d->forwarding = make_forwarding(d, options);
    d->scheduler = make_scheduler(d, options);
    governor_init(&d->governor, IN_FLIGHT_BUSY, options->in_flight_max);
    start_following(d, options->store);
    d->armed_mono_ms = AGENDA_NEVER;
    uv_prepare_start(&d->turn, on_turn);
    *out = d;
    return ERR_OK;
}

void dispatcher_take_keyring(struct dispatcher *d, const struct keyring *keyring)
{
    webhook_take_keyring(d->webhook, keyring);
    if (d->forwarding)
        forwarding_take_keyring(d->forwarding, keyring);
}

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    struct dispatcher *d = container_of(watcher, struct dispatcher, watcher);

    scheduler_take_hint(d->scheduler, hint);
}

static void on_changed(struct store_follower *follower, struct object *object)
{
    struct dispatcher *d = container_of(follower, struct dispatcher, follower);

    scheduler_object_changed(d->scheduler, object);
}

static void arm_timer(struct dispatcher *d, uint64_t next_mono_ms, struct now now)
{
    if (next_mono_ms == d->armed_mono_ms)
        return;
    d->armed_mono_ms = next_mono_ms;
    if (next_mono_ms == AGENDA_NEVER) {
        uv_timer_stop(&d->timer);
        return;
    }
    uv_update_time(d->timer.loop);
    uv_timer_start(&d->timer, on_time,
                   next_mono_ms > now.mono_ms ? next_mono_ms - now.mono_ms : 0, 0);
}

static void end_turn_closing(struct dispatcher *d, struct now now)
{
    if (!d->canceled && now.mono_ms >= d->deadline_mono_ms) {
        d->canceled = true;
        scheduler_cancel(d->scheduler);
    }
    uint64_t next = scheduler_poke(d->scheduler, now);
    if (scheduler_is_done(d->scheduler)) {
        uv_prepare_stop(&d->turn);
        uv_timer_stop(&d->timer);
        webhook_close(d->webhook, on_webhook_closed, d);
    } else {
        bool has_limit = !d->canceled && d->deadline_mono_ms < next;
        arm_timer(d, has_limit ? d->deadline_mono_ms : next, now);
    }
}

static void on_turn(uv_prepare_t *turn)
{
    struct dispatcher *d = container_of(turn, struct dispatcher, turn);
    struct now now = clock_now();

    if (d->closing) {
        end_turn_closing(d, now);
        return;
    }
    scheduler_set_in_flight_max(d->scheduler, governor_judge(&d->governor, now.mono_ms,
                                                             uv_metrics_idle_time(turn->loop)));
    arm_timer(d, scheduler_poke(d->scheduler, now), now);
}

/* The turn that follows does the work. */
static void on_time(uv_timer_t *timer)
{
    struct dispatcher *d = container_of(timer, struct dispatcher, timer);

    d->armed_mono_ms = AGENDA_NEVER;
}

void dispatcher_close(struct dispatcher *d, uint32_t timeout_ms, void (*closed)(void *ctx),
                      void *ctx)
{
    d->closing = true;
    d->closed = closed;
    d->closed_ctx = ctx;
    d->deadline_mono_ms = clock_now().mono_ms + timeout_ms;
    scheduler_stop(d->scheduler);
    d->armed_mono_ms = d->deadline_mono_ms;
    uv_timer_start(&d->timer, on_time, 0, 0);
}

static void on_webhook_closed(void *ctx)
{
    struct dispatcher *d = ctx;

    d->left.run = on_left;
    store_unfollow(d->store, &d->follower, &d->left);
}

static void on_left(struct task *left)
{
    struct dispatcher *d = container_of(left, struct dispatcher, left);

    uv_close((uv_handle_t *)&d->turn, on_handle_closed);
    uv_close((uv_handle_t *)&d->timer, on_handle_closed);
    inbox_close(&d->inbox, on_inbox_closed);
}

static void all_closed(struct dispatcher *d)
{
    void (*closed)(void *) = d->closed;
    void *ctx = d->closed_ctx;

    if (--d->handles_open > 0)
        return;
    if (d->scheduler)
        scheduler_free(d->scheduler);
    forwarding_free(d->forwarding);
    catalog_free(d->catalog);
    free(d);
    if (closed)
        closed(ctx);
}

static void on_handle_closed(uv_handle_t *handle)
{
    all_closed(handle->data);
}

static void on_inbox_closed(struct inbox *inbox)
{
    all_closed(container_of(inbox, struct dispatcher, inbox));
}
