/* POSTs that are sent again under their idempotency key, through the real server and store. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/site.h"

#define API      "/api/v1"
#define APP      API "/app/shop"
#define ENDPOINT APP "/endpoint/main"
#define AT_ONCE  8
#define KEY      "Idempotency-Key: k"

static struct site site;
static char app[ID_TEXT_MAX], endpoint[ID_TEXT_MAX], message[ID_TEXT_MAX];

static int open_scene(void **state)
{
    (void)state;
    site_open(&site);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    site_make(&site, APP "/endpoint", "{\"url\":\"http://h\",\"uid\":\"main\"}", endpoint);
    site_make(&site, APP "/msg", "{\"eventType\":\"x\",\"eventId\":\"event\",\"payload\":{}}",
              message);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

#define SINCE "{\"since\":\"2100-01-01T00:00:00Z\"}" /* wrong: it is in the future */

/* A POST that writes: with another body, and one that is wrong. NULL: it has none. `list` shows
 * what it makes, of which there are `before`; NULL: nothing that is listed. */
static const struct row {
    const char *path, *body, *other, *wrong;
    unsigned status;
    const char *list;
    size_t before;
} ROWS[] = {
    { API "/app", "{\"name\":\"a\",\"uid\":\"new\"}", "{\"name\":\"b\"}", "{}", 201, API "/app",
      1 },
    { API "/event-type", "{\"name\":\"a\",\"schemas\":{\"1\":{}}}", "{\"name\":\"b\"}", "{}",
      201, API "/event-type", 0 },
    { API "/event-type/import/openapi",
      "{\"spec\":{\"openapi\":\"3.1.0\",\"webhooks\":{\"a\":{\"post\":{}}}}}",
      "{\"spec\":{\"openapi\":\"3.1.0\",\"webhooks\":{\"b\":{\"post\":{}}}}}", "{\"spec\":7}",
      200, API "/event-type", 0 },
    { APP "/endpoint", "{\"url\":\"http://i\"}", "{\"url\":\"http://j\"}", "{}", 201,
      APP "/endpoint", 1 },
    { API "/operational-webhook/endpoint", "{\"url\":\"http://i\"}", "{\"url\":\"http://j\"}",
      "{}", 201, API "/operational-webhook/endpoint", 0 },
    { APP "/msg", "{\"eventType\":\"x\",\"payload\":{\"n\":1}}",
      "{\"eventType\":\"y\",\"payload\":{}}", "{}", 202, APP "/msg", 1 },
    { ENDPOINT "/send-example", "{\"eventType\":\"svix.ping\"}",
      "{\"eventType\":\"svix.ping\"}", "{\"eventType\":\"none\"}", 200, APP "/msg", 1 },
    { ENDPOINT "/secret/rotate", NULL, "{\"gracePeriodSeconds\":5}",
      "{\"gracePeriodSeconds\":-1}", 204, NULL, 0 },
    { ENDPOINT "/recover", "{\"since\":\"AGO\"}", "{\"since\":\"AGO\",\"dryRun\":true}", SINCE,
      202, API "/background-task", 0 },
    { ENDPOINT "/replay-missing", "{\"since\":\"AGO\"}", "{\"since\":\"AGO\",\"dryRun\":true}",
      SINCE, 202, API "/background-task", 0 },
    { ENDPOINT "/bulk-replay", "{\"since\":\"AGO\"}", "{\"since\":\"AGO\",\"dryRun\":true}",
      SINCE, 202, API "/background-task", 0 },
    { APP "/msg/expunge-all-contents", NULL, "{}", NULL, 202, API "/background-task", 0 },
    { APP "/msg/bulk-expunge", "{\"ids\":[\"event\"]}", "{\"ids\":[\"other\"]}", "{}", 200,
      NULL, 0 },
    { APP "/msg/event/endpoint/main/resend", NULL, "{}", NULL, 202, NULL, 0 },
};

/* With a minute ago for AGO. */
static const char *dated(const char *body)
{
    static char text[256];
    const char *at = body ? strstr(body, "AGO") : NULL;
    char ago[CLOCK_TEXT_MAX];

    if (!at)
        return body;
    clock_format(clock_now().wall_ms - 60000, ago);
    snprintf(text, sizeof text, "%.*s%s%s", (int)(at - body), body, ago, at + strlen("AGO"));
    return text;
}

static struct answer post(const struct row *row, const char *header, const char *body)
{
    return site_ask_as(&site, site.token, header, "POST", dated(body), row->path);
}

static void assert_same(const struct row *row, struct answer *again, const struct answer *first)
{
    if (again->status != first->status || strcmp(again->body, first->body) != 0)
        fail_msg("%s: %u %s instead of %u %s", row->path, again->status, again->body,
                 first->status, first->body);
    answer_fini(again);
}

static void assert_made(const struct row *row, size_t count)
{
    if (!row->list)
        return;
    struct answer a = site_ask(&site, "GET", NULL, "%s", row->list);
    answer_has_count(&a, "data", row->before + count);
    answer_fini(&a);
}

static void secret_of(char out[ID_TEXT_MAX * 4])
{
    struct answer a = site_ask(&site, "GET", NULL, ENDPOINT "/secret");

    snprintf(out, ID_TEXT_MAX * 4, "%s", answer_text(&a, "key"));
    answer_fini(&a);
}

/* Each in a scene of its own. */
static void each_row(void (*check)(const struct row *row))
{
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        open_scene(NULL);
        check(&ROWS[i]);
        close_scene(NULL);
    }
}

static void check_repeated(const struct row *row)
{
    struct answer first = post(row, KEY, row->body);

    if (first.status != row->status)
        fail_msg("%s: %u %s", row->path, first.status, first.body);
    struct answer again = post(row, KEY, row->body);
    assert_same(row, &again, &first);
    again = post(row, KEY, row->other);
    assert_same(row, &again, &first);
    again = post(row, KEY, row->wrong);
    assert_same(row, &again, &first);
    assert_made(row, 1);
    answer_fini(&first);
}

static void the_first_answer_is_repeated_whatever_the_body(void **state)
{
    (void)state;
    each_row(check_repeated);
}

static void check_at_once(const struct row *row)
{
    struct client clients[AT_ONCE];
    struct answer first = { 0 };

    for (size_t i = 0; i < AT_ONCE; i++)
        site_start(&site, &clients[i], site.token, KEY, "POST", dated(row->body), row->path);
    for (size_t i = 0; i < AT_ONCE; i++) {
        struct answer a = answer_take(client_answer(&clients[i]));
        client_close(&clients[i]);
        assert_int_equal(a.status, row->status);
        if (i == 0)
            first = a;
        else
            assert_same(row, &a, &first);
    }
    answer_fini(&first);
    assert_made(row, 1);
}

static void requests_at_once_with_one_key_get_one_answer(void **state)
{
    (void)state;
    each_row(check_at_once);
}

static void check_other(const struct row *row)
{
    static const char *const KEYS[] = { KEY, "Idempotency-Key: l", "Idempotency-Key:", NULL };

    if (strstr(row->body ? row->body : "", "uid") || strstr(row->path, "event-type"))
        return; /* made once in any case */
    for (size_t i = 0; i < COUNT(KEYS); i++) {
        struct answer a = post(row, KEYS[i], row->body);
        assert_int_equal(a.status, row->status);
        answer_fini(&a);
    }
    assert_made(row, COUNT(KEYS));
}

static void another_key_or_none_is_another_request(void **state)
{
    (void)state;
    each_row(check_other);
}

static void check_refused(const struct row *row)
{
    if (!row->wrong)
        return;
    struct answer a = post(row, KEY, row->wrong);
    assert_int_equal(a.status / 100, 4);
    answer_fini(&a);
    a = post(row, KEY, row->body);
    assert_int_equal(a.status, row->status);
    answer_fini(&a);
    assert_made(row, 1);
}

static void what_was_refused_is_not_repeated(void **state)
{
    (void)state;
    each_row(check_refused);
}

static void a_key_is_of_one_token_path_and_query(void **state)
{
    static const char body[] = "{\"name\":\"a\"}";
    char other[TOKEN_TEXT_MAX];
    (void)state;

    site_token(&site, 1, other);
    struct answer answers[] = {
        site_ask_as(&site, site.token, KEY, "POST", body, API "/app"),
        site_ask_as(&site, other, KEY, "POST", body, API "/app"),
        site_ask_as(&site, site.token, KEY, "POST", body, API "/app?get_if_exists=false"),
        site_ask_as(&site, site.token, KEY, "POST", body, API "/event-type"),
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        assert_int_equal(answers[i].status, 201);
        if (i > 0)
            assert_string_not_equal(answers[i].body, answers[0].body);
    }
    for (size_t i = 0; i < COUNT(answers); i++)
        answer_fini(&answers[i]);
}

static void a_secret_is_rotated_once(void **state)
{
    char first[ID_TEXT_MAX * 4], second[ID_TEXT_MAX * 4];
    const struct row row = { .path = ENDPOINT "/secret/rotate" };
    (void)state;

    struct answer a = post(&row, KEY, NULL);
    answer_fini(&a);
    secret_of(first);
    a = post(&row, KEY, NULL);
    assert_int_equal(a.status, 204);
    answer_fini(&a);
    secret_of(second);
    assert_string_equal(second, first);
    a = post(&row, NULL, NULL);
    answer_fini(&a);
    secret_of(second);
    assert_string_not_equal(second, first);
}

/* So many old secrets that another rotation would be refused. */
static void the_answer_stands_though_the_limit_is_reached_since(void **state)
{
    const struct row row = { .path = ENDPOINT "/secret/rotate" };
    char key[64];
    (void)state;

    for (int i = 0; i < 10; i++) {
        snprintf(key, sizeof key, "Idempotency-Key: %d", i);
        struct answer a = post(&row, key, NULL);
        assert_int_equal(a.status, 204);
        answer_fini(&a);
    }
    struct answer refused = post(&row, NULL, NULL), again = post(&row, key, NULL);
    assert_int_equal(refused.status, 400);
    assert_int_equal(again.status, 204);
    answer_fini(&refused);
    answer_fini(&again);
}

static void the_answer_stands_though_what_it_was_about_is_gone(void **state)
{
    const struct row *row = NULL;
    (void)state;

    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (strstr(ROWS[i].path, "bulk-replay"))
            row = &ROWS[i];
    struct answer first = post(row, KEY, row->body);
    assert_int_equal(site_status(&site, "DELETE", NULL, ENDPOINT), 204);
    struct answer again = post(row, KEY, row->body), other = post(row, NULL, row->body);
    assert_same(row, &again, &first);
    assert_int_equal(other.status, 404);
    answer_fini(&other);
    answer_fini(&first);
}

/* Nothing was written by it, and yet its answer is kept. */
static void what_was_found_instead_of_made_is_repeated_as_it_was(void **state)
{
    const struct row row = { .path = API "/app?get_if_exists=true" };
    static const char body[] = "{\"name\":\"n\",\"uid\":\"shop\"}";
    (void)state;

    struct answer first = post(&row, KEY, body);
    assert_int_equal(first.status, 200);
    assert_int_equal(site_status(&site, "PATCH", "{\"name\":\"other\"}", APP), 200);
    struct answer again = post(&row, KEY, body), other = post(&row, NULL, body);
    assert_same(&row, &again, &first);
    answer_has_text(&other, "name", "other");
    answer_fini(&other);
    answer_fini(&first);
}

/* And the other way round: what was made isn't found by its repetition. */
static void what_was_made_is_not_found_by_its_repetition(void **state)
{
    const struct row row = { .path = API "/app?get_if_exists=true" };
    static const char body[] = "{\"name\":\"n\",\"uid\":\"late\"}";
    (void)state;

    struct answer first = post(&row, KEY, body), again = post(&row, KEY, body);
    assert_int_equal(first.status, 201);
    assert_same(&row, &again, &first);
    answer_fini(&first);
}

static void who_only_asks_is_told_how_it_is_now(void **state)
{
    const struct row row = { .path = APP "/msg/precheck/active" };
    static const char body[] = "{\"eventType\":\"x\"}";
    (void)state;

    struct answer a = post(&row, KEY, body);
    answer_has_type(&a, "active", SCAN_TRUE);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "DELETE", NULL, ENDPOINT), 204);
    a = post(&row, KEY, body);
    answer_has_type(&a, "active", SCAN_FALSE);
    answer_fini(&a);
}

static void other_methods_know_no_key(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct answer a = site_ask_as(&site, site.token, KEY, "PATCH",
                                      i == 0 ? "{\"name\":\"a\"}" : "{\"name\":\"b\"}", APP);
        answer_has_text(&a, "name", i == 0 ? "a" : "b");
        answer_fini(&a);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_answer_is_repeated_whatever_the_body),
        cmocka_unit_test(requests_at_once_with_one_key_get_one_answer),
        cmocka_unit_test(another_key_or_none_is_another_request),
        cmocka_unit_test(what_was_refused_is_not_repeated),
        TEST(a_key_is_of_one_token_path_and_query),
        TEST(a_secret_is_rotated_once),
        TEST(the_answer_stands_though_the_limit_is_reached_since),
        TEST(the_answer_stands_though_what_it_was_about_is_gone),
        TEST(what_was_found_instead_of_made_is_repeated_as_it_was),
        TEST(what_was_made_is_not_found_by_its_repetition),
        TEST(who_only_asks_is_told_how_it_is_now),
        TEST(other_methods_know_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
