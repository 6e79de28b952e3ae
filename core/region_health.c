#include "core/region_health.h"

#include <assert.h>
#include <string.h>

#include "core/count.h"
#include "core/mem.h"

static const char *const STATES[] = {
    "unknown", "self", "alive", "suspect", "dead", "draining", "incompatible",
};

static_assert(COUNT(STATES) == REGION_STATES, "STATES follows region_state");

struct region_health *region_health_new(const struct topology *t)
{
    struct region_health *health = xcalloc(1, sizeof *health);

    atomic_init(&health->refs, 1);
    health->regions[t->self].state = REGION_SELF;
    return health;
}

struct region_health *region_health_copy(const struct region_health *from)
{
    struct region_health *health = xcalloc(1, sizeof *health);

    atomic_init(&health->refs, 1);
    memcpy(health->regions, from->regions, sizeof health->regions);
    return health;
}

struct region_health *region_health_ref(struct region_health *health)
{
    atomic_fetch_add_explicit(&health->refs, 1, memory_order_relaxed);
    return health;
}

void region_health_unref(struct region_health *health)
{
    if (health && atomic_fetch_sub_explicit(&health->refs, 1, memory_order_acq_rel) == 1)
        free(health);
}

const char *region_state_name(enum region_state state)
{
    return STATES[state];
}
