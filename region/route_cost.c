#include "region/route_cost.h"

#include <string.h>

#include "region/route.h"

/* Whether what one region knows of its way holds for the other's. */
static bool goes_the_same_way(const struct route_inputs *in, size_t a, size_t b)
{
    return strcmp(in->regions[a].way.label, in->regions[b].way.label) == 0;
}

static bool has_measured(const struct path_view *path)
{
    return path->source == PATH_PROBE || path->source == PATH_DELIVERY ||
           path->source == PATH_SUPPOSED;
}

/* Round trips. */

struct bounds {
    bool known;
    uint64_t low_us, high_us;
};

static struct bounds triangle(const struct route_inputs *in, size_t region)
{
    struct bounds bounds = { .high_us = UINT64_MAX };

    for (size_t i = 0; i < in->count; i++) {
        uint64_t link_us = in->link_us[i][region], rtt_us = in->regions[i].path.rtt_us;

        if (i == region || link_us == 0 || !has_measured(&in->regions[i].path) ||
            !goes_the_same_way(in, i, region))
            continue;
        uint64_t low_us = link_us > rtt_us ? link_us - rtt_us : rtt_us - link_us;
        bounds.known = true;
        if (low_us > bounds.low_us)
            bounds.low_us = low_us;
        if (link_us + rtt_us < bounds.high_us)
            bounds.high_us = link_us + rtt_us;
    }
    return bounds;
}

static uint64_t distance_us(uint32_t km)
{
    return (uint64_t)km * ROUTE_US_PER_KM;
}

/* Measurements that contradict each other leave the upper bound. */
static uint64_t keep_within(uint64_t us, const struct bounds *bounds)
{
    if (us < bounds->low_us)
        us = bounds->low_us;
    return us < bounds->high_us ? us : bounds->high_us;
}

static void find_rtt(const struct route_inputs *in, size_t region, struct route_cost *cost)
{
    const struct route_region *r = &in->regions[region];

    if (has_measured(&r->path)) {
        cost->rtt_us = r->path.rtt_us;
        cost->rtt_source = r->path.source;
        return;
    }
    struct bounds bounds = triangle(in, region);
    if (r->receiver_km != ROUTE_KM_UNKNOWN) {
        cost->rtt_us = keep_within(distance_us(r->receiver_km), &bounds);
        cost->rtt_source = PATH_GEO;
    } else if (bounds.known) {
        cost->rtt_us = bounds.high_us;
        cost->rtt_source = PATH_BOUND;
    }
}

/* From the home, and there. */
static void find_link(const struct route_inputs *in, size_t region, struct route_cost *cost)
{
    const struct route_region *r = &in->regions[region];
    uint64_t round_trip_us = in->home == ROUTE_NOWHERE ? 0 : in->link_us[in->home][region];

    if (round_trip_us > 0) {
        cost->link_source = PATH_PROBE;
    } else if (in->home != ROUTE_NOWHERE && r->home_km != ROUTE_KM_UNKNOWN) {
        round_trip_us = distance_us(r->home_km);
        cost->link_source = PATH_GEO;
    }
    cost->link_us = round_trip_us / 2;
    cost->queue_us = r->queue_us;
    cost->handling_us = ROUTE_HANDLING_US;
}

/* Connections. */

static uint32_t cold_permille(uint64_t requests, uint64_t reused)
{
    return (uint32_t)(ROUTE_PERMILLE - reused * ROUTE_PERMILLE / requests);
}

static uint32_t find_cold(const struct route_inputs *in, size_t region)
{
    const struct path_view *own = &in->regions[region].path;
    uint64_t requests = 0, reused = 0;

    if (own->requests > 0)
        return cold_permille(own->requests, own->reused);
    for (size_t i = 0; i < in->count; i++) {
        if (goes_the_same_way(in, i, region)) {
            requests += in->regions[i].path.requests;
            reused += in->regions[i].path.reused;
        }
    }
    return requests > 0 ? cold_permille(requests, reused) : ROUTE_PERMILLE;
}

/* First bytes. */

static void insert(uint32_t *sorted, size_t count, uint32_t value)
{
    for (; count > 0 && sorted[count - 1] > value; count--)
        sorted[count] = sorted[count - 1];
    sorted[count] = value;
}

static void find_server(const struct route_inputs *in, size_t region, struct route_cost *cost)
{
    uint32_t sorted[REGIONS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < in->count; i++) {
        const struct path_view *path = &in->regions[i].path;

        if (path->first_byte_count == 0 || !has_measured(path) ||
            !goes_the_same_way(in, i, region))
            continue;
        uint32_t first_byte_us = path->first_byte_us, rtt_us = path->rtt_us;
        insert(sorted, count++, first_byte_us > rtt_us ? first_byte_us - rtt_us : 0);
    }
    cost->server_known = count > 0;
    cost->server_us = count > 0 ? sorted[(count - 1) / 2] : 0;
}

static void find_first_byte(const struct route_inputs *in, size_t region,
                            struct route_cost *cost)
{
    const struct path_view *path = &in->regions[region].path;

    cost->first_byte_count = path->first_byte_count;
    if (path->first_byte_count >= ROUTE_FIRST_BYTES_MIN) {
        cost->first_byte_measured = true;
        cost->first_byte_us = path->first_byte_us;
        return;
    }
    find_server(in, region, cost);
    cost->first_byte_us = cost->rtt_us + cost->server_us;
}

/* Both are measured, each with its own noise. */
static uint64_t find_back(const struct route_cost *cost)
{
    uint64_t half_us = cost->rtt_us / 2;

    return half_us < cost->first_byte_us ? half_us : cost->first_byte_us;
}

struct route_cost route_cost(const struct route_inputs *in, size_t region)
{
    struct route_cost cost = { .remote = region != in->home };

    if (cost.remote)
        find_link(in, region, &cost);
    find_rtt(in, region, &cost);
    cost.known =
        cost.rtt_source != PATH_UNKNOWN && (!cost.remote || cost.link_source != PATH_UNKNOWN);
    cost.trips = in->regions[region].way.trips;
    cost.cold_permille = find_cold(in, region);
    cost.setup_us = cost.cold_permille * cost.trips * cost.rtt_us / ROUTE_PERMILLE;
    find_first_byte(in, region, &cost);
    cost.back_us = find_back(&cost);
    cost.total_us = cost.link_us + cost.queue_us + cost.handling_us + cost.setup_us +
                    cost.first_byte_us - cost.back_us;
    return cost;
}

struct route_cost route_cost_at_best(const struct route_inputs *in, size_t region)
{
    struct route_inputs best = *in;
    struct path_view *path = &best.regions[region].path;
    uint64_t low_us = triangle(in, region).low_us;

    path->source = PATH_SUPPOSED;
    path->rtt_us = low_us > 0 ? (uint32_t)low_us : 1;
    return route_cost(&best, region);
}
