/* Path: what lies between two sites, in one direction. Pure.
 *
 * A packet is due after the delay, give or take the jitter, and not before one that was sent
 * earlier: a path keeps order. Where the rate is limited, packets leave one after the other; one
 * that would wait longer than PATH_QUEUE_NS for its turn is dropped, as loss and a cut drop. */
#ifndef TESTS_WAN_PATH_H
#define TESTS_WAN_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/dice.h"

#define PATH_QUEUE_NS 200000000 /* what a router's buffer holds, more or less */

struct path {
    /* how it is */
    uint64_t delay_ns, jitter_ns;
    double loss;       /* share of the packets, 0 … 1 */
    uint64_t rate_bps; /* bits a second; 0: as many as come */
    bool cut;

    /* how it got there */
    uint64_t free_at_ns;  /* when the last packet has left */
    uint64_t last_due_ns; /* when the last packet arrives */
    uint64_t packets, bytes, dropped;
};

/* Send `len` bytes at `now_ns`: true and the instant at which they arrive, or false when they
 * never do. */
bool path_send(struct path *p, size_t len, uint64_t now_ns, struct dice *dice,
               uint64_t *out_due_ns);

/* Neither cut nor lossy. */
void path_heal(struct path *p);

#endif
