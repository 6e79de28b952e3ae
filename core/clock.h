/* Clock: the current instant on both clocks, read once per event and passed down.
 *
 * Compare and wait with `mono_ms`; store and show `wall_ms`. Tests set both by hand. */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdint.h>

#include "core/err.h"

struct now {
    uint64_t mono_ms; /* since some fixed point; never steps */
    uint64_t wall_ms; /* since 1970; may step */
};

struct now clock_now(void);

/* The wall clock in µs since 1970, for measuring how far another machine's is off. */
uint64_t clock_wall_us(void);

/* "2026-11-24T02:57:36.747Z" (RFC 3339, UTC, milliseconds). */
#define CLOCK_TEXT_MAX 32
void clock_format(uint64_t wall_ms, char out[CLOCK_TEXT_MAX]);

/* Such a text, with any offset and fraction (RFC 3339; what is finer than a millisecond is cut).
 * ERR_INVALID: not one, no such day, or before 1970. */
MUST_USE enum err clock_parse(const char *text, uint64_t *out_wall_ms);

#endif
