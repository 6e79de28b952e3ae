#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "region/route_gather.h"
#include "tests/lib/regions.h"
#include "tests/lib/routes.h"

struct fixture {
    struct topology *topology;
    struct region_health *health;
    struct application *application; /* of eu, home fra */
    struct endpoint *endpoint;
    struct paths *paths;
    struct route_facts facts;
};

static void place(struct topology *t, size_t region, double latitude, double longitude)
{
    t->regions[region].has_place = true;
    t->regions[region].place = (struct place){ latitude, longitude };
}

/* fra; eu is fra and dub. */
static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    f->topology = regions_five("fra");
    place(f->topology, FRA, 50.11, 8.68);
    place(f->topology, SIN, 1.35, 103.82);
    f->health = region_health_new(f->topology);
    f->application = application_new();
    f->application->base.id = (struct id){ { 1, 2, 3 } };
    f->application->base.version = 3;
    f->application->residency =
        (struct residency){ .jurisdiction = xstrdup("eu"), .home = 1, .home_epoch = 1 };
    f->endpoint = endpoint_new();
    f->endpoint->base.id = (struct id){ { 4, 5, 6 } };
    f->endpoint->base.version = 7;
    f->endpoint->url = xstrdup("https://shop.test/in");
    f->paths = paths_new(16);
    f->facts = (struct route_facts){
        .topology = f->topology,
        .health = f->health,
        .application = f->application,
        .endpoint = f->endpoint,
        .paths = f->paths,
        .now = { .mono_ms = 1000, .wall_ms = 2000 },
    };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    paths_free(f->paths);
    object_unref(&f->endpoint->base);
    object_unref(&f->application->base);
    region_health_unref(f->health);
    topology_free(f->topology);
    free(f);
    return 0;
}

static void the_law_and_the_home_are_those_of_the_application(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;

    route_gather(&f->facts, &in);
    assert_int_equal(in.count, 5);
    assert_string_equal(in.jurisdiction, "eu");
    assert_int_equal(in.home, FRA);
    assert_int_equal(in.application_version, 3);
    assert_int_equal(in.endpoint_version, 7);
    assert_true(id_equal(&in.application, &f->application->base.id));
    assert_true(id_equal(&in.endpoint, &f->endpoint->base.id));
    for (size_t i = 0; i < in.count; i++) {
        assert_string_equal(in.regions[i].name, f->topology->regions[i].name);
        assert_int_equal(in.regions[i].lawful, i == FRA || i == DUB);
        assert_int_equal(in.regions[i].entitled, in.regions[i].lawful);
    }
    assert_int_equal(in.memory.current, ROUTE_NOWHERE);
    assert_int_equal(in.now.mono_ms, 1000);

    f->application->residency.home = 9;
    route_gather(&f->facts, &in);
    assert_int_equal(in.home, ROUTE_NOWHERE);
}

static void states_and_links_are_those_of_the_health(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;

    f->health->regions[SIN].state = REGION_ALIVE;
    f->health->regions[SIN].rtt_us = 162000;
    f->health->regions[DUB].state = REGION_DRAINING;
    f->health->regions[FRA].draining = true;
    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[FRA].state, REGION_SELF);
    assert_true(in.regions[FRA].draining);
    assert_int_equal(in.regions[SIN].state, REGION_ALIVE);
    assert_int_equal(in.regions[DUB].state, REGION_DRAINING);
    assert_int_equal(in.regions[IAD].state, REGION_UNKNOWN);
    assert_int_equal(in.link_us[FRA][SIN], 162000);
    assert_int_equal(in.link_us[SIN][FRA], 162000);
    assert_int_equal(in.link_us[FRA][IAD], 0);
}

static void distances_are_known_where_places_are(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;

    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[FRA].receiver_km, ROUTE_KM_UNKNOWN);
    assert_int_equal(in.regions[FRA].home_km, 0);
    assert_in_range(in.regions[SIN].home_km, 10250, 10280);
    assert_int_equal(in.regions[IAD].home_km, ROUTE_KM_UNKNOWN);

    f->endpoint->dispatch.location = (struct location){ true, 1352100, 103819800 };
    route_gather(&f->facts, &in);
    assert_in_range(in.regions[SIN].receiver_km, 0, 2);
    assert_in_range(in.regions[FRA].receiver_km, 10250, 10280);
    assert_int_equal(in.regions[IAD].receiver_km, ROUTE_KM_UNKNOWN);

    dispatch_add_target(&f->endpoint->dispatch, "sin", "http://sg.shop.test/");
    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[SIN].receiver_km, ROUTE_KM_UNKNOWN);
    assert_string_equal(in.regions[SIN].way.label, "sin");
    assert_int_equal(in.regions[SIN].way.trips, 1);
    assert_string_equal(in.regions[FRA].way.label, "default");
    assert_int_equal(in.regions[FRA].way.trips, 2);
}

static void what_was_measured_is_that_of_the_url_the_region_would_send_to(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;
    const struct path_sample sample = { 30000, 40000, true };

    path_delivered(paths_take(f->paths, 1, "https://shop.test/other"), &sample, f->facts.now);
    path_delivered(paths_take(f->paths, 3, "http://sg.shop.test/"), &sample, f->facts.now);
    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[FRA].path.rtt_us, 30000);
    assert_int_equal(in.regions[SIN].path.source, PATH_UNKNOWN);
    dispatch_add_target(&f->endpoint->dispatch, "sin", "http://sg.shop.test/");
    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[SIN].path.rtt_us, 30000);
    f->facts.paths = NULL;
    route_gather(&f->facts, &in);
    assert_int_equal(in.regions[FRA].path.source, PATH_UNKNOWN);
}

static void pins_are_the_regions_there_are(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;

    f->endpoint->dispatch.mode = DISPATCH_PIN;
    text_list_add(&f->endpoint->dispatch.regions, "dub", 3);
    text_list_add(&f->endpoint->dispatch.regions, "lhr", 3);
    text_list_add(&f->endpoint->dispatch.regions, "fra", 3);
    route_gather(&f->facts, &in);
    assert_int_equal(in.mode, DISPATCH_PIN);
    assert_int_equal(in.pin_count, 2);
    assert_int_equal(in.pins[0], DUB);
    assert_int_equal(in.pins[1], FRA);
}

static void a_region_alone_is_permitted_and_home(void **state)
{
    struct fixture *f = *state;
    struct route_inputs in;
    struct route_decision d;

    topology_free(f->topology);
    f->topology = topology_new_single();
    f->facts.topology = f->topology;
    region_health_unref(f->health);
    f->health = region_health_new(f->topology);
    f->facts.health = f->health;
    residency_fini(&f->application->residency);
    route_gather(&f->facts, &in);
    assert_int_equal(in.count, 1);
    assert_int_equal(in.home, 0);
    assert_string_equal(in.jurisdiction, "");
    route_decide(&in, &d);
    assert_int_equal(d.held, ROUTE_SENT);
    assert_int_equal(d.region, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_law_and_the_home_are_those_of_the_application),
        TEST(states_and_links_are_those_of_the_health),
        TEST(distances_are_known_where_places_are),
        TEST(what_was_measured_is_that_of_the_url_the_region_would_send_to),
        TEST(pins_are_the_regions_there_are),
        TEST(a_region_alone_is_permitted_and_home),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
