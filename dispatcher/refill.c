#include "dispatcher/refill.h"

#include <assert.h>

#include "core/mem.h"

static void on_due(struct store_req *req);

void refill_start(struct store *store, struct inbox *inbox, struct lane *lane, size_t limit,
                  size_t bytes_limit, struct now now, void *owner,
                  void (*done)(struct refill *r))
{
    size_t claimed = lane_claimed(lane);
    struct refill *r = xcalloc(1, sizeof *r + claimed * sizeof r->exclude[0]);

    assert(!lane->loading && limit > 0);
    lane_keys(lane, r->exclude);
    lane->loading = true;
    lane->more = false;
    lane->next_due_at_ms = 0;

    r->lane = lane;
    r->owner = owner;
    r->done = done;
    r->due = (struct store_due){
        .req = { .done = on_due, .reply_to = inbox },
        .endpoint_key = lane->endpoint_key,
        .now_wall_ms = now.wall_ms,
        .limit = limit,
        .bytes_limit = bytes_limit,
        .exclude = r->exclude,
        .exclude_count = claimed,
    };
    store_due(store, &r->due);
}

static void on_due(struct store_req *req)
{
    struct store_due *due = container_of(req, struct store_due, req);
    struct refill *r = container_of(due, struct refill, due);

    r->lane->loading = false;
    r->done(r);
}
