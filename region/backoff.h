/* Backoff: how long to wait after failures in a row. Twice as long each time, up to a bound, and
 * half of it by chance, so that those who failed together don't try again together.
 *
 * Pure: chance comes in, in [0, 1). */
#ifndef REGION_BACKOFF_H
#define REGION_BACKOFF_H

#include <stdint.h>

struct backoff {
    uint32_t first_ms, most_ms; /* the longest first wait, and the longest of all */
    unsigned failures;          /* in a row; set to 0 by whoever has succeeded */
};

/* After one more failure: how long to wait. */
uint32_t backoff_fail(struct backoff *b, double chance);

#endif
