/* Recorder: decisions which region sends, on their way to the store.
 *
 * At most RECORDER_OWED_MAX are under way. What finds no room there, or none on the disk, isn't
 * written: who made it is told, and comes again with the next.
 *
 * Thread: that of the loop behind `inbox`. */
#ifndef REGION_RECORDER_H
#define REGION_RECORDER_H

#include "region/route.h"
#include "store/routes.h"

#define RECORDER_OWED_MAX 256

struct recorder {
    /* in */
    struct store *store;
    struct inbox *inbox; /* where it answers */
    /* One came back, for the endpoint of this key; `err` as the store's. */
    void (*recorded)(struct recorder *recorder, int64_t endpoint_key, enum err err);

    size_t owed; /* under way; nobody may go before they are back */
};

/* False: too many are under way. */
MUST_USE bool recorder_keep(struct recorder *recorder, const struct route_inputs *in,
                            const struct route_decision *d);

#endif
