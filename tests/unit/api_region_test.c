/* Regions, through the real server and store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/ask.h"
#include "tests/lib/site.h"

#define API "/api/v1"
#define PEM "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"

static struct site site;

static struct region region_called(const char *name, uint8_t ordinal, const char *jurisdiction)
{
    struct region region = { .ordinal = ordinal };

    snprintf(region.name, sizeof region.name, "%s", name);
    text_list_add(&region.jurisdictions, jurisdiction, strlen(jurisdiction));
    return region;
}

/* Frankfurt, of Frankfurt and Virginia. */
static int open_two(void **state)
{
    struct region regions[] = { region_called("fra", 1, "eu"), region_called("iad", 2, "us") };
    struct topology_fault fault;
    struct topology *topology;

    (void)state;
    regions[0].has_place = true;
    regions[0].place = (struct place){ 50.11, 8.68 };
    regions[1].public_url = xstrdup("https://iad.example.com");
    regions[1].certificate_pem = xstrdup(PEM);
    memset(regions[1].certificate_sha256, 0xa5, REGION_DIGEST_LEN);
    assert_int_equal(topology_new(regions, COUNT(regions), 0, &topology, &fault), ERR_OK);
    site_open_in(&site, topology);
    return 0;
}

static int open_alone(void **state)
{
    (void)state;
    site_open(&site);
    return 0;
}

static int close_site(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void the_regions_are_listed_by_ordinal(void **state)
{
    (void)state;
    ASK(200, "GET", NULL, API "/regions");
    answer_has_count(&a, "data", 2);
    answer_has_text(&a, "data/0/name", "fra");
    answer_has_number(&a, "data/0/ordinal", 1);
    answer_has_text(&a, "data/0/jurisdictions/0", "eu");
    answer_has_text(&a, "data/0/state", "self");
    answer_has_type(&a, "data/0/publicUrl", SCAN_NULL);
    answer_has_type(&a, "data/0/certificateSha256", SCAN_NULL);
    assert_non_null(strstr(a.body, "\"latitude\":50.11,\"longitude\":8.68,"));
    answer_has_text(&a, "data/1/name", "iad");
    answer_has_text(&a, "data/1/state", "unknown");
    answer_has_text(&a, "data/1/publicUrl", "https://iad.example.com");
    answer_has_text(&a, "data/1/certificateSha256",
                    "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    answer_has_type(&a, "data/1/latitude", SCAN_NULL);
    answer_has_type(&a, "data/1/rttUs", SCAN_NULL);
    answer_has_type(&a, "data/1/heardAt", SCAN_NULL);
    answer_fini(&a);
}

static void a_region_is_shown_as_its_health_says(void **state)
{
    struct region_health *next = region_health_new(site.topology);

    (void)state;
    next->regions[1] = (struct region_condition){
        .state = REGION_SUSPECT,
        .rtt_us = 92000,
        .clock_offset_us = -1500,
        .heard_at_ms = 1700000000000,
        .reason = "3 pings unanswered",
    };
    health_post(&site.health, next);
    ASK(200, "GET", NULL, API "/regions/iad");
    answer_has_text(&a, "state", "suspect");
    answer_has_text(&a, "reason", "3 pings unanswered");
    answer_has_number(&a, "rttUs", 92000);
    answer_has_number(&a, "clockOffsetUs", -1500);
    answer_has_text(&a, "heardAt", "2023-11-14T22:13:20.000Z");
    answer_fini(&a);
}

static void assert_draining(bool draining)
{
    ASK(200, "GET", NULL, API "/regions/fra");
    answer_has_type(&a, "draining", draining ? SCAN_TRUE : SCAN_FALSE);
    answer_has_text(&a, "state", "self");
    answer_fini(&a);
}

static void this_region_drains_until_it_is_told_otherwise(void **state)
{
    (void)state;
    assert_draining(false);
    for (int twice = 0; twice < 2; twice++) {
        ASK(200, "POST", NULL, API "/regions/fra/drain");
        answer_has_type(&a, "draining", SCAN_TRUE);
        answer_fini(&a);
        assert_draining(true);
    }
    ASK(200, "POST", NULL, API "/regions/fra/undrain");
    answer_has_type(&a, "draining", SCAN_FALSE);
    answer_fini(&a);
    assert_draining(false);
}

static void a_region_that_is_not_reached_is_not_drained(void **state)
{
    (void)state;
    ASK(503, "POST", NULL, API "/regions/iad/drain");
    answer_has_text(&a, "code", "region_unreachable");
    answer_has_text(&a, "detail",
                    "the region that is to answer can't be reached: iad, "
                    "https://iad.example.com");
    assert_memory_equal(answer_header(&a, "Retry-After"), "2", 1);
    answer_fini(&a);
}

static void a_region_that_is_none_is_not_found(void **state)
{
    static const char *const rows[] = { "sin", "FRA", "fr", "%20" };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(site_status(&site, "GET", NULL, API "/regions/%s", rows[i]), 404);
        assert_int_equal(site_status(&site, "POST", NULL, API "/regions/%s/drain", rows[i]),
                         404);
    }
}

static void only_the_organization_of_the_operator_drains(void **state)
{
    char token[TOKEN_TEXT_MAX];

    (void)state;
    site_token(&site, 1, token);
    struct answer a = site_ask_as(&site, token, NULL, "POST", NULL, API "/regions/fra/drain");
    assert_int_equal(a.status, 403);
    answer_fini(&a);
    a = site_ask_as(&site, token, NULL, "GET", NULL, API "/regions/fra");
    assert_int_equal(a.status, 200);
    answer_fini(&a);
}

static void every_answer_says_which_region_gave_it(void **state)
{
    static const struct {
        const char *method, *path;
        unsigned status;
    } rows[] = {
        { "GET", API "/regions", 200 }, { "GET", API "/health", 204 },
        { "GET", API "/nothing", 404 }, { "DELETE", API "/regions", 405 },
        { "OPTIONS", API "/app", 204 }, { "POST", API "/app", 422 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(rows[i].status, rows[i].method, NULL, "%s", rows[i].path);
        const char *name = answer_header(&a, "Posthaste-Region");
        if (!name || strncmp(name, "fra\r\n", 5) != 0)
            fail_msg("%s %s", rows[i].method, rows[i].path);
        answer_fini(&a);
    }
}

static void status_names_the_region(void **state)
{
    (void)state;
    ASK(200, "GET", NULL, API "/status");
    answer_has_text(&a, "region", "fra");
    answer_fini(&a);
}

static void a_region_alone_is_a_list_of_one_without_a_name(void **state)
{
    (void)state;
    {
        ASK(200, "GET", NULL, API "/regions");
        answer_has_count(&a, "data", 1);
        answer_has_type(&a, "data/0/name", SCAN_NULL);
        answer_has_number(&a, "data/0/ordinal", 0);
        answer_has_count(&a, "data/0/jurisdictions", 0);
        answer_has_text(&a, "data/0/state", "self");
        assert_null(answer_header(&a, "Posthaste-Region"));
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/status");
        answer_has_type(&a, "region", SCAN_NULL);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/regions/fra"), 404);
    assert_int_equal(site_status(&site, "POST", NULL, API "/regions/fra/drain"), 404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_two, close_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_regions_are_listed_by_ordinal),
        TEST(a_region_is_shown_as_its_health_says),
        TEST(this_region_drains_until_it_is_told_otherwise),
        TEST(a_region_that_is_not_reached_is_not_drained),
        TEST(a_region_that_is_none_is_not_found),
        TEST(only_the_organization_of_the_operator_drains),
        TEST(every_answer_says_which_region_gave_it),
        TEST(status_names_the_region),
        cmocka_unit_test_setup_teardown(a_region_alone_is_a_list_of_one_without_a_name,
                                        open_alone, close_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
