/* Backlog: what is read from the outbox, and ended in it.
 *
 *   survey ─► on_lane_found ─┐
 *                            ├─► wanting ─► refill ─► on_refilled: claimed
 *   settle ──────────────────┤
 *                            └─► doomed ─► store_end_lane ─► on_lane_ended */
#include "dispatcher/private.h"

#include "core/mem.h"
#include "dispatcher/refill.h"

#define REFILLS_MAX     8    /* reads under way: the reader takes them one by one */
#define END_LIMIT       1000 /* deliveries ended in one transaction */
#define SURVEY_EVERY_MS 5000
#define SURVEY_SHARE    20   /* a survey takes at most one part in so many of the time */
#define SURVEY_LOST_MS  1000 /* at most one survey in this time for lost hints */
#define STORE_PAUSE_MS  200  /* before asking a busy store again */

static void on_lane_found(struct survey *survey, const struct lane_due *found);
static void on_surveyed(struct survey *survey, enum err err);
static void on_refilled(struct refill *r);
static void on_lane_ended(struct store_req *req);

void backlog_init(struct scheduler *s)
{
    s->survey.found = on_lane_found;
    s->survey.finished = on_surveyed;
    list_init(&s->wanting);
    list_init(&s->doomed);
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
        scheduler_settle(s, lane, now);
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

void backlog_poke(struct scheduler *s, struct now now)
{
    start_refills(s, now);
    end_a_lane(s, now);
    start_survey(s, now);
}

uint64_t backlog_next(const struct scheduler *s, struct now now)
{
    uint64_t next = next_survey(s);

    return now.mono_ms < s->store_mono_ms ? earlier(next, s->store_mono_ms) : next;
}

static void on_lane_found(struct survey *survey, const struct lane_due *found)
{
    struct scheduler *s = container_of(survey, struct scheduler, survey);
    const struct endpoint *endpoint =
        catalog_endpoint_by_key(s->options.catalog, found->endpoint_key);

    if (s->stopping || (endpoint && endpoint->disabled))
        return;

    struct now now = s->options.clock();
    struct lane *lane = scheduler_lane(s, found->endpoint_key);
    lane_note_due(lane, found->due_at_ms, now);
    scheduler_settle(s, lane, now);
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
    scheduler_settle(s, lane, now);
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
    scheduler_settle(s, lane, now);
}
