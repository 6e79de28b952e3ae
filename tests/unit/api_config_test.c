/* Applications, event types and endpoints, through the real server and store. */
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

#define API     "/api/v1"
#define UNKNOWN "app_000000000000000000000000001"

static struct site site;

static int open_site(void **state)
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

static void an_application_goes_through_its_life(void **state)
{
    char id[ID_TEXT_MAX];
    (void)state;

    {
        ASK(201, "POST", "{\"name\":\"Acme\",\"uid\":\"acme\",\"rateLimit\":7,\"unknown\":1}",
            API "/app");
        answer_has_text(&a, "name", "Acme");
        answer_has_text(&a, "uid", "acme");
        answer_has_number(&a, "throttleRate", 7);
        answer_has_number(&a, "rateLimit", 7);
        answer_has_type(&a, "metadata", SCAN_OBJECT);
        answer_has_type(&a, "createdAt", SCAN_STRING);
        answer_has_type(&a, "updatedAt", SCAN_STRING);
        assert_true(strncmp(answer_text(&a, "id"), "app_", 4) == 0);
        snprintf(id, sizeof id, "%s", answer_text(&a, "id"));
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app/%s", id);
        answer_has_text(&a, "uid", "acme");
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app/acme/");
        answer_has_text(&a, "id", id);
        answer_fini(&a);
    }
    {
        ASK(200, "PATCH", "{\"metadata\":{\"plan\":\"a\"}}", API "/app/acme");
        answer_has_text(&a, "name", "Acme");
        answer_has_text(&a, "metadata/plan", "a");
        answer_has_number(&a, "throttleRate", 7);
        answer_fini(&a);
    }
    {
        ASK(200, "PATCH", "{\"throttleRate\":null,\"metadata\":null}", API "/app/acme");
        answer_has_type(&a, "throttleRate", SCAN_NULL);
        assert_int_equal(json_count(answer_at(&a, "metadata")), 0);
        answer_has_text(&a, "uid", "acme");
        answer_fini(&a);
    }
    {
        ASK(200, "PUT", "{\"name\":\"Other\"}", API "/app/%s", id);
        answer_has_text(&a, "name", "Other");
        answer_has_type(&a, "uid", SCAN_NONE);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/acme"), 404);
    {
        ASK(204, "DELETE", NULL, API "/app/%s", id);
        assert_int_equal(a.body_len, 0);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/%s", id), 404);
    assert_int_equal(site_status(&site, "PATCH", "{}", API "/app/%s", id), 404);
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/app/%s", id), 404);
}

static void put_makes_an_unknown_application_without_taking_the_path_as_its_uid(void **state)
{
    (void)state;

    ASK(201, "PUT", "{\"name\":\"New\"}", API "/app/new-one");
    answer_has_type(&a, "uid", SCAN_NONE);
    answer_fini(&a);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/new-one"), 404);
    assert_int_equal(site_status(&site, "PUT", "{\"name\":\"New\"}", API "/app/" UNKNOWN), 201);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/" UNKNOWN), 404);
}

static void a_uid_belongs_to_one_application_until_it_is_deleted(void **state)
{
    char id[ID_TEXT_MAX], other[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app", "{\"name\":\"A\",\"uid\":\"one\"}", id);
    site_make(&site, API "/app", "{\"name\":\"B\"}", other);
    {
        ASK(409, "POST", "{\"name\":\"C\",\"uid\":\"one\"}", API "/app");
        answer_has_text(&a, "code", "conflict");
        answer_has_text(&a, "detail", "An application with that id or uid already exists");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "PATCH", "{\"uid\":\"one\"}", API "/app/%s", other),
                     409);
    assert_int_equal(
        site_status(&site, "PUT", "{\"name\":\"B\",\"uid\":\"one\"}", API "/app/%s", other),
        409);
    assert_int_equal(site_status(&site, "PATCH", "{\"uid\":\"one\"}", API "/app/one"), 200);
    {
        ASK(200, "POST", "{\"name\":\"C\",\"uid\":\"one\"}", API "/app?get_if_exists=true");
        answer_has_text(&a, "id", id);
        answer_has_text(&a, "name", "A");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/app/one"), 204);
    assert_int_equal(site_status(&site, "POST", "{\"name\":\"D\",\"uid\":\"one\"}", API "/app"),
                     201);
}

/* Of two at once the second learns at the commit that it was, and is tried again. */
static void of_two_at_once_the_second_sees_what_the_first_made(void **state)
{
    static const struct {
        const char *method, *path, *body;
        unsigned second;
    } rows[] = {
        { "POST", API "/app", "{\"name\":\"n\",\"uid\":\"a\"}", 409 },
        { "POST", API "/app?get_if_exists=true", "{\"name\":\"n\",\"uid\":\"b\"}", 200 },
        { "POST", API "/event-type", "{\"name\":\"a\",\"description\":\"d\"}", 409 },
        { "PUT", API "/event-type/b", "{\"description\":\"d\"}", 200 },
    };
    (void)state;

    for (size_t row = 0; row < COUNT(rows); row++) {
        struct client clients[2];
        unsigned statuses = 0;
        for (size_t i = 0; i < 2; i++)
            site_start(&site, &clients[i], site.token, NULL, rows[row].method, rows[row].body,
                       rows[row].path);
        for (size_t i = 0; i < 2; i++) {
            struct answer a = answer_take(client_answer(&clients[i]));
            client_close(&clients[i]);
            statuses += a.status;
            answer_fini(&a);
        }
        assert_int_equal(statuses, 201 + rows[row].second);
    }
}

static void edits_at_once_are_all_kept(void **state)
{
    static const char *const bodies[] = {
        "{\"metadata\":{\"k\":\"v\"}}",
        "{\"throttleRate\":9}",
        "{\"name\":\"edited\"}",
    };
    struct client clients[3];
    char id[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"many\"}", id);
    for (size_t i = 0; i < 3; i++)
        site_start(&site, &clients[i], site.token, NULL, "PATCH", bodies[i], API "/app/many");
    for (size_t i = 0; i < 3; i++) {
        struct answer a = answer_take(client_answer(&clients[i]));
        client_close(&clients[i]);
        assert_int_equal(a.status, 200);
        answer_fini(&a);
    }
    ASK(200, "GET", NULL, API "/app/many");
    answer_has_text(&a, "name", "edited");
    answer_has_number(&a, "throttleRate", 9);
    answer_has_text(&a, "metadata/k", "v");
    answer_fini(&a);
}

static void a_list_is_paged_forwards_and_backwards(void **state)
{
    char ids[5][ID_TEXT_MAX], next[ID_TEXT_MAX];
    (void)state;

    for (size_t i = 0; i < 5; i++)
        site_make(&site, API "/app", "{\"name\":\"n\"}", ids[i]);
    {
        ASK(200, "GET", NULL, API "/app?limit=2");
        assert_int_equal(json_count(answer_at(&a, "data")), 2);
        answer_has_text(&a, "data/0/id", ids[0]);
        answer_has_text(&a, "data/1/id", ids[1]);
        answer_has_text(&a, "iterator", ids[1]);
        assert_int_equal(answer_text(&a, "prevIterator")[0], '-');
        assert_string_equal(answer_text(&a, "prevIterator") + 1, ids[0]);
        answer_has_type(&a, "done", SCAN_FALSE);
        snprintf(next, sizeof next, "%s", answer_text(&a, "iterator"));
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app?limit=3&iterator=%s", next);
        assert_int_equal(json_count(answer_at(&a, "data")), 3);
        answer_has_text(&a, "data/0/id", ids[2]);
        answer_has_text(&a, "data/2/id", ids[4]);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app?limit=2&iterator=-%s", ids[4]);
        assert_int_equal(json_count(answer_at(&a, "data")), 2);
        answer_has_text(&a, "data/0/id", ids[2]);
        answer_has_text(&a, "data/1/id", ids[3]);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app?limit=2&iterator=-%s", ids[2]);
        answer_has_text(&a, "data/0/id", ids[0]);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app?limit=2&order=descending");
        answer_has_text(&a, "data/0/id", ids[4]);
        answer_has_text(&a, "data/1/id", ids[3]);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app?iterator=%s", ids[4]);
        assert_int_equal(json_count(answer_at(&a, "data")), 0);
        answer_has_type(&a, "data", SCAN_ARRAY);
        answer_has_type(&a, "iterator", SCAN_NULL);
        answer_has_type(&a, "prevIterator", SCAN_NONE);
        answer_has_type(&a, "done", SCAN_TRUE);
        answer_fini(&a);
    }
}

static void wrong_bodies_are_named_by_their_place(void **state)
{
    static const struct {
        const char *method, *path, *body, *loc, *type;
    } rows[] = {
        { "POST", "/app", "", NULL, "value_error.jsondecode" },
        { "POST", "/app", "{\"name\":", NULL, "value_error.jsondecode" },
        { "POST", "/app", "[]", NULL, "value_error.jsondecode" },
        { "POST", "/app", "{}", "name", NULL },
        { "POST", "/app", "{\"name\":1}", "name", "value_error.jsondecode" },
        { "POST", "/app", "{\"name\":\"\"}", "name", "value_error" },
        { "POST", "/app", "{\"name\":\"n\",\"uid\":\"a b\"}", "uid", "value_error" },
        { "POST", "/app", "{\"name\":\"n\",\"uid\":\"app_x\"}", "uid", "value_error" },
        { "POST", "/app", "{\"name\":\"n\",\"throttleRate\":0}", "throttleRate",
          "value_error" },
        { "PATCH", "/app/wrong", "{\"name\":null}", "name", NULL },
        { "POST", "/event-type", "{\"description\":\"d\"}", "name", NULL },
        { "POST", "/event-type", "{\"name\":\"a b\",\"description\":\"d\"}", "name",
          "value_error" },
        { "POST", "/app/wrong/endpoint", "{}", "url", NULL },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"ftp://h/\"}", "url", "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"http://u:p@h/\"}", "url", "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"not a url\"}", "url", "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"http://h\",\"secret\":\"x\"}", "secret",
          "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"http://h\",\"eventTypes\":[]}",
          "eventTypes", "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"http://h\",\"eventTypes\":[\"no.such\"]}",
          "eventTypes", "value_error" },
        { "POST", "/app/wrong/endpoint", "{\"url\":\"http://h\",\"filterTypes\":[\"no.such\"]}",
          "eventTypes", "value_error" },
        { "POST", "/app/wrong/endpoint",
          "{\"url\":\"http://h\",\"headers\":{\"webhook-id\":\"x\"}}", "headers",
          "value_error" },
    };
    char id[ID_TEXT_MAX];
    (void)state;

    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"wrong\"}", id);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = site_ask(&site, rows[i].method, rows[i].body, API "%s", rows[i].path);
        if (a.status != 422)
            fail_msg("%s %s: %u %s", rows[i].path, rows[i].body, a.status, a.body);
        answer_has_text(&a, "detail/0/loc/0", "body");
        if (rows[i].loc)
            answer_has_text(&a, "detail/0/loc/1", rows[i].loc);
        if (rows[i].type)
            answer_has_text(&a, "detail/0/type", rows[i].type);
        answer_has_type(&a, "detail/0/msg", SCAN_STRING);
        answer_fini(&a);
    }
}

#define ORDER_PAID                                                                             \
    "{\"name\":\"order.paid\",\"description\":\"d\",\"schemas\":{\"1\":{\"a\":1}}}"

static void an_event_type_shows_its_schemas_where_they_are_asked_for(void **state)
{
    (void)state;

    {
        ASK(201, "POST", ORDER_PAID, API "/event-type");
        answer_has_text(&a, "name", "order.paid");
        answer_has_type(&a, "archived", SCAN_FALSE);
        answer_has_type(&a, "deprecated", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/event-type/order.paid");
        answer_has_number(&a, "schemas/1/a", 1);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/event-type");
        answer_has_text(&a, "data/0/name", "order.paid");
        answer_has_type(&a, "data/0/schemas", SCAN_NULL);
        answer_has_text(&a, "iterator", "order.paid");
        answer_has_text(&a, "prevIterator", "-order.paid");
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/event-type?with_content=true");
        answer_has_type(&a, "data/0/schemas", SCAN_OBJECT);
        answer_fini(&a);
    }
}

static void an_event_type_is_archived_and_revived(void **state)
{
    (void)state;

    assert_int_equal(site_status(&site, "POST", ORDER_PAID, API "/event-type"), 201);
    {
        ASK(409, "POST", "{\"name\":\"order.paid\",\"description\":\"e\"}", API "/event-type");
        answer_has_text(&a, "code", "event_type_exists");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/event-type/order.paid"), 204);
    {
        ASK(200, "GET", NULL, API "/event-type/order.paid");
        answer_has_type(&a, "archived", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/event-type");
        answer_has_count(&a, "data", 0);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/event-type?include_archived=true");
        answer_has_count(&a, "data", 1);
        answer_fini(&a);
    }
    {
        ASK(201, "POST", "{\"name\":\"order.paid\",\"description\":\"again\"}",
            API "/event-type");
        answer_has_text(&a, "description", "again");
        answer_has_type(&a, "archived", SCAN_FALSE);
        answer_has_type(&a, "schemas", SCAN_NULL);
        answer_fini(&a);
    }
}

static void an_event_type_is_patched_expunged_and_put(void **state)
{
    (void)state;

    assert_int_equal(site_status(&site, "POST", ORDER_PAID, API "/event-type"), 201);
    {
        ASK(200, "PATCH", "{\"deprecated\":true}", API "/event-type/order.paid");
        answer_has_text(&a, "description", "d");
        answer_has_type(&a, "deprecated", SCAN_TRUE);
        answer_fini(&a);
    }
    assert_int_equal(
        site_status(&site, "DELETE", NULL, API "/event-type/order.paid?expunge=true"), 204);
    assert_int_equal(site_status(&site, "GET", NULL, API "/event-type/order.paid"), 404);
    assert_int_equal(site_status(&site, "PATCH", "{}", API "/event-type/order.paid"), 404);
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/event-type/order.paid"), 404);
    {
        ASK(201, "PUT", "{\"description\":\"put\"}", API "/event-type/order.paid");
        answer_has_text(&a, "name", "order.paid");
        answer_fini(&a);
    }
    {
        ASK(200, "PUT", "{\"description\":\"put again\"}", API "/event-type/order.paid");
        answer_has_text(&a, "description", "put again");
        answer_fini(&a);
    }
    assert_int_equal(
        site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/order%%20paid"),
        422);
}

static void make_endpoint_scene(char app[ID_TEXT_MAX])
{
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shop\"}", app);
    assert_int_equal(
        site_status(&site, "PUT", "{\"description\":\"\"}", API "/event-type/order.paid"), 201);
}

static void an_endpoint_goes_through_its_life(void **state)
{
    char app[ID_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    make_endpoint_scene(app);
    {
        ASK(201, "POST",
            "{\"url\":\"https://Receiver.example\",\"uid\":\"main\",\"channels\":[\"eu\"],"
            "\"filterTypes\":[\"order.paid\"],\"throttleRate\":5,\"version\":1}",
            API "/app/shop/endpoint");
        assert_true(strncmp(answer_text(&a, "id"), "ep_", 3) == 0);
        answer_has_text(&a, "url", "https://receiver.example/");
        answer_has_text(&a, "description", "");
        answer_has_text(&a, "eventTypes/0", "order.paid");
        answer_has_text(&a, "filterTypes/0", "order.paid");
        answer_has_text(&a, "channels/0", "eu");
        answer_has_number(&a, "version", 1);
        answer_has_number(&a, "rateLimit", 5);
        answer_has_type(&a, "disabled", SCAN_FALSE);
        answer_has_type(&a, "secret", SCAN_NONE);
        snprintf(id, sizeof id, "%s", answer_text(&a, "id"));
        answer_fini(&a);
    }
    {
        ASK(200, "PATCH", "{\"disabled\":true,\"channels\":null}", API "/app/%s/endpoint/main",
            app);
        answer_has_type(&a, "disabled", SCAN_TRUE);
        answer_has_type(&a, "channels", SCAN_NULL);
        answer_has_text(&a, "eventTypes/0", "order.paid");
        answer_fini(&a);
    }
    {
        ASK(200, "PUT", "{\"url\":\"http://other.example/x?y=1\"}", API "/app/shop/endpoint/%s",
            id);
        answer_has_text(&a, "url", "http://other.example/x?y=1");
        answer_has_type(&a, "eventTypes", SCAN_NULL);
        answer_has_type(&a, "filterTypes", SCAN_NULL);
        answer_has_type(&a, "uid", SCAN_NULL);
        answer_has_type(&a, "disabled", SCAN_FALSE);
        answer_fini(&a);
    }
    {
        ASK(201, "PUT", "{\"url\":\"http://third.example/\"}", API "/app/shop/endpoint/third");
        answer_has_type(&a, "uid", SCAN_NULL);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app/shop/endpoint");
        assert_int_equal(json_count(answer_at(&a, "data")), 2);
        answer_has_text(&a, "data/0/url", "http://third.example/");
        answer_has_text(&a, "data/1/id", id);
        answer_fini(&a);
    }
    {
        ASK(200, "GET", NULL, API "/app/shop/endpoint?order=ascending&limit=1");
        answer_has_text(&a, "data/0/id", id);
        answer_has_type(&a, "done", SCAN_FALSE);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/app/shop/endpoint/%s", id), 204);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop/endpoint/%s", id), 404);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop/endpoint/%s/secret", id),
                     404);
}

static void an_endpoint_is_found_in_its_application_only(void **state)
{
    char app[ID_TEXT_MAX], other[ID_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    make_endpoint_scene(app);
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"other\"}", other);
    site_make(&site, API "/app/shop/endpoint", "{\"url\":\"http://h\",\"uid\":\"e\"}", id);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/other/endpoint/%s", id), 404);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/other/endpoint/e"), 404);
    assert_int_equal(site_status(&site, "POST", "{\"url\":\"http://h\",\"uid\":\"e\"}",
                                 API "/app/shop/endpoint"),
                     409);
    assert_int_equal(site_status(&site, "POST", "{\"url\":\"http://h\",\"uid\":\"e\"}",
                                 API "/app/other/endpoint"),
                     201);
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/app/shop"), 204);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop/endpoint/%s", id), 404);
}

static void a_filter_may_keep_a_type_that_was_archived_but_not_take_it(void **state)
{
    char app[ID_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    make_endpoint_scene(app);
    site_make(&site, API "/app/shop/endpoint",
              "{\"url\":\"http://h\",\"uid\":\"e\",\"eventTypes\":[\"order.paid\"]}", id);
    assert_int_equal(site_status(&site, "DELETE", NULL, API "/event-type/order.paid"), 204);
    {
        ASK(200, "PATCH", "{\"description\":\"x\"}", API "/app/shop/endpoint/e");
        answer_has_text(&a, "eventTypes/0", "order.paid");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "PATCH", "{\"eventTypes\":[\"order.paid\"]}",
                                 API "/app/shop/endpoint/e"),
                     422);
}

static void get_key(const char *endpoint, char out[160])
{
    ASK(200, "GET", NULL, API "/app/shop/endpoint/%s/secret", endpoint);
    snprintf(out, 160, "%s", answer_text(&a, "key"));
    answer_fini(&a);
}

static void a_secret_is_made_given_kept_and_rotated(void **state)
{
    static const char given[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    char app[ID_TEXT_MAX], made[ID_TEXT_MAX], id[ID_TEXT_MAX], key[160], again[160], body[256];
    (void)state;

    make_endpoint_scene(app);
    site_make(&site, API "/app/shop/endpoint", "{\"url\":\"http://h\"}", made);
    get_key(made, key);
    assert_int_equal(strlen(key), strlen("whsec_") + 32);
    assert_true(strncmp(key, "whsec_", 6) == 0);

    snprintf(body, sizeof body, "{\"url\":\"http://h\",\"secret\":\"%s\"}", given);
    site_make(&site, API "/app/shop/endpoint", body, id);
    get_key(id, key);
    assert_string_equal(key, given);

    assert_int_equal(site_status(&site, "PUT", body, API "/app/shop/endpoint/%s", made), 200);
    get_key(made, again);
    assert_string_not_equal(again, given);
    snprintf(body, sizeof body, "{\"secret\":\"%s\"}", given);
    assert_int_equal(site_status(&site, "PATCH", body, API "/app/shop/endpoint/%s", made), 200);
    get_key(made, again);
    assert_string_equal(again, given);
    assert_int_equal(site_status(&site, "PATCH", "{\"secret\":\"whsec_\"}",
                                 API "/app/shop/endpoint/%s", made),
                     422);

    assert_int_equal(
        site_status(&site, "POST", NULL, API "/app/shop/endpoint/%s/secret/rotate", id), 204);
    get_key(id, key);
    assert_string_not_equal(key, given);
    snprintf(body, sizeof body, "{\"key\":\"%s\",\"gracePeriodSeconds\":0}", given);
    assert_int_equal(
        site_status(&site, "POST", body, API "/app/shop/endpoint/%s/secret/rotate", id), 204);
    get_key(id, key);
    assert_string_equal(key, given);
    assert_int_equal(site_status(&site, "POST", "{\"key\":null,\"gracePeriodSeconds\":null}",
                                 API "/app/shop/endpoint/%s/secret/rotate", id),
                     204);
    get_key(id, again);
    assert_string_not_equal(again, given);
    assert_true(strncmp(again, "whsec_", 6) == 0);
    assert_int_equal(site_status(&site, "POST", "{\"key\":\"x\"}",
                                 API "/app/shop/endpoint/%s/secret/rotate", id),
                     422);
    assert_int_equal(site_status(&site, "POST", "{\"gracePeriodSeconds\":604801}",
                                 API "/app/shop/endpoint/%s/secret/rotate", id),
                     422);
}

static void ten_old_secrets_sign_along_and_no_more(void **state)
{
    char app[ID_TEXT_MAX], id[ID_TEXT_MAX];
    (void)state;

    make_endpoint_scene(app);
    site_make(&site, API "/app/shop/endpoint", "{\"url\":\"http://h\"}", id);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(
            site_status(&site, "POST", "{}", API "/app/shop/endpoint/%s/secret/rotate", id),
            204);
    {
        ASK(400, "POST", "{}", API "/app/shop/endpoint/%s/secret/rotate", id);
        answer_has_text(&a, "code", "limit_reached");
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "POST", "{\"gracePeriodSeconds\":0}",
                                 API "/app/shop/endpoint/%s/secret/rotate", id),
                     204);
}

static void headers_are_replaced_patched_and_shown_without_credentials(void **state)
{
    char app[ID_TEXT_MAX], id[ID_TEXT_MAX], path[128];
    (void)state;

    make_endpoint_scene(app);
    site_make(&site, API "/app/shop/endpoint",
              "{\"url\":\"http://h\",\"headers\":{\"X-First\":\"1\"}}", id);
    snprintf(path, sizeof path, API "/app/shop/endpoint/%s/headers", id);
    {
        ASK(200, "GET", NULL, "%s", path);
        answer_has_text(&a, "headers/X-First", "1");
        assert_int_equal(json_count(answer_at(&a, "sensitive")), 0);
        answer_fini(&a);
    }
    assert_int_equal(
        site_status(&site, "PUT",
                    "{\"headers\":{\"X-One\":\"1\",\"Authorization\":\"Basic canary\"}}", "%s",
                    path),
        204);
    {
        ASK(200, "GET", NULL, "%s", path);
        answer_has_text(&a, "headers/X-One", "1");
        answer_has_type(&a, "headers/X-First", SCAN_NONE);
        answer_has_type(&a, "headers/Authorization", SCAN_NONE);
        answer_has_text(&a, "sensitive/0", "Authorization");
        assert_null(strstr(a.body, "canary"));
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "PATCH",
                                 "{\"headers\":{\"x-one\":null,\"X-Two\":\"2\"},"
                                 "\"deleteHeaders\":[\"authorization\"]}",
                                 "%s", path),
                     204);
    {
        ASK(200, "GET", NULL, "%s", path);
        assert_int_equal(json_count(answer_at(&a, "headers")), 1);
        answer_has_text(&a, "headers/X-Two", "2");
        assert_int_equal(json_count(answer_at(&a, "sensitive")), 0);
        answer_fini(&a);
    }
    assert_int_equal(site_status(&site, "PUT", "{\"headers\":{}}", "%s", path), 204);
    {
        ASK(200, "GET", NULL, "%s", path);
        assert_int_equal(json_count(answer_at(&a, "headers")), 0);
        answer_fini(&a);
    }
    assert_int_equal(
        site_status(&site, "PUT", "{\"headers\":{\"Content-Length\":\"1\"}}", "%s", path), 422);
    assert_int_equal(
        site_status(&site, "PATCH", "{\"headers\":{\"svix-id\":\"1\"}}", "%s", path), 422);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_site, close_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_application_goes_through_its_life),
        TEST(put_makes_an_unknown_application_without_taking_the_path_as_its_uid),
        TEST(a_uid_belongs_to_one_application_until_it_is_deleted),
        TEST(of_two_at_once_the_second_sees_what_the_first_made),
        TEST(edits_at_once_are_all_kept),
        TEST(a_list_is_paged_forwards_and_backwards),
        TEST(wrong_bodies_are_named_by_their_place),
        TEST(an_event_type_shows_its_schemas_where_they_are_asked_for),
        TEST(an_event_type_is_archived_and_revived),
        TEST(an_event_type_is_patched_expunged_and_put),
        TEST(an_endpoint_goes_through_its_life),
        TEST(an_endpoint_is_found_in_its_application_only),
        TEST(a_filter_may_keep_a_type_that_was_archived_but_not_take_it),
        TEST(a_secret_is_made_given_kept_and_rotated),
        TEST(ten_old_secrets_sign_along_and_no_more),
        TEST(headers_are_replaced_patched_and_shown_without_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
