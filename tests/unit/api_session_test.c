/* Clients that see what they have written, through the real server and store: this region is iad,
 * and what fra has written arrives when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/bookmark.h"
#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/carrier.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API "/api/v1"
#define FRA 1
#define IAD 2
#define LIFE                                                                                   \
    {                                                                                          \
        'a', ' ', 'l', 'i'                                                                     \
    } /* of fra, as site_adopt() has it */
#define HEADER_MAX  (BOOKMARK_TEXT_MAX + 128)
#define WAITING_MAX 512 /* requests that may wait: session.c */

static struct site site;
static struct carrier carrier;
static struct bookmark_signer *signer;

static int open_scene(void **state)
{
    (void)state;
    carrier_open(&carrier);
    site_open_among(&site, regions_five("iad"), &carrier.elsewhere, false);
    signer = bookmark_signer_new(site.keyring);
    return 0;
}

static int close_scene(void **state)
{
    (void)state;
    site_close(&site);
    carrier_close(&carrier);
    bookmark_signer_free(signer);
    return 0;
}

/* Fra's journal arrives up to `seq`, with an application unless `uid` is NULL. */
static void arrive(uint64_t seq, const char *uid, const struct id *id, enum residency_mode mode)
{
    static struct id_source ids = { .ordinal = FRA };
    struct application *a = application_new();

    a->base.id = id ? *id : id_new(&ids, clock_now().wall_ms);
    a->base.version = 1;
    a->uid = xstrdup(uid);
    a->name = xstrdup("of fra");
    a->residency = (struct residency){
        .jurisdiction = xstrdup("eu"),
        .home = FRA,
        .home_epoch = 1,
        .mode = mode,
    };
    if (!uid && !id) {
        object_unref(&a->base);
        a = NULL;
    }
    site_adopt(&site, FRA, seq, a ? &a->base : NULL);
}

static void write_header(const struct bookmark *bookmark, const char *more,
                         char out[HEADER_MAX])
{
    char text[BOOKMARK_TEXT_MAX];

    bookmark_write(signer, bookmark, text);
    snprintf(out, HEADER_MAX, "Posthaste-Bookmark: %s%s%s", text, more ? "\r\n" : "",
             more ? more : "");
}

/* A line with a bookmark of fra's journal, and one more unless that is NULL. */
static void bookmark_of_fra(uint64_t seq, const char *more, char out[HEADER_MAX])
{
    write_header(&(struct bookmark){ 1, { { FRA, LIFE, seq } } }, more, out);
}

static struct bookmark bookmark_in(const struct answer *a)
{
    const char *value = answer_header(a, "Posthaste-Bookmark");
    struct bookmark bookmark = { .count = 0 };
    char text[BOOKMARK_TEXT_MAX];

    if (!value)
        return bookmark;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(value, "\r\n"), value);
    assert_int_equal(bookmark_read(signer, text, &bookmark), ERR_OK);
    return bookmark;
}

/* The answer to a request with one more header line. */
static struct answer ask_with(const char *header, const char *method, const char *body,
                              const char *path)
{
    return site_ask_as(&site, site.token, header, method, body, path);
}

static void start_with(struct client *client, const char *header, const char *method,
                       const char *body, const char *path)
{
    site_start(&site, client, site.token, header, method, body, path);
}

/* Whoever asked before this has been heard. */
static void assert_waits(const struct client *client)
{
    assert_int_equal(site_status(&site, "GET", NULL, API "/health/ping"), 204);
    assert_int_equal(site_status(&site, "GET", NULL, API "/health/ping"), 204);
    assert_int_equal(client->in.len, 0);
}

static void finish(struct client *client, unsigned want)
{
    struct answer a = answer_take(client_answer(client));

    if (a.status != want)
        fail_msg("want %u, got %u %s", want, a.status, a.body);
    answer_fini(&a);
    client_close(client);
}

/* What answers bring. */

static void what_is_written_here_is_in_the_bookmark_and_read_at_once(void **state)
{
    struct answer a;
    char header[HEADER_MAX];

    (void)state;
    a = site_ask(&site, "POST", "{\"name\":\"n\",\"uid\":\"own\"}", API "/app");
    assert_int_equal(a.status, 201);
    struct bookmark written = bookmark_in(&a);
    answer_fini(&a);
    assert_int_equal(written.count, 1);
    assert_int_equal(written.marks[0].origin, IAD);
    assert_int_equal(written.marks[0].seq, 1);

    a = site_ask(&site, "PATCH", "{\"name\":\"m\"}", API "/app/own");
    written = bookmark_in(&a);
    answer_fini(&a);
    assert_int_equal(written.marks[0].seq, 2);

    write_header(&written, "Posthaste-Wait-Ms: 0", header);
    a = ask_with(header, "GET", NULL, API "/app/own");
    assert_int_equal(a.status, 200);
    answer_has_text(&a, "name", "m");
    answer_fini(&a);
}

static void an_answer_is_marked_with_what_it_shows_and_what_was_seen_before(void **state)
{
    const struct bookmark seen = { 1, { { 3, LIFE, 4 } } };
    char header[HEADER_MAX];
    struct answer a;

    (void)state;
    arrive(7, "shop", NULL, RESIDENCY_AT_REST);
    site_adopt(&site, 7, 9, NULL);

    a = site_ask(&site, "GET", NULL, API "/app/shop");
    struct bookmark shown = bookmark_in(&a);
    answer_fini(&a);
    assert_int_equal(shown.count, 1);
    assert_int_equal(shown.marks[0].origin, FRA);
    assert_int_equal(shown.marks[0].seq, 7);

    a = site_ask(&site, "GET", NULL, API "/app");
    shown = bookmark_in(&a);
    answer_fini(&a);
    assert_int_equal(shown.count, 2);
    assert_int_equal(bookmark_find(&shown, FRA)->seq, 7);
    assert_int_equal(bookmark_find(&shown, 7)->seq, 9);

    write_header(&seen, "Posthaste-Consistency: eventual", header);
    a = ask_with(header, "GET", NULL, API "/app/shop");
    assert_int_equal(a.status, 200);
    shown = bookmark_in(&a);
    answer_fini(&a);
    assert_int_equal(shown.count, 2);
    assert_int_equal(bookmark_find(&shown, 3)->seq, 4);
    assert_int_equal(bookmark_find(&shown, FRA)->seq, 7);
}

static void a_message_has_no_bookmark_but_the_application_that_it_brings(void **state)
{
    struct answer a;

    (void)state;
    a = site_ask(&site, "POST",
                 "{\"eventType\":\"x\",\"payload\":{},"
                 "\"application\":{\"name\":\"n\",\"uid\":\"own\"}}",
                 API "/app/own/msg");
    assert_int_equal(a.status, 202);
    assert_int_equal(bookmark_in(&a).count, 1);
    answer_fini(&a);
    a = site_ask(&site, "POST", "{\"eventType\":\"x\",\"payload\":{}}", API "/app/own/msg");
    assert_int_equal(a.status, 202);
    assert_null(answer_header(&a, "Posthaste-Bookmark"));
    answer_fini(&a);
    a = site_ask(&site, "GET", NULL, API "/app/none");
    assert_int_equal(a.status, 404);
    assert_null(answer_header(&a, "Posthaste-Bookmark"));
    answer_fini(&a);
}

/* Waiting. */

static void a_read_waits_for_what_its_reader_has_seen(void **state)
{
    char header[HEADER_MAX];
    struct client client;

    (void)state;
    arrive(4, NULL, NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    start_with(&client, header, "GET", NULL, API "/app/shop");
    assert_waits(&client);
    arrive(5, NULL, NULL, RESIDENCY_AT_REST);
    assert_waits(&client);
    arrive(6, "shop", NULL, RESIDENCY_AT_REST);
    struct answer a = answer_take(client_answer(&client));
    assert_int_equal(a.status, 200);
    answer_has_text(&a, "name", "of fra");
    answer_fini(&a);
    client_close(&client);
}

static void a_body_is_not_asked_for_while_its_request_waits(void **state)
{
    char header[HEADER_MAX], request[HEADER_MAX + TOKEN_TEXT_MAX + 256];
    struct client client;

    (void)state;
    bookmark_of_fra(6, NULL, header);
    snprintf(request, sizeof request,
             "POST " API "/app HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n%s\r\n"
             "Content-Length: 12\r\nExpect: 100-continue\r\n\r\n",
             site.token, header);
    client_open(&client, &site.loop.uv, api_port(site.api));
    client_say(&client, request);
    assert_waits(&client);
    arrive(6, NULL, NULL, RESIDENCY_AT_REST);
    assert_true(strncmp(client_head_answer(&client), "HTTP/1.1 100", 12) == 0);
    client_say(&client, "{\"name\":\"n\"}");
    finish(&client, 201);
}

static void who_has_waited_long_enough_is_told_what_is_missing(void **state)
{
    static const struct {
        struct bookmark wanted;
        const char *detail;
    } rows[] = {
        { { 1, { { FRA, LIFE, 6 } } },
          "This region has seen fra up to 4, the bookmark goes up to 6." },
        { { 1, { { 3, LIFE, 1 } } },
          "This region has seen sin up to 0, the bookmark goes up to 1." },
        { { 1, { { FRA, { 1, 2, 3, 4 }, 1 } } }, "The bookmark is of another history of fra." },
        { { 1, { { 99, LIFE, 1 } } },
          "This region has seen a region that it doesn't know up to 0, the bookmark goes up "
          "to 1." },
    };
    static const char *const waits[] = { "Posthaste-Wait-Ms: 0", "Posthaste-Wait-Ms: 20" };
    char header[HEADER_MAX];

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    for (size_t i = 0; i < COUNT(rows) * COUNT(waits); i++) {
        write_header(&rows[i / 2].wanted, waits[i % 2], header);
        struct answer a = ask_with(header, "GET", NULL, API "/app/shop");
        assert_int_equal(a.status, 503);
        answer_has_text(&a, "code", "urn:posthaste:stale");
        answer_has_text(&a, "detail", rows[i / 2].detail);
        assert_true(answer_header(&a, "Retry-After")[0] == '1');
        answer_fini(&a);
    }
}

static void who_wants_it_now_gets_what_there_is(void **state)
{
    char header[HEADER_MAX];

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Consistency: eventual", header);
    struct answer a = ask_with(header, "GET", NULL, API "/app/shop");
    assert_int_equal(a.status, 200);
    struct bookmark shown = bookmark_in(&a);
    assert_int_equal(bookmark_find(&shown, FRA)->seq, 6); /* what it has seen it has seen */
    answer_fini(&a);
}

/* The region that answers waits, if it has to. */
static void what_is_carried_does_not_wait_here(void **state)
{
    char header[HEADER_MAX];

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    struct answer a = ask_with(header, "PATCH", "{}", API "/app/shop");
    assert_int_equal(a.status, 200);
    assert_int_equal(carrier.errands, 1);
    assert_non_null(strstr(header, carrier_header(&carrier, "Posthaste-Bookmark")));
    assert_string_equal(carrier_header(&carrier, "Posthaste-Wait-Ms"), "5000");
    answer_fini(&a);
}

static void headers_that_can_t_be_read_are_422_and_named(void **state)
{
    static const struct {
        const char *header, *name;
    } rows[] = {
        { "Posthaste-Bookmark: AQ", "posthaste-bookmark" },
        { "Posthaste-Bookmark: AQEAAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAA",
          "posthaste-bookmark" },
        { "Posthaste-Consistency: strong", "posthaste-consistency" },
        { "Posthaste-Wait-Ms: 5001", "posthaste-wait-ms" },
        { "Posthaste-Wait-Ms: -1", "posthaste-wait-ms" },
        { "Posthaste-Wait-Ms: soon", "posthaste-wait-ms" },
    };
    char own[BOOKMARK_TEXT_MAX], forged[HEADER_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a = ask_with(rows[i].header, "GET", NULL, API "/app");
        assert_int_equal(a.status, 422);
        answer_has_text(&a, "detail/0/loc/0", "header");
        answer_has_text(&a, "detail/0/loc/1", rows[i].name);
        answer_fini(&a);
    }

    bookmark_write(signer, &(struct bookmark){ 1, { { FRA, LIFE, 6 } } }, own);
    own[16] = own[16] == 'A' ? 'B' : 'A';
    snprintf(forged, sizeof forged, "Posthaste-Bookmark: %s", own);
    struct answer a = ask_with(forged, "GET", NULL, API "/app");
    assert_int_equal(a.status, 422);
    answer_fini(&a);
}

static void a_region_alone_looks_at_none_of_this(void **state)
{
    (void)state;
    close_scene(NULL);
    carrier_open(&carrier);
    site_open(&site);
    signer = bookmark_signer_new(site.keyring);
    struct answer a = ask_with("Posthaste-Bookmark: AQ\r\nPosthaste-Consistency: strong\r\n"
                               "Posthaste-Wait-Ms: soon",
                               "POST", "{\"name\":\"n\"}", API "/app");
    assert_int_equal(a.status, 201);
    assert_null(answer_header(&a, "Posthaste-Bookmark"));
    answer_fini(&a);
}

/* An application that is about to arrive. */

static void a_request_for_an_application_that_was_just_made_waits_for_it(void **state)
{
    static const struct {
        enum residency_mode mode;
        unsigned status;
        bool carried;
    } rows[] = {
        { RESIDENCY_AT_REST, 200, true },
        { RESIDENCY_PROCESSING, 307, false },
        { RESIDENCY_TRANSIT, 421, false },
    };
    struct id_source ids = { .ordinal = FRA };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct id id = id_new(&ids, clock_now().wall_ms);
        char text[ID_TEXT_MAX], path[128];
        struct client client;
        unsigned before = carrier.errands;

        id_format(ID_APPLICATION, &id, text);
        snprintf(path, sizeof path, API "/app/%s/msg", text);
        start_with(&client, "Posthaste-Wait-Ms: 5000", "POST",
                   "{\"eventType\":\"x\",\"payload\":{}}", path);
        assert_waits(&client);
        arrive(10 + i, NULL, &id, rows[i].mode);
        finish(&client, rows[i].status);
        assert_int_equal(carrier.errands - before, rows[i].carried);
    }
}

static void who_has_waited_for_it_long_enough_is_sent_where_it_was_made(void **state)
{
    struct id_source ids = { .ordinal = FRA };
    struct id id = id_new(&ids, clock_now().wall_ms);
    char text[ID_TEXT_MAX], path[128];

    (void)state;
    id_format(ID_APPLICATION, &id, text);
    snprintf(path, sizeof path, API "/app/%s/msg", text);
    struct answer a = ask_with("Posthaste-Wait-Ms: 20", "POST", "{}", path);
    assert_int_equal(a.status, 307);
    answer_fini(&a);
}

/* Limits and ends. */

static void only_so_many_may_wait(void **state)
{
    static struct client clients[WAITING_MAX];
    char header[HEADER_MAX];
    struct client last;

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    for (size_t i = 0; i < WAITING_MAX; i++)
        start_with(&clients[i], header, "GET", NULL, API "/app/shop");
    assert_waits(&clients[WAITING_MAX - 1]);
    struct answer a = ask_with(header, "GET", NULL, API "/app/shop");
    assert_int_equal(a.status, 503);
    answer_has_text(&a, "code", "server_busy");
    answer_fini(&a);

    arrive(6, NULL, NULL, RESIDENCY_AT_REST);
    for (size_t i = 0; i < WAITING_MAX; i++)
        finish(&clients[i], 200);
    bookmark_of_fra(7, NULL, header);
    start_with(&last, header, "GET", NULL, API "/app/shop");
    assert_waits(&last);
    arrive(7, NULL, NULL, RESIDENCY_AT_REST);
    finish(&last, 200);
}

static void each_waits_as_long_as_it_says(void **state)
{
    char header[HEADER_MAX];
    struct client longest, shortest;

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    start_with(&longest, header, "GET", NULL, API "/app/shop");
    assert_waits(&longest);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 20", header);
    start_with(&shortest, header, "GET", NULL, API "/app/shop");
    finish(&shortest, 503);
    assert_waits(&longest);
    arrive(6, NULL, NULL, RESIDENCY_AT_REST);
    finish(&longest, 200);
}

static void a_client_that_leaves_leaves_nothing_behind(void **state)
{
    char header[HEADER_MAX];
    struct client client;

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    start_with(&client, header, "GET", NULL, API "/app/shop");
    assert_waits(&client);
    client_close(&client);
    arrive(6, NULL, NULL, RESIDENCY_AT_REST);
    assert_int_equal(site_status(&site, "GET", NULL, API "/app/shop"), 200);
}

static void the_end_does_not_wait_for_who_waits(void **state)
{
    char header[HEADER_MAX];
    struct client client;

    (void)state;
    arrive(4, "shop", NULL, RESIDENCY_AT_REST);
    bookmark_of_fra(6, "Posthaste-Wait-Ms: 5000", header);
    start_with(&client, header, "GET", NULL, API "/app/shop");
    assert_waits(&client);
    site_stop(&site);
    finish(&client, 503);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_here_is_in_the_bookmark_and_read_at_once),
        TEST(an_answer_is_marked_with_what_it_shows_and_what_was_seen_before),
        TEST(a_message_has_no_bookmark_but_the_application_that_it_brings),
        TEST(a_read_waits_for_what_its_reader_has_seen),
        TEST(a_body_is_not_asked_for_while_its_request_waits),
        TEST(who_has_waited_long_enough_is_told_what_is_missing),
        TEST(who_wants_it_now_gets_what_there_is),
        TEST(what_is_carried_does_not_wait_here),
        TEST(headers_that_can_t_be_read_are_422_and_named),
        TEST(a_region_alone_looks_at_none_of_this),
        TEST(a_request_for_an_application_that_was_just_made_waits_for_it),
        TEST(who_has_waited_for_it_long_enough_is_sent_where_it_was_made),
        TEST(only_so_many_may_wait),
        TEST(each_waits_as_long_as_it_says),
        TEST(a_client_that_leaves_leaves_nothing_behind),
        TEST(the_end_does_not_wait_for_who_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
