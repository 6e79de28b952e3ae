#include "region/backoff.h"

#include <limits.h>

uint32_t backoff_fail(struct backoff *b, double chance)
{
    uint64_t wait_ms = b->first_ms;

    for (unsigned i = 0; i < b->failures && wait_ms < b->most_ms; i++)
        wait_ms *= 2;
    if (wait_ms > b->most_ms)
        wait_ms = b->most_ms;
    b->failures += b->failures < UINT_MAX;
    return (uint32_t)((double)wait_ms * (1 + chance) / 2);
}
