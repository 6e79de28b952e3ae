/* Routes that a router decides, as the store has them afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "region/recorder.h"
#include "region/route_code.h"
#include "region/router.h"
#include "tests/lib/regions.h"
#include "tests/lib/routes.h"
#include "tests/lib/store_fixture.h"

struct fixture {
    struct store_fixture store;
    struct topology *topology;
    struct health_board board;
    struct region_router *router;
    struct application *application;
    struct endpoint *endpoint;
    struct now now;
    bool closed;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    store_fixture_start(&f->store);
    f->topology = regions_five("fra");
    health_board_open(&f->board, f->topology);
    f->board.inbox = &f->store.inbox;
    f->router = router_open(&(struct router_options){
        .inbox = &f->store.inbox,
        .store = f->store.store,
        .topology = f->topology,
        .board = &f->board,
    });
    f->application = application_new();
    f->application->base.id = id_new(&f->store.ids, store_fixture_ms());
    f->application->residency =
        (struct residency){ .jurisdiction = xstrdup("eu"), .home = 1, .home_epoch = 1 };
    f->endpoint = endpoint_new();
    f->endpoint->base.id = id_new(&f->store.ids, store_fixture_ms());
    f->endpoint->url = xstrdup("https://shop.test/in");
    f->now = (struct now){ .mono_ms = 60000, .wall_ms = store_fixture_ms() };
    *state = f;
    return 0;
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->closed = true;
}

static void close_router(struct fixture *f)
{
    router_close(f->router, on_closed, f);
    while (!f->closed)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f->closed)
        close_router(f);
    object_unref(&f->endpoint->base);
    object_unref(&f->application->base);
    health_board_close(&f->board);
    topology_free(f->topology);
    store_fixture_stop(&f->store);
    free(f);
    return 0;
}

static uint8_t route(struct fixture *f)
{
    struct router *router = router_interface(f->router);

    return router->route(router, f->application, f->endpoint, false, f->now).region;
}

static void pass(struct fixture *f, uint64_t ms)
{
    f->now.mono_ms += ms;
    f->now.wall_ms += ms;
}

static void post(struct fixture *f, size_t region, enum region_state state, bool draining)
{
    struct region_health *health = region_health_copy(f->board.newest);

    health->regions[region].state = state;
    health->regions[region].draining = draining;
    health_post(&f->board, health);
    uv_run(&f->store.loop.uv, UV_RUN_NOWAIT);
}

/* What is recorded as in force right now, made again; 0: nothing. */
static uint64_t recompute(struct fixture *f, struct route_inputs *in, struct route_decision *d)
{
    struct store_get_route op = {
        .endpoint_key = id_key(&f->endpoint->base.id),
        .at_ms = f->now.wall_ms,
    };
    char why[ROUTE_WHY_MAX];
    struct scan_fault fault;
    struct json *json;

    if (STORE_RUN(&f->store, store_get_route, &op) == ERR_NOT_FOUND)
        return 0;
    assert_int_equal(json_parse(op.code.data, op.code.len, &json, &fault), ERR_OK);
    assert_int_equal(route_recompute(json, in, d, why), ERR_OK);
    json_free(json);
    bytes_fini(&op.code);
    return op.decided_at_ms;
}

static void a_route_is_recorded_when_its_region_is_another(void **state)
{
    struct fixture *f = *state;
    uint64_t first_ms = f->now.wall_ms;
    struct route_inputs in;
    struct route_decision d;

    assert_int_equal(recompute(f, &in, &d), 0);
    assert_int_equal(route(f), 1);
    assert_int_equal(recompute(f, &in, &d), first_ms);
    assert_int_equal(d.verdict, HYSTERESIS_FIRST);
    assert_true(id_equal(&in.endpoint, &f->endpoint->base.id));

    pass(f, 5000);
    post(f, DUB, REGION_ALIVE, false);
    assert_int_equal(route(f), 1);
    assert_int_equal(recompute(f, &in, &d), first_ms);

    post(f, FRA, REGION_SELF, true);
    assert_int_equal(route(f), 7);
    assert_int_equal(recompute(f, &in, &d), first_ms + 5000);
    assert_int_equal(d.verdict, HYSTERESIS_LEFT);
    assert_int_equal(d.region, DUB);
}

static void what_is_held_is_recorded_likewise(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;
    struct route_decision d;

    f->application->residency.home = 77;
    assert_int_equal(route(f), 0);
    assert_int_equal(recompute(f, &in, &d), f->now.wall_ms);
    assert_int_equal(d.held, ROUTE_HELD_HOMELESS);
}

static void what_was_decided_last_is_recorded_before_the_end(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;
    struct route_decision d;

    route(f);
    close_router(f);
    assert_int_equal(recompute(f, &in, &d), f->now.wall_ms);
}

/* Of more new routes at once than may be under way, the others are recorded a second later. */
static void what_finds_no_room_is_recorded_with_the_next_decision(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;
    struct route_decision d;

    for (unsigned i = 0; i <= RECORDER_OWED_MAX; i++) {
        f->endpoint->base.id = id_new(&f->store.ids, store_fixture_ms());
        route(f);
    }
    assert_int_equal(recompute(f, &in, &d), 0);
    pass(f, 1000);
    route(f);
    assert_int_equal(recompute(f, &in, &d), f->now.wall_ms);
    assert_int_equal(d.verdict, HYSTERESIS_KEPT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_route_is_recorded_when_its_region_is_another),
        TEST(what_is_held_is_recorded_likewise),
        TEST(what_was_decided_last_is_recorded_before_the_end),
        TEST(what_finds_no_room_is_recorded_with_the_next_decision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
