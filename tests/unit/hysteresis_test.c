#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/damper.h"
#include "region/hysteresis.h"

#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define BOTH      ((region_set)3)

/* Two regions: 0 is where the route is, 1 the one whose cost is given. */
static struct hysteresis_case costs(uint64_t current_us, uint64_t other_us, uint64_t now_ms)
{
    return (struct hysteresis_case){
        .candidates = BOTH,
        .best = other_us < current_us,
        .comparable = true,
        .best_us = other_us < current_us ? other_us : current_us,
        .current_us = current_us,
        .now_ms = now_ms,
    };
}

static struct route_memory at_zero(uint64_t since_ms)
{
    struct route_memory memory = ROUTE_MEMORY_NONE;

    memory.current = 0;
    memory.since_ms = since_ms;
    return memory;
}

static void only_a_clear_difference_challenges(void **state)
{
    static const struct {
        uint64_t current_us, other_us;
        enum hysteresis_verdict verdict;
    } rows[] = {
        /* 15 ms where that is more than 20 %. */
        { 50000, 35000, HYSTERESIS_KEPT },
        { 50000, 34999, HYSTERESIS_CHALLENGED },
        { 75000, 60000, HYSTERESIS_KEPT },
        /* 20 % where that is more than 15 ms. */
        { 171000, 136800, HYSTERESIS_KEPT },
        { 171000, 136799, HYSTERESIS_CHALLENGED },
        { 1000000, 800000, HYSTERESIS_KEPT },
        { 1000000, 799999, HYSTERESIS_CHALLENGED },
        { 14000, 0, HYSTERESIS_KEPT },
        { 50000, 50000, HYSTERESIS_KEPT },
        { 50000, 90000, HYSTERESIS_KEPT },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hysteresis_case c = costs(rows[i].current_us, rows[i].other_us, HOUR_MS);
        struct route_memory before = at_zero(0), after;

        assert_int_equal(hysteresis_judge(&hysteresis_default, &before, &c, &after),
                         rows[i].verdict);
        assert_int_equal(after.current, 0);
    }
}

struct step {
    uint64_t at_ms;
    uint64_t other_us; /* against 100 ms */
    uint32_t wins;
    enum hysteresis_verdict verdict;
};

static void take_steps(struct route_memory memory, const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct hysteresis_case c = costs(100000, steps[i].other_us, steps[i].at_ms);
        struct route_memory after;
        enum hysteresis_verdict verdict =
            hysteresis_judge(&hysteresis_default, &memory, &c, &after);

        if (verdict != steps[i].verdict || after.wins != steps[i].wins)
            fail_msg("step %zu: %s, %u wins", i, hysteresis_verdict_name(verdict), after.wins);
        memory = after;
    }
}

static void three_wins_in_a_row_count_a_hundred_seconds_apart(void **state)
{
    static const struct step steps[] = {
        { 1000000, 10000, 1, HYSTERESIS_CHALLENGED },
        { 1000001, 10000, 1, HYSTERESIS_CHALLENGED },
        { 1099999, 10000, 1, HYSTERESIS_CHALLENGED },
        { 1100000, 10000, 2, HYSTERESIS_CHALLENGED },
        { 1199000, 10000, 2, HYSTERESIS_CHALLENGED },
        { 1200000, 10000, 0, HYSTERESIS_MOVED },
    };

    (void)state;
    take_steps(at_zero(0), steps, COUNT(steps));
}

static void what_is_no_win_begins_the_row_anew(void **state)
{
    static const struct step steps[] = {
        { 1000000, 10000, 1, HYSTERESIS_CHALLENGED },
        { 1100000, 10000, 2, HYSTERESIS_CHALLENGED },
        { 1150000, 95000, 0, HYSTERESIS_KEPT },
        { 1200000, 10000, 1, HYSTERESIS_CHALLENGED },
        { 1300000, 10000, 2, HYSTERESIS_CHALLENGED },
        { 1400000, 10000, 0, HYSTERESIS_MOVED },
    };

    (void)state;
    take_steps(at_zero(0), steps, COUNT(steps));
}

static void another_challenger_begins_its_own_row(void **state)
{
    struct hysteresis_case c = costs(100000, 10000, 1000000);
    struct route_memory memory = at_zero(0), after;

    (void)state;
    c.candidates = 7;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_CHALLENGED);
    memory = after;
    c.best = 2;
    c.now_ms += 100000;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_CHALLENGED);
    assert_int_equal(after.challenger, 2);
    assert_int_equal(after.wins, 1);
}

static void a_young_route_stays(void **state)
{
    static const struct step steps[] = {
        { 1000, 10000, 1, HYSTERESIS_CHALLENGED },
        { 101000, 10000, 2, HYSTERESIS_CHALLENGED },
        { 201000, 10000, 3, HYSTERESIS_YOUNG },
        { 15 * MINUTE_MS - 1, 10000, 3, HYSTERESIS_YOUNG },
        { 15 * MINUTE_MS, 10000, 0, HYSTERESIS_MOVED },
    };

    (void)state;
    take_steps(at_zero(0), steps, COUNT(steps));
}

/* The route's age when it moved to the better one. */
static uint64_t time_to_move(struct route_memory *memory, uint64_t *now_ms)
{
    uint64_t since_ms = memory->since_ms;
    enum hysteresis_verdict verdict;

    do {
        size_t other = 1 - memory->current;
        struct hysteresis_case c = {
            .candidates = BOTH,
            .best = other,
            .comparable = true,
            .best_us = 1000,
            .current_us = 100000,
            .now_ms = *now_ms += MINUTE_MS,
        };
        struct route_memory after;
        verdict = hysteresis_judge(&hysteresis_default, memory, &c, &after);
        *memory = after;
    } while (verdict != HYSTERESIS_MOVED);
    return *now_ms - since_ms;
}

static void a_route_that_flaps_stays_ever_longer_and_calms_down_again(void **state)
{
    static const uint64_t minutes[] = { 15, 15, 30, 60, 120, 240, 360, 360 };
    struct route_memory memory = at_zero(0);
    uint64_t now_ms = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(minutes); i++)
        assert_int_equal(time_to_move(&memory, &now_ms), minutes[i] * MINUTE_MS);
    now_ms += 24 * HOUR_MS;
    assert_true(time_to_move(&memory, &now_ms) > 24 * HOUR_MS);
    assert_int_equal(memory.flaps, 0);
    assert_int_equal(time_to_move(&memory, &now_ms), 15 * MINUTE_MS);
}

static void a_region_that_may_not_send_is_left_at_once_even_when_damped(void **state)
{
    struct hysteresis_case c = costs(100000, 99000, 500);
    struct route_memory memory = at_zero(400), after;

    (void)state;
    c.candidates = 2;
    c.damped = true;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_LEFT);
    assert_int_equal(after.current, 1);
    assert_int_equal(after.since_ms, 500);
    assert_true(after.changed);
}

/* Failing over counts as a change: what fails again and again is stayed away from ever longer. */
static void a_failed_region_comes_back_as_a_challenger(void **state)
{
    struct route_memory memory = at_zero(0), after;
    struct hysteresis_case c = costs(100000, 10000, 1000);
    uint64_t now_ms = 1000;

    (void)state;
    c.candidates = 2;
    hysteresis_judge(&hysteresis_default, &memory, &c, &after);
    memory = after;
    assert_int_equal(time_to_move(&memory, &now_ms), 15 * MINUTE_MS);
    assert_int_equal(memory.current, 0);
    assert_int_equal(memory.flaps, 1);
}

static void the_first_route_is_the_best(void **state)
{
    struct hysteresis_case c = costs(100000, 10000, 1000);
    struct route_memory memory = ROUTE_MEMORY_NONE, after;

    (void)state;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_FIRST);
    assert_int_equal(after.current, 1);
    assert_false(after.changed);
}

static void a_damped_route_keeps_its_wins(void **state)
{
    struct hysteresis_case c = costs(100000, 10000, HOUR_MS);
    struct route_memory memory = at_zero(0), after;

    (void)state;
    memory.challenger = 1;
    memory.wins = 3;
    c.damped = true;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_DAMPED);
    assert_int_equal(after.current, 0);
    assert_int_equal(after.wins, 3);
    c.damped = false;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &after, &c, &memory),
                     HYSTERESIS_MOVED);
}

static void a_clock_that_goes_back_lets_no_time_pass(void **state)
{
    struct hysteresis_case c = costs(100000, 10000, 5);
    struct route_memory memory = at_zero(HOUR_MS), after;

    (void)state;
    memory.challenger = 1;
    memory.wins = 3;
    memory.won_ms = HOUR_MS;
    assert_int_equal(hysteresis_judge(&hysteresis_default, &memory, &c, &after),
                     HYSTERESIS_YOUNG);
}

static void in_any_minute_one_route_in_twenty_changes(void **state)
{
    static const struct {
        size_t routes;
        unsigned allowed;
    } rows[] = { { 0, 1 }, { 1, 1 }, { 39, 1 }, { 40, 2 }, { 1000, 50 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct damper damper = { .second = 0 };
        uint64_t changes[4096];
        unsigned count = 0;

        for (uint64_t ms = 777; ms < 10 * MINUTE_MS; ms += 100)
            if (damper_admits(&damper, rows[i].routes, ms)) {
                damper_count(&damper, ms);
                changes[count++] = ms;
            }
        assert_true(count >= 9 * rows[i].allowed);
        for (unsigned n = 0; n + rows[i].allowed < count; n++)
            assert_true(changes[n + rows[i].allowed] - changes[n] >= MINUTE_MS);
    }
}

static void after_a_long_silence_nothing_is_held_up(void **state)
{
    struct damper damper = { .second = 0 };

    (void)state;
    damper_count(&damper, 1000);
    assert_false(damper_admits(&damper, 10, 60000));
    assert_true(damper_admits(&damper, 10, 24 * HOUR_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_clear_difference_challenges),
        cmocka_unit_test(three_wins_in_a_row_count_a_hundred_seconds_apart),
        cmocka_unit_test(what_is_no_win_begins_the_row_anew),
        cmocka_unit_test(another_challenger_begins_its_own_row),
        cmocka_unit_test(a_young_route_stays),
        cmocka_unit_test(a_route_that_flaps_stays_ever_longer_and_calms_down_again),
        cmocka_unit_test(a_region_that_may_not_send_is_left_at_once_even_when_damped),
        cmocka_unit_test(a_failed_region_comes_back_as_a_challenger),
        cmocka_unit_test(the_first_route_is_the_best),
        cmocka_unit_test(a_damped_route_keeps_its_wins),
        cmocka_unit_test(a_clock_that_goes_back_lets_no_time_pass),
        cmocka_unit_test(in_any_minute_one_route_in_twenty_changes),
        cmocka_unit_test(after_a_long_silence_nothing_is_held_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
