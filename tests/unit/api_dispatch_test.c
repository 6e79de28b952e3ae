/* How deliveries get to an endpoint, as the API takes and shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/ask.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API      "/api/v1"
#define ENDPOINT API "/app/shop/endpoint"

static struct site site;

/* In tests: eu is fra and dub. */
static int open_five(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    site_open_in(&site, regions_five("fra"));
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", id);
    return 0;
}

static int open_alone(void **state)
{
    char id[ID_TEXT_MAX];

    (void)state;
    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", id);
    return 0;
}

static int close_site(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void an_endpoint_is_sent_to_as_it_says(void **state)
{
    (void)state;
    {
        ASK(201, "POST",
            "{\"url\":\"https://h\",\"uid\":\"e\",\"targets\":{\"eu\":\"https://eu.h\"},"
            "\"dispatch\":{\"mode\":\"pin\",\"regions\":[\"dub\",\"fra\"]},"
            "\"location\":{\"latitude\":1.3521,\"longitude\":103.8}}",
            ENDPOINT);
        answer_has_text(&a, "targets/eu", "https://eu.h/");
        answer_has_text(&a, "dispatch/mode", "pin");
        answer_has_text(&a, "dispatch/regions/0", "dub");
        answer_has_text(&a, "dispatch/regions/1", "fra");
        assert_non_null(strstr(a.body, "{\"latitude\":1.3521,\"longitude\":103.8}"));
        answer_fini(&a);
    }
    {
        ASK(200, "PATCH", "{\"dispatch\":{\"mode\":\"home\"}}", ENDPOINT "/e");
        answer_has_text(&a, "targets/eu", "https://eu.h/");
        answer_has_text(&a, "dispatch/mode", "home");
        answer_has_type(&a, "dispatch/regions", SCAN_NULL);
        answer_fini(&a);
    }
    {
        ASK(200, "PUT", "{\"url\":\"https://h\"}", ENDPOINT "/e");
        answer_has_count(&a, "targets", 0);
        answer_has_text(&a, "dispatch/mode", "auto");
        answer_has_type(&a, "location", SCAN_NULL);
        answer_fini(&a);
    }
}

static void what_the_law_or_the_map_excludes_is_422_with_field_and_rule(void **state)
{
    static const struct {
        const char *body, *field, *rule;
    } rows[] = {
        { "{\"url\":\"https://h\",\"targets\":{\"mars\":\"https://m\"}}", "mars",
          "a label is a region or a jurisdiction: mars is neither" },
        { "{\"url\":\"https://h\",\"dispatch\":{\"mode\":\"pin\",\"regions\":[\"sin\"]}}", NULL,
          "must be in the application's jurisdiction: sin isn't a region of eu" },
        { "{\"url\":\"https://h\",\"dispatch\":{\"mode\":\"pin\",\"regions\":[\"lhr\"]}}", NULL,
          "no region is called \"lhr\"" },
        { "{\"url\":\"https://h\",\"dispatch\":{\"mode\":\"pin\"}}", "regions",
          "a pin names at least one region" },
        { "{\"url\":\"https://h\",\"dispatch\":{\"mode\":\"auto\",\"regions\":[\"fra\"]}}",
          "regions", "only a pin names regions" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(422, "POST", rows[i].body, ENDPOINT);
        answer_has_count(&a, "detail", 1);
        answer_has_text(&a, "detail/0/msg", rows[i].rule);
        answer_has_text(&a, "detail/0/type", "value_error");
        if (rows[i].field)
            answer_has_text(&a, "detail/0/loc/2", rows[i].field);
        else
            answer_has_number(&a, "detail/0/loc/3", 0);
        answer_fini(&a);
    }
}

static void a_region_alone_neither_shows_nor_takes_any_of_it(void **state)
{
    (void)state;
    ASK(201, "POST",
        "{\"url\":\"https://h\",\"uid\":\"e\",\"targets\":1,\"dispatch\":2,\"location\":3}",
        ENDPOINT);
    answer_has_type(&a, "targets", SCAN_NONE);
    answer_has_type(&a, "dispatch", SCAN_NONE);
    answer_has_type(&a, "location", SCAN_NONE);
    answer_fini(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_five, close_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_endpoint_is_sent_to_as_it_says),
        TEST(what_the_law_or_the_map_excludes_is_422_with_field_and_rule),
        cmocka_unit_test_setup_teardown(a_region_alone_neither_shows_nor_takes_any_of_it,
                                        open_alone, close_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
