#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/routes.h"

/* Every region knows its way: fra is 160 ms away from the receiver, sin 1 ms. Half of the requests
 * need a connection: 240 ms from fra, 84.5 from sin. */
static struct route_inputs to_singapore(void)
{
    struct route_inputs in = routes_five();

    routes_measure(&in, FRA, 160);
    routes_measure(&in, IAD, 220);
    routes_measure(&in, SIN, 1);
    routes_measure(&in, GRU, 325);
    routes_measure(&in, DUB, 175);
    for (size_t i = 0; i < in.count; i++)
        in.regions[i].path.reused = in.regions[i].path.requests / 2;
    return in;
}

static struct route_decision decide(const struct route_inputs *in)
{
    struct route_decision d;

    route_decide(in, &d);
    return d;
}

static void keep_lawful(struct route_inputs *in, region_set lawful)
{
    for (size_t i = 0; i < in->count; i++)
        in->regions[i].lawful = region_set_has(lawful, i);
}

#define SET(region) ((region_set)1 << (region))
#define EU          (SET(FRA) | SET(DUB))
#define ALL         (SET(DUB + 1) - 1)

static void wish(struct route_inputs *in, enum dispatch_mode mode, size_t first, size_t second)
{
    const size_t pins[] = { first, second };

    in->mode = mode;
    for (size_t i = 0; i < COUNT(pins) && mode == DISPATCH_PIN; i++)
        if (pins[i] != ROUTE_NOWHERE)
            in->pins[in->pin_count++] = pins[i];
}

#define NOBODY ROUTE_NOWHERE

static void the_law_comes_first_then_the_wish_then_who_is_able_to(void **state)
{
    static const struct {
        region_set lawful, entitled, down;
        enum dispatch_mode mode;
        size_t pins[2];
        region_set legal, wished, alive;
        size_t region;
        bool last_resort;
    } rows[] = {
        /* auto: the cheapest of those permitted. */
        { ALL, ALL, 0, DISPATCH_AUTO, { NOBODY, NOBODY }, ALL, ALL, ALL, SIN, false },
        { EU, ALL, 0, DISPATCH_AUTO, { NOBODY, NOBODY }, EU, EU, EU, FRA, false },
        { ALL, EU, 0, DISPATCH_AUTO, { NOBODY, NOBODY }, EU, EU, EU, FRA, false },
        { ALL,
          ALL,
          SET(SIN),
          DISPATCH_AUTO,
          { NOBODY, NOBODY },
          ALL,
          ALL,
          ALL & ~SET(SIN),
          FRA,
          false },
        { ALL,
          ALL,
          SET(SIN) | SET(FRA),
          DISPATCH_AUTO,
          { NOBODY, NOBODY },
          ALL,
          ALL,
          SET(IAD) | SET(GRU) | SET(DUB),
          DUB,
          false },
        /* home, whatever is cheaper. */
        { ALL, ALL, 0, DISPATCH_HOME, { NOBODY, NOBODY }, ALL, SET(FRA), SET(FRA), FRA, false },
        /* pin: in the order of the list, whatever is cheaper, as far as the law permits. */
        { ALL,
          ALL,
          0,
          DISPATCH_PIN,
          { GRU, SIN },
          ALL,
          SET(GRU) | SET(SIN),
          SET(GRU) | SET(SIN),
          GRU,
          false },
        { ALL,
          ALL,
          SET(GRU),
          DISPATCH_PIN,
          { GRU, SIN },
          ALL,
          SET(GRU) | SET(SIN),
          SET(SIN),
          SIN,
          false },
        { EU, ALL, 0, DISPATCH_PIN, { GRU, DUB }, EU, SET(DUB), SET(DUB), DUB, false },
        /* Nobody left: the home, if that is permitted. */
        { ALL, ALL, SET(GRU), DISPATCH_PIN, { GRU, NOBODY }, ALL, SET(GRU), 0, FRA, true },
        { EU, ALL, 0, DISPATCH_PIN, { GRU, NOBODY }, EU, 0, 0, FRA, true },
        { ALL, ALL, ALL, DISPATCH_AUTO, { NOBODY, NOBODY }, ALL, ALL, 0, FRA, true },
        { ALL, ALL, SET(FRA), DISPATCH_HOME, { NOBODY, NOBODY }, ALL, SET(FRA), 0, FRA, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = to_singapore();

        keep_lawful(&in, rows[i].lawful);
        wish(&in, rows[i].mode, rows[i].pins[0], rows[i].pins[1]);
        for (size_t r = 0; r < in.count; r++) {
            in.regions[r].entitled = region_set_has(rows[i].entitled, r);
            in.regions[r].path.open = region_set_has(rows[i].down, r);
        }
        struct route_decision d = decide(&in);

        if (d.legal != rows[i].legal || d.wished != rows[i].wished ||
            d.alive != rows[i].alive || d.region != rows[i].region ||
            d.last_resort != rows[i].last_resort)
            fail_msg("row %zu: legal %x, wished %x, alive %x, region %zu", i, d.legal, d.wished,
                     d.alive, d.region);
        assert_int_equal(d.held, ROUTE_SENT);
        assert_int_equal(d.after.current, d.region);
    }
}

static void what_no_region_may_send_is_held(void **state)
{
    static const struct {
        region_set lawful, open;
        size_t home;
        enum route_held held;
    } rows[] = {
        { 0, 0, FRA, ROUTE_HELD_UNLAWFUL },
        { ALL, 0, ROUTE_NOWHERE, ROUTE_HELD_HOMELESS },
        { 0, 0, ROUTE_NOWHERE, ROUTE_HELD_HOMELESS },
        { EU, EU, SIN, ROUTE_HELD_DOWN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = to_singapore();

        in.home = rows[i].home;
        in.memory.current = DUB;
        keep_lawful(&in, rows[i].lawful);
        for (size_t r = 0; r < in.count; r++)
            in.regions[r].path.open = region_set_has(rows[i].open, r);
        struct route_decision d = decide(&in);

        assert_int_equal(d.held, rows[i].held);
        assert_int_equal(d.region, ROUTE_NOWHERE);
        assert_int_equal(d.after.current, DUB);
    }
}

static void each_region_that_is_left_out_says_why(void **state)
{
    static const struct {
        enum route_exclusion why;
        const char *text;
    } rows[] = {
        { ROUTE_UNLAWFUL, "not in the jurisdiction" },
        { ROUTE_NOT_ENTITLED, "doesn't hold the secrets" },
        { ROUTE_UNHEARD, "nothing was heard of it yet" },
        { ROUTE_DOWN, "down" },
        { ROUTE_INCOMPATIBLE, "incompatible" },
        { ROUTE_DRAINING, "draining" },
        { ROUTE_WITHOUT_CREDIT, "takes no more for now" },
        { ROUTE_CIRCUIT_OPEN, "it failed to reach the receiver" },
        { ROUTE_LEFT_IN, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = to_singapore();
        struct route_region *sin = &in.regions[SIN];

        sin->lawful = rows[i].why != ROUTE_UNLAWFUL;
        sin->entitled = rows[i].why != ROUTE_NOT_ENTITLED;
        if (rows[i].why == ROUTE_UNHEARD)
            sin->state = REGION_UNKNOWN;
        if (rows[i].why == ROUTE_DOWN)
            sin->state = REGION_DEAD;
        if (rows[i].why == ROUTE_INCOMPATIBLE)
            sin->state = REGION_INCOMPATIBLE;
        if (rows[i].why == ROUTE_DRAINING)
            sin->state = REGION_DRAINING;
        if (rows[i].why == ROUTE_LEFT_IN)
            sin->state = REGION_SUSPECT;
        sin->has_credit_limit = true;
        sin->credit = rows[i].why != ROUTE_WITHOUT_CREDIT;
        sin->path.open = rows[i].why == ROUTE_CIRCUIT_OPEN;
        struct route_decision d = decide(&in);

        assert_int_equal(d.excluded[SIN], rows[i].why);
        assert_string_equal(route_exclusion_text(d.excluded[SIN]), rows[i].text);
        assert_int_equal(d.region, rows[i].why ? FRA : SIN);
    }
}

static void the_home_needs_no_link_and_drains_like_any_other(void **state)
{
    struct route_inputs in = to_singapore();

    (void)state;
    keep_lawful(&in, EU);
    in.regions[FRA].has_credit_limit = true;
    assert_int_equal(decide(&in).region, FRA);
    in.regions[FRA].draining = true;
    assert_int_equal(decide(&in).region, DUB);
    in.regions[DUB].state = REGION_DEAD;
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, FRA);
    assert_true(d.last_resort);
}

static void equal_costs_are_the_homes_then_the_lowest_ordinals(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    /* 84 ms each: iad by 46 + 2 + 36, sin by 81 + 2 + 1. */
    routes_measure(&in, FRA, 500);
    routes_measure(&in, IAD, 72);
    routes_measure(&in, SIN, 2);
    assert_int_equal(decide(&in).region, IAD);
    routes_measure(&in, FRA, 168);
    assert_int_equal(decide(&in).region, FRA);
    in.home = SIN;
    in.link_us[SIN][IAD] = in.link_us[IAD][SIN] = 0;
    in.regions[SIN].path.rtt_us = in.regions[FRA].path.rtt_us + 2 * (81000 + 2000);
    assert_int_equal(decide(&in).region, SIN);
}

static void what_is_not_known_is_no_match_for_what_is(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    assert_int_equal(decide(&in).region, FRA);
    in.regions[FRA].draining = true;
    assert_int_equal(decide(&in).region, IAD);
    in.link_us[FRA][GRU] = in.link_us[GRU][FRA] = 205000;
    routes_measure(&in, GRU, 500);
    keep_lawful(&in, SET(FRA) | SET(GRU));
    in.regions[FRA].draining = false;
    snprintf(in.regions[FRA].way.label, sizeof in.regions[FRA].way.label, "fra");
    assert_int_equal(decide(&in).region, GRU);

    /* But a route isn't left for what can't be compared with it. */
    in.memory.current = FRA;
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, FRA);
    assert_int_equal(d.verdict, HYSTERESIS_KEPT);
}

static void the_fastest_region_that_the_law_excludes_is_named(void **state)
{
    struct route_inputs in = to_singapore();

    (void)state;
    keep_lawful(&in, EU);
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, FRA);
    assert_int_equal(d.forbidden, SIN);
    assert_int_equal(d.costs[FRA].total_us - d.costs[SIN].total_us, 240000 - 84500);

    in.regions[SIN].state = REGION_DEAD; /* wouldn't be able to, nor is another faster */
    assert_int_equal(decide(&in).forbidden, ROUTE_NOWHERE);
    in.regions[SIN].state = REGION_ALIVE;
    in.regions[SIN].path.rtt_us = 104667; /* 240 ms as well */
    assert_int_equal(decide(&in).forbidden, ROUTE_NOWHERE);

    keep_lawful(&in, 0);
    d = decide(&in);
    assert_int_equal(d.held, ROUTE_HELD_UNLAWFUL);
    assert_int_equal(d.forbidden, FRA);
}

/* fra, then from sin after three evaluations 100 s apart that it wins by 155 ms of 240. */
static void a_route_follows_the_cost_with_patience(void **state)
{
    struct route_inputs in = to_singapore();
    static const struct {
        uint64_t after_ms;
        enum hysteresis_verdict verdict;
        size_t region;
    } rows[] = {
        { 0, HYSTERESIS_CHALLENGED, FRA },      { 50000, HYSTERESIS_CHALLENGED, FRA },
        { 100000, HYSTERESIS_CHALLENGED, FRA }, { 200000, HYSTERESIS_YOUNG, FRA },
        { 899999, HYSTERESIS_YOUNG, FRA },      { 900000, HYSTERESIS_MOVED, SIN },
        { 900001, HYSTERESIS_KEPT, SIN },
    };
    uint64_t start_ms = in.now.mono_ms;

    (void)state;
    in.memory.current = FRA;
    in.memory.since_ms = start_ms;
    for (size_t i = 0; i < COUNT(rows); i++) {
        in.now.mono_ms = start_ms + rows[i].after_ms;
        struct route_decision d = decide(&in);
        assert_int_equal(d.verdict, rows[i].verdict);
        assert_int_equal(d.region, rows[i].region);
        in.memory = d.after;
    }
}

static void a_region_that_fails_is_left_at_once(void **state)
{
    struct route_inputs in = to_singapore();

    (void)state;
    in.memory.current = SIN;
    in.memory.since_ms = in.now.mono_ms;
    in.damped = true;
    in.regions[SIN].path.open = true;
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, FRA);
    assert_int_equal(d.verdict, HYSTERESIS_LEFT);
}

static void a_pin_is_followed_without_patience(void **state)
{
    struct route_inputs in = to_singapore();

    (void)state;
    wish(&in, DISPATCH_PIN, GRU, DUB);
    in.memory.current = DUB;
    in.memory.since_ms = in.now.mono_ms;
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, GRU);
    assert_int_equal(d.verdict, HYSTERESIS_UNASKED);
    assert_int_equal(d.after.since_ms, in.now.mono_ms);
}

static void a_region_alone_sends(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    in.count = 1;
    in.regions[0].name[0] = '\0';
    struct route_decision d = decide(&in);
    assert_int_equal(d.region, 0);
    assert_int_equal(d.held, ROUTE_SENT);
    assert_false(d.costs[0].known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law_comes_first_then_the_wish_then_who_is_able_to),
        cmocka_unit_test(what_no_region_may_send_is_held),
        cmocka_unit_test(each_region_that_is_left_out_says_why),
        cmocka_unit_test(the_home_needs_no_link_and_drains_like_any_other),
        cmocka_unit_test(equal_costs_are_the_homes_then_the_lowest_ordinals),
        cmocka_unit_test(what_is_not_known_is_no_match_for_what_is),
        cmocka_unit_test(the_fastest_region_that_the_law_excludes_is_named),
        cmocka_unit_test(a_route_follows_the_cost_with_patience),
        cmocka_unit_test(a_region_that_fails_is_left_at_once),
        cmocka_unit_test(a_pin_is_followed_without_patience),
        cmocka_unit_test(a_region_alone_sends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
