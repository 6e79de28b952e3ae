/* A long day of everything that can go wrong, by the throw of dice. What must hold at each step is
 * checked by the subscribers and the world; at the end everything owed must have arrived.
 *
 *     SIM_SEED=17 build/asan/tests/delivery_test      one seed
 *     SIM_SEEDS=1000 build/asan/tests/delivery_test   more of them */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/world.h"

#define SEEDS        50
#define EVENTS       60
#define HOUR_MS      3600000u
#define BURST_MAX    12
#define SETTLE_HOURS 200 /* of virtual time, for the last retry of the last delivery */

static void choose_manner(struct subscriber *r)
{
    static const enum manner usual[] = {
        MANNER_PROMPT,     MANNER_PROMPT,  MANNER_SLOW,        MANNER_BROKEN,    MANNER_MOODY,
        MANNER_OVERLOADED, MANNER_HANGING, MANNER_UNREACHABLE, MANNER_BEYOND_US,
    };

    r->manner = usual[dice_between(&fate.dice, 0, COUNT(usual) - 1)];
    if (dice_chance(&fate.dice, 2))
        r->manner = MANNER_GONE;
}

static void step_wall_clock(void)
{
    uint64_t by = dice_between(&fate.dice, 1, HOUR_MS);

    if (dice_chance(&fate.dice, 50))
        fate.now.wall_ms += by;
    else
        fate.now.wall_ms -= by;
}

#define RATE_MAX 50

static void something_happens(struct world *w)
{
    struct subscribers *all = &w->subscribers;
    struct subscriber *r = all->items[dice_between(&fate.dice, 0, all->count - 1)];
    uint64_t dice = dice_between(&fate.dice, 1, 100);

    if (fate.disk_full && dice_chance(&fate.dice, 50))
        fate.disk_full = false;
    if (dice <= 40)
        send_messages(w, dice_between(&fate.dice, 1, BURST_MAX));
    else if (dice <= 70)
        choose_manner(r);
    else if (dice <= 78)
        set_disabled(w, r, true);
    else if (dice <= 88)
        set_disabled(w, r, false);
    else if (dice <= 89)
        delete_endpoint(w, r);
    else if (dice <= 91)
        world_restart(w, true);
    else if (dice <= 93)
        world_restart(w, false);
    else if (dice <= 95)
        step_wall_clock();
    else if (dice <= 97)
        set_application_rate(w, (uint32_t)dice_between(&fate.dice, 0, RATE_MAX));
    else
        fate.disk_full = true;
}

/* Everybody is well again: what is owed must arrive, or its schedule must end. */
static void settle_all(struct world *w)
{
    uint64_t deadline = fate.now.mono_ms + (uint64_t)SETTLE_HOURS * HOUR_MS;

    fate.disk_full = false;
    be_quiet(w);
    for (size_t i = 0; i < w->subscribers.count; i++) {
        w->subscribers.items[i]->manner = MANNER_PROMPT;
        set_disabled(w, w->subscribers.items[i], false);
    }
    while (ask_pending(w) > 0 && fate.now.mono_ms < deadline) {
        run_for(w, HOUR_MS / 4);
        for (size_t i = 0; i < w->subscribers.count; i++)
            if (w->subscribers.items[i]->manner == MANNER_PROMPT)
                set_disabled(w, w->subscribers.items[i], false);
    }
    assert_int_equal(ask_pending(w), 0);
    subscribers_check_all_settled(&w->subscribers);
}

static struct world *make_world(uint64_t seed)
{
    struct world *w = world_new(seed);
    struct dice *dice = &fate.dice;
    struct roster_limits *limits = &w->options.limits;
    unsigned lane_max = (unsigned)dice_between(dice, 1, 8);

    w->inbox.limit = dice_between(dice, 2, 64);
    w->options.in_flight_max = (unsigned)dice_between(dice, lane_max, 24);
    limits->lane.window_max = lane_max;
    limits->lane.window_first = lane_max < 4 ? lane_max : 4;
    limits->lane.claimed_max = (unsigned)dice_between(dice, lane_max, 64);
    limits->claims_max = dice_between(dice, 8, 64);
    limits->bytes_max = dice_between(dice, 16, 256);
    limits->idle_max = dice_chance(dice, 50) ? 1 : 2 * SUBSCRIBERS_MAX;
    world_open(w);

    /* A rate is forgotten with its lane, so it is kept only where lanes aren't evicted. */
    bool may_throttle = limits->idle_max > 1;
    for (uint64_t n = dice_between(dice, 1, SUBSCRIBERS_MAX); n > 0; n--) {
        bool throttled = may_throttle && dice_chance(dice, 30);
        make_endpoint(w, throttled ? (uint32_t)dice_between(dice, 1, 50) : 0);
    }
    return w;
}

static void live_through(uint64_t seed)
{
    struct world *w = make_world(seed);

    w->chatter_percent = 2;
    for (unsigned i = 0; i < EVENTS; i++) {
        something_happens(w);
        run_for(w, dice_between(&fate.dice, 0, 120000));
    }
    w->chatter_percent = 0;
    settle_all(w);
    print_message("    %zu messages, %u attempts, %u repeats after crashes\n", w->messages,
                  w->subscribers.attempts, w->subscribers.repeats);
    world_free(w);
}

static uint64_t number_from(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);

    return text ? strtoull(text, NULL, 10) : otherwise;
}

static void nothing_is_lost_doubled_or_early_whatever_happens(void **state)
{
    uint64_t first = number_from("SIM_SEED", 1);
    uint64_t count = number_from("SIM_SEEDS", getenv("SIM_SEED") ? 1 : SEEDS);

    (void)state;
    for (uint64_t seed = first; seed < first + count; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        live_through(seed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_doubled_or_early_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
