#include "tests/lib/world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/operational.h"
#include "signer/digest.h"

#define QUIET_TURNS 100000 /* of the loop; more is a livelock */

/* Bytes: eight refills and a hint may each pass the limit by the longest payload. */
#define OVERSHOOT ((8 + 1) * 4)

#define WINDOW_MAX    8
#define IN_FLIGHT_MAX 64

struct fate fate;

static const struct retry_policy policy = { .schedule_s = { 5, 60, 300, 900 }, .count = 4 };

static struct now fake_clock(void)
{
    return fate.now;
}

static double fake_random(void)
{
    return dice_fraction(&fate.dice);
}

static enum err commit_unless_full(struct backend *b, enum backend_file file)
{
    return fate.disk_full ? ERR_FULL : sqlite_backend.commit(b, file);
}

struct world *world_new(uint64_t seed)
{
    struct world *w = xcalloc(1, sizeof *w);

    fate = (struct fate){
        .dice = { seed },
        .now = { .mono_ms = 1000, .wall_ms = 1800000000000 },
    };
    w->backend = sqlite_backend;
    w->backend.commit = commit_unless_full;
    w->options = (struct scheduler_options){
        .inbox = &w->inbox,
        .transport = &w->subscribers.transport,
        .ids = &w->ids,
        .retry = policy,
        .limits = {
            .lane = {
                .window_first = 4,
                .window_max = WINDOW_MAX,
                .fail_limit = 5,
                .cool_off_first_ms = 1000,
                .cool_off_max_ms = 60000,
                .claimed_max = 64,
            },
            .claims_max = 256,
            .bytes_max = 4096,
            .idle_max = 2 * SUBSCRIBERS_MAX,
        },
        .in_flight_max = IN_FLIGHT_MAX,
        .clock = fake_clock,
        .random = fake_random,
    };
    temp_make(w->dir);
    assert_int_equal(uv_loop_init(&w->loop), 0);
    assert_int_equal(inbox_open(&w->inbox, &w->loop), ERR_OK);
    w->inbox.limit = 64;
    id_source_init(&w->ids, 1, 0);
    return w;
}

static void open_store(struct world *w);
static struct id make_application(struct world *w, const char *uid);
static void stop(struct world *w, bool crash);

void world_open(struct world *w)
{
    subscribers_init(&w->subscribers, &fate.dice, &w->options.retry, w->options.in_flight_max,
                     w->options.limits.lane.window_max);
    open_store(w);
    be_quiet(w);
    w->application = make_application(w, NULL);
}

void world_free(struct world *w)
{
    stop(w, false);
    inbox_close(&w->inbox, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    subscribers_fini(&w->subscribers);
    temp_remove(w->dir);
    free(w);
}

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    struct world *w = container_of(watcher, struct world, watcher);

    scheduler_take_hint(w->scheduler, hint);
}

static void on_changed(struct store_follower *follower, struct object *object)
{
    struct world *w = container_of(follower, struct world, follower);

    for (size_t i = 0; i < w->subscribers.count; i++) {
        struct subscriber *r = w->subscribers.items[i];
        if (id_equal(&r->endpoint, &object->id))
            r->closed = object->deleted || as_endpoint(object)->disabled;
    }
    scheduler_object_changed(w->scheduler, object);
}

static void open_store(struct world *w)
{
    assert_int_equal(store_open(&w->store,
                                &(struct store_options){
                                    .dir = w->dir,
                                    .writer = &w->loop,
                                    .reader = &w->loop,
                                    .ids = &w->ids,
                                    .sha256 = digest_sha256,
                                    .requests_max = 4096,
                                    .clock = fake_clock,
                                    .backend = &w->backend,
                                }),
                     ERR_OK);
    w->catalog = catalog_new();
    w->follower = (struct store_follower){
        .inbox = &w->inbox,
        .catalog = w->catalog,
        .changed = on_changed,
    };
    w->watcher = (struct store_watcher){ .inbox = &w->inbox, .fresh = on_fresh };
    store_follow(w->store, &w->follower);
    store_watch(w->store, &w->watcher);

    w->options.store = w->store;
    w->options.catalog = w->catalog;
    w->scheduler = scheduler_new(&w->options);
}

static void check_load(const struct world *w)
{
    const struct roster_limits *limits = &w->options.limits;
    struct scheduler_load load = scheduler_load(w->scheduler);

    assert_true(load.claims <= limits->claims_max);
    assert_true(load.bytes <= limits->bytes_max + OVERSHOOT);
    assert_true(load.in_flight <= w->options.in_flight_max);
    assert_true(load.lanes <= SUBSCRIBERS_MAX);
}

static unsigned unanswered(const struct world *w)
{
    return w->asked + (unsigned)scheduler_load(w->scheduler).unanswered;
}

static void append(struct world *w);

void be_quiet(struct world *w)
{
    uint64_t *newest = &w->subscribers.newest_wall_ms;
    unsigned idle = 0;

    *newest = *newest > fate.now.wall_ms ? *newest : fate.now.wall_ms;
    for (unsigned turn = 0; idle < 3; turn++) {
        w->pokes++;
        w->next_mono_ms = scheduler_poke(w->scheduler, fate.now);
        check_load(w);
        if (dice_chance(&fate.dice, w->chatter_percent))
            append(w);
        uv_run(&w->loop, UV_RUN_NOWAIT);
        idle = unanswered(w) == 0 ? idle + 1 : 0;
        assert_true(turn < QUIET_TURNS);
    }
}

static void advance_to(uint64_t mono_ms)
{
    fate.now.wall_ms += mono_ms - fate.now.mono_ms;
    fate.now.mono_ms = mono_ms;
}

void run_until(struct world *w, uint64_t mono_ms)
{
    for (;;) {
        be_quiet(w);
        uint64_t next = subscribers_next(&w->subscribers);
        next = w->next_mono_ms < next ? w->next_mono_ms : next;
        if (next > mono_ms)
            break;
        if (next > fate.now.mono_ms)
            advance_to(next);
        subscribers_answer(&w->subscribers, fate.now);
    }
    advance_to(mono_ms);
}

void run_for(struct world *w, uint64_t ms)
{
    run_until(w, fate.now.mono_ms + ms);
}

struct closing {
    struct task task;
    bool done;
};

static void on_store_closed(struct task *task)
{
    container_of(task, struct closing, task)->done = true;
}

/* Gracefully: what is under way may end. A crash loses it. */
static void stop_scheduler(struct world *w, bool crash)
{
    if (crash)
        subscribers_crash(&w->subscribers);
    if (fate.disk_full)
        subscribers_doubt_all(&w->subscribers);
    scheduler_stop(w->scheduler);
    if (crash || fate.disk_full)
        scheduler_cancel(w->scheduler);
    for (unsigned turn = 0; !scheduler_is_done(w->scheduler); turn++) {
        uint64_t next = subscribers_next(&w->subscribers);
        if (next != AGENDA_NEVER && next > fate.now.mono_ms && unanswered(w) == 0)
            advance_to(next);
        subscribers_answer(&w->subscribers, fate.now);
        uv_run(&w->loop, UV_RUN_NOWAIT);
        assert_true(turn < QUIET_TURNS);
    }
}

static void stop(struct world *w, bool crash)
{
    struct closing closing = { .task.run = on_store_closed };

    stop_scheduler(w, crash);
    store_close(w->store, &w->inbox, &closing.task);
    while (!closing.done)
        uv_run(&w->loop, UV_RUN_ONCE);
    scheduler_free(w->scheduler);
    catalog_free(w->catalog);
}

void world_restart(struct world *w, bool crash)
{
    stop(w, crash);
    for (size_t i = 0; i < w->subscribers.count; i++)
        w->subscribers.items[i]->throttle_mono_us = 0;
    open_store(w);
    be_quiet(w);
}

/* What clients do. */

struct putting {
    struct store_put op;
    struct world *world;
};

static void on_put(struct store_req *req)
{
    struct store_put *op = container_of(req, struct store_put, req);
    struct putting *putting = container_of(op, struct putting, op);

    putting->world->asked--;
    putting->world->err = req->err;
    object_unref(op->object);
    free(putting);
}

static enum err put(struct world *w, struct object *object)
{
    struct putting *putting = xcalloc(1, sizeof *putting);

    putting->world = w;
    putting->op = (struct store_put){
        .req = { .done = on_put, .reply_to = &w->inbox },
        .object = object,
    };
    object->version++;
    object->updated_at_ms = fate.now.wall_ms;
    w->asked++;
    store_put(w->store, &putting->op);
    be_quiet(w);
    return w->err;
}

static struct id put_new(struct world *w, struct object *object)
{
    struct id id = object->id = id_new(&w->ids, fate.now.wall_ms);

    object->created_at_ms = fate.now.wall_ms;
    assert_int_equal(put(w, object), ERR_OK);
    return id;
}

static struct id make_application(struct world *w, const char *uid)
{
    struct application *a = application_new();

    a->uid = xstrdup(uid);
    a->name = xstrdup("simulated");
    a->metadata = xstrdup("{}");
    return put_new(w, &a->base);
}

static struct endpoint *new_endpoint(const struct id *application)
{
    struct endpoint *e = endpoint_new();

    e->application = *application;
    e->url = xstrdup("http://subscriber.example/");
    e->description = xstrdup("");
    e->metadata = xstrdup("{}");
    return e;
}

void make_operational(struct world *w)
{
    struct endpoint *e;

    w->manager = make_application(w, OPERATIONAL_UID);
    e = new_endpoint(&w->manager);
    e->disabled = true;
    put_new(w, &e->base);
}

struct subscriber *make_endpoint(struct world *w, uint32_t throttle_rate)
{
    struct endpoint *e = new_endpoint(&w->application);

    e->throttle_rate = throttle_rate;
    struct id id = put_new(w, &e->base);
    struct subscriber *r = subscribers_add(&w->subscribers, &id);
    r->throttle_rate = throttle_rate;
    return r;
}

struct appending {
    struct store_append op;
    struct world *world;
    char payload[16];
};

static void on_appended(struct store_req *req)
{
    struct store_append *op = container_of(req, struct store_append, req);
    struct appending *appending = container_of(op, struct appending, op);
    struct world *w = appending->world;

    w->asked--;
    if (req->err) {
        assert_int_equal(req->err, ERR_FULL);
        for (size_t i = 0; i < w->subscribers.count; i++)
            w->subscribers.items[i]->parcels[strtoul(appending->payload, NULL, 10)].owed =
                false;
    } else {
        message_unref(op->message);
    }
    free(appending);
}

/* Owed from before the answer on: the hint may be faster. */
static void append(struct world *w)
{
    struct appending *appending = xcalloc(1, sizeof *appending);

    if (w->messages == MESSAGES_MAX) {
        free(appending);
        return;
    }
    appending->world = w;
    snprintf(appending->payload, sizeof appending->payload, "%zu", w->messages);
    appending->op = (struct store_append){
        .req = { .done = on_appended, .reply_to = &w->inbox },
        .application = w->application,
        .event_type = "simulated",
        .payload = appending->payload,
        .payload_len = strlen(appending->payload),
        .retention_hours = PAYLOAD_HOURS_MAX,
    };
    for (size_t i = 0; i < w->subscribers.count; i++) {
        struct subscriber *r = w->subscribers.items[i];
        r->parcels[w->messages].owed =
            catalog_endpoint_by_key(w->catalog, id_key(&r->endpoint)) != NULL;
    }
    w->messages++;
    w->asked++;
    store_append(w->store, &appending->op);
}

void send_messages(struct world *w, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        append(w);
    be_quiet(w);
}

static struct endpoint *copy_endpoint(const struct world *w, const struct subscriber *r)
{
    const struct endpoint *e = catalog_endpoint_by_key(w->catalog, id_key(&r->endpoint));

    return e ? endpoint_copy(e) : NULL;
}

void set_disabled(struct world *w, struct subscriber *r, bool disabled)
{
    struct endpoint *e = copy_endpoint(w, r);

    if (!e)
        return;
    e->disabled = disabled;
    r->throttle_mono_us = 0;
    w->err = put(w, &e->base);
}

void set_application_rate(struct world *w, uint32_t throttle_rate)
{
    const struct application *a =
        catalog_application_by_key(w->catalog, id_key(&w->application));
    struct application *next = application_copy(a);

    next->throttle_rate = throttle_rate;
    w->err = put(w, &next->base);
}

void delete_endpoint(struct world *w, struct subscriber *r)
{
    struct endpoint *e = copy_endpoint(w, r);

    if (!e)
        return;
    e->base.deleted = true;
    if (put(w, &e->base) != ERR_OK)
        return;
    for (size_t n = 0; n < MESSAGES_MAX; n++)
        r->parcels[n].forgiven = true;
}

static void on_status(struct store_req *req)
{
    struct store_status *op = container_of(req, struct store_status, req);

    assert_int_equal(req->err, ERR_OK);
    op->req.reply_to = NULL;
}

static void on_told(struct store_req *req)
{
    assert_int_equal(req->err, ERR_OK);
    req->reply_to = NULL;
}

size_t ask_told(struct world *w, const char *type, char last[TOLD_MAX])
{
    struct store_list_messages op = {
        .req = { .done = on_told, .reply_to = &w->inbox },
        .application = w->manager,
        .with_content = true,
        .page = { .limit = PAGE_LIMIT_MAX },
    };

    last[0] = '\0';
    text_list_add(&op.filter.event_types, type, strlen(type));
    store_list_messages(w->store, &op);
    while (op.req.reply_to)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_false(op.more);
    for (size_t i = op.count; i-- > 0;) {
        const struct bytes *body = &op.messages[i]->payload;
        snprintf(last, TOLD_MAX, "%.*s", (int)body->len, (const char *)body->data);
        message_unref(op.messages[i]);
    }
    free(op.messages);
    text_list_fini(&op.filter.event_types);
    return op.count;
}

uint64_t ask_pending(struct world *w)
{
    struct store_status op = { .req = { .done = on_status, .reply_to = &w->inbox } };

    store_status(w->store, &op);
    while (op.req.reply_to)
        uv_run(&w->loop, UV_RUN_ONCE);
    return op.pending;
}
