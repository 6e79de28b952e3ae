#include "dispatcher/scheduler.h"

#include <assert.h>

#include "core/mem.h"
#include "dispatcher/disable.h"
#include "dispatcher/refill.h"
#include "dispatcher/survey.h"

#define REFILLS_MAX       8    /* reads under way: the reader takes them one by one */
#define END_LIMIT         1000 /* deliveries ended in one transaction */
#define SURVEY_EVERY_MS   5000
#define SURVEY_SHARE      20    /* a survey takes at most one part in so many of the time */
#define SURVEY_LOST_MS    1000  /* at most one survey in this time for lost hints */
#define STORE_PAUSE_MS    200   /* before asking a busy store again */
#define RECORD_PAUSE_MS   500   /* before asking a full disk again */
#define GONE_SHUT_MS      60000 /* until the endpoint is disabled; or tried again if it isn't */
#define RETRY_AFTER_MAX_S 3600  /* that a lane is shut for */
#define CLOCK_STEP_MS     1000  /* a wall clock that moved this far from the other was set */

struct scheduler {
    struct scheduler_options options;
    struct attempt_desk desk;
    struct roster roster;

    /* being in a list is a lane's state */
    struct list ready;    /* may send; round robin */
    struct list wanting;  /* wait for a read */
    struct list doomed;   /* their endpoint is gone */
    struct agenda agenda; /* lanes that time will change */

    struct list flying;     /* attempts with the transport */
    struct list unrecorded; /* attempts that the store refused to record for now */
    size_t unrecorded_count;
    struct list spare;  /* attempts */
    unsigned in_flight; /* length of `flying` */
    size_t owed;        /* attempts and store requests under way */
    unsigned refills;

    struct survey survey;
    uint64_t survey_mono_ms;   /* when to start the next */
    uint64_t surveyed_mono_ms; /* when the last was started */
    bool backlog_known;        /* one survey was complete */
    bool hints_lost;           /* since the last survey was started */

    struct store_end_lane end;
    struct lane *ending; /* NULL: `end` isn't under way */

    bool stalled;            /* records fail: start nothing */
    uint64_t record_mono_ms; /* when to ask for them again */
    uint64_t store_mono_ms;  /* no reads before */
    uint64_t wall_ahead_ms;  /* wall minus monotonic clock; wraps */
    bool stopping;
};

/* In the order of a delivery's life. */
static void on_lane_found(struct survey *survey, const struct lane_due *found);
static void on_surveyed(struct survey *survey, enum err err);
static void on_refilled(struct refill *r);
static void on_answered(struct attempt *a, struct now now);
static void on_recorded(struct attempt *a, enum err err);
static void on_disabled(struct disable *d);
static void on_lane_ended(struct store_req *req);

static void settle(struct scheduler *s, struct lane *lane, struct now now);

struct scheduler *scheduler_new(const struct scheduler_options *options)
{
    struct scheduler *s = xcalloc(1, sizeof *s);

    s->options = *options;
    s->desk = (struct attempt_desk){
        .store = options->store,
        .inbox = options->inbox,
        .transport = options->transport,
        .ids = options->ids,
        .retry = &s->options.retry,
        .jitter = options->random,
        .answered = on_answered,
        .recorded = on_recorded,
        .owner = s,
    };
    s->survey.found = on_lane_found;
    s->survey.finished = on_surveyed;
    roster_init(&s->roster, &options->limits);
    list_init(&s->ready);
    list_init(&s->wanting);
    list_init(&s->doomed);
    list_init(&s->flying);
    list_init(&s->unrecorded);
    list_init(&s->spare);
    return s;
}

void scheduler_free(struct scheduler *s)
{
    struct list *link;
    struct agenda_item *item;

    assert(scheduler_is_done(s));
    while ((item = agenda_pop(&s->agenda, AGENDA_NEVER)))
        continue;
    roster_fini(&s->roster);
    agenda_fini(&s->agenda);
    while ((link = list_pop(&s->spare)))
        free(container_of(link, struct attempt, link));
    free(s);
}

/* --- Lanes ------------------------------------------------------------------------------- */

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

/* The one place that decides where a lane stands. It may be freed. */
static void settle(struct scheduler *s, struct lane *lane, struct now now)
{
    lane_advance(lane, now);
    if (s->stopping || lane_depth(lane, false) == 0)
        drop_queue(s, lane);

    bool at_rest = lane_claimed(lane) == 0 && !lane->loading;
    bool idle = lane_is_idle(lane);
    place(&s->ready, &lane->ready, lane_may_send(lane, now));
    if (lane->ended)
        place(&s->doomed, &lane->wanting, lane->more && s->ending != lane);
    else
        place(&s->wanting, &lane->wanting,
              lane_wants_refill(lane, roster_is_scarce(&s->roster)));
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
    lane->throttle_rate = endpoint ? endpoint->throttle_rate : 0;
    if (!endpoint && !lane->ended) {
        list_remove(&lane->wanting);
        lane->ended = lane->more = true;
    }
}

static struct lane *lane_for(struct scheduler *s, int64_t endpoint_key)
{
    struct lane *lane = roster_find(&s->roster, endpoint_key);

    if (!lane) {
        lane = roster_add(&s->roster, endpoint_key);
        lane->more = !s->backlog_known;
        look_up_endpoint(s, lane);
    }
    return lane;
}

static bool may_take_hint(const struct scheduler *s, const struct lane *lane,
                          const struct store_hint *hint, struct now now)
{
    return hint->due_at_ms <= now.wall_ms && !lane->more && !lane->loading &&
           !roster_is_full(&s->roster) &&
           lane_claimed(lane) < lane_depth(lane, roster_is_scarce(&s->roster));
}

static void take_fresh(struct scheduler *s, const struct store_hint *hint, int64_t endpoint_key,
                       struct now now)
{
    struct lane *lane = lane_for(s, endpoint_key);

    if (lane_has(lane, id_key(&hint->message->id)))
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
    settle(s, lane, now);
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

    struct lane *lane = lane_for(s, key);
    lane_reset(lane);
    look_up_endpoint(s, lane);
    lane->more = true;
    settle(s, lane, now);
}

void scheduler_object_changed(struct scheduler *s, const struct object *object)
{
    struct now now = s->options.clock();

    if (s->stopping)
        return;
    if (object->kind == OBJECT_ENDPOINT)
        endpoint_changed(s, object, now);
    if (object->kind == OBJECT_APPLICATION && object->deleted) {
        for (struct lane *lane = s->roster.by_key; lane; lane = lane->hh.next)
            look_up_endpoint(s, lane);
        wake_all(s, now);
        s->survey_mono_ms = now.mono_ms;
    }
}

/* --- Poke -------------------------------------------------------------------------------- */

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
        settle(s, container_of(item, struct lane, wake), now);
}

static void start_attempt(struct scheduler *s, struct lane *lane, struct now now)
{
    struct endpoint *endpoint = catalog_endpoint_by_key(s->options.catalog, lane->endpoint_key);
    struct list *link = list_pop(&s->spare);
    struct attempt *a = link ? container_of(link, struct attempt, link) : xcalloc(1, sizeof *a);

    s->in_flight++;
    s->owed++;
    attempt_start(a, &s->desk, lane_send(lane, now), endpoint, now);
    list_append(&s->flying, &a->link);
}

static void start_attempts(struct scheduler *s, struct now now)
{
    struct list *link;

    while (!s->stalled && s->in_flight < s->options.in_flight_max &&
           (link = list_pop(&s->ready))) {
        struct lane *lane = container_of(link, struct lane, ready);
        if (lane_may_send(lane, now))
            start_attempt(s, lane, now);
        settle(s, lane, now);
    }
}

static void start_refill(struct scheduler *s, struct lane *lane, struct now now)
{
    const struct roster *r = &s->roster;
    size_t limit = lane_depth(lane, roster_is_scarce(r)) - lane_claimed(lane);
    size_t claims_left = r->limits.claims_max - r->claims;
    size_t bytes = (r->limits.bytes_max - r->bytes) / REFILLS_MAX + 1;

    limit = limit < claims_left ? limit : claims_left;
    s->refills++;
    s->owed++;
    roster_promise(&s->roster, limit, bytes);
    refill_start(s->options.store, s->options.inbox, lane, limit, bytes, now, s, on_refilled);
}

static void start_refills(struct scheduler *s, struct now now)
{
    struct list *link;

    while (s->refills < REFILLS_MAX && !roster_is_full(&s->roster) &&
           now.mono_ms >= s->store_mono_ms && (link = list_pop(&s->wanting))) {
        struct lane *lane = container_of(link, struct lane, wanting);
        if (lane_wants_refill(lane, roster_is_scarce(&s->roster)))
            start_refill(s, lane, now);
        settle(s, lane, now);
    }
}

static void end_a_lane(struct scheduler *s, struct now now)
{
    if (s->ending || list_is_empty(&s->doomed) || now.mono_ms < s->store_mono_ms)
        return;
    s->ending = container_of(list_pop(&s->doomed), struct lane, wanting);
    s->owed++;
    s->end = (struct store_end_lane){
        .req = { .done = on_lane_ended, .reply_to = s->options.inbox },
        .endpoint_key = s->ending->endpoint_key,
        .limit = END_LIMIT,
    };
    store_end_lane(s->options.store, &s->end);
}

static void record_again(struct scheduler *s)
{
    struct list due, *link;

    list_move_all(&s->unrecorded, &due);
    s->unrecorded_count = 0;
    while ((link = list_pop(&due)))
        attempt_record(container_of(link, struct attempt, link));
}

static uint64_t next_survey(const struct scheduler *s)
{
    uint64_t for_lost = s->surveyed_mono_ms + SURVEY_LOST_MS;

    if (s->survey.running)
        return AGENDA_NEVER;
    return s->hints_lost && for_lost < s->survey_mono_ms ? for_lost : s->survey_mono_ms;
}

static void start_survey(struct scheduler *s, struct now now)
{
    if (now.mono_ms < next_survey(s))
        return;
    s->owed++;
    s->hints_lost = false;
    s->surveyed_mono_ms = now.mono_ms;
    survey_start(&s->survey, s->options.store, s->options.inbox);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t scheduler_poke(struct scheduler *s, struct now now)
{
    if (s->stopping)
        return AGENDA_NEVER;
    notice_clock_step(s, now);
    wake_lanes(s, now);
    if (now.mono_ms >= s->record_mono_ms)
        record_again(s);
    start_attempts(s, now);
    start_refills(s, now);
    end_a_lane(s, now);
    start_survey(s, now);

    uint64_t next = earlier(agenda_next(&s->agenda), next_survey(s));
    if (!list_is_empty(&s->unrecorded))
        next = earlier(next, s->record_mono_ms);
    if (now.mono_ms < s->store_mono_ms)
        next = earlier(next, s->store_mono_ms);
    return next;
}

/* --- What comes back --------------------------------------------------------------------- */

static void on_lane_found(struct survey *survey, const struct lane_due *found)
{
    struct scheduler *s = container_of(survey, struct scheduler, survey);
    const struct endpoint *endpoint =
        catalog_endpoint_by_key(s->options.catalog, found->endpoint_key);

    if (s->stopping || (endpoint && endpoint->disabled))
        return;

    struct now now = s->options.clock();
    struct lane *lane = lane_for(s, found->endpoint_key);
    lane_note_due(lane, found->due_at_ms, now);
    settle(s, lane, now);
}

static void on_surveyed(struct survey *survey, enum err err)
{
    struct scheduler *s = container_of(survey, struct scheduler, survey);

    uint64_t mono_ms = s->options.clock().mono_ms;
    uint64_t took_ms = mono_ms - s->surveyed_mono_ms;

    s->owed--;
    s->backlog_known |= err == ERR_OK;
    if (err)
        s->survey_mono_ms = mono_ms + STORE_PAUSE_MS;
    else
        s->survey_mono_ms = mono_ms + later(SURVEY_EVERY_MS, SURVEY_SHARE * took_ms);
}

static void pause_reads(struct scheduler *s, struct now now)
{
    s->store_mono_ms = now.mono_ms + STORE_PAUSE_MS;
}

static void take_refill(struct scheduler *s, struct lane *lane, const struct store_due *due,
                        struct now now)
{
    bool takes = !s->stopping && lane_depth(lane, false) > 0;

    lane->more |= due->more;
    if (!due->more && due->next_due_at_ms > 0)
        lane_note_due(lane, due->next_due_at_ms, now);
    for (size_t i = 0; i < due->count; i++) {
        if (takes) {
            roster_claim(&s->roster, lane, &due->deliveries[i]);
        } else {
            message_unref(due->deliveries[i].message);
            lane->more = true;
        }
    }
    free(due->deliveries);
}

static void on_refilled(struct refill *r)
{
    struct scheduler *s = r->owner;
    struct lane *lane = r->lane;
    struct now now = s->options.clock();

    s->owed--;
    s->refills--;
    roster_redeem(&s->roster, r->due.limit, r->due.bytes_limit);
    if (r->due.req.err) {
        lane->more = true;
        pause_reads(s, now);
    } else {
        take_refill(s, lane, &r->due, now);
    }
    free(r);
    settle(s, lane, now);
}

static void disable_endpoint(struct scheduler *s, struct endpoint *endpoint, struct now now)
{
    s->owed++;
    disable_start(s->options.store, s->options.inbox, s->options.catalog, endpoint, now, s,
                  on_disabled);
}

static void on_answered(struct attempt *a, struct now now)
{
    struct scheduler *s = a->desk->owner;
    struct lane *lane = a->claim->lane;

    list_remove(&a->link);
    s->in_flight--;
    switch (a->outcome) {
    case OUTCOME_DELIVERED:
        lane_succeeded(lane);
        break;
    case OUTCOME_GONE:
        lane_failed(lane, now, s->options.random());
        lane_shut(lane, now.mono_ms + GONE_SHUT_MS);
        disable_endpoint(s, a->endpoint, now);
        break;
    case OUTCOME_OVERLOADED: {
        uint64_t pause_s = earlier(a->retry_after_s, RETRY_AFTER_MAX_S);
        lane_failed(lane, now, s->options.random());
        lane_shut(lane, now.mono_ms + pause_s * 1000);
        break;
    }
    case OUTCOME_FAILED:
    case OUTCOME_TIMED_OUT:
        lane_failed(lane, now, s->options.random());
        break;
    case OUTCOME_ABORTED:
        lane_aborted(lane);
        break;
    }
    settle(s, lane, now);
}

/* A full disk is asked again and again, and meanwhile nothing is started whose outcome couldn't be
 * kept. Without a record the delivery is pending as before. */
static void on_recorded(struct attempt *a, enum err err)
{
    struct scheduler *s = a->desk->owner;
    struct lane *lane = a->claim->lane;
    struct now now = s->options.clock();

    s->stalled = err == ERR_FULL || err == ERR_BUSY;
    if (s->stalled && !s->stopping) {
        s->record_mono_ms = now.mono_ms + RECORD_PAUSE_MS;
        list_append(&s->unrecorded, &a->link);
        s->unrecorded_count++;
        return;
    }
    if (err)
        lane->more = true;
    else if (a->verdict.state == DELIVERY_PENDING)
        lane_note_due(lane, a->verdict.due_at_ms, now);

    s->owed--;
    lane_settle(lane, a->claim);
    roster_release(&s->roster, a->claim);
    attempt_fini(a);
    list_append(&s->spare, &a->link);
    settle(s, lane, now);
}

static void on_disabled(struct disable *d)
{
    struct scheduler *s = d->owner;

    s->owed--;
    free(d);
}

static void on_lane_ended(struct store_req *req)
{
    struct store_end_lane *end = container_of(req, struct store_end_lane, req);
    struct scheduler *s = container_of(end, struct scheduler, end);
    struct lane *lane = s->ending;
    struct now now = s->options.clock();

    s->owed--;
    s->ending = NULL;
    if (req->err)
        pause_reads(s, now);
    else
        lane->more = end->ended == end->limit;
    settle(s, lane, now);
}

/* --- The end ----------------------------------------------------------------------------- */

void scheduler_stop(struct scheduler *s)
{
    s->stopping = true;
    for (struct lane *lane = s->roster.by_key; lane; lane = lane->hh.next) {
        drop_queue(s, lane);
        list_remove(&lane->ready);
        list_remove(&lane->wanting);
    }
    record_again(s);
}

void scheduler_cancel(struct scheduler *s)
{
    for (struct list *link = s->flying.next; link != &s->flying; link = link->next) {
        struct attempt *a = container_of(link, struct attempt, link);
        s->options.transport->cancel(s->options.transport, a);
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
