/* Rekeyer: reads the files of the master keys anew and lets the whole daemon work with what is there
 * now. Who does that stands behind this.
 *
 * The contract of every request:
 *   1. `done` runs exactly once, on the loop behind `reply_to`, never inside `ask`, and with ERR_OK
 *      after that loop's own modules have the new keyring;
 *   2. until then the request belongs to the rekeyer.
 *
 * Thread: `ask` from any. */
#ifndef API_REKEYER_H
#define API_REKEYER_H

#include "core/config.h"
#include "core/err.h"
#include "core/inbox.h"

struct rekeying {
    struct inbox *reply_to;
    void (*done)(struct rekeying *rekeying);

    /* out */
    /* ERR_UNAVAILABLE: the daemon ends. Any other: nothing has changed, and `why` says what is wrong
     * with the files: ERR_CONFLICT: one is gone whose key values need; else as keyring_load(). */
    enum err err;
    char why[CONFIG_WHY_MAX];

    /* the rekeyer's */
    struct task task;
    struct rekeyer *rekeyer;
};

struct rekeyer {
    void (*ask)(struct rekeyer *r, struct rekeying *rekeying);
};

#endif
