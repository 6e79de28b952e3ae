/* Forward: one attempt that another region makes for this one.
 *
 * The delivery stays here: its row, its payload, its next try. The other region gets one signed
 * request under a lease, sends it from memory, and tells what came of it. Whoever brings it there
 * is behind the forwarder, which is region/'s.
 *
 *   the lease ends without news ──► LOST: the delivery may be tried again, from anywhere. What
 *                                   comes later is recorded, and changes nothing but for a success
 *
 * The contract of every forward:
 *   1. `done` runs exactly once, on the loop behind `reply_to`, never inside `send`;
 *   2. until then the forward and what it points to belong to the forwarder;
 *   3. canceling hastens `done`, which then says LOST unless the answer was faster.
 *
 * Thread: both are called on the dispatch loop. */
#ifndef DISPATCHER_FORWARD_H
#define DISPATCHER_FORWARD_H

#include "core/inbox.h"
#include "core/model.h"
#include "wire/courier.h"

enum forward_fate {
    FORWARD_ANSWERED, /* the other region made the attempt: `err` and so on say what came of it */
    FORWARD_REFUSED, /* it wasn't sent: the region can't be reached, or takes no more */
    FORWARD_LOST,    /* nothing is known of it; it may have been sent */
};

struct forward {
    /* in, borrowed until `done` */
    const struct attempt_record *attempt; /* its ids, number, url; way.region is to make it */
    struct text_list headers;             /* "Name: value" lines, but for the courier's own */
    const struct bytes *body;
    uint32_t timeout_ms;
    struct inbox *reply_to;
    void (*done)(struct forward *forward);

    /* out */
    enum forward_fate fate;
    enum err err;                 /* as of a call (courier.h), as the rest */
    char reason[CALL_REASON_MAX]; /* when not ERR_OK */
    unsigned status;
    struct bytes response; /* bytes_fini() it */
    uint32_t retry_after_s;
    uint32_t duration_ms;
    struct call_times times;

    /* the forwarder's */
    struct task task;
    void *carrying;
};

struct forwarder {
    void (*send)(struct forwarder *f, struct forward *forward);
    void (*cancel)(struct forwarder *f, struct forward *forward);
};

#endif
