/* Disable: switch an endpoint off, because its receiver said 410 or has failed for too long.
 *
 * The edit is made again from the newer object when someone else was faster, unless they switched
 * it off, deleted it, or gave it another URL: then the answer was another receiver's.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_DISABLE_H
#define DISPATCHER_DISABLE_H

#include "core/clock.h"
#include "store/store.h"

struct disable {
    struct store *store;
    const struct catalog *catalog;
    struct store_put put;
    uint64_t wall_ms;
    uint64_t fail_since_ms;
    const char *why; /* for the log; a fixed text */
    void *owner;
    void (*done)(struct disable *d); /* free() it; whatever came of it is logged */
};

/* `endpoint` as it was when it was tried; borrowed for the call. It fails since `fail_since_ms`. */
void disable_start(struct store *store, struct inbox *inbox, const struct catalog *catalog,
                   const struct endpoint *endpoint, uint64_t fail_since_ms, const char *why,
                   struct now now, void *owner, void (*done)(struct disable *d));

#endif
