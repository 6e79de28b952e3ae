#include "core/hlc.h"

#define COUNTER_BITS 16

uint64_t hlc_next(struct hlc *hlc, uint64_t wall_ms)
{
    uint64_t now = hlc_at(wall_ms);

    hlc->last = now > hlc->last ? now : hlc->last + 1;
    return hlc->last;
}

void hlc_see(struct hlc *hlc, uint64_t stamp)
{
    if (stamp > hlc->last)
        hlc->last = stamp;
}

bool hlc_is_ahead(uint64_t stamp, uint64_t wall_ms)
{
    return hlc_wall_ms(stamp) > wall_ms + HLC_AHEAD_MAX_MS;
}

uint64_t hlc_wall_ms(uint64_t stamp)
{
    return stamp >> COUNTER_BITS;
}

uint64_t hlc_at(uint64_t wall_ms)
{
    return wall_ms << COUNTER_BITS;
}
