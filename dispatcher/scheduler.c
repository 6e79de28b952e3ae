#include "dispatcher/scheduler.h"

#include <assert.h>

#include "core/mem.h"
#include "dispatcher/private.h"

#define CLOCK_STEP_MS 1000 /* a wall clock that moved this far from the other was set */

struct scheduler *scheduler_new(const struct scheduler_options *options)
{
    struct scheduler *s = xcalloc(1, sizeof *s);

    s->options = *options;
    s->slots = options->in_flight_max;
    roster_init(&s->roster, &options->limits);
    list_init(&s->ready);
    backlog_init(s);
    sending_init(s);
    return s;
}

void scheduler_free(struct scheduler *s)
{
    struct agenda_item *item;

    assert(scheduler_is_done(s));
    do
        item = agenda_pop(&s->agenda, AGENDA_NEVER);
    while (item);
    roster_fini(&s->roster);
    agenda_fini(&s->agenda);
    tenants_fini(s);
    sending_fini(s);
    free(s);
}

/* Where lanes stand. */

static void place(struct list *list, struct list *link, bool there)
{
    if (!there)
        list_remove(link);
    else if (list_is_empty(link))
        list_append(list, link);
}

/* Back to the disk, where it never ceased to be. */
static void drop_queue(struct scheduler *s, struct lane *lane)
{
    while (lane->queue_len > 0) {
        struct claim *claim = container_of(lane->queue.next, struct claim, link);
        lane_unqueue(lane, claim);
        roster_release(&s->roster, claim);
        lane->more = true;
    }
}

void scheduler_settle(struct scheduler *s, struct lane *lane, struct now now)
{
    lane_advance(lane, now);
    if (s->stopping || lane_depth(lane, false) == 0)
        drop_queue(s, lane);

    bool at_rest = lane_claimed(lane) == 0 && !lane->loading;
    bool idle = lane_is_idle(lane);
    tenants_place(s, lane, lane_may_send(lane, now) && !sending_is_sated(s, lane), now);
    if (lane->ended)
        place(&s->doomed, &lane->wanting, lane->more && s->ending != lane);
    else
        tenants_place_wanting(s, lane, lane_wants_refill(lane, roster_is_scarce(&s->roster)));
    agenda_set(&s->agenda, &lane->wake, idle ? AGENDA_NEVER : lane_next_mono_ms(lane, now));

    if (at_rest && (lane->held || (lane->ended && !lane->more)))
        roster_remove(&s->roster, lane);
    else if (idle)
        roster_rest(&s->roster, lane);
    else
        roster_unrest(&s->roster, lane);
}

/* What the catalog says of its endpoint. One that isn't there is deleted: a delivery is never seen
 * before its endpoint. */
static void look_up_endpoint(struct scheduler *s, struct lane *lane)
{
    const struct endpoint *endpoint =
        catalog_endpoint_by_key(s->options.catalog, lane->endpoint_key);

    lane->held = endpoint && endpoint->disabled;
    lane->throttle.rate = endpoint ? endpoint->throttle_rate : 0;
    tenants_join(s, lane, endpoint);
    if (!endpoint && !lane->ended) {
        list_remove(&lane->wanting);
        lane->ended = lane->more = true;
    }
}

struct lane *scheduler_lane(struct scheduler *s, int64_t endpoint_key)
{
    struct lane *lane = roster_find(&s->roster, endpoint_key);

    if (!lane) {
        lane = roster_add(&s->roster, endpoint_key);
        lane->more = !s->backlog_known;
        look_up_endpoint(s, lane);
    }
    return lane;
}

/* What changes that. */

static bool may_take_hint(const struct scheduler *s, const struct lane *lane,
                          const struct store_hint *hint, struct now now)
{
    return hint->message && hint->due_at_ms <= now.wall_ms && !lane->more && !lane->loading &&
           !roster_is_full(&s->roster) && !(lane->tenant && tenant_is_full(lane->tenant)) &&
           lane_claimed(lane) < lane_depth(lane, roster_is_scarce(&s->roster));
}

static void take_fresh(struct scheduler *s, const struct store_hint *hint, int64_t endpoint_key,
                       struct now now)
{
    struct lane *lane = scheduler_lane(s, endpoint_key);

    if (hint->message && lane_has(lane, id_key(&hint->message->id)))
        return;
    if (may_take_hint(s, lane, hint, now))
        roster_claim(&s->roster, lane,
                     &(struct delivery){
                         .message = message_ref(hint->message),
                         .endpoint_key = endpoint_key,
                         .due_at_ms = hint->due_at_ms,
                     });
    else
        lane_note_due(lane, hint->due_at_ms, now);
    scheduler_settle(s, lane, now);
}

void scheduler_take_hint(struct scheduler *s, struct store_hint *hint)
{
    struct now now = s->options.clock();

    s->hints_lost |= hint->lost;
    for (size_t i = 0; i < hint->count && !s->stopping; i++)
        take_fresh(s, hint, hint->endpoint_keys[i], now);
    message_unref(hint->message);
    free(hint);
}

/* All lanes are looked at again by the next poke. */
static void wake_all(struct scheduler *s, struct now now)
{
    for (struct lane *lane = s->roster.by_key; lane; lane = lane->hh.next)
        if (!lane_is_idle(lane))
            agenda_set(&s->agenda, &lane->wake, now.mono_ms);
}

/* An edit may have mended what failed, so the lane starts afresh; and a held lane isn't in memory,
 * so an endpoint that may have been enabled has its backlog looked for. */
static void endpoint_changed(struct scheduler *s, const struct object *object, struct now now)
{
    int64_t key = id_key(&object->id);
    bool is_new = object->version == 1;

    if (is_new && !roster_find(&s->roster, key))
        return;

    struct lane *lane = scheduler_lane(s, key);
    lane_reset(lane);
    look_up_endpoint(s, lane);
    lane->more = true;
    scheduler_settle(s, lane, now);
}

/* A new one has no lanes yet. */
static void application_changed(struct scheduler *s, struct object *object, struct now now)
{
    const struct application *application = as_application(object);

    if (object->version == 1 || !(tenants_change_rate(s, application, now) || object->deleted))
        return;
    for (struct lane *lane = s->roster.by_key; lane; lane = lane->hh.next)
        look_up_endpoint(s, lane);
    tenants_drop(s, application);
    wake_all(s, now);
    if (object->deleted)
        s->survey_mono_ms = now.mono_ms;
}

void scheduler_object_changed(struct scheduler *s, struct object *object)
{
    struct now now = s->options.clock();

    if (s->stopping)
        return;
    if (object->kind == OBJECT_ENDPOINT)
        endpoint_changed(s, object, now);
    if (object->kind == OBJECT_APPLICATION)
        application_changed(s, object, now);
}

/* Due dates are wall-clock, waits are not: when the wall clock was set, ask every lane anew. */
static void notice_clock_step(struct scheduler *s, struct now now)
{
    uint64_t ahead = now.wall_ms - now.mono_ms;
    uint64_t moved = ahead - s->wall_ahead_ms;

    if (moved + CLOCK_STEP_MS <= 2 * CLOCK_STEP_MS)
        return;
    s->wall_ahead_ms = ahead;
    wake_all(s, now);
}

static void wake_lanes(struct scheduler *s, struct now now)
{
    struct agenda_item *item;

    while ((item = agenda_pop(&s->agenda, now.mono_ms)))
        scheduler_settle(s, container_of(item, struct lane, wake), now);
}

uint64_t scheduler_poke(struct scheduler *s, struct now now)
{
    if (!s->stopping) {
        notice_clock_step(s, now);
        wake_lanes(s, now);
        tenants_wake(s, now);
    }
    sending_poke(s, now);
    if (s->stopping)
        return sending_next(s);
    backlog_poke(s, now);
    return earlier(earlier(agenda_next(&s->agenda), agenda_next(&s->turns)),
                   earlier(backlog_next(s, now), sending_next(s)));
}

void scheduler_set_in_flight_max(struct scheduler *s, unsigned in_flight_max)
{
    s->options.in_flight_max = in_flight_max;
}

/* The end. */

void scheduler_stop(struct scheduler *s)
{
    s->stopping = true;
    for (struct lane *lane = s->roster.by_key; lane; lane = lane->hh.next) {
        drop_queue(s, lane);
        list_remove(&lane->ready);
        list_remove(&lane->wanting);
    }
    sending_record_again(s);
}

void scheduler_cancel(struct scheduler *s)
{
    s->canceled = true;
    sending_record_again(s);
    for (struct list *link = s->flying.next; link != &s->flying; link = link->next) {
        struct attempt *a = container_of(link, struct attempt, link);
        a->transport->cancel(a->transport, a);
    }
}

bool scheduler_is_done(const struct scheduler *s)
{
    return s->stopping && s->owed == 0;
}

struct scheduler_load scheduler_load(const struct scheduler *s)
{
    return (struct scheduler_load){
        .lanes = HASH_COUNT(s->roster.by_key),
        .claims = s->roster.claims,
        .bytes = s->roster.bytes,
        .in_flight = s->in_flight,
        .refills = s->refills,
        .unanswered = s->owed - s->in_flight - s->unrecorded_count,
    };
}
