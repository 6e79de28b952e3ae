/* Throttle: at most so many a second, evenly (GCRA), with a tenth of a second of slack, which a timer
 * that is late has to catch up with.
 *
 * Pure; zeroed: no limit. */
#ifndef DISPATCHER_THROTTLE_H
#define DISPATCHER_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/clock.h"

struct throttle {
    uint32_t rate;          /* a second; 0 = no limit. May be changed at any time */
    uint64_t whole_mono_us; /* when its credit is whole again */
};

/* When the next may go, monotonic; maybe long ago. */
uint64_t throttle_next_mono_ms(const struct throttle *t);
bool throttle_allows(const struct throttle *t, struct now now);

/* How many may go now; there is a rate. */
uint64_t throttle_room(const struct throttle *t, struct now now);

/* One goes. */
void throttle_take(struct throttle *t, struct now now);

#endif
