/* Operational endpoints over the API: who may have them, what they take, and that their application is
 * nobody's to see. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/operational.h"
#include "tests/lib/ask.h"
#include "tests/lib/carrier.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API  "/api/v1"
#define PATH API "/operational-webhook/endpoint"
#define BODY "{\"url\":\"https://ops.example/hook\",\"uid\":\"pager\"}"

static struct site site;

static int start(void **state)
{
    (void)state;
    site_open(&site);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void before_the_first_there_is_an_empty_list(void **state)
{
    (void)state;
    ASK(200, "GET", NULL, PATH);
    answer_has_count(&a, "data", 0);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "GET", NULL, PATH "/pager"), 404);
    assert_int_equal(site_status(&site, "DELETE", NULL, PATH "/pager"), 404);
    assert_int_equal(site_status(&site, "GET", NULL, PATH "/pager/secret"), 404);
}

static void the_first_may_come_by_post_or_by_put(void **state)
{
    (void)state;
    assert_int_equal(site_status(&site, "PUT", BODY, PATH "/pager"), 201);
    assert_int_equal(site_status(&site, "PUT", BODY, PATH "/pager"), 200);
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 409);
    stop(state);
    start(state);
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 201);
    assert_int_equal(site_status(&site, "PATCH", "{\"disabled\":true}", PATH "/pager"), 200);
    ASK(200, "GET", NULL, PATH);
    answer_has_count(&a, "data", 1);
    answer_has_text(&a, "data/0/uid", "pager");
    answer_fini(&a);
}

static void a_wrong_one_is_422_and_names_the_field(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        { "{}", "url" },
        { "{\"url\":\"ftp://h/\"}", "url" },
        { "{\"url\":\"http://h/\",\"filterTypes\":[\"order.paid\"]}", "eventTypes" },
        { "{\"url\":\"http://h/\",\"eventTypes\":[]}", "eventTypes" },
        { "{\"url\":\"http://h/\",\"secret\":\"none\"}", "secret" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(422, "POST", rows[i].body, PATH);
        answer_has_text(&a, "detail/0/loc/1", rows[i].field);
        answer_fini(&a);
    }
}

/* The organization's own event types have nothing to do with it, and nothing is told in a channel. */
static void it_takes_the_types_that_are_told(void **state)
{
    (void)state;
    assert_int_equal(site_status(&site, "POST", "{\"name\":\"order.paid\"}", API "/event-type"),
                     201);
    assert_int_equal(site_status(&site, "POST",
                                 "{\"url\":\"http://h/\",\"eventTypes\":[\"order.paid\"]}",
                                 PATH),
                     422);
    ASK(201, "POST",
        "{\"url\":\"http://h/\",\"filterTypes\":[\"endpoint.disabled\"],\"channels\":[\"a\"]}",
        PATH);
    answer_has_text(&a, "eventTypes/0", "endpoint.disabled");
    answer_has_type(&a, "channels", SCAN_NULL);
    answer_fini(&a);
}

static void its_application_is_found_nowhere(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    site_make(&site, PATH, BODY, id);
    ASK(200, "GET", NULL, API "/app");
    answer_has_count(&a, "data", 0);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/" OPERATIONAL_UID), 404);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/%%7Eoperational/endpoint"), 404);
    assert_int_equal(site_status(&site, "POST",
                                 "{\"name\":\"n\",\"uid\":\"" OPERATIONAL_UID "\"}",
                                 API "/app"),
                     422);
    char body[64];
    snprintf(body, sizeof body, "{\"endpointId\":\"%s\"}", id);
    assert_int_equal(site_status(&site, "POST", body, API "/route/explain"), 404);
}

static void another_application_does_not_have_its_endpoints(void **state)
{
    char app[ID_TEXT_MAX], id[ID_TEXT_MAX], other[ID_TEXT_MAX];

    (void)state;
    site_make(&site, PATH, BODY, id);
    site_make(&site, API "/app", "{\"name\":\"n\"}", app);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/%s/endpoint/%s", app, id), 404);
    char path[128];
    snprintf(path, sizeof path, API "/app/%s/endpoint", app);
    site_make(&site, path, "{\"url\":\"http://h/\"}", other);
    assert_int_equal(site_status(&site, "GET", NULL, PATH "/%s", other), 404);
}

static void only_the_organization_s_own_token_may(void **state)
{
    char app[ID_TEXT_MAX], token[TOKEN_TEXT_MAX];
    static const struct {
        const char *method, *body, *path;
    } rows[] = {
        { "GET", NULL, PATH },
        { "POST", BODY, PATH },
        { "GET", NULL, PATH "/pager" },
        { "PUT", BODY, PATH "/pager" },
        { "PATCH", "{}", PATH "/pager" },
        { "DELETE", NULL, PATH "/pager" },
        { "GET", NULL, PATH "/pager/secret" },
        { "POST", NULL, PATH "/pager/secret/rotate" },
        { "GET", NULL, PATH "/pager/headers" },
        { "PUT", "{\"headers\":{}}", PATH "/pager/headers" },
    };

    (void)state;
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 201);
    site_make(&site, API "/app", "{\"name\":\"n\"}", app);
    site_application_token(&site, app, token);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a =
            site_ask_as(&site, token, NULL, rows[i].method, rows[i].body, rows[i].path);
        assert_int_equal(a.status, 403);
        answer_fini(&a);
    }
    site_token(&site, 7, token);
    struct answer a = site_ask_as(&site, token, NULL, "GET", NULL, PATH "/pager");
    assert_int_equal(a.status, 404);
    answer_fini(&a);
}

/* Among several regions. */

static void the_first_is_made_in_the_directory_s_region_and_read_here(void **state)
{
    struct carrier carrier;

    (void)state;
    carrier_open(&carrier);
    site_open_among(&site, regions_five("iad"), &carrier.elsewhere, false);
    assert_int_equal(site_status(&site, "GET", NULL, PATH), 200);
    assert_int_equal(carrier.errands, 0);
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 200);
    assert_int_equal(carrier.region, 1);
    assert_int_equal(carrier.errands, 1);
    site_close(&site);
    carrier_close(&carrier);

    carrier_open(&carrier);
    site_open_among(&site, regions_five("fra"), &carrier.elsewhere, false);
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 201);
    assert_int_equal(carrier.errands, 0);
    site_close(&site);
    carrier_close(&carrier);
}

static void the_others_are_made_where_the_first_was(void **state)
{
    struct application *manager = application_new();
    struct id_source ids = { .ordinal = 2 };
    struct carrier carrier;

    (void)state;
    carrier_open(&carrier);
    site_open_among(&site, regions_five("iad"), &carrier.elsewhere, false);
    const struct region *dub = topology_by_name(site.topology, "dub");
    ids.ordinal = dub->ordinal;
    manager->base.id = id_new(&ids, clock_now().wall_ms);
    manager->base.version = 1;
    manager->uid = xstrdup(OPERATIONAL_UID);
    manager->name = xstrdup(OPERATIONAL_NAME);
    manager->residency = (struct residency){ .jurisdiction = xstrdup("eu"),
                                             .home = dub->ordinal,
                                             .home_epoch = 1 };
    site_adopt(&site, dub->ordinal, 1, &manager->base);
    assert_int_equal(site_status(&site, "POST", BODY, PATH), 200);
    assert_int_equal(carrier.region, dub->ordinal);
    assert_int_equal(site_status(&site, "GET", NULL, PATH), 200);
    assert_int_equal(carrier.errands, 1);
    site_close(&site);
    carrier_close(&carrier);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(before_the_first_there_is_an_empty_list),
        TEST(the_first_may_come_by_post_or_by_put),
        TEST(a_wrong_one_is_422_and_names_the_field),
        TEST(it_takes_the_types_that_are_told),
        TEST(its_application_is_found_nowhere),
        TEST(another_application_does_not_have_its_endpoints),
        TEST(only_the_organization_s_own_token_may),
        cmocka_unit_test(the_first_is_made_in_the_directory_s_region_and_read_here),
        cmocka_unit_test(the_others_are_made_where_the_first_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
