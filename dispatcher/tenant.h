/* Tenant: what the lanes of one application share where that has a rate: its attempts, and how many of
 * its deliveries wait in memory for their turn.
 *
 *   may send ──────► ready, while the rate allows one and nobody waits
 *              └───► waiting ─► (the rate allows some) ─► ready, in turns
 *   wants to read ─► wanting, while few are queued
 *              └───► hungry ─► (some were sent) ─► wanting, in turns
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_TENANT_H
#define DISPATCHER_TENANT_H

#include "core/hash.h"
#include "core/list.h"
#include "dispatcher/agenda.h"
#include "dispatcher/throttle.h"

struct tenant {
    int64_t application_key;
    struct throttle throttle;
    size_t lanes;            /* that are its */
    size_t queued;           /* deliveries that wait in them, and reads that will bring some */
    struct list waiting;     /* lanes by `ready`: for the rate alone */
    struct list hungry;      /* lanes by `wanting`: for others to send */
    struct agenda_item wake; /* when the rate allows the next, while a lane waits */
    UT_hash_handle hh;
};

/* Whether lanes should read no more: a second of its rate is queued. */
bool tenant_is_full(const struct tenant *tenant);

/* What a lane of it may count on, attempts a second. */
uint32_t tenant_share(const struct tenant *tenant);

#endif
