#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/loop.h"
#include "core/mem.h"
#include "region/router.h"
#include "tests/lib/regions.h"
#include "tests/lib/routes.h"

#define URL        "https://shop.test/in"
#define MINUTE_MS  UINT64_C(60000)
#define ROUTES_MAX 2

/* The ordinals of fra, iad, sin and gru. All are of one jurisdiction; this one and home is fra. */
enum { FRA_ORDINAL = 1, IAD_ORDINAL, SIN_ORDINAL, GRU_ORDINAL };

struct fixture {
    struct loop loop;
    struct topology *topology;
    struct health_board board;
    struct region_router *router;
    bool closed;
    struct application *application;
    struct endpoint *endpoint;
    struct now now;
};

static void post(struct fixture *f, size_t region, enum region_state state)
{
    struct region_health *health = region_health_copy(f->board.newest);

    health->regions[region].state = state;
    health_post(&f->board, health);
    uv_run(&f->loop.uv, UV_RUN_NOWAIT);
}

static struct endpoint *new_endpoint(uint8_t number)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->base.id = (struct id){ { 4, 5, 6, number } };
    endpoint->base.version = 1;
    endpoint->url = xstrdup(URL);
    return endpoint;
}

static int set_up(void **state)
{
    static const char *const REGIONS[] = { "fra 1 all", "iad 2 all", "sin 3 all", "gru 4 all" };
    static const uint32_t LINKS_US[] = { 0, 92000, 162000, 205000 };
    struct fixture *f = xcalloc(1, sizeof *f);
    struct region_health *health;

    assert_int_equal(loop_open(&f->loop, "test"), ERR_OK);
    f->topology = regions_topology(REGIONS, COUNT(REGIONS), "fra");
    health_board_open(&f->board, f->topology);
    f->board.inbox = &f->loop.inbox;
    health = region_health_copy(f->board.newest);
    for (size_t i = IAD; i <= GRU; i++) {
        health->regions[i].state = REGION_ALIVE;
        health->regions[i].rtt_us = LINKS_US[i];
    }
    health_post(&f->board, health);
    f->router = router_open(&(struct router_options){
        .inbox = &f->loop.inbox,
        .topology = f->topology,
        .board = &f->board,
        .routes_max = ROUTES_MAX,
    });
    f->application = application_new();
    f->application->base.version = 1;
    f->application->residency = (struct residency){ .jurisdiction = xstrdup("all"),
                                                    .home = FRA_ORDINAL,
                                                    .home_epoch = 1 };
    f->endpoint = new_endpoint(1);
    f->now = (struct now){ .mono_ms = 1000 * MINUTE_MS, .wall_ms = 1798761600000 };
    *state = f;
    return 0;
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->closed = true;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    router_close(f->router, on_closed, f);
    assert_false(f->closed);
    while (!f->closed)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
    assert_true(list_is_empty(&f->board.followers));
    object_unref(&f->endpoint->base);
    object_unref(&f->application->base);
    health_board_close(&f->board);
    topology_free(f->topology);
    loop_close(&f->loop);
    free(f);
    return 0;
}

static struct routing route_of(struct fixture *f, const struct endpoint *endpoint, bool again)
{
    struct router *router = router_interface(f->router);

    return router->route(router, f->application, endpoint, again, f->now);
}

static uint8_t route(struct fixture *f)
{
    return route_of(f, f->endpoint, false).region;
}

static uint8_t route_again(struct fixture *f)
{
    return route_of(f, f->endpoint, true).region;
}

static bool sight(struct fixture *f, uint8_t region, enum err err,
                  const struct call_times *times)
{
    struct router *router = router_interface(f->router);

    return router->learn(router,
                         &(struct sighting){
                             .application = f->application,
                             .endpoint = f->endpoint,
                             .region = region,
                             .url = URL,
                             .err = err,
                             .times = times,
                         },
                         f->now);
}

static bool fail_from(struct fixture *f, uint8_t region, enum err err)
{
    return sight(f, region, err, &(struct call_times){ 0 });
}

/* On a new connection, for three round trips in all. */
static void deliver_from(struct fixture *f, uint8_t region, uint32_t rtt_ms)
{
    const uint32_t rtt_us = rtt_ms * 1000;

    assert_false(sight(f, region, ERR_OK,
                       &(struct call_times){
                           .connect_us = rtt_us,
                           .tls_us = rtt_us,
                           .first_byte_us = rtt_us,
                           .rtt = { .smoothed_us = 3 * rtt_us, .least_us = rtt_us },
                       }));
}

static void pass(struct fixture *f, uint64_t ms)
{
    f->now.mono_ms += ms;
    f->now.wall_ms += ms;
}

static void pin(struct endpoint *endpoint, const char *first, const char *second)
{
    endpoint->dispatch.mode = DISPATCH_PIN;
    text_list_fini(&endpoint->dispatch.regions);
    text_list_add(&endpoint->dispatch.regions, first, strlen(first));
    if (second)
        text_list_add(&endpoint->dispatch.regions, second, strlen(second));
}

static void the_home_sends_while_nothing_is_known(void **state)
{
    struct fixture *f = *state;
    struct routing routing = route_of(f, f->endpoint, false);

    assert_int_equal(routing.region, FRA_ORDINAL);
    assert_ptr_equal(routing.url, f->endpoint->url);
}

static void the_url_is_that_of_the_region_that_sends(void **state)
{
    struct fixture *f = *state;

    pin(f->endpoint, "sin", NULL);
    dispatch_add_target(&f->endpoint->dispatch, "sin", "https://sg.shop.test/in");
    struct routing routing = route_of(f, f->endpoint, false);
    assert_int_equal(routing.region, SIN_ORDINAL);
    assert_string_equal(routing.url, "https://sg.shop.test/in");
}

static void where_none_may_send_it_says_so(void **state)
{
    struct fixture *f = *state;

    f->application->residency.home = 77;
    struct routing routing = route_of(f, f->endpoint, false);
    assert_int_equal(routing.region, 0);
    assert_ptr_equal(routing.url, f->endpoint->url);
}

/* 405 ms from fra, 85 by way of sin. */
static void what_deliveries_show_moves_the_route_with_patience(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(route(f), FRA_ORDINAL);
    deliver_from(f, FRA_ORDINAL, 162);
    deliver_from(f, SIN_ORDINAL, 1);
    for (unsigned minute = 0; minute < 15; minute++) {
        assert_int_equal(route(f), FRA_ORDINAL);
        pass(f, MINUTE_MS);
    }
    assert_int_equal(route(f), SIN_ORDINAL);
}

static void a_first_route_is_the_cheapest_of_what_is_known(void **state)
{
    struct fixture *f = *state;

    deliver_from(f, FRA_ORDINAL, 162);
    deliver_from(f, SIN_ORDINAL, 1);
    assert_int_equal(route(f), SIN_ORDINAL);
}

/* Too many at once would be a stampede. */
static void routes_move_one_after_the_other(void **state)
{
    struct fixture *f = *state;
    struct endpoint *other = new_endpoint(2);
    unsigned moved[2] = { 0 };

    route(f);
    route_of(f, other, false);
    deliver_from(f, FRA_ORDINAL, 162);
    deliver_from(f, SIN_ORDINAL, 1);
    for (unsigned half = 0; half < 40; half++) {
        pass(f, MINUTE_MS / 2);
        bool is_moved[] = { route(f) == SIN_ORDINAL,
                            route_of(f, other, false).region == SIN_ORDINAL };
        for (size_t i = 0; i < COUNT(moved); i++)
            if (is_moved[i] && moved[i] == 0)
                moved[i] = half;
    }
    assert_int_equal(moved[0], 29);
    assert_in_range(moved[1], 31, 32);
    object_unref(&other->base);
}

static void a_decision_holds_for_a_second_unless_something_is_another(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(route(f), FRA_ORDINAL);
    pin(f->endpoint, "gru", "iad"); /* unseen: a change makes a new version */
    pass(f, 999);
    assert_int_equal(route(f), FRA_ORDINAL);
    pass(f, 1);
    assert_int_equal(route(f), GRU_ORDINAL);

    pin(f->endpoint, "iad", "gru");
    f->endpoint->base.version++;
    assert_int_equal(route(f), IAD_ORDINAL);

    pin(f->endpoint, "gru", "iad");
    f->application->base.version++;
    assert_int_equal(route(f), GRU_ORDINAL);

    post(f, GRU, REGION_DEAD);
    assert_int_equal(route(f), IAD_ORDINAL);
    post(f, GRU, REGION_ALIVE);
    assert_int_equal(route(f), GRU_ORDINAL);
}

static void a_region_that_drains_sends_nothing_new(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(route(f), FRA_ORDINAL);
    struct region_health *health = region_health_copy(f->board.newest);
    health->regions[FRA].draining = true;
    health_post(&f->board, health);
    uv_run(&f->loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(route(f), IAD_ORDINAL);
}

static void a_region_that_refuses_is_asked_again_after_a_second(void **state)
{
    struct fixture *f = *state;
    struct router *router = router_interface(f->router);

    pin(f->endpoint, "sin", "iad");
    assert_int_equal(route(f), SIN_ORDINAL);
    router->refused(router, SIN_ORDINAL, f->now);
    assert_int_equal(route(f), IAD_ORDINAL);
    pass(f, 999);
    assert_int_equal(route(f), IAD_ORDINAL);
    pass(f, 1);
    assert_int_equal(route(f), SIN_ORDINAL);
}

static void a_way_that_fails_is_left_after_three_times(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(route(f), FRA_ORDINAL);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(route(f), FRA_ORDINAL);
        assert_true(fail_from(f, FRA_ORDINAL, i % 2 ? ERR_TIMEOUT : ERR_UNAVAILABLE));
    }
    assert_int_equal(route(f), IAD_ORDINAL);
}

static void what_was_tried_before_goes_where_the_way_has_not_failed(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(route_again(f), FRA_ORDINAL);
    assert_true(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
    assert_int_equal(route(f), FRA_ORDINAL);
    assert_int_equal(route_again(f), IAD_ORDINAL);
    assert_true(fail_from(f, IAD_ORDINAL, ERR_UNAVAILABLE));
    assert_int_equal(route_again(f), SIN_ORDINAL);
    deliver_from(f, FRA_ORDINAL, 5);
    assert_int_equal(route_again(f), FRA_ORDINAL);
}

static void the_detour_of_a_pin_is_the_next_of_the_list(void **state)
{
    struct fixture *f = *state;

    pin(f->endpoint, "sin", "gru");
    assert_true(fail_from(f, SIN_ORDINAL, ERR_TIMEOUT));
    assert_int_equal(route(f), SIN_ORDINAL);
    assert_int_equal(route_again(f), GRU_ORDINAL);
    assert_false(fail_from(f, GRU_ORDINAL, ERR_TIMEOUT)); /* that was all of them */
    assert_int_equal(route_again(f), SIN_ORDINAL);
}

static void a_failure_counts_against_the_receiver_when_no_other_region_may_look(void **state)
{
    struct fixture *f = *state;

    f->endpoint->dispatch.mode = DISPATCH_HOME;
    assert_false(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
    f->endpoint->dispatch.mode = DISPATCH_AUTO;
    for (size_t i = IAD; i <= GRU; i++)
        post(f, i, REGION_DEAD);
    assert_false(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
}

static void seen_from_all_regions_it_is_the_receiver(void **state)
{
    struct fixture *f = *state;

    assert_true(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
    assert_true(fail_from(f, IAD_ORDINAL, ERR_UNAVAILABLE));
    assert_true(fail_from(f, SIN_ORDINAL, ERR_UNAVAILABLE));
    assert_false(fail_from(f, GRU_ORDINAL, ERR_UNAVAILABLE));
    assert_int_equal(route_again(f), FRA_ORDINAL);
}

/* The others failed in an outage that is over; one of them may look again. */
static void an_old_failure_elsewhere_says_nothing_of_now(void **state)
{
    struct fixture *f = *state;

    for (int i = IAD_ORDINAL; i <= GRU_ORDINAL; i++)
        fail_from(f, (uint8_t)i, ERR_UNAVAILABLE);
    assert_false(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
    deliver_from(f, FRA_ORDINAL, 5);
    pass(f, PATH_FAILED_MS + 1);
    assert_true(fail_from(f, FRA_ORDINAL, ERR_UNAVAILABLE));
    assert_int_equal(route_again(f), IAD_ORDINAL);
}

/* Nor is it a failure of the way that this process was short of something. */
static void an_answer_is_none_of_the_ways_failures(void **state)
{
    static const enum err rows[] = { ERR_OK, ERR_DENIED, ERR_CANCELED, ERR_BUSY, ERR_LIMIT };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (unsigned n = 0; n < 5; n++)
            assert_false(fail_from(f, FRA_ORDINAL, rows[i]));
        assert_int_equal(route_again(f), FRA_ORDINAL);
    }
}

/* What was asked for longest ago goes first. */
static void a_route_that_was_forgotten_begins_anew(void **state)
{
    struct fixture *f = *state;
    struct endpoint *others[] = { new_endpoint(2), new_endpoint(3) };

    assert_int_equal(route(f), FRA_ORDINAL);
    deliver_from(f, FRA_ORDINAL, 162);
    deliver_from(f, SIN_ORDINAL, 1);
    route_of(f, others[0], false);
    assert_int_equal(route(f), FRA_ORDINAL);
    route_of(f, others[1], false); /* others[0] is forgotten */
    assert_int_equal(route(f), FRA_ORDINAL);
    route_of(f, others[1], false);
    route_of(f, others[0], false);
    assert_int_equal(route(f), SIN_ORDINAL);
    for (size_t i = 0; i < COUNT(others); i++)
        object_unref(&others[i]->base);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_home_sends_while_nothing_is_known),
        TEST(the_url_is_that_of_the_region_that_sends),
        TEST(where_none_may_send_it_says_so),
        TEST(what_deliveries_show_moves_the_route_with_patience),
        TEST(a_first_route_is_the_cheapest_of_what_is_known),
        TEST(routes_move_one_after_the_other),
        TEST(a_decision_holds_for_a_second_unless_something_is_another),
        TEST(a_region_that_drains_sends_nothing_new),
        TEST(a_region_that_refuses_is_asked_again_after_a_second),
        TEST(a_way_that_fails_is_left_after_three_times),
        TEST(what_was_tried_before_goes_where_the_way_has_not_failed),
        TEST(the_detour_of_a_pin_is_the_next_of_the_list),
        TEST(a_failure_counts_against_the_receiver_when_no_other_region_may_look),
        TEST(seen_from_all_regions_it_is_the_receiver),
        TEST(an_old_failure_elsewhere_says_nothing_of_now),
        TEST(an_answer_is_none_of_the_ways_failures),
        TEST(a_route_that_was_forgotten_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
