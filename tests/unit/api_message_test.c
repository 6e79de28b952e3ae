/* Messages and attempts, through the real server and store. */
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
static char app[ID_TEXT_MAX], endpoint[ID_TEXT_MAX];

static int open_scene(void **state)
{
    (void)state;
    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h\",\"uid\":\"main\"}", endpoint);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

static void a_message_may_bring_its_application_along(void **state)
{
    static const char named[] = "{\"name\":\"N\",\"uid\":\"late\"}";
    static const struct {
        const char *event_type, *application;
        unsigned status;
        const char *fault;
    } refused[] = {
        { "x", "null", 404, NULL },
        { "x", "{\"name\":\"N\"}", 422, "uid" },
        { "x", "{\"name\":\"N\",\"uid\":\"other\"}", 422, "uid" },
        { "x", "{\"name\":\"\",\"uid\":\"late\"}", 422, "name" },
        { "x", "7", 422, NULL },
        { "x y", named, 422, NULL },
    };
    char body[256];
    (void)state;

    for (size_t i = 0; i < COUNT(refused); i++) {
        snprintf(body, sizeof body, "{\"eventType\":\"%s\",\"payload\":{},\"application\":%s}",
                 refused[i].event_type, refused[i].application);
        ASK((unsigned)refused[i].status, "POST", body, API "/app/late/msg");
        if (refused[i].fault) {
            answer_has_text(&a, "detail/0/loc/1", "application");
            answer_has_text(&a, "detail/0/loc/2", refused[i].fault);
        }
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/late"), 404);

    snprintf(body, sizeof body, "{\"eventType\":\"x\",\"payload\":{},\"application\":%s}",
             named);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(site_status(&site, "POST", body, API "/app/late/msg"), 202);
    ASK(200, "GET", NULL, API "/app/late");
    answer_has_text(&a, "name", "N");
    answer_fini(&a);
}

static void messages_that_bring_the_same_application_share_it(void **state)
{
    static const char body[] = "{\"eventType\":\"x\",\"payload\":{},"
                               "\"application\":{\"name\":\"N\",\"uid\":\"late\"}}";
    struct client clients[3];
    (void)state;

    for (size_t i = 0; i < 3; i++)
        site_start(&site, &clients[i], site.token, NULL, "POST", body, API "/app/late/msg");
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(strstr(client_answer(&clients[i]), " 202 "));
        client_close(&clients[i]);
    }
    ASK(200, "GET", NULL, API "/app/late/msg");
    answer_has_count(&a, "data", 3);
    answer_fini(&a);
}

static void a_message_is_accepted_and_found_again(void **state)
{
    char id[ID_TEXT_MAX];
    (void)state;

    {
        ASK(202, "POST",
            "{\"eventType\":\"order.paid\",\"eventId\":\"e-1\",\"channels\":[\"eu\"],"
            "\"payload\":{\"n\":1}}",
            APP "/msg");
        assert_true(strncmp(answer_text(&a, "id"), "msg_", 4) == 0);
        answer_has_text(&a, "eventType", "order.paid");
        answer_has_text(&a, "eventId", "e-1");
        answer_has_text(&a, "channels/0", "eu");
        answer_has_type(&a, "timestamp", SCAN_STRING);
        answer_has_count(&a, "payload", 1);
        snprintf(id, sizeof id, "%s", answer_text(&a, "id"));
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/%s", id);
        answer_has_text(&a, "eventId", "e-1");
        answer_has_count(&a, "payload", 1);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/e-1?with_content=false");
        answer_has_text(&a, "id", id);
        answer_has_count(&a, "payload", 0);
        answer_fini(&a);
    }
    {
        ASK(202, "POST", "{\"eventType\":\"order.paid\",\"payload\":{\"n\":1}}",
            APP "/msg?with_content=false");
        answer_has_count(&a, "payload", 0);
        answer_has_type(&a, "eventId", SCAN_NULL);
        answer_has_type(&a, "channels", SCAN_NULL);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, APP "/msg/e-2"), 404);
    assert_int_equal(
        site_status(&site, "GET", NULL, APP "/msg/msg_000000000000000000000000001"), 404);
}

static void a_payload_comes_back_byte_for_byte(void **state)
{
    static const char payload[] =
        "{\"big\":123456789012345678901234567890,\"z\":1.10,\"a\" : [ 1 ],\"nul\":\"\\u0000\","
        "\"sep\":\"\xe2\x80\xa8\",\"a\":2}";
    char body[256], id[ID_TEXT_MAX];
    (void)state;

    snprintf(body, sizeof body, "{\"payload\":%s,\"eventType\":\"x\"}", payload);
    site_make(&site, APP "/msg?with_content=false", body, id);

    struct answer a = site_ask(&site, "GET", NULL, APP "/msg/%s", id);
    assert_int_equal(a.status, 200);
    assert_non_null(strstr(a.body, payload));
    answer_fini(&a);
}

static void a_message_that_is_wrong_is_refused_and_not_stored(void **state)
{
    static const struct {
        const char *body, *loc;
    } rows[] = {
        { "", NULL },
        { "{", NULL },
        { "[]", NULL },
        { "{}", "eventType" },
        { "{\"eventType\":\"x\"}", "payload" },
        { "{\"eventType\":\"x\",\"payload\":[]}", "payload" },
        { "{\"eventType\":\"x\",\"payload\":null}", "payload" },
        { "{\"eventType\":\"a b\",\"payload\":{}}", "eventType" },
        { "{\"eventType\":\"x\",\"payload\":{},\"eventId\":\"msg_x\"}", "eventId" },
        { "{\"eventType\":\"x\",\"payload\":{},\"channels\":[]}", "channels" },
        { "{\"eventType\":\"x\",\"payload\":{},\"payloadRetentionPeriod\":91}",
          "payloadRetentionPeriod" },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = site_ask(&site, "POST", rows[i].body, APP "/msg");
        if (a.status != 422)
            fail_msg("%s: %u %s", rows[i].body, a.status, a.body);
        answer_has_text(&a, "detail/0/loc/0", "body");
        if (rows[i].loc)
            answer_has_text(&a, "detail/0/loc/1", rows[i].loc);
        answer_fini(&a);
    }
    ASK(200, "GET", NULL, APP "/msg");
    answer_has_count(&a, "data", 0);
    answer_fini(&a);
}

static void the_application_is_looked_up_before_the_body_and_after_the_query(void **state)
{
    (void)state;

    assert_int_equal(site_status(&site, "POST", "{", API "/app/none/msg"), 404);
    assert_int_equal(site_status(&site, "POST", "{", API "/app/none/endpoint"), 404);
    assert_int_equal(site_status(&site, "PATCH", "{", API "/app/none"), 404);
    assert_int_equal(site_status(&site, "PATCH", "{", APP "/endpoint/none"), 422);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/none/msg?limit=0"), 422);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/none/msg?limit=x"), 422);
    struct answer a =
        site_ask_as(&site, NULL, NULL, "GET", NULL, API "/app/none/msg?limit=251");
    assert_int_equal(a.status, 422);
    answer_has_text(&a, "detail/0/loc/0", "query");
    answer_has_text(&a, "detail/0/loc/1", "limit");
    answer_fini(&a);
}

static void an_event_id_is_taken_once(void **state)
{
    static const char body[] = "{\"eventType\":\"x\",\"eventId\":\"once\",\"payload\":{}}";
    (void)state;

    assert_int_equal(site_status(&site, "POST", body, APP "/msg"), 202);
    ASK(409, "POST", body, APP "/msg");
    answer_has_text(&a, "code", "conflict");
    answer_fini(&a);
}

static struct answer post_with_key(const char *key, const char *body, const char *path)
{
    char header[128];

    snprintf(header, sizeof header, "Idempotency-Key: %s", key);
    return site_ask_as(&site, site.token, header, "POST", body, path);
}

static void an_idempotency_key_makes_one_message_and_repeats_its_answer(void **state)
{
    static const char body[] =
        "{\"eventType\":\"x\",\"eventId\":\"once\",\"payload\":{\"n\":1}}";
    (void)state;

    struct answer wrong = post_with_key("k", "{}", APP "/msg");
    struct answer first = post_with_key("k", body, APP "/msg");
    struct answer again = post_with_key("k", body, APP "/msg");
    struct answer changed =
        post_with_key("k", "{\"eventType\":\"y\",\"payload\":{}}", APP "/msg");
    struct answer other_key = post_with_key("l", body, APP "/msg");
    struct answer other_query = post_with_key("k", "{\"eventType\":\"z\",\"payload\":{}}",
                                              APP "/msg?with_content=true");

    assert_int_equal(wrong.status, 422);
    assert_int_equal(first.status, 202);
    assert_int_equal(again.status, 202);
    assert_string_equal(again.body, first.body);
    assert_int_equal(changed.status, 202);
    assert_string_equal(changed.body, first.body);
    assert_int_equal(other_key.status, 409);
    assert_int_equal(other_query.status, 202);
    assert_string_not_equal(answer_text(&other_query, "id"), answer_text(&first, "id"));
    answer_fini(&wrong);
    answer_fini(&first);
    answer_fini(&again);
    answer_fini(&changed);
    answer_fini(&other_key);
    answer_fini(&other_query);

    ASK(200, "GET", NULL, APP "/msg");
    answer_has_count(&a, "data", 2);
    answer_fini(&a);
}

static void a_raw_payload_is_shown_inside_of_an_object(void **state)
{
    static const char raw[] = "{\"eventType\":\"x\",\"payload\":{},"
                              "\"transformationsParams\":{\"rawPayload\":\"{<a/>\"}}";
    static const char plain[] = "{\"eventType\":\"x\",\"payload\":{\"n\":1}}";
    (void)state;

    struct answer first = post_with_key("k", raw, APP "/msg");
    struct answer again = post_with_key("k", plain, APP "/msg");
    assert_int_equal(first.status, 202);
    answer_has_text(&first, "payload/rawPayload", "{<a/>");
    assert_string_equal(again.body, first.body);
    answer_fini(&first);
    answer_fini(&again);

    ASK(200, "GET", NULL, APP "/msg");
    answer_has_text(&a, "data/0/payload/rawPayload", "{<a/>");
    answer_fini(&a);
}

static void requests_at_once_with_one_key_get_one_answer(void **state)
{
    static const char body[] = "{\"eventType\":\"x\",\"payload\":{}}";
    struct client clients[8];
    char first[ID_TEXT_MAX] = "";
    (void)state;

    for (size_t i = 0; i < 8; i++)
        site_start(&site, &clients[i], site.token, "Idempotency-Key: k", "POST", body,
                   APP "/msg");
    for (size_t i = 0; i < 8; i++) {
        struct answer a = answer_take(client_answer(&clients[i]));
        client_close(&clients[i]);
        assert_int_equal(a.status, 202);
        if (i == 0)
            snprintf(first, sizeof first, "%s", answer_text(&a, "id"));
        answer_has_text(&a, "id", first);
        answer_fini(&a);
    }
}

static void messages_are_listed_filtered_and_paged(void **state)
{
    char ids[4][ID_TEXT_MAX];
    static const char *const bodies[] = {
        "{\"eventType\":\"a\",\"payload\":{\"n\":0}}",
        "{\"eventType\":\"b\",\"payload\":{\"n\":1},\"channels\":[\"eu\",\"us\"]}",
        "{\"eventType\":\"c\",\"payload\":{\"n\":2},\"channels\":[\"us\"]}",
        "{\"eventType\":\"a\",\"payload\":{\"n\":3}}",
    };
    static const struct {
        const char *query;
        size_t count;
        int order[4];
        bool done;
    } rows[] = {
        { "", 4, { 3, 2, 1, 0 }, true },
        { "?limit=4", 4, { 3, 2, 1, 0 }, true },
        { "?limit=2", 2, { 3, 2 }, false },
        { "?event_types=a", 2, { 3, 0 }, true },
        { "?event_types[]=b&event_types[]=c", 2, { 2, 1 }, true },
        { "?event_types=b,c&channel=eu", 1, { 1 }, true },
        { "?channel=us&limit=1", 1, { 2 }, false },
        { "?after=2000-01-01T00:00:00Z&limit=3", 3, { 2, 1, 0 }, false },
        { "?before=2000-01-01T00:00:00Z", 0, { 0 }, true },
        { "?after=2100-01-01T00%3A00%3A00Z", 0, { 0 }, true },
    };
    (void)state;

    for (size_t i = 0; i < 4; i++)
        site_make(&site, APP "/msg", bodies[i], ids[i]);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(200, "GET", NULL, APP "/msg%s", rows[i].query);
        answer_has_count(&a, "data", rows[i].count);
        for (size_t item = 0; item < rows[i].count; item++) {
            char path[32];
            snprintf(path, sizeof path, "data/%zu/id", item);
            answer_has_text(&a, path, ids[rows[i].order[item]]);
        }
        answer_has_type(&a, "done", rows[i].done ? SCAN_TRUE : SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg?limit=2&iterator=%s&with_content=false", ids[2]);
        answer_has_text(&a, "data/0/id", ids[1]);
        answer_has_text(&a, "data/1/id", ids[0]);
        answer_has_count(&a, "data/0/payload", 0);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg?limit=2&iterator=-%s", ids[0]);
        answer_has_text(&a, "data/0/id", ids[2]);
        answer_has_text(&a, "data/1/id", ids[1]);
        answer_has_count(&a, "data/0/payload", 1);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
}

/* Two attempts at one message, one at another, whose receiver didn't answer. */
struct attempts_scene {
    char other[ID_TEXT_MAX], message[ID_TEXT_MAX], second[ID_TEXT_MAX], failed[ID_TEXT_MAX],
        delivered[ID_TEXT_MAX], elsewhere[ID_TEXT_MAX];
};

static struct attempts_scene make_attempts(void)
{
    struct attempts_scene s;

    site_make(&site, APP "/endpoint", "{\"url\":\"http://h\",\"uid\":\"other\"}", s.other);
    site_make(&site, APP "/msg",
              "{\"eventType\":\"x\",\"eventId\":\"e\",\"payload\":{},\"channels\":[\"eu\"]}",
              s.message);
    site_make(&site, APP "/msg", "{\"eventType\":\"y\",\"payload\":{}}", s.second);
    site_record(&site, app, s.message, endpoint, 503, s.failed);
    site_record(&site, app, s.message, endpoint, 200, s.delivered);
    site_record(&site, app, s.second, s.other, 0, s.elsewhere);
    return s;
}

static void attempts_are_listed_by_message_and_by_endpoint(void **state)
{
    (void)state;
    const struct attempts_scene s = make_attempts();
    const struct {
        const char *path;
        size_t count;
        const char *first;
    } rows[] = {
        { "/attempt/msg/e", 2, s.delivered },
        { "/attempt/msg/e?limit=1", 1, s.delivered },
        { "/attempt/msg/e?status=2", 1, s.failed },
        { "/attempt/msg/e?status=0", 1, s.delivered },
        { "/attempt/msg/e?status_code_class=500", 1, s.failed },
        { "/attempt/msg/e?endpoint_id=main&expanded_statuses=true", 2, s.delivered },
        { "/attempt/msg/e?endpoint_id=other", 0, NULL },
        { "/attempt/msg/e?event_types=y", 0, NULL },
        { "/attempt/msg/e?channel=eu", 2, s.delivered },
        { "/attempt/endpoint/main", 2, s.delivered },
        { "/attempt/endpoint/other", 1, s.elsewhere },
        { "/attempt/endpoint/other?status_code_class=0", 1, s.elsewhere },
        { "/attempt/endpoint/main?event_types=x&channel=eu&status=2", 1, s.failed },
        { "/attempt/endpoint/main?before=2000-01-01T00:00:00Z", 0, NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(200, "GET", NULL, APP "%s", rows[i].path);
        if (json_count(answer_at(&a, "data")) != rows[i].count)
            fail_msg("%s: want %zu in %s", rows[i].path, rows[i].count, a.body);
        if (rows[i].first)
            answer_has_text(&a, "data/0/id", rows[i].first);
        answer_fini(&a);
    }
}

static void an_attempt_is_shown_with_what_was_answered(void **state)
{
    (void)state;
    const struct attempts_scene s = make_attempts();

    {
        ASK(200, "GET", NULL, APP "/msg/e/attempt/%s", s.failed);
        answer_has_text(&a, "id", s.failed);
        answer_has_text(&a, "msgId", s.message);
        answer_has_text(&a, "endpointId", endpoint);
        answer_has_text(&a, "statusText", "fail");
        answer_has_text(&a, "response", "{\"ok\":1}");
        answer_has_type(&a, "responseDurationMs", SCAN_NUMBER);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/msg/%s/attempt/%s?with_content=false", s.message, s.failed);
        answer_has_text(&a, "response", "{}");
        answer_fini(&a);
    }
}

static void attempts_of_what_is_unknown_are_not_found(void **state)
{
    (void)state;
    const struct attempts_scene s = make_attempts();
    const char *const unknown[] = {
        "/attempt/msg/none",
        "/attempt/endpoint/none",
        "/attempt/msg/e?endpoint_id=none",
        "/msg/e/attempt/none",
        "/msg/none/attempt/none",
        "/msg/e/attempt/atmpt_000000000000000000000000001",
    };
    for (size_t i = 0; i < COUNT(unknown); i++)
        assert_int_equal(site_status(&site, "GET", NULL, APP "%s", unknown[i]), 404);
    assert_int_equal(
        site_status(&site, "GET", NULL, APP "/msg/%s/attempt/%s", s.second, s.failed), 404);
}

static void attempts_are_paged(void **state)
{
    char message[ID_TEXT_MAX], ids[3][ID_TEXT_MAX];
    (void)state;

    site_make(&site, APP "/msg", "{\"eventType\":\"x\",\"payload\":{}}", message);
    for (size_t i = 0; i < 3; i++)
        site_record(&site, app, message, endpoint, 500, ids[i]);
    {
        ASK(200, "GET", NULL, APP "/attempt/msg/%s?limit=2", message);
        answer_has_text(&a, "iterator", ids[1]);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/attempt/endpoint/main?limit=2&iterator=%s", ids[1]);
        answer_has_count(&a, "data", 1);
        answer_has_text(&a, "data/0/id", ids[0]);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, APP "/attempt/endpoint/main?limit=1&iterator=-%s", ids[0]);
        answer_has_text(&a, "data/0/id", ids[1]);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
}

static void a_message_is_asked_for_again(void **state)
{
    char message[ID_TEXT_MAX], attempt[ID_TEXT_MAX], other[ID_TEXT_MAX], token[TOKEN_TEXT_MAX];
    (void)state;

    site_make(&site, APP "/msg", "{\"eventType\":\"x\",\"payload\":{},\"eventId\":\"e-1\"}",
              message);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h\",\"uid\":\"late\"}", other);
    site_record(&site, app, message, endpoint, 204, attempt);
    site_application_token(&site, app, token);
    const struct {
        const char *message, *endpoint;
        unsigned status;
        int64_t pending;
    } rows[] = {
        { message, "main", 202, 1 },   { "e-1", endpoint, 202, 1 },
        { message, "late", 202, 2 },   { "e-2", "main", 404, 2 },
        { message, "nobody", 404, 2 }, { "msg_000000000000000000000000001", "main", 404, 2 },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[256];
        int64_t pending;
        snprintf(path, sizeof path, APP "/msg/%s/endpoint/%s/resend", rows[i].message,
                 rows[i].endpoint);
        struct answer a = site_ask_as(&site, token, NULL, "POST", NULL, path);
        assert_int_equal(a.status, rows[i].status);
        if (a.status == 202)
            assert_string_equal(a.body, "{}");
        answer_fini(&a);
        a = site_ask(&site, "GET", NULL, API "/status");
        assert_true(json_int64(answer_at(&a, "pending"), &pending));
        assert_int_equal(pending, rows[i].pending);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, APP "/msg/e-1/endpoint/main/resend"), 405);
}

static void the_status_shows_what_waits_and_what_fails(void **state)
{
    char message[ID_TEXT_MAX];
    (void)state;

    site_make(&site, APP "/msg", "{\"eventType\":\"x\",\"payload\":{}}", message);
    ASK(200, "GET", NULL, API "/status");
    int64_t number;
    assert_true(json_int64(answer_at(&a, "pending"), &number));
    assert_int_equal(number, 1);
    assert_true(json_int64(answer_at(&a, "messages"), &number));
    assert_int_equal(number, 1);
    answer_has_type(&a, "version", SCAN_STRING);
    answer_has_type(&a, "oldestDueAt", SCAN_STRING);
    answer_has_type(&a, "failing", SCAN_ARRAY);
    answer_fini(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_accepted_and_found_again),
        TEST(a_message_may_bring_its_application_along),
        TEST(messages_that_bring_the_same_application_share_it),
        TEST(a_payload_comes_back_byte_for_byte),
        TEST(a_message_that_is_wrong_is_refused_and_not_stored),
        TEST(the_application_is_looked_up_before_the_body_and_after_the_query),
        TEST(an_event_id_is_taken_once),
        TEST(an_idempotency_key_makes_one_message_and_repeats_its_answer),
        TEST(a_raw_payload_is_shown_inside_of_an_object),
        TEST(requests_at_once_with_one_key_get_one_answer),
        TEST(messages_are_listed_filtered_and_paged),
        TEST(attempts_are_listed_by_message_and_by_endpoint),
        TEST(an_attempt_is_shown_with_what_was_answered),
        TEST(attempts_of_what_is_unknown_are_not_found),
        TEST(attempts_are_paged),
        TEST(a_message_is_asked_for_again),
        TEST(the_status_shows_what_waits_and_what_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
