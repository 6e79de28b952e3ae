/* Retention: what is too old goes, the oldest first.
 *
 *   retention_load ─► bite, one after another until nothing is too old ─► rest ─► bite …
 *
 * How far it has come is in the rows themselves, but for payloads that go while their messages stay. */
#include "store/private.h"

#include "core/count.h"
#include "core/log.h"

#define HOUR_MS         (UINT64_C(60) * 60 * 1000)
#define PAYLOAD_MS      (PAYLOAD_HOURS_MAX * HOUR_MS) /* the longest */
#define FAILING_KEPT_MS (366 * 24 * HOUR_MS) /* longer than any delivery.disable_after */

/* What becomes too old meanwhile goes together, and the log is wiped once for all of it. */
#define REST_MS (UINT64_C(60) * 1000)
/* The clock may be set; and nothing is kept for less. */
#define REST_MAX_MS HOUR_MS
/* While there is no end of it. */
#define WIPE_MS (UINT64_C(60) * 1000)

/* A bite grows while it is quick, so that one on a cold disk is small. */
#define ROWS_MIN   16
#define BITE_BYTES ((size_t)512 * 1024)
#define QUICK_MS   2
#define SLOW_MS    6

static enum err bite(struct store *s);
static enum err run_status(struct store *s, struct store_req *req);

static const struct store_verb STATUS = { .side = VERB_READS, .run = run_status };

/* When a row with this key is older than that; 0 = never. */
static uint64_t ends_at_ms(int64_t key, uint64_t kept_ms)
{
    return key == 0 || kept_ms == 0 ? 0 : id_key_wall_ms(key) + ID_TICK_MS + kept_ms;
}

/* Messages that go earlier take their payloads along. */
static uint64_t payloads_kept_ms(const struct retention *limits)
{
    return limits->messages_ms > 0 && limits->messages_ms <= PAYLOAD_MS ? 0 : PAYLOAD_MS;
}

static uint64_t next_at_ms(const struct retention *limits, const struct retention_ends *ends)
{
    const uint64_t at_ms[] = {
        ends_at_ms(ends->message_key, limits->messages_ms),
        ends_at_ms(ends->attempt_key, limits->attempts_ms),
        ends_at_ms(ends->payload_key, payloads_kept_ms(limits)),
        ends->expires_at_ms,
    };
    uint64_t next = 0;

    for (size_t i = 0; i < COUNT(at_ms); i++)
        if (at_ms[i] != 0 && (next == 0 || at_ms[i] < next))
            next = at_ms[i];
    return next;
}

/* The key below which rows are older than that; 0 = none is. */
static int64_t below(uint64_t now_ms, uint64_t kept_ms)
{
    return kept_ms == 0 || kept_ms > now_ms ? 0 : id_key_at(now_ms - kept_ms);
}

/* Whether there is more, or when that may be. */
static void plan(struct store *s, const struct retention_ends *ends, uint64_t now_ms)
{
    struct bites *b = &s->retaining.bites;
    uint64_t next_ms = next_at_ms(&s->retaining.limits, ends);

    b->more = next_ms != 0 && next_ms <= now_ms;
    if (next_ms == 0 || next_ms > now_ms + REST_MAX_MS)
        b->rest_ms = REST_MAX_MS;
    else
        b->rest_ms = next_ms > now_ms + REST_MS ? next_ms - now_ms : REST_MS;
}

enum err retention_load(struct store *s)
{
    struct retaining *r = &s->retaining;
    struct now now = s->clock();
    struct retention_ends ends;
    enum err err = s->ops->retention_ends(s->backend, &ends);

    if (err)
        return err;
    r->bites.bite = bite;
    r->rows = ROWS_MIN;
    r->wiped_mono_ms = now.mono_ms;
    r->told = ends.done;
    plan(s, &ends, now.wall_ms);
    return ERR_OK;
}

static enum err remove_some(struct store *s, bool *out_removed)
{
    struct retaining *r = &s->retaining;
    uint64_t now_ms = s->now.wall_ms, began_mono_ms = s->clock().mono_ms;
    struct retention_bite op = {
        .messages_below = below(now_ms, r->limits.messages_ms),
        .attempts_below = below(now_ms, r->limits.attempts_ms),
        .payloads_below = below(now_ms, payloads_kept_ms(&r->limits)),
        .now_ms = now_ms,
        .failing_since_ms = now_ms > FAILING_KEPT_MS ? now_ms - FAILING_KEPT_MS : 0,
        .rows = r->rows,
        .bytes = BITE_BYTES,
    };
    enum err err = s->ops->retain(s->backend, &op);
    uint64_t took_ms = s->clock().mono_ms - began_mono_ms;

    if (took_ms > SLOW_MS && r->rows > ROWS_MIN)
        r->rows /= 2;
    else if (took_ms < QUICK_MS && r->rows < RETENTION_ROWS_MAX)
        r->rows *= 2;
    *out_removed = op.removed;
    return err;
}

/* What a failed group brings back goes again, and isn't told twice. */
static void tell(struct retaining *r, const struct retention_status *done)
{
    if (done->payloads <= r->told.payloads && done->attempts <= r->told.attempts &&
        done->messages <= r->told.messages)
        return;
    log_event(LOG_INFO, "retention_removed",
              LOG_NUM("payloads", done->payloads - r->told.payloads),
              LOG_NUM("attempts", done->attempts - r->told.attempts),
              LOG_NUM("messages", done->messages - r->told.messages));
    r->told = *done;
}

/* Once for a round of bites, or each minute of a long one: what went is told, and the write-ahead
 * log is written back, or that is tried again if somebody was in the way. */
static void sum_up(struct store *s, const struct retention_status *done)
{
    struct retaining *r = &s->retaining;

    if (r->bites.more && s->now.mono_ms - r->wiped_mono_ms < WIPE_MS)
        return;
    tell(r, done);
    s->ops->wipe_log(s->backend, r->unwiped);
    r->unwiped = false;
    r->wiped_mono_ms = s->now.mono_ms;
}

static enum err bite(struct store *s)
{
    struct retaining *r = &s->retaining;
    struct retention_ends ends;
    bool removed;
    enum err err = remove_some(s, &removed);

    if (!err)
        err = s->ops->retention_ends(s->backend, &ends);
    if (err)
        return err;
    plan(s, &ends, s->now.wall_ms);
    r->unwiped = r->unwiped || removed;
    sum_up(s, &ends.done);
    return ERR_OK;
}

void store_status(struct store *s, struct store_status *op)
{
    store_submit(s, &op->req, &STATUS);
}

static enum err run_status(struct store *s, struct store_req *req)
{
    struct store_status *op = container_of(req, struct store_status, req);
    struct retention_ends ends;
    enum err err = s->ops->status(s->backend, op, &ends);

    if (err)
        return err;
    op->retention = ends.done;
    op->retention.oldest_message_at_ms =
        ends.message_key == 0 ? 0 : id_key_wall_ms(ends.message_key);
    op->retention.oldest_attempt_at_ms =
        ends.attempt_key == 0 ? 0 : id_key_wall_ms(ends.attempt_key);
    op->retention.next_at_ms = next_at_ms(&s->retaining.limits, &ends);
    return ERR_OK;
}
