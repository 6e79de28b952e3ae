/* Examples that are sent to one endpoint, through the real server and store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/site.h"

#define API     "/api/v1"
#define APP     API "/app/shop"
#define EXAMPLE APP "/endpoint/first/send-example"

static struct site site;

static void make_event_type(const char *name, const char *schemas)
{
    char body[512];

    snprintf(body, sizeof body, "{\"name\":\"%s\",\"description\":\"\",\"schemas\":%s}", name,
             schemas);
    assert_int_equal(site_status(&site, "POST", body, API "/event-type"), 201);
}

/* Two endpoints that want nothing that is sent here, and event types with and without an example. */
static int open_scene(void **state)
{
    char id[ID_TEXT_MAX];
    (void)state;

    site_open(&site);
    make_event_type("wanted", "null");
    make_event_type("paid",
                    "{\"1\":{\"examples\":[{\"n\":1.10,\"big\":12345678901234567890},{}]},"
                    "\"2\":{\"examples\":[{\"n\":2}]}}");
    make_event_type("bare", "{\"1\":{\"type\":\"object\"}}");
    make_event_type("later", "{\"2\":{\"examples\":[{}]}}");
    make_event_type("none", "{\"1\":{\"examples\":[]}}");
    make_event_type("text", "{\"1\":{\"examples\":[\"a\"]}}");
    make_event_type("odd", "{\"1\":[],\"examples\":{}}");
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", id);
    site_make(&site, APP "/endpoint",
              "{\"url\":\"http://h/1\",\"uid\":\"first\",\"eventTypes\":[\"wanted\"],"
              "\"channels\":[\"eu\"]}",
              id);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h/2\",\"uid\":\"second\"}", id);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void pending_is(int64_t want)
{
    struct answer a = site_ask(&site, "GET", NULL, API "/status");

    answer_has_number(&a, "pending", want);
    answer_fini(&a);
}

static void an_example_goes_to_one_endpoint_that_does_not_want_it(void **state)
{
    static const struct {
        const char *event_type, *more, *payload;
    } rows[] = {
        { "svix.ping", "", "\"payload\":{\"success\":true}" },
        { "paid", "", "\"payload\":{\"n\":1.10,\"big\":12345678901234567890}" },
        { "paid", ",\"exampleIndex\":1", "\"payload\":{}" },
    };
    char body[128];
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(body, sizeof body, "{\"eventType\":\"%s\"%s}", rows[i].event_type,
                 rows[i].more);
        struct answer a = site_ask(&site, "POST", body, EXAMPLE);
        assert_int_equal(a.status, 200);
        answer_has_text(&a, "eventType", rows[i].event_type);
        answer_has_type(&a, "eventId", SCAN_NULL);
        assert_non_null(strstr(a.body, rows[i].payload));
        assert_int_equal(site_status(&site, "GET", NULL, APP "/msg/%s", answer_text(&a, "id")),
                         200);
        answer_fini(&a);
        pending_is((int64_t)i + 1);
    }
}

static void what_has_no_example_or_is_wrong_is_refused(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } rows[] = {
        { "{\"eventType\":\"bare\"}", 400 },
        { "{\"eventType\":\"later\"}", 400 },
        { "{\"eventType\":\"none\"}", 400 },
        { "{\"eventType\":\"text\"}", 400 },
        { "{\"eventType\":\"odd\"}", 400 },
        { "{\"eventType\":\"wanted\"}", 400 },
        { "{\"eventType\":\"paid\",\"exampleIndex\":2}", 400 },
        { "{\"eventType\":\"paid\",\"exampleIndex\":-1}", 422 },
        { "{\"eventType\":\"gone\"}", 404 },
        { "{\"eventType\":\"a b\"}", 422 },
        { "{\"eventType\":null}", 422 },
        { "{\"eventType\":1}", 422 },
        { "{}", 422 },
        { "[]", 422 },
        { "", 422 },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++)
        if (site_status(&site, "POST", rows[i].body, EXAMPLE) != rows[i].status)
            fail_msg("%s", rows[i].body);
    assert_int_equal(site_status(&site, "POST", "{\"eventType\":\"svix.ping\"}",
                                 APP "/endpoint/none/send-example"),
                     404);
    assert_int_equal(site_status(&site, "POST", "{\"eventType\":\"svix.ping\"}",
                                 API "/app/none/endpoint/first/send-example"),
                     404);
    pending_is(0);
}

static void an_example_that_is_asked_for_twice_with_one_key_is_one(void **state)
{
    char first[ID_TEXT_MAX];
    (void)state;

    for (int again = 0; again < 2; again++) {
        struct answer a = site_ask_as(&site, site.token, "Idempotency-Key: once", "POST",
                                      "{\"eventType\":\"svix.ping\"}", EXAMPLE);
        assert_int_equal(a.status, 200);
        if (again)
            answer_has_text(&a, "id", first);
        snprintf(first, sizeof first, "%s", answer_text(&a, "id"));
        answer_fini(&a);
    }
    pending_is(1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_example_goes_to_one_endpoint_that_does_not_want_it),
        TEST(what_has_no_example_or_is_wrong_is_refused),
        TEST(an_example_that_is_asked_for_twice_with_one_key_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
