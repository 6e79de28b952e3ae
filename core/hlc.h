/* Hlc: a hybrid logical clock, which orders the changes of several regions.
 *
 * A stamp is 48 bits of wall-clock milliseconds above a counter of 16. It never goes back, and is
 * above every stamp that was seen before it, whatever the clocks do. Two stamps of one region are
 * never the same, for each is on disk before anyone else sees it and is seen again at the next
 * start.
 *
 * Source: Kulkarni, Demirbas et al., "Logical Physical Clocks", 2014. Pure; thread: its owner's. */
#ifndef CORE_HLC_H
#define CORE_HLC_H

#include <stdbool.h>
#include <stdint.h>

/* A stamp from elsewhere that is further ahead of our clock is nobody's mistake of a network's
 * delay: its maker's clock is wrong, or ours. */
#define HLC_AHEAD_MAX_MS UINT64_C(2000)

struct hlc {
    uint64_t last; /* the newest stamp made or seen; 0 = none */
};

/* A new stamp. */
uint64_t hlc_next(struct hlc *hlc, uint64_t wall_ms);

/* What is stamped from now on comes after `stamp`. */
void hlc_see(struct hlc *hlc, uint64_t stamp);

bool hlc_is_ahead(uint64_t stamp, uint64_t wall_ms);

uint64_t hlc_wall_ms(uint64_t stamp);

/* The least stamp of an instant. */
uint64_t hlc_at(uint64_t wall_ms);

#endif
