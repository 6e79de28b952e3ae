#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/routes.h"

#define UNKNOWN ROUTE_KM_UNKNOWN

/* From its commit in fra until the receiver answers, where one region knows its way. */
static void a_cost_is_the_sum_of_its_terms(void **state)
{
    static const struct {
        size_t region;
        uint32_t rtt_ms, reused_percent, trips, first_byte_ms, first_byte_count, queue_ms;
        uint64_t link_us, setup_us, first_byte_us, back_us, total_us;
    } rows[] = {
        /* At home only the way to the receiver counts. */
        { FRA, 162, 100, 2, 0, 0, 9, 0, 0, 162000, 81000, 81000 },
        { FRA, 162, 0, 2, 0, 0, 0, 0, 324000, 162000, 81000, 405000 },
        { FRA, 162, 0, 1, 0, 0, 0, 0, 162000, 162000, 81000, 243000 },
        { FRA, 162, 0, 3, 0, 0, 0, 0, 486000, 162000, 81000, 567000 },
        { FRA, 1, 98, 2, 171, 412, 0, 0, 40, 171000, 500, 170540 },
        /* Another region: half the link, what waits for it, 2 ms. A warm request gains nothing. */
        { SIN, 1, 100, 2, 0, 0, 0, 81000, 0, 1000, 500, 83500 },
        { SIN, 1, 0, 1, 0, 0, 0, 81000, 1000, 1000, 500, 84500 },
        { SIN, 1, 0, 2, 0, 0, 0, 81000, 2000, 1000, 500, 85500 },
        { DUB, 100, 98, 2, 176, 31, 3, 11000, 4000, 176000, 50000, 146000 },
        { IAD, 40, 75, 2, 60, 20, 5, 46000, 20000, 60000, 20000, 113000 },
        /* No more than there is. */
        { FRA, 162, 100, 2, 60, 20, 0, 0, 0, 60000, 60000, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = routes_five();
        struct route_region *r = &in.regions[rows[i].region];

        routes_measure(&in, rows[i].region, rows[i].rtt_ms);
        routes_first_byte(&in, rows[i].region, rows[i].first_byte_ms, rows[i].first_byte_count);
        r->path.reused = rows[i].reused_percent;
        r->way.trips = (uint8_t)rows[i].trips;
        r->queue_us = rows[i].queue_ms * 1000;
        struct route_cost cost = route_cost(&in, rows[i].region);

        assert_true(cost.known);
        assert_int_equal(cost.link_us, rows[i].link_us);
        assert_int_equal(cost.setup_us, rows[i].setup_us);
        assert_int_equal(cost.first_byte_us, rows[i].first_byte_us);
        assert_int_equal(cost.back_us, rows[i].back_us);
        if (rows[i].region == FRA)
            assert_int_equal(cost.queue_us + cost.handling_us, 0);
        assert_int_equal(cost.total_us, rows[i].total_us);
    }
}

static void fewer_than_twenty_deliveries_are_no_median_but_tell_the_servers_time(void **state)
{
    static const struct {
        uint32_t iad_count, gru_ms, sin_ms; /* 0: it knows nothing */
        uint64_t server_us, first_byte_us;  /* as seen from iad */
    } rows[] = {
        { 19, 0, 0, 30000, 70000 },  { 20, 0, 0, 0, 70000 },       { 0, 60, 0, 10000, 50000 },
        { 0, 60, 90, 10000, 50000 }, { 19, 60, 90, 30000, 70000 }, { 0, 0, 0, 0, 40000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = routes_five();

        routes_measure(&in, IAD, 40);
        routes_first_byte(&in, IAD, 70, rows[i].iad_count);
        routes_measure(&in, GRU, 50);
        routes_first_byte(&in, GRU, rows[i].gru_ms, rows[i].gru_ms > 0);
        routes_measure(&in, SIN, 50);
        routes_first_byte(&in, SIN, rows[i].sin_ms, rows[i].sin_ms > 0);
        struct route_cost cost = route_cost(&in, IAD);

        assert_int_equal(cost.first_byte_measured, rows[i].iad_count >= 20);
        assert_int_equal(cost.server_us, rows[i].server_us);
        assert_int_equal(cost.first_byte_us, rows[i].first_byte_us);
    }
}

/* A CDN is 2 ms away from everywhere; what it takes to answer tells where its origin is. */
static void the_first_byte_outranks_the_round_trip_once_it_is_known(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    routes_measure(&in, FRA, 2);
    routes_first_byte(&in, FRA, 171, 412);
    routes_measure(&in, DUB, 2);
    routes_first_byte(&in, DUB, 12, 31);
    assert_true(route_cost(&in, DUB).total_us < route_cost(&in, FRA).total_us);
}

/* sin's round trip: 17 us a km, within what fra's own of 160 ms and the link of 162 ms allow. */
static void an_estimate_keeps_within_the_triangle(void **state)
{
    static const struct {
        uint32_t km, fra_ms, link_ms;
        enum path_source source;
        uint64_t rtt_us;
    } rows[] = {
        { 10000, 160, 162, PATH_GEO, 170000 }, { 20000, 160, 162, PATH_GEO, 322000 },
        { 0, 160, 162, PATH_GEO, 2000 },       { 5000, 0, 162, PATH_GEO, 85000 },
        { 5000, 160, 0, PATH_GEO, 85000 },     { UNKNOWN, 160, 162, PATH_BOUND, 322000 },
        { UNKNOWN, 0, 162, PATH_UNKNOWN, 0 },  { UNKNOWN, 160, 0, PATH_UNKNOWN, 0 },
        { 12000, 5, 162, PATH_GEO, 167000 },   { 1, 400, 162, PATH_GEO, 238000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = routes_five();

        in.regions[SIN].receiver_km = rows[i].km;
        in.link_us[FRA][SIN] = in.link_us[SIN][FRA] = rows[i].link_ms * 1000;
        if (rows[i].fra_ms > 0)
            routes_measure(&in, FRA, rows[i].fra_ms);
        struct route_cost cost = route_cost(&in, SIN);

        assert_int_equal(cost.rtt_source, rows[i].source);
        assert_int_equal(cost.rtt_us, rows[i].rtt_us);
    }
}

static void every_region_that_has_measured_narrows_the_triangle(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    in.regions[SIN].receiver_km = 0;
    routes_measure(&in, FRA, 160);
    routes_measure(&in, IAD, 240);
    assert_int_equal(route_cost(&in, SIN).rtt_us, 240000 - 222000);
    in.regions[SIN].receiver_km = 20000;
    routes_measure(&in, GRU, 2);
    assert_int_equal(route_cost(&in, SIN).rtt_us, 322000);
}

static void measurements_that_contradict_each_other_leave_the_upper_bound(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    in.regions[SIN].receiver_km = 1000;
    routes_measure(&in, FRA, 1000);
    routes_measure(&in, IAD, 1);
    assert_int_equal(route_cost(&in, SIN).rtt_us, 223000);
}

static void what_is_known_of_one_url_says_nothing_of_another(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    routes_measure(&in, FRA, 160);
    routes_first_byte(&in, FRA, 200, 5);
    snprintf(in.regions[SIN].way.label, sizeof in.regions[SIN].way.label, "sin");
    struct route_cost cost = route_cost(&in, SIN);
    assert_int_equal(cost.rtt_source, PATH_UNKNOWN);
    assert_false(cost.server_known);
    assert_int_equal(cost.cold_permille, 1000);
    assert_false(cost.known);

    cost = route_cost(&in, IAD);
    assert_int_equal(cost.rtt_source, PATH_BOUND);
    assert_int_equal(cost.server_us, 40000);
    assert_int_equal(cost.cold_permille, 0);
}

static void a_link_that_was_not_measured_is_as_long_as_the_distance_says(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    routes_measure(&in, DUB, 10);
    in.link_us[FRA][DUB] = 0;
    assert_false(route_cost(&in, DUB).known);
    in.regions[DUB].home_km = 1000;
    struct route_cost cost = route_cost(&in, DUB);
    assert_true(cost.known);
    assert_int_equal(cost.link_source, PATH_GEO);
    assert_int_equal(cost.total_us, 8500 + 2000 + 5000);

    in.home = ROUTE_NOWHERE;
    assert_false(route_cost(&in, DUB).known);
}

static void reuse_is_that_of_the_region_or_of_all_that_go_the_same_way(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    assert_int_equal(route_cost(&in, FRA).cold_permille, 1000);
    in.regions[IAD].path.requests = 3;
    in.regions[IAD].path.reused = 2;
    in.regions[SIN].path.requests = 1;
    assert_int_equal(route_cost(&in, IAD).cold_permille, 1000 - 666);
    assert_int_equal(route_cost(&in, SIN).cold_permille, 1000);
    assert_int_equal(route_cost(&in, FRA).cold_permille, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cost_is_the_sum_of_its_terms),
        cmocka_unit_test(fewer_than_twenty_deliveries_are_no_median_but_tell_the_servers_time),
        cmocka_unit_test(the_first_byte_outranks_the_round_trip_once_it_is_known),
        cmocka_unit_test(an_estimate_keeps_within_the_triangle),
        cmocka_unit_test(every_region_that_has_measured_narrows_the_triangle),
        cmocka_unit_test(measurements_that_contradict_each_other_leave_the_upper_bound),
        cmocka_unit_test(what_is_known_of_one_url_says_nothing_of_another),
        cmocka_unit_test(a_link_that_was_not_measured_is_as_long_as_the_distance_says),
        cmocka_unit_test(reuse_is_that_of_the_region_or_of_all_that_go_the_same_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
