/* Attempt: one try to carry one delivery, from its claim to the record on disk.
 *
 *   attempt_start ─► transport ─► attempt_done ─► answered
 *                                      └────────► store_record ─► on_recorded ─► recorded
 *
 * An attempt whose record the store refuses for now (disk full, too much waiting) isn't forgotten:
 * `recorded` gets the error, and attempt_record() asks again. One whose outcome is void leaves none.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_ATTEMPT_H
#define DISPATCHER_ATTEMPT_H

#include "core/clock.h"
#include "core/inbox.h"
#include "dispatcher/lane.h"
#include "dispatcher/retry.h"
#include "dispatcher/router.h"
#include "dispatcher/transport.h"
#include "store/store.h"

/* What all attempts have in common. */
struct attempt_desk {
    struct store *store;
    struct inbox *inbox; /* where the store answers */
    struct id_source *ids;
    const struct retry_policy *retry;
    uint64_t disable_after_ms; /* for its record */
    double (*jitter)(void);    /* in [0, 1) */

    /* Optional: what came of it, before anything is judged by it. True: another region is to have
     * a look before it counts; it is tried again at once. */
    bool (*learnt)(struct attempt *a, const struct answer *answer, struct now now);

    /* The transport is done with it; the lane has room again. `a->outcome` and `a->retry_after_s`
     * are set. */
    void (*answered)(struct attempt *a, struct now now);

    /* Its record is on disk, the store refused for now, or (after `answered` with an outcome
     * that is void: ERR_CANCELED) there will be none. The attempt is the receiver's again. */
    void (*recorded)(struct attempt *a, enum err err);

    void *owner;
};

struct attempt {
    struct list link; /* its owner's */
    const struct attempt_desk *desk;
    struct claim *claim;
    struct endpoint *endpoint; /* a reference: as it was at the start */
    struct now started;
    struct transport *transport;
    void *carriage; /* the transport's, while it is under way */

    enum outcome outcome;
    bool doubted; /* the way is to blame, as far as is known */
    uint32_t retry_after_s;
    struct verdict verdict;
    uint64_t ended_at_ms; /* wall clock */
    struct attempt_record record;
    struct store_record write;
};

/* Start it; `answered` and `recorded` follow, each on a later turn. */
void attempt_start(struct attempt *a, const struct attempt_desk *desk, struct claim *claim,
                   struct endpoint *endpoint, const struct routing *routing,
                   struct transport *transport, struct now now);

/* For the transport. */
void attempt_done(struct attempt *a, struct answer *answer, struct now now);

/* Ask the store again. */
void attempt_record(struct attempt *a);

/* Give back what it holds; not the claim. */
void attempt_fini(struct attempt *a);

#endif
