/* Route gather: the inputs of a decision, from what is known right now.
 *
 * What isn't known yet: how far a region is entitled beyond its jurisdiction's law (a peer of the
 * jurisdiction gets an endpoint's secrets with it, so it counts as entitled), credit on the link,
 * and what forwards wait.
 *
 * Pure. Thread: any. */
#ifndef REGION_ROUTE_GATHER_H
#define REGION_ROUTE_GATHER_H

#include "region/route.h"

/* Borrowed for the call. */
struct route_facts {
    const struct topology *topology;
    const struct region_health *health;
    const struct application *application;
    const struct endpoint *endpoint;
    struct paths *paths;               /* NULL: nothing was measured */
    const struct route_memory *memory; /* NULL: no route yet */
    struct now now;
};

void route_gather(const struct route_facts *facts, struct route_inputs *out);

#endif
