#include "tests/lib/routes.h"

#include <stdio.h>
#include <string.h>

#include "core/count.h"

#define NAMES_MAX ((REGION_NAME_LEN_MAX + 1) * REGIONS_MAX + 1)

static void join(struct route_inputs *in, size_t a, size_t b, uint32_t rtt_ms)
{
    in->link_us[a][b] = in->link_us[b][a] = rtt_ms * 1000;
}

struct route_inputs routes_five(void)
{
    static const struct {
        const char *name;
        uint8_t ordinal;
    } regions[] = { { "fra", 1 }, { "iad", 2 }, { "sin", 3 }, { "gru", 4 }, { "dub", 7 } };
    struct route_inputs in = {
        .application = { { 1, 2, 3, 4, 5, 1 } },
        .endpoint = { { 1, 2, 3, 4, 6, 1 } },
        .application_version = 3,
        .endpoint_version = 7,
        .now = { .mono_ms = 5000000, .wall_ms = 1798761600000 },
        .jurisdiction = "eu",
        .count = COUNT(regions),
        .home = FRA,
        .rules = hysteresis_default,
        .memory = ROUTE_MEMORY_NONE,
    };

    for (size_t i = 0; i < COUNT(regions); i++) {
        struct route_region *r = &in.regions[i];
        snprintf(r->name, sizeof r->name, "%s", regions[i].name);
        r->ordinal = regions[i].ordinal;
        r->lawful = r->entitled = true;
        r->state = i == FRA ? REGION_SELF : REGION_ALIVE;
        snprintf(r->way.label, sizeof r->way.label, "%s", DISPATCH_DEFAULT);
        r->way.trips = 2;
        r->receiver_km = r->home_km = ROUTE_KM_UNKNOWN;
    }
    join(&in, FRA, IAD, 92);
    join(&in, FRA, SIN, 162);
    join(&in, FRA, GRU, 205);
    join(&in, IAD, SIN, 222);
    join(&in, IAD, GRU, 116);
    join(&in, SIN, GRU, 328);
    join(&in, FRA, DUB, 22);
    return in;
}

void routes_measure(struct route_inputs *in, size_t region, uint32_t rtt_ms)
{
    struct path_view *path = &in->regions[region].path;

    path->source = PATH_DELIVERY;
    path->rtt_us = rtt_ms * 1000;
    path->requests = path->reused = 100;
}

void routes_first_byte(struct route_inputs *in, size_t region, uint32_t first_byte_ms,
                       uint32_t count)
{
    struct path_view *path = &in->regions[region].path;

    path->first_byte_us = first_byte_ms * 1000;
    path->first_byte_count = count;
}

const char *routes_names(const struct route_inputs *in, region_set set)
{
    static char names[NAMES_MAX];
    size_t len = 0;

    names[0] = '\0';
    for (size_t i = 0; i < in->count; i++)
        if (region_set_has(set, i))
            len += (size_t)snprintf(names + len, sizeof names - len, "%s%s", len ? " " : "",
                                    in->regions[i].name);
    return names;
}
