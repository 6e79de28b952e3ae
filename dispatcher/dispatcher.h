/* Dispatcher: carries what the outbox owes, when it is due, as hard as each receiver can take.
 *
 * It lives on one loop: a catalog and hints come from the store, attempts go out by a courier.
 * Memory holds a bounded window of the outbox, whatever its size.
 *
 * Thread: the loop's, except where said. */
#ifndef DISPATCHER_DISPATCHER_H
#define DISPATCHER_DISPATCHER_H

#include <uv.h>

#include "core/clock.h"
#include "dispatcher/forward.h"
#include "dispatcher/retry.h"
#include "dispatcher/router.h"
#include "signer/keyring.h"
#include "store/store.h"
#include "wire/egress.h"

struct dispatcher;

struct dispatcher_options {
    uv_loop_t *loop;
    struct store *store;
    const struct keyring *keyring;
    const struct egress *egress;
    struct id_source *ids;
    struct router *router;                /* NULL: there is one region; as the next two */
    struct forwarder *forwarder;          /* NULL: no other one is reached */
    uint8_t region;                       /* the ordinal of this one */
    const char *ca_file;                  /* NULL = the system's */
    const char *name_servers;             /* NULL = the system's */
    uint32_t schedule_s[RETRY_STEPS_MAX]; /* seconds before each retry */
    size_t schedule_count;                /* n steps = n + 1 attempts */
    uint32_t timeout_ms;                  /* of one attempt */
    /* How long an endpoint's deliveries may run out of attempts, with no success between, until it
     * is disabled; 0 = for ever. */
    uint64_t disable_after_ms;
    unsigned in_flight_max;      /* of all lanes */
    unsigned in_flight_lane_max; /* of one */
};

/* Before the loops run: follows the store's configuration and watches for fresh deliveries. */
MUST_USE enum err dispatcher_open(struct dispatcher **out,
                                  const struct dispatcher_options *options);

/* From the loop: open what is sealed by this keyring from now on; borrows it. */
void dispatcher_take_keyring(struct dispatcher *d, const struct keyring *keyring);

/* From the loop: start no more attempts, wait up to `timeout_ms` for those under way, cancel
 * the rest (they stay pending in the outbox), wait for what is being recorded; then `closed`
 * runs. Whoever appends messages must have finished: their hints come here. */
void dispatcher_close(struct dispatcher *d, uint32_t timeout_ms, void (*closed)(void *ctx),
                      void *ctx);

#endif
