/* Two regions over real TLS: fra listens, iad asks it and isn't reached itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/elsewhere.h"
#include "core/count.h"
#include "core/mem.h"
#include "signer/seal.h"
#include "tests/lib/client.h"
#include "tests/lib/linked.h"

#define READERS 4 /* as many as a peer may have */
#define BUSY    "HTTP/1.1 503"
#define ZEROS   "0000000000000000000000000000000000000000000000000000000000000000"

static const struct endpoint *wait_endpoint(struct linked *w, const struct id *id)
{
    const struct endpoint *e;

    while (!(e = catalog_endpoint_by_key(w->sites[IAD].f->catalog, id_key(id))))
        linked_turn(w);
    return e;
}

static void who_is_not_reached_gets_what_others_write(void **state)
{
    struct linked *w = *state;
    const struct catalog *there = w->sites[IAD].f->catalog;
    struct id before = linked_application(w, "eu");

    while (!catalog_application_by_key(there, id_key(&before)))
        linked_turn(w);
    struct id while_it_waits = linked_application(w, "fr");
    while (!catalog_application_by_key(there, id_key(&while_it_waits)))
        linked_turn(w);
    journals_assert_same(w->sites[FRA].f, w->sites[IAD].f, w->sites[FRA].f->ordinal);
}

static void secrets_go_to_the_regions_of_the_jurisdiction_alone(void **state)
{
    struct linked *w = *state;
    struct secret secret, opened;
    struct id ours = linked_application(w, "eu"), others = linked_application(w, "fr");

    secret_generate(&secret);
    struct id shared = linked_endpoint(w, &ours, &secret);
    struct id withheld = linked_endpoint(w, &others, &secret);

    const struct endpoint *e = wait_endpoint(w, &shared);
    assert_int_equal(e->secret_count, 1);
    assert_int_equal(unseal_secret(w->sites[IAD].keyring, e, &e->secrets[0].sealed, &opened),
                     ERR_OK);
    assert_int_equal(opened.len, secret.len);
    assert_memory_equal(opened.bytes, secret.bytes, secret.len);
    assert_int_equal(wait_endpoint(w, &withheld)->secret_count, 0);
    journals_assert_same(w->sites[FRA].f, w->sites[IAD].f, w->sites[FRA].f->ordinal);
}

static void who_answers_is_alive_until_it_stops(void **state)
{
    struct linked *w = *state;

    while (linked_seen_by(w, IAD, "fra") != REGION_ALIVE)
        linked_turn(w);
    assert_true(link_site_sees(&w->sites[IAD], "fra")->rtt_us > 0);
    assert_int_equal(linked_seen_by(w, FRA, "iad"), REGION_UNKNOWN);
    link_site_close(&w->sites[FRA]);
    while (linked_seen_by(w, IAD, "fra") != REGION_SUSPECT)
        linked_turn(w);
    assert_true(link_site_sees(&w->sites[IAD], "fra")->reason[0] != '\0');
}

static void on_errand_done(struct errand *errand)
{
    errand->carrying = NULL;
}

static void nothing_is_carried_to_who_is_not_reached(void **state)
{
    struct linked *w = *state;
    struct elsewhere *elsewhere = link_elsewhere(w->sites[FRA].link);
    struct errand errand = { .region = w->sites[IAD].f->ordinal,
                             .method = "GET",
                             .path = "/api/v1/app",
                             .query = "",
                             .reply_max = 1024,
                             .reply_to = &w->sites[FRA].f->inbox,
                             .done = on_errand_done };

    elsewhere->carry(elsewhere, &errand);
    while (errand.carrying)
        linked_turn(w);
    assert_int_equal(errand.err, ERR_UNAVAILABLE);
}

static void ask(struct client *c, const char *request)
{
    char text[256];

    snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: fra\r\nContent-Length: 0\r\n\r\n",
             request);
    client_say(c, text);
}

static bool is_status(const char *answer, const char *status)
{
    return strncmp(answer, status, strlen(status)) == 0;
}

static void a_hostile_peer_gets_a_refusal(void **state)
{
    struct linked *w = *state;
    const struct tls_client_options options = { .identity = &w->sites[IAD].made };
    static const struct {
        const char *request, *status;
    } rows[] = {
        { "GET /link/v1/hello", "HTTP/1.1 200" },
        { "POST /link/v1/hello", "HTTP/1.1 404" },
        { "GET /link/v1/ping", "HTTP/1.1 404" },
        { "GET /link/v1/../v1/hello", "HTTP/1.1 404" },
        { "GET /link/v1/changes", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=-1", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=1x", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=0&wait=31", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=0&wait=-1", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=99999999999999999999", "HTTP/1.1 409" },
        { "GET /link/v1/changes?before=0", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=1&chain=" ZEROS, "HTTP/1.1 409" },
        { "GET /link/v1/changes?after=1&chain=" ZEROS "00", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=1&chain=", "HTTP/1.1 422" },
        { "GET /link/v1/changes?after=0&chain=" ZEROS, "HTTP/1.1 200" },
        { "GET /link/v1/snapshot", "HTTP/1.1 422" },
        { "POST /link/v1/digest", "HTTP/1.1 404" },
        { "GET /link/v1/snapshot?after=9223372036854775807", "HTTP/1.1 200" },
        { "GET /api/v1/app", "HTTP/1.1 404" },
    };
    struct client c;

    linked_application(w, "eu");
    client_open_tls(&c, &w->sites[FRA].f->loop.uv, link_port(w->sites[FRA].link), &options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&c, rows[i].request);
        const char *answer = client_answer(&c);
        if (!is_status(answer, rows[i].status))
            fail_msg("%s: %.60s", rows[i].request, answer);
    }
    client_close(&c);
}

static void who_asks_for_sums_too_often_waits(void **state)
{
    struct linked *w = *state;
    struct link_site *fra = &w->sites[FRA];
    const struct tls_client_options options = { .identity = &w->sites[IAD].made };
    struct client c;

    link_site_close(&w->sites[IAD]);
    client_open_tls(&c, &fra->f->loop.uv, link_port(fra->link), &options);
    do
        ask(&c, "GET /link/v1/digest");
    while (!is_status(client_answer(&c), "HTTP/1.1 200"));
    do /* soon: but the machine may have had other things to do */
        ask(&c, "GET /link/v1/digest");
    while (!is_status(client_answer(&c), BUSY));
    client_close(&c);
}

static void who_waits_too_often_loses_its_oldest_wait(void **state)
{
    struct linked *w = *state;
    struct link_site *fra = &w->sites[FRA];
    const struct tls_client_options options = { .identity = &w->sites[IAD].made };
    struct client waiting[READERS], probe;
    size_t empty = 0;

    link_site_close(&w->sites[IAD]);
    client_open_tls(&probe, &fra->f->loop.uv, link_port(fra->link), &options);
    for (size_t i = 0; i < READERS; i++) {
        client_open_tls(&waiting[i], &fra->f->loop.uv, link_port(fra->link), &options);
        assert_true(client_shake(&waiting[i]));
        ask(&waiting[i], "GET /link/v1/changes?after=0&wait=30");
    }
    do
        ask(&probe, "GET /link/v1/changes?after=0");
    while (!is_status(client_answer(&probe), BUSY));
    do
        ask(&probe, "GET /link/v1/changes?after=0");
    while (is_status(client_answer(&probe), BUSY));
    linked_application(w, "eu");
    for (size_t i = 0; i < READERS; i++) {
        const char *answer = client_answer(&waiting[i]);

        assert_true(is_status(answer, "HTTP/1.1 200"));
        empty += strstr(answer, "\"entries\":[]") != NULL;
        client_close(&waiting[i]);
    }
    assert_in_range(empty, 1, READERS);
    client_close(&probe);
}

#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, linked_start, linked_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(who_is_not_reached_gets_what_others_write),
        LINK_TEST(secrets_go_to_the_regions_of_the_jurisdiction_alone),
        LINK_TEST(who_answers_is_alive_until_it_stops),
        LINK_TEST(nothing_is_carried_to_who_is_not_reached),
        LINK_TEST(a_hostile_peer_gets_a_refusal),
        LINK_TEST(who_asks_for_sums_too_often_waits),
        LINK_TEST(who_waits_too_often_loses_its_oldest_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
