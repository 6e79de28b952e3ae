#include "lab/plan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/number.h"
#include "core/topology.h"

#define ORDINAL_FREE  100   /* the first one that no place has */
#define RTT_MS_PER_KM 0.017 /* fibre that goes 1.7 times the distance; see docs/routing.md */
#define RTT_MS_LEAST  1

struct distance {
    const char *a, *b;
    uint32_t rtt_ms;
};

/* As in tests/wan/README.md. */
static const struct distance measured[] = {
    { "fra", "iad", 92 },  { "fra", "sin", 162 }, { "fra", "gru", 205 },
    { "iad", "sin", 222 }, { "iad", "gru", 116 }, { "sin", "gru", 328 },
};

static enum err add_region(struct plan *plan, const char *name, size_t len,
                           char why[PLAN_WHY_MAX])
{
    char text[REGION_NAME_LEN_MAX + 1];

    if (len > REGION_NAME_LEN_MAX)
        len = REGION_NAME_LEN_MAX;
    memcpy(text, name, len);
    text[len] = '\0';
    const struct known_place *place = place_find(text);
    if (!place)
        snprintf(why, PLAN_WHY_MAX,
                 "'%s' isn't a place that we know; fra, iad, sin, gru, nrt and others are",
                 text);
    else if (plan_find(plan, text) < plan->count)
        snprintf(why, PLAN_WHY_MAX, "'%s' stands there twice", text);
    else if (plan->count == PLAN_REGIONS_MAX)
        snprintf(why, PLAN_WHY_MAX, "more than %d regions", PLAN_REGIONS_MAX);
    else {
        plan->places[plan->count++] = place;
        return ERR_OK;
    }
    return ERR_INVALID;
}

enum err plan_read(const char *regions, struct plan *out, char why[PLAN_WHY_MAX])
{
    struct plan plan = { .network = PLAN_NETWORK_FIRST };
    bool more;

    do {
        size_t len = strcspn(regions, ",");
        enum err err = add_region(&plan, regions, len, why);

        if (err)
            return err;
        more = regions[len] == ',';
        regions += len + more;
    } while (more);
    if (plan.count < PLAN_REGIONS_MIN) {
        snprintf(why, PLAN_WHY_MAX, "a lab has at least %d regions", PLAN_REGIONS_MIN);
        return ERR_INVALID;
    }
    *out = plan;
    return ERR_OK;
}

void plan_address(const struct plan *plan, size_t from, size_t to, char out[PLAN_ADDRESS_MAX])
{
    snprintf(out, PLAN_ADDRESS_MAX, "127.%u.%u.%u", plan->network & 0xff,
             (unsigned)(from + 1) & 0xff, (unsigned)(to + 1) & 0xff);
}

void plan_hook_name(const struct plan *plan, size_t index, char out[PLAN_HOOK_NAME_MAX])
{
    snprintf(out, PLAN_HOOK_NAME_MAX, "hooks.%.16s.lab", plan->places[index]->name);
}

static struct place place_of(const struct known_place *known)
{
    struct place place = { 0 };

    if (!number_parse_degrees(known->latitude, 90, &place.latitude) ||
        !number_parse_degrees(known->longitude, 180, &place.longitude))
        abort();
    return place;
}

uint32_t plan_rtt_ms(const struct plan *plan, size_t a, size_t b)
{
    const char *one = plan->places[a]->name, *other = plan->places[b]->name;
    struct place from = place_of(plan->places[a]), to = place_of(plan->places[b]);

    for (size_t i = 0; i < COUNT(measured); i++) {
        const struct distance *d = &measured[i];

        if ((strcmp(d->a, one) == 0 && strcmp(d->b, other) == 0) ||
            (strcmp(d->a, other) == 0 && strcmp(d->b, one) == 0))
            return d->rtt_ms;
    }
    return RTT_MS_LEAST + (uint32_t)(RTT_MS_PER_KM * place_distance_km(&from, &to));
}

size_t plan_find(const struct plan *plan, const char *name)
{
    size_t i = 0;

    while (i < plan->count && strcmp(plan->places[i]->name, name) != 0)
        i++;
    return i;
}

unsigned plan_ordinal(const struct plan *plan, size_t index)
{
    const char *ordinal = plan->places[index]->ordinal;

    return ordinal ? (unsigned)strtoul(ordinal, NULL, 10) : ORDINAL_FREE + (unsigned)index;
}
