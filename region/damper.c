#include "region/damper.h"

/* Seconds that have passed without news are empty ones. */
static void advance(struct damper *d, uint64_t now_mono_ms)
{
    uint64_t second = now_mono_ms / 1000;

    if (second <= d->second)
        return;
    for (uint64_t n = 1; n <= second - d->second && n <= DAMPER_SLOTS; n++)
        d->slots[(d->second + n) % DAMPER_SLOTS] = 0;
    d->second = second;
}

bool damper_admits(struct damper *d, size_t routes, uint64_t now_mono_ms)
{
    size_t allowed = routes / (100 / DAMPER_PERCENT), changed = 0;

    advance(d, now_mono_ms);
    for (size_t i = 0; i < DAMPER_SLOTS; i++)
        changed += d->slots[i];
    return changed < (allowed > 0 ? allowed : 1);
}

void damper_count(struct damper *d, uint64_t now_mono_ms)
{
    advance(d, now_mono_ms);
    d->slots[d->second % DAMPER_SLOTS]++;
}
