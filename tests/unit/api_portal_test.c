/* An application's tokens, from the link that brings one to its end, through the real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/site.h"

#define API    "/api/v1"
#define PORTAL API "/auth/app-portal-access"
#define EXPIRE API "/auth/app/shop/expire-all"
#define LOGOUT API "/auth/logout"

static struct site site;
static char app[ID_TEXT_MAX];

static int open_scene(void **state)
{
    (void)state;
    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* What the portal's link brings; `body` NULL: none. */
static void take_token(const char *body, char out[TOKEN_TEXT_MAX])
{
    struct answer a = site_ask(&site, "POST", body, PORTAL "/shop");

    if (a.status != 200)
        fail_msg("%s: %u %s", body, a.status, a.body);
    snprintf(out, TOKEN_TEXT_MAX, "%s", answer_text(&a, "token"));
    answer_fini(&a);
}

static unsigned ask(const char *token, const char *method, const char *body, const char *path)
{
    struct answer a = site_ask_as(&site, token, NULL, method, body, path);
    unsigned status = a.status;

    answer_fini(&a);
    return status;
}

static unsigned look(const char *token)
{
    return ask(token, "GET", NULL, API "/app/shop");
}

static struct token read_token(const char *text)
{
    struct token_checker *checker = token_checker_new(site.keyring);
    struct token token;

    assert_int_equal(token_check(checker, text, clock_now().wall_ms / 1000, &token), ERR_OK);
    token_checker_free(checker);
    return token;
}

static void a_link_brings_a_token_for_its_application(void **state)
{
    static const char *const paths[] = { PORTAL "/shop", API "/auth/dashboard-access/shop" };
    (void)state;

    for (size_t i = 0; i < COUNT(paths); i++) {
        uint64_t now_s = clock_now().wall_ms / 1000;
        struct answer a = site_ask(&site, "POST", NULL, "%s", paths[i]);
        assert_int_equal(a.status, 200);
        const char *text = answer_text(&a, "token"), *url = answer_text(&a, "url");
        struct token token = read_token(text);
        assert_int_equal(token.scope, TOKEN_APPLICATION);
        assert_int_equal(token.capabilities, TOKEN_CAPABILITIES);
        assert_in_range(token.expires_at_s - now_s, 28 * 86400, 28 * 86400 + 60);
        assert_string_equal(strchr(url, '#') + strlen("#token="), text);
        assert_memory_equal(url, "http://test/#token=", strlen("http://test/#token="));
        assert_int_equal(look(text), 200);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "POST", "{}", PORTAL "/%s", app), 200);
}

static void what_is_wrong_with_a_wish_is_said_field_by_field(void **state)
{
    static const struct {
        const char *body, *field;
    } rows[] = {
        { "{\"expiry\":0}", "expiry" },
        { "{\"expiry\":2419201}", "expiry" },
        { "{\"expiry\":\"1\"}", "expiry" },
        { "{\"readOnly\":1}", "readOnly" },
        { "{\"capabilities\":[\"Everything\"]}", "capabilities" },
        { "{\"capabilities\":\"ViewBase\"}", "capabilities" },
        { "{\"featureFlags\":[\"a b\"]}", "featureFlags" },
        { "{\"featureFlags\":7}", "featureFlags" },
        { "{\"sessionId\":[]}", "sessionId" },
        { "{\"sessionId\":\"\\u0001\"}", "sessionId" },
    };
    char body[1200] = "{\"featureFlags\":[\"", *end = body + strlen(body);
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = site_ask(&site, "POST", rows[i].body, PORTAL "/shop");
        if (a.status != 422 || !strstr(a.body, rows[i].field))
            fail_msg("%s: %u %s", rows[i].body, a.status, a.body);
        answer_fini(&a);
    }
    memset(end, 'a', 512);
    memcpy(end + 256, "\",\"", 3);
    memcpy(end + 512, "\"]}", 4);
    struct answer a = site_ask(&site, "POST", body, PORTAL "/shop");
    assert_int_equal(a.status, 422);
    assert_non_null(strstr(a.body, "\"featureFlags\"],\"msg\":\"at most 512 bytes"));
    answer_fini(&a);

    assert_int_equal(site_status(&site, "POST", "[]", PORTAL "/shop"), 422);
    assert_int_equal(site_status(&site, "POST", "{", PORTAL "/shop"), 422);
    assert_int_equal(site_status(&site, "POST", "{", PORTAL "/none"), 404);
    assert_int_equal(site_status(&site, "POST", "{}", PORTAL "/none"), 404);
}

static void null_and_empty_lists_say_nothing(void **state)
{
    char text[TOKEN_TEXT_MAX];
    (void)state;

    take_token("{\"application\":null,\"expiry\":null,\"featureFlags\":[],\"readOnly\":null,"
               "\"sessionId\":null,\"capabilities\":null,\"later\":1}",
               text);
    struct token token = read_token(text);
    assert_int_equal(token.capabilities, TOKEN_CAPABILITIES);
    assert_string_equal(token.feature_flags, "");
    take_token("{\"capabilities\":[]}", text);
    assert_int_equal(read_token(text).capabilities, 0);
}

static void a_link_may_bring_its_application_along(void **state)
{
    static const struct {
        const char *path, *body;
        unsigned status;
    } rows[] = {
        { "/new", "{\"application\":{\"name\":\"New\"}}", 422 },
        { "/new", "{\"application\":{\"name\":\"New\",\"uid\":\"other\"}}", 422 },
        { "/new", "{\"application\":{\"uid\":\"new\"}}", 422 },
        { "/new", "{\"application\":{\"name\":\"New\",\"uid\":\"new\"},\"expiry\":0}", 422 },
        { "/new", "{\"application\":{\"name\":\"New\",\"uid\":\"new\"}}", 200 },
        { "/new", "{\"application\":{\"name\":\"Newer\",\"uid\":\"new\"}}", 200 },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = site_ask(&site, "POST", rows[i].body, PORTAL "%s", rows[i].path);
        if (a.status != rows[i].status)
            fail_msg("%s: %u %s", rows[i].body, a.status, a.body);
        if (a.status == 200)
            assert_int_equal(ask(answer_text(&a, "token"), "GET", NULL, API "/app/new"), 200);
        answer_fini(&a);
    }
    struct answer a = site_ask(&site, "GET", NULL, API "/app/new");
    assert_string_equal(answer_text(&a, "name"), "New");
    answer_fini(&a);
}

/* Each way to something that a capability allows, and who has it. */
static void a_token_may_do_what_it_was_given(void **state)
{
    static const struct {
        const char *body;
        bool sees_secret, rotates, manages, resends;
    } rows[] = {
        { "{}", true, true, true, true },
        { "{\"readOnly\":false}", true, true, true, true },
        { "{\"readOnly\":true}", false, false, false, false },
        { "{\"readOnly\":true,\"capabilities\":[\"ManageEndpoint\"]}", false, false, false,
          false },
        { "{\"capabilities\":[\"ViewBase\"]}", false, false, false, false },
        { "{\"capabilities\":[\"ManageTransformations\"]}", false, false, false, false },
        { "{\"capabilities\":[\"ViewEndpointSecret\"]}", true, false, false, false },
        { "{\"capabilities\":[\"ManageEndpointSecret\"]}", true, true, false, false },
        { "{\"capabilities\":[\"ManageEndpoint\"]}", true, true, true, false },
        { "{\"capabilities\":[\"ViewBase\",\"CreateAttempts\"]}", false, false, false, true },
    };
    char text[TOKEN_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app/shop/endpoint", "{\"url\":\"http://h\",\"uid\":\"main\"}", id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        take_token(rows[i].body, text);
        const struct {
            const char *method, *path, *body;
            unsigned status;
        } tries[] = {
            { "GET", "/endpoint/main", NULL, 200 },
            { "GET", "/endpoint/main/headers", NULL, 200 },
            { "GET", "/endpoint/main/secret", NULL, rows[i].sees_secret ? 200 : 403 },
            { "POST", "/endpoint/main/secret/rotate", "{\"gracePeriodSeconds\":0}",
              rows[i].rotates ? 204 : 403 },
            { "PATCH", "/endpoint/main", "{\"description\":\"d\"}",
              rows[i].manages ? 200 : 403 },
            { "PUT", "/endpoint/main/headers", "{\"headers\":{}}",
              rows[i].manages ? 204 : 403 },
            { "POST", "/msg/none/endpoint/main/resend", NULL, rows[i].resends ? 404 : 403 },
            { "POST", "/msg", "{\"eventType\":\"x\",\"payload\":{}}", 403 },
        };
        for (size_t n = 0; n < COUNT(tries); n++) {
            char path[128];
            snprintf(path, sizeof path, API "/app/shop%s", tries[n].path);
            unsigned status = ask(text, tries[n].method, tries[n].body, path);
            if (status != tries[n].status)
                fail_msg("%s: %s %s: %u", rows[i].body, tries[n].method, path, status);
        }
    }
}

/* Names of the list that the token is shown, a comma behind each. */
static void list_types(const char *token, const char *query, char *out, size_t room)
{
    char path[64];
    size_t len = 0;

    snprintf(path, sizeof path, API "/event-type%s", query);
    struct answer a = site_ask_as(&site, token, NULL, "GET", NULL, path);
    assert_int_equal(a.status, 200);
    out[0] = '\0';
    for (size_t i = 0; i < json_count(answer_at(&a, "data")); i++)
        len +=
            (size_t)snprintf(out + len, room - len, "%s,",
                             json_text(json_member(json_at(answer_at(&a, "data"), i), "name")));
    answer_fini(&a);
}

static void event_types_are_shown_by_their_flags(void **state)
{
    static const struct {
        const char *body, *seen, *first_two;
    } rows[] = {
        { NULL, "a,d,", "a,d," },
        { "{\"featureFlags\":[\"beta\"]}", "a,b,d,", "a,b," },
        { "{\"featureFlags\":[\"eu\"]}", "a,b,c,d,", "a,b," },
        { "{\"featureFlags\":[\"et\",\"e\",\"beta\"]}", "a,b,d,", "a,b," },
        { "{\"featureFlags\":[\"et\",\"eu\"]}", "a,b,c,d,", "a,b," },
    };
    static const char *const types[] = {
        "{\"name\":\"a\"}",
        "{\"name\":\"b\",\"featureFlags\":[\"beta\",\"eu\"]}",
        "{\"name\":\"c\",\"featureFlag\":\"eu\"}",
        "{\"name\":\"d\"}",
    };
    char text[TOKEN_TEXT_MAX], seen[64], path[64];
    (void)state;

    for (size_t i = 0; i < COUNT(types); i++)
        assert_int_equal(site_status(&site, "POST", types[i], API "/event-type"), 201);
    list_types(site.token, "", seen, sizeof seen);
    assert_string_equal(seen, "a,b,c,d,");
    for (size_t i = 0; i < COUNT(rows); i++) {
        take_token(rows[i].body, text);
        list_types(text, "", seen, sizeof seen);
        assert_string_equal(seen, rows[i].seen);
        list_types(text, "?limit=2", seen, sizeof seen);
        assert_string_equal(seen, rows[i].first_two);
        list_types(text, "?limit=2&iterator=-d", seen, sizeof seen);
        assert_null(strchr(seen, 'd'));
        for (const char *name = "abcd"; *name; name++) {
            snprintf(path, sizeof path, API "/event-type/%c", *name);
            assert_int_equal(ask(text, "GET", NULL, path),
                             strchr(rows[i].seen, *name) ? 200 : 404);
        }
    }
}

/* A page that is full ends the list when what follows is hidden. */
static void a_list_is_done_when_only_hidden_ones_follow(void **state)
{
    char text[TOKEN_TEXT_MAX];
    (void)state;

    site_status(&site, "POST", "{\"name\":\"a\"}", API "/event-type");
    site_status(&site, "POST", "{\"name\":\"b\",\"featureFlag\":\"eu\"}", API "/event-type");
    take_token(NULL, text);
    struct answer a = site_ask_as(&site, text, NULL, "GET", NULL, API "/event-type?limit=1");
    assert_true(json_bool(answer_at(&a, "done")));
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL, API "/event-type?limit=1");
    assert_false(json_bool(answer_at(&a, "done")));
    answer_fini(&a);
}

static void expiring_all_ends_what_was_made_before_and_nothing_after(void **state)
{
    char before[TOKEN_TEXT_MAX], offline[TOKEN_TEXT_MAX], after[TOKEN_TEXT_MAX];
    struct answer old = site_ask(&site, "GET", NULL, API "/app/shop");
    (void)state;

    take_token(NULL, before);
    site_application_token(&site, app, offline);
    assert_int_equal(look(before), 200);
    assert_int_equal(look(offline), 200);
    for (int round = 0; round < 20; round++) {
        assert_int_equal(site_status(&site, "POST", round % 2 ? NULL : "{}", EXPIRE), 204);
        assert_int_equal(look(before), 401);
        assert_int_equal(look(offline), 401);
        take_token(NULL, after);
        assert_int_equal(look(after), 200);
        memcpy(before, after, sizeof before);
    }
    assert_int_equal(ask(after, "GET", NULL, API "/event-type"), 200);
    assert_int_equal(look(site.token), 200);

    struct answer now = site_ask(&site, "GET", NULL, API "/app/shop");
    assert_string_equal(now.body, old.body);
    answer_fini(&now);
    answer_fini(&old);
}

/* The edit of an application keeps what was revoked. */
static void what_was_revoked_stays_so(void **state)
{
    char text[TOKEN_TEXT_MAX];
    (void)state;

    take_token(NULL, text);
    assert_int_equal(site_status(&site, "POST", NULL, EXPIRE), 204);
    assert_int_equal(
        site_status(&site, "PUT", "{\"name\":\"m\",\"uid\":\"shop\"}", API "/app/shop"), 200);
    assert_int_equal(look(text), 401);
    assert_int_equal(site_status(&site, "PATCH", "{\"name\":\"o\"}", API "/app/shop"), 200);
    assert_int_equal(look(text), 401);
}

static void a_connection_that_is_open_is_no_way_around_it(void **state)
{
    char text[TOKEN_TEXT_MAX], request[TOKEN_TEXT_MAX + 256];
    struct client client;
    (void)state;

    take_token(NULL, text);
    site_start(&site, &client, text, NULL, "GET", NULL, API "/app/shop");
    struct answer a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 200);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "POST", NULL, EXPIRE), 204);
    snprintf(request, sizeof request,
             "GET " API "/app/shop HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n",
             text);
    client_say(&client, request);
    a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 401);
    answer_fini(&a);
    client_close(&client);
}

static void tokens_may_be_given_time_to_end(void **state)
{
    char first[TOKEN_TEXT_MAX], second[TOKEN_TEXT_MAX];
    (void)state;

    take_token(NULL, first);
    assert_int_equal(site_status(&site, "POST", "{\"expiry\":604800}", EXPIRE), 204);
    assert_int_equal(look(first), 200);
    take_token(NULL, second);
    assert_int_equal(site_status(&site, "POST", "{\"expiry\":0}", EXPIRE), 204);
    assert_int_equal(look(first), 401);
    assert_int_equal(look(second), 401);
    assert_int_equal(site_status(&site, "POST", "{\"expiry\":604800}", EXPIRE), 204);
    assert_int_equal(look(first), 401);
}

static void the_tokens_of_a_session_end_together(void **state)
{
    char ada[TOKEN_TEXT_MAX], bob[TOKEN_TEXT_MAX], nobody[TOKEN_TEXT_MAX];
    (void)state;

    take_token("{\"sessionId\":\"Ada | \\u00e9\"}", ada);
    take_token("{\"sessionId\":\"bob\"}", bob);
    take_token(NULL, nobody);
    assert_int_equal(
        site_status(&site, "POST", "{\"sessionIds\":[\"Ada | \\u00e9\",\"cy\"]}", EXPIRE), 204);
    assert_int_equal(look(ada), 401);
    assert_int_equal(look(bob), 200);
    assert_int_equal(look(nobody), 200);
    take_token("{\"sessionId\":\"Ada | \\u00e9\"}", ada);
    assert_int_equal(look(ada), 200);
    assert_int_equal(site_status(&site, "POST", "{\"sessionIds\":[]}", EXPIRE), 204);
    assert_int_equal(look(nobody), 401);
}

static void a_token_ends_itself_and_no_other(void **state)
{
    char one[TOKEN_TEXT_MAX], other[TOKEN_TEXT_MAX];
    (void)state;

    take_token("{\"sessionId\":\"ada\"}", one);
    take_token("{\"sessionId\":\"ada\",\"readOnly\":true}", other);
    assert_int_equal(ask(other, "POST", NULL, LOGOUT), 204);
    assert_int_equal(look(other), 401);
    assert_int_equal(ask(other, "POST", NULL, LOGOUT), 401);
    assert_int_equal(look(one), 200);
    assert_int_equal(ask(site.token, "POST", NULL, LOGOUT), 403);
    assert_int_equal(look(site.token), 200);
}

static void there_are_so_many_ends_one_by_one_and_then_all(void **state)
{
    char text[TOKEN_TEXT_MAX], body[64];
    (void)state;

    for (int i = 0; i < REVOCATIONS_MAX; i++) {
        snprintf(body, sizeof body, "{\"sessionIds\":[\"session %d\"]}", i);
        assert_int_equal(site_status(&site, "POST", body, EXPIRE), 204);
    }
    take_token(NULL, text);
    struct answer a = site_ask_as(&site, text, NULL, "POST", NULL, LOGOUT);
    assert_int_equal(a.status, 400);
    answer_has_text(&a, "code", "limit_reached");
    answer_fini(&a);
    assert_int_equal(look(text), 200);
    assert_int_equal(site_status(&site, "POST", NULL, EXPIRE), 204);
    take_token(NULL, text);
    assert_int_equal(ask(text, "POST", NULL, LOGOUT), 204);
}

static void a_wrong_end_is_refused(void **state)
{
    static const char *const bodies[] = {
        "{\"expiry\":-1}",          "{\"expiry\":604801}",  "{\"expiry\":\"now\"}",
        "{\"sessionIds\":\"ada\"}", "{\"sessionIds\":[1]}", "[]",
    };
    char text[TOKEN_TEXT_MAX];
    (void)state;

    take_token(NULL, text);
    for (size_t i = 0; i < COUNT(bodies); i++)
        assert_int_equal(site_status(&site, "POST", bodies[i], EXPIRE), 422);
    assert_int_equal(site_status(&site, "POST", "{}", API "/auth/app/none/expire-all"), 404);
    assert_int_equal(look(text), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_link_brings_a_token_for_its_application),
        TEST(what_is_wrong_with_a_wish_is_said_field_by_field),
        TEST(null_and_empty_lists_say_nothing),
        TEST(a_link_may_bring_its_application_along),
        TEST(a_token_may_do_what_it_was_given),
        TEST(event_types_are_shown_by_their_flags),
        TEST(a_list_is_done_when_only_hidden_ones_follow),
        TEST(expiring_all_ends_what_was_made_before_and_nothing_after),
        TEST(what_was_revoked_stays_so),
        TEST(a_connection_that_is_open_is_no_way_around_it),
        TEST(tokens_may_be_given_time_to_end),
        TEST(the_tokens_of_a_session_end_together),
        TEST(a_token_ends_itself_and_no_other),
        TEST(there_are_so_many_ends_one_by_one_and_then_all),
        TEST(a_wrong_end_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
