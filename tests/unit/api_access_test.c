/* Who gets in where, and the answers that belong to no resource, through the real server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/routes.h"
#include "core/count.h"
#include "tests/lib/site.h"

#define API "/api/v1"

static struct site site;
static char app[ID_TEXT_MAX], other_app[ID_TEXT_MAX], endpoint[ID_TEXT_MAX],
    message[ID_TEXT_MAX], attempt[ID_TEXT_MAX];

static int open_scene(void **state)
{
    (void)state;
    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"other\"}", other_app);
    site_make(&site, API "/app/shop/endpoint", "{\"url\":\"http://h\",\"uid\":\"main\"}",
              endpoint);
    site_make(&site, API "/app/shop/msg",
              "{\"eventType\":\"x\",\"eventId\":\"e\",\"payload\":{}}", message);
    site_record(&site, app, message, endpoint, 200, attempt);
    assert_int_equal(
        site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/order.paid"), 201);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* A route's path with names of things that exist, by id or by uid. */
static void fill_path(const struct route *route, bool by_uid, char *out, size_t room)
{
    const struct {
        const char *part, *id, *uid;
    } parts[] = {
        { "{app}", app, "shop" },
        { "{endpoint}", endpoint, "main" },
        { "{msg}", message, "e" },
        { "{attempt}", attempt, attempt },
        { "{name}", "order.paid", "order.paid" },
        { "{region}", "fra", "fra" },
    };
    size_t len = 0;

    for (const char *at = route->path; *at;) {
        const char *text = at;
        size_t text_len = 1;
        for (size_t i = 0; i < COUNT(parts); i++) {
            if (strncmp(at, parts[i].part, strlen(parts[i].part)) != 0)
                continue;
            text = by_uid ? parts[i].uid : parts[i].id;
            text_len = strlen(text);
            at += strlen(parts[i].part) - 1;
        }
        len += (size_t)snprintf(out + len, room - len, "%.*s", (int)text_len, text);
        at++;
    }
}

static bool has_body(const struct route *route)
{
    return route->method[0] == 'P';
}

static unsigned try_route(const struct route *route, const char *token, bool by_uid)
{
    char path[512];

    fill_path(route, by_uid, path, sizeof path);
    struct answer a =
        site_ask_as(&site, token, NULL, route->method, has_body(route) ? "{}" : NULL, path);
    unsigned status = a.status;
    if (status >= 400 && (!a.json || (!answer_at(&a, "detail"))))
        fail_msg("%s %s: %u without a JSON error: %s", route->method, path, status, a.body);
    answer_fini(&a);
    return status;
}

static void assert_status(const struct route *route, unsigned got, unsigned want)
{
    if (got != want)
        fail_msg("%s %s: want %u, got %u", route->method, route->path, want, got);
}

static void no_route_works_without_a_valid_token(void **state)
{
    char damaged[TOKEN_TEXT_MAX];
    (void)state;

    snprintf(damaged, sizeof damaged, "%s", site.token);
    damaged[strlen(damaged) - 3] ^= 1;
    for (size_t i = 0; i < route_count; i++) {
        if (routes[i].access == ACCESS_ANYONE)
            continue;
        assert_status(&routes[i], try_route(&routes[i], NULL, false), 401);
        assert_status(&routes[i], try_route(&routes[i], "nonsense", false), 401);
        assert_status(&routes[i], try_route(&routes[i], damaged, false), 401);
        assert_status(&routes[i], try_route(&routes[i], "", false), 401);
    }
}

static void another_organization_finds_nothing(void **state)
{
    char token[TOKEN_TEXT_MAX];
    (void)state;

    site_token(&site, 1, token);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        bool creates = strcmp(route->method, "PUT") == 0 &&
                       (strstr(route->path, "{name}") ||
                        strstr(route->path, "}") == strrchr(route->path, '}'));
        if (!strchr(route->path, '{') || (creates && !strstr(route->path, "{app}/")))
            continue;
        assert_status(route, try_route(route, token, false), 404);
        assert_status(route, try_route(route, token, true), 404);
    }

    static const char *const lists[] = { API "/app", API "/event-type?include_archived=true" };
    for (size_t i = 0; i < 2; i++) {
        struct answer a = site_ask_as(&site, token, NULL, "GET", NULL, lists[i]);
        assert_int_equal(a.status, 200);
        assert_int_equal(json_count(answer_at(&a, "data")), 0);
        answer_fini(&a);
    }
}

/* A uid is the organization's own; and putting to a foreign id changes nothing there. */
static void another_organization_may_use_the_same_names(void **state)
{
    char token[TOKEN_TEXT_MAX], path[128];
    (void)state;

    site_token(&site, 1, token);
    struct answer a = site_ask_as(&site, token, NULL, "POST",
                                  "{\"name\":\"theirs\",\"uid\":\"shop\"}", API "/app");
    assert_int_equal(a.status, 201);
    answer_fini(&a);
    snprintf(path, sizeof path, API "/app/%s", app);
    a = site_ask_as(&site, token, NULL, "PUT", "{\"name\":\"theirs\"}", path);
    assert_int_equal(a.status, 201);
    assert_string_not_equal(answer_text(&a, "id"), app);
    answer_fini(&a);
    a = site_ask_as(&site, token, NULL, "PUT", "{\"description\":\"theirs\"}",
                    API "/event-type/order.paid");
    assert_int_equal(a.status, 201);
    answer_fini(&a);

    a = site_ask(&site, "GET", NULL, API "/app/shop");
    assert_string_equal(answer_text(&a, "name"), "n");
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL, API "/event-type/order.paid");
    assert_string_equal(answer_text(&a, "description"), "");
    answer_fini(&a);
}

static void an_application_token_reaches_its_own_application_only(void **state)
{
    char own[TOKEN_TEXT_MAX], foreign[TOKEN_TEXT_MAX];
    (void)state;

    site_application_token(&site, app, own);
    site_application_token(&site, other_app, foreign);
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        bool in_application = strstr(route->path, "{app}") != NULL;
        if (route->access == ACCESS_ANYONE)
            continue;
        if (route->access == ACCESS_ORGANIZATION) {
            assert_status(route, try_route(route, own, false), 403);
            assert_status(route, try_route(route, foreign, false), 403);
            continue;
        }
        if (in_application) {
            assert_status(route, try_route(route, foreign, false), 404);
            assert_status(route, try_route(route, foreign, true), 404);
        }
        bool deletes = strcmp(route->method, "DELETE") == 0;
        unsigned status = deletes ? 200 : try_route(route, own, false);
        if (status == 401 || status == 403 || status == 404 || status >= 500)
            fail_msg("%s %s: %u with its own token", route->method, route->path, status);
    }
}

static void an_application_token_ends_with_its_application(void **state)
{
    char own[TOKEN_TEXT_MAX];
    (void)state;

    site_application_token(&site, app, own);
    struct answer a = site_ask_as(&site, own, NULL, "GET", NULL, API "/event-type");
    assert_int_equal(a.status, 200);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/app/shop"), 204);
    a = site_ask_as(&site, own, NULL, "GET", NULL, API "/event-type");
    assert_int_equal(a.status, 401);
    answer_fini(&a);
}

static void errors_are_worded_as_the_contract_says(void **state)
{
    char own[TOKEN_TEXT_MAX];
    (void)state;

    site_application_token(&site, app, own);
    const struct {
        const char *token, *method, *path;
        unsigned status;
        const char *code, *detail;
    } rows[] = {
        { NULL, "GET", API "/app", 401, "authentication_failed", "Invalid token" },
        { own, "GET", API "/app", 403, "insufficient access",
          "Insufficient access for the given operation." },
        { site.token, "GET", API "/app/none", 404, "not_found", "Entity not found" },
        { site.token, "POST", API "/app/none/msg", 404, "not_found", "Application not found" },
        { site.token, "GET", API "/no/such/route", 404, "not_found", "Entity not found" },
        { NULL, "GET", "/", 404, "not_found", "Entity not found" },
        { NULL, "GET", API "/app/shop/endpoint/main/transformation", 404, "not_found", NULL },
        { site.token, "GET", API "/app?limit=%zz", 400, "generic_error", NULL },
        { NULL, "DELETE", API "/app", 405, "method_not_allowed", "Method not allowed" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a =
            site_ask_as(&site, rows[i].token, NULL, rows[i].method, NULL, rows[i].path);
        assert_int_equal(a.status, rows[i].status);
        assert_string_equal(answer_text(&a, "code"), rows[i].code);
        if (rows[i].detail)
            assert_string_equal(answer_text(&a, "detail"), rows[i].detail);
        assert_true(strncmp(answer_header(&a, "Content-Type"), "application/json", 16) == 0);
        answer_fini(&a);
    }
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;

    struct answer a = site_ask(&site, "DELETE", NULL, API "/app");
    assert_int_equal(a.status, 405);
    assert_true(strncmp(answer_header(&a, "Allow"), "GET, HEAD, POST\r", 16) == 0);
    answer_fini(&a);
}

static void health_needs_no_token_and_has_no_body(void **state)
{
    static const struct {
        const char *method, *path;
    } rows[] = {
        { "GET", API "/health" },
        { "HEAD", API "/health" },
        { "GET", API "/health/ping" },
        { "HEAD", API "/health/ping/" },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = site_ask_as(&site, NULL, NULL, rows[i].method, NULL, rows[i].path);
        assert_int_equal(a.status, 204);
        assert_int_equal(a.body_len, 0);
        answer_fini(&a);
    }
}

static void pages_of_any_origin_may_ask(void **state)
{
    (void)state;

    struct answer a =
        site_ask_as(&site, NULL, "Origin: https://page.example", "OPTIONS", NULL, API "/app");
    assert_int_equal(a.status, 204);
    assert_true(answer_header(&a, "Access-Control-Allow-Origin")[0] == '*');
    assert_non_null(answer_header(&a, "Access-Control-Allow-Methods"));
    assert_non_null(strstr(answer_header(&a, "Access-Control-Allow-Headers"), "Authorization"));
    answer_fini(&a);

    a = site_ask_as(&site, site.token, "Origin: https://page.example", "GET", NULL, API "/app");
    assert_int_equal(a.status, 200);
    assert_true(answer_header(&a, "Access-Control-Allow-Origin")[0] == '*');
    answer_fini(&a);

    a = site_ask(&site, "GET", NULL, API "/app");
    assert_null(answer_header(&a, "Access-Control-Allow-Origin"));
    answer_fini(&a);
}

/* Announces a body and sends none of it. */
static void start_upload(struct client *client, const char *token)
{
    char request[TOKEN_TEXT_MAX + 256];

    snprintf(request, sizeof request,
             "POST " API "/app/shop/msg HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: 100000\r\nExpect: 100-continue\r\n\r\n",
             token);
    client_open(client, &site.loop.uv, api_port(site.api));
    client_say(client, request);
}

static void a_stranger_is_turned_away_before_the_body_is_read(void **state)
{
    struct client client;
    (void)state;

    start_upload(&client, "nonsense");
    struct answer a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 401);
    answer_fini(&a);
    client_close(&client);
}

static void a_client_that_leaves_in_the_middle_leaves_nothing_behind(void **state)
{
    struct client uploading, waiting;
    (void)state;

    start_upload(&uploading, site.token);
    const char *go_on = client_head_answer(&uploading);
    assert_true(strncmp(go_on, "HTTP/1.1 100", 12) == 0);
    client_close(&uploading);

    site_start(&site, &waiting, site.token, NULL, "GET", NULL, API "/app");
    client_close(&waiting);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app"), 200);
}

static void a_request_under_way_is_answered_before_the_end(void **state)
{
    struct client client;
    (void)state;

    site_start(&site, &client, site.token, NULL, "GET", NULL, API "/app/shop");
    client_answer(&client);
    char request[TOKEN_TEXT_MAX + 256];
    snprintf(request, sizeof request,
             "POST " API "/app HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n"
             "Content-Length: 12\r\n\r\n{\"name\":\"n\"}",
             site.token);
    client_say(&client, request);
    site_stop(&site);

    struct answer a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 201);
    assert_true(client_is_closed(&client));
    answer_fini(&a);
    client_close(&client);
}

static void a_store_that_is_too_busy_is_503_with_a_time_to_come_back(void **state)
{
    static const char *const paths[] = { "/app", "/event-type", "/health", "/status" };
    struct site busy;
    (void)state;

    site_open_busy(&busy);
    for (size_t i = 0; i < COUNT(paths); i++) {
        struct answer a = site_ask(&busy, "GET", NULL, API "%s", paths[i]);
        assert_int_equal(a.status, 503);
        assert_string_equal(answer_text(&a, "code"), "server_busy");
        assert_true(answer_header(&a, "Retry-After")[0] == '1');
        answer_fini(&a);
    }
    site_close(&busy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(no_route_works_without_a_valid_token),
        TEST(another_organization_finds_nothing),
        TEST(another_organization_may_use_the_same_names),
        TEST(an_application_token_reaches_its_own_application_only),
        TEST(an_application_token_ends_with_its_application),
        TEST(errors_are_worded_as_the_contract_says),
        TEST(a_wrong_method_is_told_the_right_ones),
        TEST(health_needs_no_token_and_has_no_body),
        TEST(pages_of_any_origin_may_ask),
        TEST(a_stranger_is_turned_away_before_the_body_is_read),
        TEST(a_client_that_leaves_in_the_middle_leaves_nothing_behind),
        TEST(a_request_under_way_is_answered_before_the_end),
        cmocka_unit_test(a_store_that_is_too_busy_is_503_with_a_time_to_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
