/* Damper: at most so many routes follow the costs at the same time, so that a region that gets
 * cheaper isn't stampeded. In any 60 s: one in twenty of the routes there are, and at least one.
 *
 * Routes whose region failed aren't held up, and aren't asked about.
 *
 * Pure: time comes in. */
#ifndef REGION_DAMPER_H
#define REGION_DAMPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DAMPER_PERCENT 5
#define DAMPER_SLOTS   61 /* seconds: a minute may begin in the midst of one */

/* Zeroed: nothing changed yet. */
struct damper {
    uint64_t second;              /* of the newest slot, monotonic */
    uint32_t slots[DAMPER_SLOTS]; /* changes in each second, by its number modulo */
};

/* Whether one more may change now, of `routes` that there are. */
bool damper_admits(struct damper *d, size_t routes, uint64_t now_mono_ms);

/* One did. */
void damper_count(struct damper *d, uint64_t now_mono_ms);

#endif
