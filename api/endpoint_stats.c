/* Endpoint stats: /api/v1/app/{app}/endpoint/{endpoint}/stats, how many attempts came to what.
 *
 *   endpoint_stats_get ─► count ─► on_counted ─► (more) count … ─► reply
 *
 * They are counted in the index of an endpoint's attempts, a bounded number at a time, so that other
 * reads have their turn between; nothing is written for it when an attempt is made. */
#include "api/reply.h"
#include "api/routes.h"

#define DAY_MS       (UINT64_C(24) * 3600 * 1000)
#define RANGE_MAX_MS (28 * DAY_MS)
#define STEPS_MAX    500 /* of ATTEMPTS_COUNTED_MAX each: ten million attempts */

static void count(struct request *r, const struct store_count_attempts *from);
static void on_counted(struct store_req *req);
static void reply_stats(struct request *r);

/* Why the range isn't one, or NULL. What isn't given makes it the longest that ends now. */
static const char *read_range(const struct request *r, struct store_count_attempts *out)
{
    const struct query *q = &r->query;
    uint64_t until_ms = q->has_until ? q->until_ms : r->now.wall_ms;
    uint64_t from_ms = until_ms > RANGE_MAX_MS ? until_ms - RANGE_MAX_MS : 0;

    if (q->has_since)
        from_ms = q->since_ms;
    if (until_ms > r->now.wall_ms)
        return "until must not be in the future";
    if (from_ms > until_ms)
        return "since must be before until";
    if (until_ms - from_ms > RANGE_MAX_MS)
        return "since and until must be at most 28 days apart";
    out->from_ms = from_ms;
    out->until_ms = until_ms;
    return NULL;
}

void endpoint_stats_get(struct request *r)
{
    struct store_count_attempts from = { .after_key = 0 };
    const struct endpoint *endpoint;
    const char *why;

    if (!request_find_application(r) || !(endpoint = request_find_endpoint(r)))
        return;
    why = read_range(r, &from);
    if (why) {
        reply_error(r, 400, "invalid_range", why);
        return;
    }
    from.endpoint = endpoint->base.id;
    count(r, &from);
}

static void count(struct request *r, const struct store_count_attempts *from)
{
    r->op.count_attempts = (struct store_count_attempts){
        .req = request_waits(r, on_counted),
        .endpoint = from->endpoint,
        .from_ms = from->from_ms,
        .until_ms = from->until_ms,
        .after_key = from->after_key,
    };
    store_count_attempts(r->services->store, &r->op.count_attempts);
}

static void on_counted(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_count_attempts counted = r->op.count_attempts;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    for (size_t i = 0; i < ATTEMPT_STATUSES; i++)
        r->stats.counts[i] += counted.counts[i];
    if (!counted.more) {
        reply_stats(r);
        return;
    }
    if (++r->stats.steps == STEPS_MAX) {
        reply_error(r, 400, "invalid_range",
                    "Too many attempts to count: ask for a shorter range");
        return;
    }
    counted.after_key = counted.reached_key;
    count(r, &counted);
}

static void reply_stats(struct request *r)
{
    struct json_writer *w = reply_begin(r);

    json_open_object(w);
    json_add_unsigned(w, "success", r->stats.counts[ATTEMPT_SUCCESS]);
    json_add_unsigned(w, "pending", r->stats.counts[ATTEMPT_PENDING]);
    json_add_unsigned(w, "sending", r->stats.counts[ATTEMPT_SENDING]);
    json_add_unsigned(w, "fail", r->stats.counts[ATTEMPT_FAIL]);
    json_add_unsigned(w, "canceled", r->stats.counts[ATTEMPT_CANCELED]);
    json_close_object(w);
    reply_send(r, 200);
}
