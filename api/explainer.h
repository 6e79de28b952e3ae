/* Explainer: which region sends an endpoint's deliveries, or did, and why. Who decides it stands
 * behind this.
 *
 * The contract of every explanation:
 *   1. `done` runs exactly once, on the loop behind `reply_to`, never inside `ask`;
 *   2. until then the explanation and what it points to belong to the explainer;
 *   3. `item` is valid only when `err` is ERR_OK, and is the caller's from then on.
 *
 * Thread: `ask` from any. */
#ifndef API_EXPLAINER_H
#define API_EXPLAINER_H

#include "core/buf.h"
#include "core/err.h"
#include "core/inbox.h"
#include "core/model.h"

#define EXPLAIN_WHY_MAX 256

struct explanation {
    /* in, borrowed until `done` */
    const struct application *application; /* NULL only with `recorded` */
    struct id endpoint_id;
    const struct endpoint *endpoint; /* NULL: it is gone. Not so without `at_ms` */
    uint64_t at_ms;    /* the decision in force at this instant; 0: what would be decided now */
    uint8_t sent_from; /* the ordinal of the region that made an attempt then; 0 = not known */
    const char *recorded; /* instead: this decision, JSON as in an item; NULL = none */
    size_t recorded_len;  /* bytes */
    const char *what_if;  /* suppositions, see region/route_what_if.h; "" = none */
    struct inbox *reply_to;
    void (*done)(struct explanation *explanation);

    /* out */
    /* ERR_INVALID: `why` says what is wrong in the `field` of this name; ERR_BUSY: the store is. */
    enum err err;
    const char *field;
    char why[EXPLAIN_WHY_MAX];
    /* {"endpointId", "text", "inputs", "decision", "recorded", "sentFrom"}, see docs/routing.md;
     * buf_fini() */
    struct buf item;

    /* the explainer's */
    struct task task;
    void *explaining;
};

struct explainer {
    void (*ask)(struct explainer *e, struct explanation *explanation);
};

#endif
