#include "dispatcher/governor.h"

#define PERIOD_MS    50
#define BUSY_PERCENT 5  /* idle time below which the loop is saturated */
#define FREE_PERCENT 15 /* and above which it has room */

/* A step, as a part of the limit. Up is faster: receivers that hang may hold what is allowed. */
#define DOWN_PART 8
#define UP_PART   4

void governor_init(struct governor *g, unsigned least, unsigned most)
{
    *g = (struct governor){
        .least = least < most ? least : most,
        .most = most,
        .limit = least < most ? least : most,
    };
}

unsigned governor_judge(struct governor *g, uint64_t mono_ms, uint64_t idle_ns)
{
    uint64_t passed_ms = mono_ms - g->mono_ms;

    if (passed_ms < PERIOD_MS)
        return g->limit;

    uint64_t idle_percent = (idle_ns - g->idle_ns) / 10000 / passed_ms;
    unsigned down = g->limit / DOWN_PART + 1, up = g->limit / UP_PART + 1;
    if (idle_percent < BUSY_PERCENT)
        g->limit = g->limit - g->least > down ? g->limit - down : g->least;
    else if (idle_percent > FREE_PERCENT)
        g->limit = g->most - g->limit > up ? g->limit + up : g->most;
    g->mono_ms = mono_ms;
    g->idle_ns = idle_ns;
    return g->limit;
}
