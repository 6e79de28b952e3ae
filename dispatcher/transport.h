/* Transport: one way to carry a delivery out of this process.
 *
 * The dispatcher decides when and how often; a transport decides how. The signed POST to a
 * subscriber is one; a forward to another region is another.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_TRANSPORT_H
#define DISPATCHER_TRANSPORT_H

#include "core/err.h"
#include "core/model.h"
#include "wire/courier.h"

struct attempt;

/* What came back. */
struct answer {
    /* ERR_OK: an answer came, whatever its status. ERR_TIMEOUT; ERR_CANCELED; ERR_BUSY: this
     * process lacks what it takes; ERR_SEALED: it lacks the key to the endpoint's secret; anything
     * else: `reason` says why there is none. */
    enum err err;
    const char *reason; /* when not ERR_OK: a sentence for the subscriber; borrowed */
    unsigned status;
    struct bytes response;  /* at most RESPONSE_KEPT_MAX; the receiver's of this */
    uint32_t retry_after_s; /* 0 = none */
    uint32_t duration_ms;
    struct call_times times; /* all 0 where there is only one region */
};

struct transport {
    /* Carry it; attempt_done() follows exactly once, on a later turn. */
    void (*start)(struct transport *t, struct attempt *attempt);

    /* Hasten attempt_done(), with ERR_CANCELED. */
    void (*cancel)(struct transport *t, struct attempt *attempt);
};

#endif
