/* Recovering, replaying, and the background tasks that do it, through the real server and store. */
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

#define API    "/api/v1"
#define APP    API "/app/shop"
#define DAY_MS (UINT64_C(24) * 60 * 60 * 1000)

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

/* A body with `since` so long ago, and what else there is. */
static const char *since(uint64_t ago_ms, const char *more)
{
    static char body[512];
    char text[CLOCK_TEXT_MAX];

    clock_format(clock_now().wall_ms - ago_ms, text);
    snprintf(body, sizeof body, "{\"since\":\"%s\"%s}", text, more);
    return body;
}

/* The task at its end; answer_fini() it. */
static struct answer wait_for_end(const char *id)
{
    struct answer a = { 0 };
    bool running = true;

    while (running) {
        a = site_ask(&site, "GET", NULL, API "/background-task/%s", id);
        assert_int_equal(a.status, 200);
        running = strcmp(answer_text(&a, "status"), "running") == 0;
        if (running)
            answer_fini(&a);
    }
    return a;
}

static int64_t number_at(const struct answer *a, const char *path)
{
    int64_t number = -1;

    assert_true(json_int64(answer_at(a, path), &number));
    return number;
}

static void what_failed_is_recovered_in_the_background(void **state)
{
    char message[ID_TEXT_MAX], attempt[ID_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    site_make(&site, APP "/msg", "{\"eventType\":\"x\",\"payload\":{}}", message);
    site_record(&site, app, message, endpoint, 500, attempt);
    {
        ASK(202, "POST", since(DAY_MS, ""), APP "/endpoint/main/recover");
        assert_int_equal(strncmp(answer_text(&a, "id"), "qtask_", 6), 0);
        answer_has_text(&a, "task", "endpoint.recover");
        answer_has_text(&a, "status", "running");
        answer_has_type(&a, "updatedAt", SCAN_STRING);
        snprintf(id, sizeof id, "%s", answer_text(&a, "id"));
        answer_fini(&a);
    }
    struct answer a = wait_for_end(id);
    answer_has_text(&a, "status", "finished");
    answer_has_text(&a, "data/appId", app);
    answer_has_text(&a, "data/endpointId", endpoint);
    assert_int_equal(number_at(&a, "data/lookedAt"), 1);
    assert_int_equal(number_at(&a, "data/deliveries"), 1);
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL, API "/status");
    assert_int_equal(number_at(&a, "pending"), 1);
    answer_fini(&a);
}

static void a_body_that_is_wrong_is_refused_by_its_field(void **state)
{
    char future[CLOCK_TEXT_MAX], late[256];
    static const struct {
        const char *route, *more, *field;
        uint64_t ago_ms;
    } rows[] = {
        { "recover", "", "since", 15 * DAY_MS },
        { "recover", ",\"until\":7", "until", DAY_MS },
        { "recover", ",\"until\":\"yesterday\"", "until", DAY_MS },
        { "recover", ",\"until\":\"2020-01-01T00:00:00Z\"", "until", DAY_MS },
        { "replay-missing", ",\"dryRun\":1", "dryRun", DAY_MS },
        { "bulk-replay", ",\"eventTypes\":[]", "eventTypes", DAY_MS },
        { "bulk-replay", ",\"channel\":\"a b\"", "channel", DAY_MS },
        { "bulk-replay", ",\"status\":4", "status", DAY_MS },
        { "bulk-replay", ",\"status\":\"0\"", "status", DAY_MS },
        { "bulk-replay", ",\"statusCodeClass\":404", "statusCodeClass", DAY_MS },
        { "bulk-replay", ",\"tag\":\"a b\"", "tag", DAY_MS },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK(422, "POST", since(rows[i].ago_ms, rows[i].more), APP "/endpoint/main/%s",
            rows[i].route);
        answer_has_text(&a, "detail/0/loc/1", rows[i].field);
        answer_fini(&a);
    }
    clock_format(clock_now().wall_ms + DAY_MS, future);
    snprintf(late, sizeof late, "{\"since\":\"%s\"}", future);
    assert_int_equal(site_status(&site, "POST", late, APP "/endpoint/main/recover"), 422);
    assert_int_equal(site_status(&site, "POST", "{}", APP "/endpoint/main/recover"), 422);
    assert_int_equal(site_status(&site, "POST", NULL, APP "/endpoint/main/recover"), 422);
    assert_int_equal(
        site_status(&site, "POST", since(DAY_MS, ""), APP "/endpoint/none/recover"), 404);
    assert_int_equal(
        site_status(&site, "POST", since(DAY_MS, ""), API "/app/none/endpoint/main/recover"),
        404);
    assert_int_equal(site_status(&site, "POST", since(15 * DAY_MS, ",\"until\":null"),
                                 APP "/endpoint/main/bulk-replay"),
                     202);
}

static void what_is_to_be_counted_is_checked(void **state)
{
    static const struct {
        uint64_t ago_ms;
        const char *more;
        unsigned status;
    } ROWS[] = {
        { DAY_MS, "", 202 },
        { DAY_MS, ",\"appIds\":[\"shop\",\"none\"]", 202 },
        { DAY_MS, ",\"appIds\":null,\"until\":\"2999-01-01T00:00:00Z\"", 202 },
        { DAY_MS, ",\"appIds\":[\"none\"]", 422 },
        { DAY_MS, ",\"appIds\":[]", 422 },
        { DAY_MS, ",\"appIds\":\"shop\"", 422 },
        { DAY_MS, ",\"until\":\"2020-01-01T00:00:00Z\"", 422 },
        { DAY_MS, ",\"until\":7", 422 },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        ASK(ROWS[i].status, "POST", since(ROWS[i].ago_ms, ROWS[i].more),
            API "/stats/usage/app");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "POST", "{}", API "/stats/usage/app"), 422);
    assert_int_equal(site_status(&site, "POST", "{\"since\":\"2999-01-01T00:00:00Z\"}",
                                 API "/stats/usage/app"),
                     422);
}

static void tasks_are_listed_filtered_and_paged(void **state)
{
    static const char *const ROUTES[] = { "recover", "replay-missing", "bulk-replay" };
    static const char *const TASKS[] = { "endpoint.recover", "endpoint.replay",
                                         "endpoint.bulk-replay" };
    char ids[3][ID_TEXT_MAX];
    (void)state;

    for (size_t i = 0; i < 3; i++) {
        ASK(202, "POST", since(DAY_MS, ""), APP "/endpoint/main/%s", ROUTES[i]);
        answer_has_text(&a, "task", TASKS[i]);
        snprintf(ids[i], sizeof ids[i], "%s", answer_text(&a, "id"));
        answer_fini(&a);
        a = wait_for_end(ids[i]);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/background-task?limit=2&status=finished");
        answer_has_count(&a, "data", 2);
        answer_has_text(&a, "data/0/id", ids[2]);
        answer_has_text(&a, "iterator", ids[1]);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/background-task?order=ascending&iterator=%s", ids[1]);
        answer_has_count(&a, "data", 1);
        answer_has_text(&a, "data/0/id", ids[2]);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/background-task?task=endpoint.recover");
        answer_has_count(&a, "data", 1);
        answer_has_text(&a, "data/0/id", ids[0]);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/background-task?status=running");
        answer_has_count(&a, "data", 0);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task?status=done"), 422);
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task?task=x"), 422);
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task?iterator=x"), 422);
}

static void tasks_are_the_organizations_alone(void **state)
{
    char application[TOKEN_TEXT_MAX], stranger[TOKEN_TEXT_MAX], path[128];
    struct answer a;
    (void)state;

    site_application_token(&site, app, application);
    site_token(&site, 9, stranger);
    a = site_ask_as(&site, application, NULL, "POST", since(DAY_MS, ""),
                    APP "/endpoint/main/recover");
    assert_int_equal(a.status, 202);
    snprintf(path, sizeof path, API "/background-task/%s", answer_text(&a, "id"));
    answer_fini(&a);
    a = site_ask_as(&site, application, NULL, "GET", NULL, path);
    assert_int_equal(a.status, 403);
    answer_fini(&a);
    a = site_ask_as(&site, stranger, NULL, "GET", NULL, path);
    assert_int_equal(a.status, 404);
    answer_fini(&a);
    a = site_ask_as(&site, stranger, NULL, "GET", NULL, API "/background-task");
    answer_has_count(&a, "data", 0);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "GET", NULL, API "/background-task/none"), 404);
    assert_int_equal(site_status(&site, "GET", NULL,
                                 API "/background-task/qtask_000000000000000000000000001"),
                     404);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_failed_is_recovered_in_the_background),
        TEST(a_body_that_is_wrong_is_refused_by_its_field),
        TEST(what_is_to_be_counted_is_checked),
        TEST(tasks_are_listed_filtered_and_paged),
        TEST(tasks_are_the_organizations_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
