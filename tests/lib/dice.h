/* Dice: chance that a seed repeats. */
#ifndef TESTS_LIB_DICE_H
#define TESTS_LIB_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* splitmix64, public domain, Sebastiano Vigna. */
static inline uint64_t dice_roll(struct dice *d)
{
    uint64_t z = d->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* Uniform enough, in [least, most]. */
static inline uint64_t dice_between(struct dice *d, uint64_t least, uint64_t most)
{
    return least + dice_roll(d) % (most - least + 1);
}

static inline bool dice_chance(struct dice *d, unsigned percent)
{
    return dice_between(d, 1, 100) <= percent;
}

/* In [0, 1). */
static inline double dice_fraction(struct dice *d)
{
    return (double)(dice_roll(d) >> 11) / 9007199254740992.0;
}

#endif
