#include "dispatcher/tenant.h"

#define QUEUED_MIN 16 /* so that a slow rate doesn't stand for a read */
#define SHARE_MIN  4

bool tenant_is_full(const struct tenant *tenant)
{
    return tenant->queued >= QUEUED_MIN && tenant->queued >= tenant->throttle.rate;
}

uint32_t tenant_share(const struct tenant *tenant)
{
    uint64_t share = tenant->throttle.rate / (tenant->lanes + 1);

    return share > SHARE_MIN ? (uint32_t)share : SHARE_MIN;
}
