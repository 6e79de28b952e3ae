/* Sending: attempts, from their start to their record.
 *
 *   ready ─► attempt_start ─► on_answered: window, cool-off ─► on_recorded ─► settle
 *                                  │                              │
 *                                  └─► 410: disable               └─► (full) unrecorded ─► again */
#include "dispatcher/private.h"

#include "core/log.h"
#include "core/mem.h"
#include "core/operational.h"
#include "dispatcher/disable.h"

#define RECORD_PAUSE_MS   500   /* before asking a full disk again */
#define GONE_SHUT_MS      60000 /* until the endpoint is disabled; or tried again if it isn't */
#define RETRY_AFTER_MAX_S 3600  /* that a lane is shut for */
#define HINDERED_SHUT_MS  1000  /* meanwhile others give back what is short here */
#define SEALED_SHUT_MS    10000 /* until it is looked whether the key is back */
#define NOTICE_MS         60000 /* between lines on what lasts */
#define NOWHERE_SHUT_MS   5000  /* until it is asked again whether a region may send */

/* Attempts that wait for their record: a crash would repeat them, and the store has others to
 * serve. Enough to fill its group. */
#define RECORDING_MAX 1024

/* While half of the slots are free a lane may take what its window admits; then at most one part
 * in so many of those left. So receivers that hang, however many, leave some to the others. */
#define SHARE_PART 4

static bool on_learnt(struct attempt *a, const struct answer *answer, struct now now);
static void on_answered(struct attempt *a, struct now now);
static void on_recorded(struct attempt *a, enum err err);
static void on_disabled(struct disable *d);

void sending_init(struct scheduler *s)
{
    s->desk = (struct attempt_desk){
        .store = s->options.store,
        .inbox = s->options.inbox,
        .ids = s->options.ids,
        .retry = &s->options.retry,
        .disable_after_ms = s->options.disable_after_ms,
        .jitter = s->options.random,
        .learnt = s->options.router ? on_learnt : NULL,
        .answered = on_answered,
        .recorded = on_recorded,
        .owner = s,
    };
    list_init(&s->flying);
    list_init(&s->unrecorded);
    list_init(&s->spare);
}

void sending_fini(struct scheduler *s)
{
    struct list *link;

    while ((link = list_pop(&s->spare)))
        free(container_of(link, struct attempt, link));
}

void sending_record_again(struct scheduler *s)
{
    struct list due, *link;

    list_move_all(&s->unrecorded, &due);
    s->unrecorded_count = 0;
    while ((link = list_pop(&due)))
        attempt_record(container_of(link, struct attempt, link));
}

static const struct application *application_of(const struct scheduler *s,
                                                const struct endpoint *endpoint)
{
    return catalog_application_by_key(s->options.catalog, id_key(&endpoint->application));
}

/* Who sends the head of the queue, and where to; region 0 where there is only this one. False: no
 * region may, for now. */
static bool route(const struct scheduler *s, const struct lane *lane,
                  const struct endpoint *endpoint, struct now now, struct routing *out)
{
    const struct claim *claim = container_of(lane->queue.next, struct claim, link);
    const struct application *application;
    struct router *router = s->options.router;

    *out = (struct routing){ .url = endpoint->url };
    if (!router)
        return true;
    application = application_of(s, endpoint);
    if (!application)
        return false;
    if (operational_is(application)) { /* each region tells what happens in it */
        out->region = s->options.region;
        return true;
    }
    *out = router->route(router, application, endpoint, claim->delivery.attempts > 0, now);
    return out->region != 0;
}

static void start_attempt(struct scheduler *s, struct lane *lane, struct now now)
{
    struct endpoint *endpoint = catalog_endpoint_by_key(s->options.catalog, lane->endpoint_key);
    struct routing routing;

    if (!route(s, lane, endpoint, now, &routing)) {
        lane_shut(lane, now.mono_ms + NOWHERE_SHUT_MS);
        return;
    }
    bool here = routing.region == s->options.region || !s->options.abroad;
    struct list *link = list_pop(&s->spare);
    struct attempt *a = link ? container_of(link, struct attempt, link) : xcalloc(1, sizeof *a);
    s->in_flight++;
    s->owed++;
    attempt_start(a, &s->desk, lane_send(lane, now), endpoint, &routing,
                  here ? s->options.transport : s->options.abroad, now);
    tenants_sent(s, lane, now);
    list_append(&s->flying, &a->link);
}

/* A lane that is left out has attempts in flight, and the end of one looks at it again. */
bool sending_is_sated(const struct scheduler *s, const struct lane *lane)
{
    unsigned left = s->slots - s->in_flight;

    return left <= s->slots / 2 && lane->in_flight > 0 && lane->in_flight >= left / SHARE_PART;
}

static bool may_start(const struct scheduler *s)
{
    return !s->stalled && !s->stopping && s->in_flight < s->options.in_flight_max &&
           s->recording < RECORDING_MAX;
}

static void start_attempts(struct scheduler *s, struct now now)
{
    struct list *link;

    while (may_start(s) && (link = list_pop(&s->ready))) {
        struct lane *lane = container_of(link, struct lane, ready);
        if (lane_may_send(lane, now) && !sending_is_sated(s, lane) && tenants_allow(lane, now))
            start_attempt(s, lane, now);
        scheduler_settle(s, lane, now);
    }
}

void sending_poke(struct scheduler *s, struct now now)
{
    if (now.mono_ms >= s->record_mono_ms)
        sending_record_again(s);
    start_attempts(s, now);
}

uint64_t sending_next(const struct scheduler *s)
{
    return s->unrecorded_count > 0 ? s->record_mono_ms : AGENDA_NEVER;
}

static void disable_endpoint(struct scheduler *s, struct endpoint *endpoint,
                             uint64_t fail_since_ms, const char *why, struct now now)
{
    s->owed++;
    disable_start(s->options.store, s->options.inbox, s->options.catalog, endpoint,
                  fail_since_ms, why, now, s, on_disabled);
}

static void notice_shortage(struct scheduler *s, struct now now)
{
    if (now.mono_ms < s->notice_mono_ms)
        return;
    s->notice_mono_ms = now.mono_ms + NOTICE_MS;
    log_event(LOG_WARN, "attempts_hindered",
              LOG_STR("reason", "this process is out of descriptors or memory"));
}

static void notice_sealed(struct scheduler *s, const struct endpoint *endpoint, struct now now)
{
    char id[ID_TEXT_MAX];

    if (now.mono_ms < s->sealed_mono_ms)
        return;
    s->sealed_mono_ms = now.mono_ms + NOTICE_MS;
    id_format(ID_ENDPOINT, &endpoint->base.id, id);
    log_event(LOG_ERROR, "deliveries_held", LOG_STR("endpoint", id),
              LOG_STR("reason", "its secret or headers don't open by the master keys here"));
}

static bool on_learnt(struct attempt *a, const struct answer *answer, struct now now)
{
    struct scheduler *s = a->desk->owner;
    struct router *router = s->options.router;
    const struct application *application = application_of(s, a->endpoint);

    return application && !operational_is(application) &&
           router->learn(router,
                         &(struct sighting){ .application = application,
                                             .endpoint = a->endpoint,
                                             .region = a->record.way.region,
                                             .url = a->record.url,
                                             .err = answer->err,
                                             .times = &answer->times },
                         now);
}

/* What failed on its way says nothing of the receiver, as long as another way may be good. */
static void judge_failure(struct scheduler *s, const struct attempt *a, struct now now)
{
    struct lane *lane = a->claim->lane;

    if (a->doubted)
        lane_aborted(lane);
    else
        lane_failed(lane, now, s->options.random());
}

static void on_answered(struct attempt *a, struct now now)
{
    struct scheduler *s = a->desk->owner;
    struct lane *lane = a->claim->lane;

    list_remove(&a->link);
    s->in_flight--;
    s->recording++;
    switch (a->outcome) {
    case OUTCOME_DELIVERED:
        lane_succeeded(lane);
        break;
    case OUTCOME_GONE:
        lane_failed(lane, now, s->options.random());
        lane_shut(lane, now.mono_ms + GONE_SHUT_MS);
        disable_endpoint(s, a->endpoint, now.wall_ms, "it answered 410", now);
        break;
    case OUTCOME_OVERLOADED: {
        uint64_t pause_s = earlier(a->retry_after_s, RETRY_AFTER_MAX_S);
        lane_failed(lane, now, s->options.random());
        lane_shut(lane, now.mono_ms + pause_s * 1000);
        break;
    }
    case OUTCOME_FAILED:
    case OUTCOME_TIMED_OUT:
        judge_failure(s, a, now);
        break;
    case OUTCOME_ABORTED:
        lane_aborted(lane);
        break;
    case OUTCOME_HINDERED:
        lane_aborted(lane);
        lane_shut(lane, now.mono_ms + HINDERED_SHUT_MS);
        notice_shortage(s, now);
        break;
    case OUTCOME_SEALED:
        lane_aborted(lane);
        lane_shut(lane, now.mono_ms + SEALED_SHUT_MS);
        notice_sealed(s, a->endpoint, now);
        break;
    }
    scheduler_settle(s, lane, now);
}

/* A full disk is asked again and again, and meanwhile nothing is started whose outcome couldn't be
 * kept. Without a record the delivery is pending as before. */
static void on_recorded(struct attempt *a, enum err err)
{
    struct scheduler *s = a->desk->owner;
    struct lane *lane = a->claim->lane;
    struct now now = s->options.clock();

    bool refused = err == ERR_FULL || err == ERR_BUSY;

    if (err != ERR_CANCELED) /* then the store wasn't asked */
        s->stalled = refused;
    if (refused && !s->canceled) {
        s->record_mono_ms = now.mono_ms + RECORD_PAUSE_MS;
        list_append(&s->unrecorded, &a->link);
        s->unrecorded_count++;
        return;
    }
    if (err || a->write.asked_for)
        lane->more = true;
    else if (a->verdict.state == DELIVERY_PENDING)
        lane_note_due(lane, a->verdict.due_at_ms, now);

    if (!err && a->write.failed_too_long)
        disable_endpoint(s, a->endpoint, a->write.fail_since_ms,
                         "its deliveries have failed for too long", now);
    s->owed--;
    s->recording--;
    lane_settle(lane, a->claim);
    roster_release(&s->roster, a->claim);
    attempt_fini(a);
    list_append(&s->spare, &a->link);
    scheduler_settle(s, lane, now);
}

static void on_disabled(struct disable *d)
{
    struct scheduler *s = d->owner;

    s->owed--;
    free(d);
}
