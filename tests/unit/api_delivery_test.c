/* Where a message was tried, and what was tried at an endpoint, through the real server and store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/ask.h"
#include "tests/lib/site.h"

#define API "/api/v1"
#define APP API "/app/shop"

static struct site site;
static char app[ID_TEXT_MAX], first[ID_TEXT_MAX], second[ID_TEXT_MAX];
static char message[ID_TEXT_MAX], newer[ID_TEXT_MAX];

/* A message that the first endpoint took and the second didn't; a newer one that
 * only the first was tried with, in vain. */
static int open_scene(void **state)
{
    char attempt[ID_TEXT_MAX];
    (void)state;

    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h/1\",\"uid\":\"first\"}", first);
    site_make(&site, APP "/endpoint",
              "{\"url\":\"http://h/2\",\"uid\":\"second\",\"metadata\":{\"a\":\"b\"}}", second);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h/3\",\"uid\":\"third\"}", attempt);
    site_make(&site, APP "/msg",
              "{\"eventType\":\"x\",\"eventId\":\"e\",\"payload\":{\"n\":1}}", message);
    site_make(&site, APP "/msg", "{\"eventType\":\"y\",\"payload\":{}}", newer);
    site_record(&site, app, message, first, 200, attempt);
    site_record(&site, app, message, second, 500, attempt);
    site_record(&site, app, newer, first, 0, attempt);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void a_message_shows_where_it_was_tried_and_how_that_stands(void **state)
{
    (void)state;

    ASK(200, "GET", NULL, APP "/msg/e/endpoint");
    answer_has_count(&a, "data", 2);
    answer_has_text(&a, "data/0/id", first);
    answer_has_text(&a, "data/1/id", second);
    answer_has_text(&a, "data/1/uid", "second");
    answer_has_text(&a, "data/1/url", "http://h/2");
    answer_has_number(&a, "data/1/version", 1);
    answer_has_number(&a, "data/1/status", ATTEMPT_FAIL);
    answer_has_text(&a, "data/1/statusText", "fail");
    answer_has_type(&a, "data/1/nextAttempt", SCAN_NULL);
    assert_null(answer_at(&a, "data/1/metadata"));
    answer_has_text(&a, "iterator", second);
    answer_has_type(&a, "done", SCAN_TRUE);
    answer_fini(&a);
}

static void destinations_are_paged_in_both_directions(void **state)
{
    (void)state;

    {
        ASK(200, "GET", NULL, APP "/msg/e/endpoint?limit=1");
        answer_has_text(&a, "data/0/id", first);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/e/endpoint?limit=1&iterator=%s", first);
        answer_has_text(&a, "data/0/id", second);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/e/endpoint?limit=1&iterator=-%s", second);
        answer_has_text(&a, "data/0/id", first);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
}

static void an_endpoint_that_is_gone_is_still_shown(void **state)
{
    (void)state;

    assert_int_equal(site_status(&site, "DELETE", NULL, APP "/endpoint/second"), 204);
    ASK(200, "GET", NULL, APP "/msg/e/endpoint");
    answer_has_count(&a, "data", 2);
    answer_has_text(&a, "data/1/id", second);
    answer_has_text(&a, "data/1/url", "http://h/2");
    answer_fini(&a);
}

static void what_was_tried_at_an_endpoint_is_listed_and_narrowed(void **state)
{
    (void)state;
    const struct {
        const char *path;
        size_t count;
        const char *first;
        const char *status;
    } rows[] = {
        { "/endpoint/first/msg", 2, newer, "fail" },
        { "/endpoint/first/msg?status=0", 1, message, "success" },
        { "/endpoint/first/msg?status=2&expanded_statuses=true", 1, newer, "fail" },
        { "/endpoint/first/msg?status=1", 0, NULL, NULL },
        { "/endpoint/first/msg?status=3", 0, NULL, NULL },
        { "/endpoint/first/msg?status=4", 0, NULL, NULL },
        { "/endpoint/first/msg?event_types=x", 1, message, "success" },
        { "/endpoint/first/msg?channel=eu", 0, NULL, NULL },
        { "/endpoint/first/msg?limit=1", 1, newer, "fail" },
        { "/endpoint/first/msg?before=2000-01-01T00:00:00Z", 0, NULL, NULL },
        { "/endpoint/second/msg", 1, message, "fail" },
        { "/endpoint/third/msg", 0, NULL, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(200, "GET", NULL, APP "%s", rows[i].path);
        if (json_count(answer_at(&a, "data")) != rows[i].count)
            fail_msg("%s: want %zu in %s", rows[i].path, rows[i].count, a.body);
        if (rows[i].first) {
            answer_has_text(&a, "data/0/id", rows[i].first);
            answer_has_text(&a, "data/0/statusText", rows[i].status);
            answer_has_type(&a, "data/0/nextAttempt", SCAN_NULL);
        }
        answer_fini(&a);
    }
}

static void what_was_tried_comes_with_its_payload_unless_not_wanted(void **state)
{
    (void)state;

    {
        ASK(200, "GET", NULL, APP "/endpoint/second/msg");
        answer_has_number(&a, "data/0/payload/n", 1);
        answer_has_text(&a, "data/0/eventId", "e");
        answer_has_text(&a, "iterator", message);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/endpoint/second/msg?with_content=false");
        answer_has_count(&a, "data/0/payload", 0);
        answer_fini(&a);
    }
}

static void attempts_to_an_endpoint_are_counted_by_what_they_came_to(void **state)
{
    (void)state;

    ASK(200, "GET", NULL, APP "/endpoint/first/stats");
    answer_has_number(&a, "success", 1);
    answer_has_number(&a, "fail", 1);
    answer_has_number(&a, "pending", 0);
    answer_has_number(&a, "sending", 0);
    answer_has_number(&a, "canceled", 0);
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL,
                 APP
                 "/endpoint/first/stats?since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z");
    answer_has_number(&a, "success", 0);
    answer_has_number(&a, "fail", 0);
    answer_fini(&a);
}

static void a_range_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *range, *code;
    } rows[] = {
        { "since=%zz", "generic_error" },
        { "until=2999-01-01T00:00:00Z", "invalid_range" },
        { "since=2999-01-01T00:00:00Z", "invalid_range" },
        { "since=2020-01-02T00:00:00Z&until=2020-01-01T00:00:00Z", "invalid_range" },
        { "since=2020-01-01T00:00:00Z&until=2020-01-29T00:00:00.001Z", "invalid_range" },
        { "since=2020-01-01T00:00:00Z", "invalid_range" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(400, "GET", NULL, APP "/endpoint/first/stats?%s", rows[i].range);
        answer_has_text(&a, "code", rows[i].code);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL,
                                 APP "/endpoint/first/stats?since=2020-01-01T00:00:00Z&until="
                                     "2020-01-29T00:00:00Z"),
                     200);
}

/* A part of the path that stands for something else is still an event id. */
static void it_is_told_before_whether_a_message_is_wanted(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
        bool active;
    } rows[] = {
        { "{\"eventType\":\"x\"}", 200, true },
        { "{\"eventType\":\"y\"}", 200, false },
        { "{\"eventType\":\"x\",\"channels\":[\"eu\"]}", 200, true },
        { "{\"eventType\":\"x y\"}", 422, false },
        { "{\"channels\":[]}", 422, false },
        { "", 422, false },
    };
    char id[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"narrow\"}", id);
    assert_int_equal(
        site_status(&site, "POST", "{\"name\":\"x\",\"description\":\"\"}", API "/event-type"),
        201);
    site_make(&site, API "/app/narrow/endpoint",
              "{\"url\":\"http://h\",\"eventTypes\":[\"x\"],\"disabled\":true}", id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(rows[i].status, "POST", rows[i].body, API "/app/narrow/msg/precheck/active");
        if (rows[i].status == 200)
            answer_has_type(&a, "active", rows[i].active ? SCAN_TRUE : SCAN_FALSE);
        answer_fini(&a);
    }
    site_make(&site, APP "/msg",
              "{\"eventType\":\"x\",\"eventId\":\"precheck\",\"payload\":{}}", id);
    ASK(200, "GET", NULL, APP "/msg/precheck");
    answer_has_text(&a, "id", id);
    answer_fini(&a);
}

static void messages_are_tagged_and_found_by_it(void **state)
{
    static const struct {
        const char *path;
        size_t count;
    } rows[] = {
        { "/msg?tag=blue", 1 },
        { "/msg?tag=red", 0 },
        { "/endpoint/first/msg?tag=blue", 1 },
        { "/endpoint/first/msg?tag=red", 0 },
        { "/attempt/endpoint/first?tag=blue", 1 },
        { "/attempt/endpoint/first?tag=red", 0 },
    };
    char tagged[ID_TEXT_MAX], attempt[ID_TEXT_MAX];
    (void)state;

    site_make(&site, APP "/msg",
              "{\"eventType\":\"x\",\"payload\":{},\"tags\":[\"blue\",\"sky\"]}", tagged);
    site_record(&site, app, tagged, first, 200, attempt);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(200, "GET", NULL, APP "%s", rows[i].path);
        if (json_count(answer_at(&a, "data")) != rows[i].count)
            fail_msg("%s: want %zu in %s", rows[i].path, rows[i].count, a.body);
        answer_fini(&a);
    }
    ASK(200, "GET", NULL, APP "/msg/%s", tagged);
    answer_has_text(&a, "tags/1", "sky");
    answer_fini(&a);
    assert_int_equal(site_status(&site, "GET", NULL, APP "/msg?tag=a%%20b"), 422);
    assert_int_equal(site_status(&site, "POST",
                                 "{\"eventType\":\"x\",\"payload\":{},\"tags\":[\"a b\"]}",
                                 APP "/msg"),
                     422);
}

static void attempts_bring_their_messages_along_if_asked(void **state)
{
    (void)state;

    {
        ASK(200, "GET", NULL, APP "/attempt/endpoint/second?with_msg=true");
        answer_has_text(&a, "data/0/msg/id", message);
        answer_has_text(&a, "data/0/msg/eventId", "e");
        answer_has_number(&a, "data/0/msg/payload/n", 1);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/attempt/endpoint/second?with_msg=true&with_content=false");
        answer_has_count(&a, "data/0/msg/payload", 0);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/attempt/endpoint/second");
        assert_null(answer_at(&a, "data/0/msg"));
        answer_fini(&a);
    }
}

static void content_that_is_expunged_is_shown_as_such(void **state)
{
    char attempt[ID_TEXT_MAX];
    (void)state;

    site_record(&site, app, message, first, 500, attempt);
    assert_int_equal(
        site_status(&site, "DELETE", NULL, APP "/msg/e/attempt/%s/content", attempt), 204);
    assert_int_equal(site_status(&site, "DELETE", NULL, APP "/msg/e/content"), 204);
    assert_int_equal(site_status(&site, "DELETE", NULL, APP "/msg/e/content"), 204);
    {
        ASK(200, "GET", NULL, APP "/msg/e/attempt/%s", attempt);
        answer_has_text(&a, "response", "EXPUNGED");
        answer_has_number(&a, "responseStatusCode", 500);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/e");
        answer_has_type(&a, "payload/expired", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(400, "POST", NULL, APP "/msg/e/endpoint/first/resend");
        answer_has_text(&a, "code", "missing_payload");
        answer_fini(&a);
    }
}

static void content_is_the_organizations_to_expunge(void **state)
{
    static const char *const paths[] = {
        APP "/msg/e/content",
        APP "/msg/e/attempt/atmpt_000000000000000000000000001/content",
    };
    char token[TOKEN_TEXT_MAX];
    (void)state;

    site_application_token(&site, app, token);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = site_ask_as(&site, token, NULL, "DELETE", NULL, paths[i]);
        assert_int_equal(a.status, 403);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "DELETE", NULL, APP "/msg/none/content"), 404);
    assert_int_equal(site_status(&site, "DELETE", NULL, APP "/msg/e/attempt/none/content"),
                     404);
    assert_int_equal(site_status(&site, "DELETE", NULL, "%s", paths[1]), 404);
}

static void what_is_unknown_or_forged_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *path;
        unsigned status;
    } rows[] = {
        { "/msg/none/endpoint", 404 },
        { "/endpoint/none/msg", 404 },
        { "/endpoint/none/stats", 404 },
        { "/msg/e/endpoint?iterator=msg_000000000000000000000000001", 422 },
        { "/msg/e/endpoint?limit=0", 422 },
        { "/endpoint/first/msg?iterator=ep_000000000000000000000000001", 422 },
        { "/endpoint/first/msg?status=5", 422 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(site_status(&site, "GET", NULL, APP "%s", rows[i].path),
                         rows[i].status);
}

static void an_application_sees_its_own_and_no_others(void **state)
{
    char token[TOKEN_TEXT_MAX], other[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"other\"}", other);
    site_application_token(&site, other, token);
    for (int own = 0; own < 2; own++) {
        if (own)
            site_application_token(&site, app, token);
        struct answer a =
            site_ask_as(&site, token, NULL, "GET", NULL, APP "/endpoint/first/msg");
        assert_int_equal(a.status, own ? 200 : 404);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/other/msg/%s/endpoint", message),
                     404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_shows_where_it_was_tried_and_how_that_stands),
        TEST(destinations_are_paged_in_both_directions),
        TEST(an_endpoint_that_is_gone_is_still_shown),
        TEST(what_was_tried_at_an_endpoint_is_listed_and_narrowed),
        TEST(what_was_tried_comes_with_its_payload_unless_not_wanted),
        TEST(attempts_to_an_endpoint_are_counted_by_what_they_came_to),
        TEST(a_range_that_is_none_is_refused),
        TEST(it_is_told_before_whether_a_message_is_wanted),
        TEST(messages_are_tagged_and_found_by_it),
        TEST(attempts_bring_their_messages_along_if_asked),
        TEST(content_that_is_expunged_is_shown_as_such),
        TEST(content_is_the_organizations_to_expunge),
        TEST(what_is_unknown_or_forged_is_refused),
        TEST(an_application_sees_its_own_and_no_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
