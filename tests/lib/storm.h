/* Storm: a scenario at random, for many seeds; STORM_SEED repeats one. */
#ifndef TESTS_LIB_STORM_H
#define TESTS_LIB_STORM_H

#include <stdint.h>

/* Ride out `seeds` of them; the test fails when one leaves a descriptor behind. */
void storm_ride(unsigned seeds, void (*ride_out)(uint64_t seed));

#endif
