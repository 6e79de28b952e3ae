#include "region/hysteresis.h"

#include <assert.h>

#include "core/count.h"

#define MINUTE_MS 60000u
#define HOUR_MS   (60 * MINUTE_MS)

#define DOUBLINGS_MAX 32 /* far beyond dwell_max_ms */

const struct hysteresis_rules hysteresis_default = {
    .margin_us = 15000,
    .margin_percent = 20,
    .wins = 3,
    .apart_ms = 100000,
    .dwell_ms = 15 * MINUTE_MS,
    .dwell_max_ms = 6 * HOUR_MS,
    .calm_ms = 24 * HOUR_MS,
};

static const char *const VERDICTS[] = {
    "first", "left", "kept", "challenged", "young", "damped", "moved", "unasked",
};

static_assert(COUNT(VERDICTS) == HYSTERESIS_VERDICTS, "VERDICTS follows hysteresis_verdict");

const char *hysteresis_verdict_name(enum hysteresis_verdict verdict)
{
    return VERDICTS[verdict];
}

uint64_t hysteresis_margin_us(const struct hysteresis_rules *rules, uint64_t current_us)
{
    uint64_t part = current_us / 100 * rules->margin_percent +
                    current_us % 100 * rules->margin_percent / 100;

    return part > rules->margin_us ? part : rules->margin_us;
}

uint64_t hysteresis_dwell_ms(const struct hysteresis_rules *rules,
                             const struct route_memory *memory)
{
    uint64_t ms = rules->dwell_ms;

    for (uint32_t n = 0; n < memory->flaps && n < DOUBLINGS_MAX && ms < rules->dwell_max_ms;
         n++)
        ms *= 2;
    return ms < rules->dwell_max_ms ? ms : rules->dwell_max_ms;
}

/* A clock that went back has let no time pass. */
static uint64_t passed_ms(uint64_t from_ms, uint64_t now_ms)
{
    return now_ms > from_ms ? now_ms - from_ms : 0;
}

static struct route_memory change(const struct hysteresis_rules *rules,
                                  const struct route_memory *before, size_t to, uint64_t now_ms)
{
    struct route_memory after = ROUTE_MEMORY_NONE;
    bool is_flap = before->changed && passed_ms(before->since_ms, now_ms) < rules->calm_ms;

    after.current = to;
    after.since_ms = now_ms;
    after.changed = before->current != ROUTE_NOWHERE;
    after.flaps = before->flaps;
    if (!is_flap)
        after.flaps = 0;
    else if (after.flaps < UINT32_MAX)
        after.flaps++;
    return after;
}

struct route_memory hysteresis_put(const struct route_memory *before, size_t region,
                                   uint64_t now_ms)
{
    struct route_memory after = ROUTE_MEMORY_NONE;

    after.current = region;
    after.since_ms = before->current == region ? before->since_ms : now_ms;
    return after;
}

static bool is_better(const struct hysteresis_rules *rules, const struct route_memory *before,
                      const struct hysteresis_case *c)
{
    return c->comparable && c->best != before->current && c->best_us < c->current_us &&
           c->current_us - c->best_us > hysteresis_margin_us(rules, c->current_us);
}

/* A win counts unless it comes too soon after the last that did; but what isn't one ends the row at
 * once. */
static void count_win(const struct hysteresis_rules *rules, const struct hysteresis_case *c,
                      struct route_memory *memory)
{
    if (memory->challenger != c->best)
        memory->wins = 0;
    else if (passed_ms(memory->won_ms, c->now_ms) < rules->apart_ms)
        return;
    memory->challenger = c->best;
    memory->won_ms = c->now_ms;
    if (memory->wins < rules->wins)
        memory->wins++;
}

enum hysteresis_verdict hysteresis_judge(const struct hysteresis_rules *rules,
                                         const struct route_memory *before,
                                         const struct hysteresis_case *c,
                                         struct route_memory *out_after)
{
    struct route_memory after = *before;
    bool may_stay =
        before->current != ROUTE_NOWHERE && region_set_has(c->candidates, before->current);

    assert(region_set_has(c->candidates, c->best));
    if (!may_stay) {
        *out_after = change(rules, before, c->best, c->now_ms);
        return before->current == ROUTE_NOWHERE ? HYSTERESIS_FIRST : HYSTERESIS_LEFT;
    }
    if (!is_better(rules, before, c)) {
        after.challenger = ROUTE_NOWHERE;
        after.wins = 0;
        *out_after = after;
        return HYSTERESIS_KEPT;
    }
    count_win(rules, c, &after);
    *out_after = after;
    if (after.wins < rules->wins)
        return HYSTERESIS_CHALLENGED;
    if (passed_ms(before->since_ms, c->now_ms) < hysteresis_dwell_ms(rules, before))
        return HYSTERESIS_YOUNG;
    if (c->damped)
        return HYSTERESIS_DAMPED;
    *out_after = change(rules, before, c->best, c->now_ms);
    return HYSTERESIS_MOVED;
}
