#include "region/route.h"

#include <assert.h>

#include "core/count.h"

static const char *const EXCLUSIONS[] = {
    "",
    "not in the jurisdiction",
    "doesn't hold the secrets",
    "not the home",
    "not pinned",
    "nothing was heard of it yet",
    "down",
    "incompatible",
    "draining",
    "takes no more for now",
    "it failed to reach the receiver",
};

static_assert(COUNT(EXCLUSIONS) == ROUTE_EXCLUSIONS, "EXCLUSIONS follows route_exclusion");

static const char *const HELDS[] = {
    "",
    "no region is permitted",
    "its home isn't known here",
    "no region that is permitted is able to, nor is the home",
};

static_assert(COUNT(HELDS) == ROUTE_HELDS, "HELDS follows route_held");

const char *route_exclusion_text(enum route_exclusion exclusion)
{
    return EXCLUSIONS[exclusion];
}

const char *route_held_text(enum route_held held)
{
    return HELDS[held];
}

/* Each step says why a region that is in so far goes out. */

static enum route_exclusion judge_legal(const struct route_inputs *in, size_t region)
{
    const struct route_region *r = &in->regions[region];

    if (!r->lawful)
        return ROUTE_UNLAWFUL;
    return r->entitled ? ROUTE_LEFT_IN : ROUTE_NOT_ENTITLED;
}

static bool is_pinned(const struct route_inputs *in, size_t region)
{
    for (size_t i = 0; i < in->pin_count; i++)
        if (in->pins[i] == region)
            return true;
    return false;
}

static enum route_exclusion judge_wish(const struct route_inputs *in, size_t region)
{
    switch (in->mode) {
    case DISPATCH_AUTO:
        break;
    case DISPATCH_HOME:
        return region == in->home ? ROUTE_LEFT_IN : ROUTE_NOT_HOME;
    case DISPATCH_PIN:
        return is_pinned(in, region) ? ROUTE_LEFT_IN : ROUTE_NOT_PINNED;
    }
    return ROUTE_LEFT_IN;
}

static enum route_exclusion judge_state(const struct route_region *r)
{
    switch (r->state) {
    case REGION_SELF:
    case REGION_ALIVE:
    case REGION_SUSPECT:
    case REGION_STATES:
        break;
    case REGION_UNKNOWN:
        return ROUTE_UNHEARD;
    case REGION_DEAD:
        return ROUTE_DOWN;
    case REGION_INCOMPATIBLE:
        return ROUTE_INCOMPATIBLE;
    case REGION_DRAINING:
        return ROUTE_DRAINING;
    }
    return r->draining ? ROUTE_DRAINING : ROUTE_LEFT_IN;
}

/* No link leads to the home, so it needs no credit. */
static enum route_exclusion judge_alive(const struct route_inputs *in, size_t region)
{
    const struct route_region *r = &in->regions[region];
    enum route_exclusion why = judge_state(r);

    if (why)
        return why;
    if (region != in->home && r->has_credit_limit && r->credit == 0)
        return ROUTE_WITHOUT_CREDIT;
    return r->path.open ? ROUTE_CIRCUIT_OPEN : ROUTE_LEFT_IN;
}

static region_set step(const struct route_inputs *in, region_set set,
                       enum route_exclusion (*judge)(const struct route_inputs *, size_t),
                       struct route_decision *out)
{
    for (size_t i = 0; i < in->count; i++) {
        if (!region_set_has(set, i))
            continue;
        out->excluded[i] = judge(in, i);
        if (out->excluded[i])
            set &= ~region_set_of(i);
    }
    return set;
}

/* Costs. What isn't known goes behind what is; then the home, then the lowest ordinal. */

static bool is_cheaper(const struct route_inputs *in, const struct route_decision *d, size_t a,
                       size_t b)
{
    const struct route_cost *x = &d->costs[a], *y = &d->costs[b];

    if (x->known != y->known)
        return x->known;
    if (x->known && x->total_us != y->total_us)
        return x->total_us < y->total_us;
    return a == in->home || (b != in->home && a < b);
}

static size_t cheapest(const struct route_inputs *in, const struct route_decision *d,
                       region_set set)
{
    size_t best = ROUTE_NOWHERE;

    for (size_t i = 0; i < in->count; i++)
        if (region_set_has(set, i) && (best == ROUTE_NOWHERE || is_cheaper(in, d, i, best)))
            best = i;
    return best;
}

static size_t first_pin(const struct route_inputs *in, region_set set)
{
    for (size_t i = 0; i < in->pin_count; i++)
        if (region_set_has(set, in->pins[i]))
            return in->pins[i];
    return ROUTE_NOWHERE;
}

static enum route_held find_hold(const struct route_inputs *in, const struct route_decision *d,
                                 region_set candidates)
{
    if (in->home == ROUTE_NOWHERE)
        return ROUTE_HELD_HOMELESS;
    if (d->legal == REGION_SET_NONE)
        return ROUTE_HELD_UNLAWFUL;
    return candidates == REGION_SET_NONE ? ROUTE_HELD_DOWN : ROUTE_SENT;
}

static void choose(const struct route_inputs *in, region_set candidates,
                   struct route_decision *out)
{
    struct hysteresis_case c = { .candidates = candidates, .damped = in->damped };
    size_t current = in->memory.current;

    c.now_ms = in->now.mono_ms;
    if (in->mode == DISPATCH_PIN && !out->last_resort) {
        out->best = first_pin(in, candidates);
        out->verdict = HYSTERESIS_UNASKED;
        out->after = hysteresis_put(&in->memory, out->best, c.now_ms);
    } else {
        c.best = out->best = cheapest(in, out, candidates);
        c.best_us = out->costs[c.best].total_us;
        if (current != ROUTE_NOWHERE) {
            c.comparable = out->costs[c.best].known && out->costs[current].known;
            c.current_us = out->costs[current].total_us;
        }
        out->verdict = hysteresis_judge(&in->rules, &in->memory, &c, &out->after);
    }
    out->region = out->after.current;
    assert(region_set_has(out->legal, out->region));
}

/* Among those that only the law keeps out. */
static size_t find_forbidden(const struct route_inputs *in, const struct route_decision *d)
{
    region_set able = REGION_SET_NONE;

    for (size_t i = 0; i < in->count; i++)
        if (!region_set_has(d->legal, i) && d->costs[i].known && !judge_alive(in, i))
            able |= region_set_of(i);

    size_t fastest = cheapest(in, d, able);
    if (fastest == ROUTE_NOWHERE || d->region == ROUTE_NOWHERE)
        return fastest;
    const struct route_cost *chosen = &d->costs[d->region];
    bool is_faster = chosen->known && d->costs[fastest].total_us < chosen->total_us;
    return is_faster ? fastest : ROUTE_NOWHERE;
}

void route_decide(const struct route_inputs *in, struct route_decision *out)
{
    *out = (struct route_decision){
        .best = ROUTE_NOWHERE,
        .verdict = HYSTERESIS_UNASKED,
        .after = in->memory,
        .region = ROUTE_NOWHERE,
    };
    assert(in->count > 0 && in->count <= REGIONS_MAX);
    out->legal = step(in, region_set_of(in->count) - 1, judge_legal, out);
    out->wished = step(in, out->legal, judge_wish, out);
    out->alive = step(in, out->wished, judge_alive, out);
    for (size_t i = 0; i < in->count; i++)
        out->costs[i] = route_cost(in, i);

    region_set candidates = out->alive;
    if (candidates == REGION_SET_NONE && in->home != ROUTE_NOWHERE) {
        candidates = out->legal & region_set_of(in->home);
        out->last_resort = candidates != REGION_SET_NONE;
    }
    out->held = find_hold(in, out, candidates);
    if (out->held == ROUTE_SENT)
        choose(in, candidates, out);
    out->forbidden = find_forbidden(in, out);
}
