/* Hysteresis: when a route follows the costs, and when it stays.
 *
 *   no route yet, or its region may not send any more ──► the best, at once
 *   a challenger is better by more than max(15 ms, 20 %), three times in a row, 100 s apart
 *        and the route is old enough ──► the challenger
 *   else ──► it stays
 *
 * Old enough is 15 min, and twice that for each time that the route had changed within a day of the
 * change before, up to 6 h: what flaps comes to rest. A region that failed comes back as any
 * challenger does.
 *
 * Pure: the route's memory in, the route's memory out. Instants are one clock's, in ms. */
#ifndef REGION_HYSTERESIS_H
#define REGION_HYSTERESIS_H

#include "core/topology.h"

#define ROUTE_NOWHERE REGIONS_MAX /* the index of no region */

struct hysteresis_rules {
    uint32_t margin_us;
    uint32_t margin_percent; /* of the current region's cost */
    uint32_t wins;           /* in a row */
    uint32_t apart_ms;       /* of two evaluations that count, at least */
    uint32_t dwell_ms;       /* a route stays at least */
    uint32_t dwell_max_ms;   /* where doubling ends */
    uint32_t calm_ms;        /* a change after so long a time isn't a flap */
};

extern const struct hysteresis_rules hysteresis_default;

/* What a route remembers; see ROUTE_MEMORY_NONE. */
struct route_memory {
    size_t current;    /* a region's index, or ROUTE_NOWHERE */
    uint64_t since_ms; /* current is */
    uint32_t flaps; /* changes in a row, each within calm_ms of the one before, but the first */
    bool changed;   /* current isn't the first */
    size_t challenger; /* or ROUTE_NOWHERE */
    uint32_t wins;     /* of the challenger's, in a row */
    uint64_t won_ms;   /* the last of them */
};

#define ROUTE_MEMORY_NONE                                                                      \
    ((struct route_memory){ .current = ROUTE_NOWHERE, .challenger = ROUTE_NOWHERE })

/* What is to be judged. */
struct hysteresis_case {
    region_set candidates; /* that may send now; not none */
    size_t best;           /* of them */
    bool comparable;       /* the costs of the best and the current are known: */
    uint64_t best_us, current_us;
    bool damped; /* too many routes change right now: see damper.h */
    uint64_t now_ms;
};

enum hysteresis_verdict {
    HYSTERESIS_FIRST,      /* there was no route: the best */
    HYSTERESIS_LEFT,       /* its region may not send any more: the best */
    HYSTERESIS_KEPT,       /* nothing is better by enough */
    HYSTERESIS_CHALLENGED, /* something is, but not yet often enough */
    HYSTERESIS_YOUNG,      /* often enough, but the route isn't old enough */
    HYSTERESIS_DAMPED,     /* but too many change right now */
    HYSTERESIS_MOVED,      /* the challenger */
    HYSTERESIS_UNASKED,    /* the endpoint says where from */
    HYSTERESIS_VERDICTS,   /* how many there are */
};

const char *hysteresis_verdict_name(enum hysteresis_verdict verdict); /* "kept" */

/* The route is `out_after->current` from now on. */
enum hysteresis_verdict hysteresis_judge(const struct hysteresis_rules *rules,
                                         const struct route_memory *before,
                                         const struct hysteresis_case *c,
                                         struct route_memory *out_after);

/* Where the endpoint says where from: the route is at `region`. */
struct route_memory hysteresis_put(const struct route_memory *before, size_t region,
                                   uint64_t now_ms);

/* How much lower than the current cost a challenger's must be, more than. */
uint64_t hysteresis_margin_us(const struct hysteresis_rules *rules, uint64_t current_us);

/* How old the route must be to change. */
uint64_t hysteresis_dwell_ms(const struct hysteresis_rules *rules,
                             const struct route_memory *memory);

#endif
