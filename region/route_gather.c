#include "region/route_gather.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TCP_TRIPS 1
#define TLS_TRIPS 2 /* TCP, TLS 1.3 */

static const char *name_of(const struct region *region)
{
    return region->name[0] ? region->name : NULL;
}

static uint32_t distance_km(const struct place *a, const struct place *b)
{
    return (uint32_t)lround(place_distance_km(a, b));
}

/* The location is that of the endpoint's own URL. */
static uint32_t receiver_km(const struct route_facts *facts, const struct region *region,
                            const struct dispatch_target *target)
{
    const struct location *location = &facts->endpoint->dispatch.location;
    const struct place place = {
        .latitude = (double)location->latitude / LOCATION_DEGREE,
        .longitude = (double)location->longitude / LOCATION_DEGREE,
    };

    if (!location->known || !region->has_place || strcmp(target->label, DISPATCH_DEFAULT) != 0)
        return ROUTE_KM_UNKNOWN;
    return distance_km(&region->place, &place);
}

static uint32_t home_km(const struct route_facts *facts, size_t home,
                        const struct region *region)
{
    const struct region *other;

    if (home == ROUTE_NOWHERE)
        return ROUTE_KM_UNKNOWN;
    other = &facts->topology->regions[home];
    if (!other->has_place || !region->has_place)
        return other == region ? 0 : ROUTE_KM_UNKNOWN;
    return distance_km(&region->place, &other->place);
}

static void gather_way(const struct route_facts *facts, const struct region *region,
                       struct route_region *out)
{
    struct dispatch_target target = dispatch_choose(
        facts->endpoint, facts->application->residency.jurisdiction, name_of(region));
    struct path *path =
        facts->paths ? paths_find(facts->paths, region->ordinal, target.url) : NULL;

    snprintf(out->way.label, sizeof out->way.label, "%s", target.label);
    out->way.trips = strncmp(target.url, "https:", 6) == 0 ? TLS_TRIPS : TCP_TRIPS;
    out->receiver_km = receiver_km(facts, region, &target);
    out->path = path_view(path, facts->now);
}

static void gather_region(const struct route_facts *facts, size_t index, region_set lawful,
                          struct route_inputs *in)
{
    const struct topology *topology = facts->topology;
    const struct region *region = &topology->regions[index];
    const struct region_condition *condition = &facts->health->regions[index];
    struct route_region *out = &in->regions[index];

    snprintf(out->name, sizeof out->name, "%s", region->name);
    out->ordinal = region->ordinal;
    out->lawful = out->entitled = region_set_has(lawful, index);
    out->state = condition->state;
    out->draining = condition->draining;
    out->home_km = home_km(facts, in->home, region);
    if (index != topology->self)
        in->link_us[index][topology->self] = in->link_us[topology->self][index] =
            condition->rtt_us;
    gather_way(facts, region, out);
}

/* Those that aren't regions any more have no effect. */
static void gather_pins(const struct route_facts *facts, struct route_inputs *in)
{
    const struct text_list *names = &facts->endpoint->dispatch.regions;

    for (size_t i = 0; i < names->count && in->pin_count < REGIONS_MAX; i++) {
        const struct region *region = topology_by_name(facts->topology, names->items[i]);
        if (region)
            in->pins[in->pin_count++] = topology_index(facts->topology, region);
    }
}

void route_gather(const struct route_facts *facts, struct route_inputs *out)
{
    const struct topology *topology = facts->topology;
    const struct application *application = facts->application;
    const struct region *home = residency_home(topology, &application->residency);
    region_set lawful = residency_allowed(topology, &application->residency);
    const char *jurisdiction = application->residency.jurisdiction;

    *out = (struct route_inputs){
        .application = application->base.id,
        .endpoint = facts->endpoint->base.id,
        .application_version = application->base.version,
        .endpoint_version = facts->endpoint->base.version,
        .now = facts->now,
        .count = topology->count,
        .home = home ? topology_index(topology, home) : ROUTE_NOWHERE,
        .mode = facts->endpoint->dispatch.mode,
        .rules = hysteresis_default,
        .memory = facts->memory ? *facts->memory : ROUTE_MEMORY_NONE,
    };
    if (topology_is_single(topology))
        lawful = topology_all(topology);
    else
        snprintf(out->jurisdiction, sizeof out->jurisdiction, "%s",
                 jurisdiction ? jurisdiction : "");
    for (size_t i = 0; i < topology->count; i++)
        gather_region(facts, i, lawful, out);
    gather_pins(facts, out);
}
