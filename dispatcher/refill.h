/* Refill: one read of a lane's backlog.
 *
 * While it is under way the lane takes no hints: what the disk gives and what hints bring never
 * overlap. What the lane learns meanwhile (`more`, `next_due_at_ms`) is kept beside the answer.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_REFILL_H
#define DISPATCHER_REFILL_H

#include "core/inbox.h"
#include "dispatcher/lane.h"
#include "store/store.h"

struct refill {
    struct lane *lane;
    struct store_due due;
    void *owner;
    void (*done)(struct refill *r); /* free() it, and what `due` gave */
    int64_t exclude[];
};

/* Ask for at most `limit` deliveries and about `bytes_limit` bytes of payload. */
void refill_start(struct store *store, struct inbox *inbox, struct lane *lane, size_t limit,
                  size_t bytes_limit, struct now now, void *owner,
                  void (*done)(struct refill *r));

#endif
