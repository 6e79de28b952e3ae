/* Replication as an operator sees it, through the real server and store: this region is iad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API "/api/v1"
#define FRA 1

/* Of an id, so that it is newer than all that is made here. */
#define LATER_MS 1000

static struct site site;

static int open_scene(void **state)
{
    (void)state;
    site_open_in(&site, regions_five("iad"));
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static struct object *application_of_fra(const char *uid)
{
    static struct id_source ids = { .ordinal = FRA };
    struct application *a = application_new();

    a->base.id = id_new(&ids, clock_now().wall_ms + LATER_MS);
    a->base.version = 1;
    a->uid = xstrdup(uid);
    a->name = xstrdup("of fra");
    a->residency =
        (struct residency){ .jurisdiction = xstrdup("eu"), .home = FRA, .home_epoch = 1 };
    return &a->base;
}

/* With what fra has, at this instant. */
static void see_comparison(uint64_t at_ms, bool differs)
{
    struct region_health *health = region_health_copy(site.health.newest);
    const struct region *fra = topology_by_name(site.topology, "fra");
    struct region_condition *c = &health->regions[topology_index(site.topology, fra)];

    c->compared_at_ms = at_ms;
    c->differs = differs;
    health_post(&site.health, health);
    uv_run(&site.loop.uv, UV_RUN_NOWAIT);
}

static void what_is_here_is_shown_as_it_was_compared(void **state)
{
    (void)state;
    site_adopt(&site, FRA, 1, application_of_fra("acme"));
    struct answer a = site_ask(&site, "GET", NULL, API "/replication");
    answer_has_type(&a, "data/0/digest", SCAN_NULL); /* our own */
    answer_has_type(&a, "data/1/digest", SCAN_NULL);
    answer_has_type(&a, "data/1/comparedAt", SCAN_NULL);
    answer_fini(&a);

    see_comparison(1700000000000, false);
    a = site_ask(&site, "GET", NULL, API "/replication");
    answer_has_text(&a, "data/1/digest", "equal");
    answer_has_text(&a, "data/1/comparedAt", "2023-11-14T22:13:20.000Z");
    answer_fini(&a);

    see_comparison(1700000000000, true);
    a = site_ask(&site, "GET", NULL, API "/replication");
    answer_has_text(&a, "data/1/digest", "different");
    answer_fini(&a);
}

static void each_journal_is_shown_with_how_far_it_is_here(void **state)
{
    (void)state;
    site_adopt(&site, FRA, 3, application_of_fra("acme")); /* behind two that are nothing */
    struct answer a = site_ask(&site, "GET", NULL, API "/replication");
    answer_has_count(&a, "data", 2);
    answer_has_text(&a, "data/0/region", "iad");
    answer_has_number(&a, "data/0/seq", 0);
    answer_has_text(&a, "data/1/region", "fra");
    answer_has_number(&a, "data/1/ordinal", FRA);
    answer_has_number(&a, "data/1/seq", 3);
    answer_has_number(&a, "data/1/quarantined", 2);
    answer_has_type(&a, "data/1/adopting", SCAN_FALSE);
    answer_fini(&a);

    assert_int_equal(site_status(&site, "POST", NULL, API "/replication/fra/reseed"), 204);
    a = site_ask(&site, "GET", NULL, API "/replication");
    answer_has_number(&a, "data/1/seq", 0);
    answer_has_number(&a, "data/1/quarantined", 0);
    answer_has_type(&a, "data/1/adopting", SCAN_TRUE);
    answer_fini(&a);
}

static void what_two_regions_gave_one_name_is_listed(void **state)
{
    char id[ID_TEXT_MAX];
    struct answer a;

    (void)state;
    site_make(&site, API "/app", "{\"name\":\"of iad\",\"uid\":\"acme\"}", id);
    a = site_ask(&site, "GET", NULL, API "/replication/conflicts");
    answer_has_count(&a, "data", 0);
    answer_fini(&a);

    site_adopt(&site, FRA, 1, application_of_fra("other"));
    site_adopt(&site, FRA, 2, application_of_fra("acme"));
    a = site_ask(&site, "GET", NULL, API "/replication/conflicts");
    answer_has_count(&a, "data", 1);
    answer_has_text(&a, "data/0/kind", "application");
    answer_has_text(&a, "data/0/name", "acme");
    answer_has_text(&a, "data/0/region", "fra");
    answer_has_text(&a, "data/0/heldBy", id);
    answer_has_text(&a, "data/0/heldByRegion", "iad");
    answer_fini(&a);

    a = site_ask(&site, "GET", NULL, API "/app/acme");
    answer_has_text(&a, "id", id);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "PATCH", "{\"name\":\"still\"}", API "/app/acme"), 200);
    assert_int_equal(site_status(&site, "PATCH", "{\"uid\":\"mine\"}", API "/app/acme"), 200);
    a = site_ask(&site, "GET", NULL, API "/replication/conflicts");
    answer_has_count(&a, "data", 0);
    answer_fini(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_journal_is_shown_with_how_far_it_is_here),
        TEST(what_is_here_is_shown_as_it_was_compared),
        TEST(what_two_regions_gave_one_name_is_listed),
    };

    return cmocka_run_group_tests_name("api_replication", tests, NULL, NULL);
}
