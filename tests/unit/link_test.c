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
#include "region/link.h"
#include "signer/certificate.h"
#include "signer/seal.h"
#include "tests/lib/client.h"
#include "tests/lib/journals.h"

#define CLOSE_MS 1000
#define URL_ROOM 64
#define FRA      0
#define IAD      1
#define SITES    2
#define READERS  4 /* as many as a peer may have */
#define BUSY     "HTTP/1.1 503"
#define ZEROS    "0000000000000000000000000000000000000000000000000000000000000000"

/* A region: its store is a fixture of the journals. */
struct site {
    struct store_fixture *f;
    struct made_certificate made;
    struct keyring *keyring;
    struct topology *topology;
    struct health_board board;
    struct health_follower watch;
    struct task left;
    bool has_left, closed;
    struct link *link; /* NULL once it is closed */
};

struct world {
    struct journals_world *journals;
    struct site sites[SITES];
};

static void turn(struct world *w)
{
    for (size_t i = 0; i < SITES; i++)
        uv_run(&w->sites[i].f->loop.uv, UV_RUN_NOWAIT);
}

static struct region region_of(const struct site *site, const char *name,
                               const char *jurisdictions[], const char *link_url)
{
    struct region region = { .ordinal = site->f->ordinal,
                             .link_url = link_url ? xstrdup(link_url) : NULL,
                             .certificate_pem = xstrdup(buf_text(&site->made.certificate)) };
    struct certificate certificate;
    const char *why;

    snprintf(region.name, sizeof region.name, "%s", name);
    for (size_t i = 0; jurisdictions[i]; i++)
        text_list_add(&region.jurisdictions, jurisdictions[i], strlen(jurisdictions[i]));
    assert_int_equal(certificate_read(region.certificate_pem, &certificate, &why), ERR_OK);
    memcpy(region.certificate_sha256, certificate.sha256, REGION_DIGEST_LEN);
    return region;
}

/* Both are of eu, fra of fr as well. */
static struct topology *topology_of(struct world *w, size_t self, const char *fra_url)
{
    const char *frankfurt[] = { "eu", "fr", NULL }, *ashburn[] = { "eu", NULL };
    struct region regions[SITES] = {
        region_of(&w->sites[FRA], "fra", frankfurt, fra_url),
        region_of(&w->sites[IAD], "iad", ashburn, NULL),
    };
    struct topology_fault fault;
    struct topology *t;

    assert_int_equal(topology_new(regions, SITES, self, &t, &fault), ERR_OK);
    return t;
}

static void open_site(struct site *site, const char *address)
{
    health_board_open(&site->board, site->topology);
    site->board.inbox = &site->f->inbox;
    site->watch.inbox = &site->f->inbox;
    health_follow(&site->board, &site->watch);
    assert_int_equal(link_open(&site->link,
                               &(struct link_options){
                                   .loop = &site->f->loop.uv,
                                   .topology = site->topology,
                                   .store = site->f->store,
                                   .keyring = site->keyring,
                                   .board = &site->board,
                                   .certificate = buf_text(&site->made.certificate),
                                   .key = buf_text(&site->made.key),
                                   .address = address,
                               }),
                     ERR_OK);
}

static int set_up(void **state)
{
    static const char *const NAMES[SITES] = { "fra", "iad" };
    struct world *w = xcalloc(1, sizeof *w);
    char url[URL_ROOM];

    journals_start((void **)&w->journals);
    for (size_t i = 0; i < SITES; i++) {
        char master_key[MASTER_KEY_TEXT_MAX];

        keyring_generate(master_key);
        assert_int_equal(keyring_new(master_key, &w->sites[i].keyring), ERR_OK);
        w->sites[i].f = &w->journals->f[i];
        w->sites[i].made = make_region_certificate(NAMES[i]);
    }
    w->sites[FRA].topology = topology_of(w, FRA, NULL);
    open_site(&w->sites[FRA], "127.0.0.1");
    snprintf(url, sizeof url, "https://127.0.0.1:%u", link_port(w->sites[FRA].link));
    w->sites[IAD].topology = topology_of(w, IAD, url);
    open_site(&w->sites[IAD], NULL);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    ((struct site *)ctx)->closed = true;
}

static void close_link(struct world *w, struct site *site)
{
    if (!site->link)
        return;
    link_close(site->link, CLOSE_MS, on_closed, site);
    while (!site->closed)
        turn(w);
    site->link = NULL;
}

static void on_left(struct task *left)
{
    container_of(left, struct site, left)->has_left = true;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    for (size_t i = SITES; i-- > 0;) {
        struct site *site = &w->sites[i];

        close_link(w, site);
        site->left.run = on_left;
        health_unfollow(&site->watch, &site->left);
        while (!site->has_left)
            turn(w);
        region_health_unref(site->watch.health);
        health_board_close(&site->board);
        topology_free(site->topology);
        keyring_free(site->keyring);
        made_certificate_fini(&site->made);
    }
    journals_stop((void **)&w->journals);
    free(w);
    return 0;
}

static enum region_state seen_by(const struct world *w, size_t by, size_t which)
{
    return w->sites[by].watch.health->regions[which].state;
}

/* An application that lives in fra, and an endpoint of it whose secret fra has sealed. */
static struct id put_application(struct world *w, const char *jurisdiction)
{
    struct application *a = journals_application(w->sites[FRA].f, jurisdiction);
    struct id id = a->base.id;

    free(a->residency.jurisdiction);
    a->residency.jurisdiction = xstrdup(jurisdiction);
    store_fixture_put(w->sites[FRA].f, &a->base);
    return id;
}

static struct id put_endpoint(struct world *w, const struct id *application,
                              const struct secret *secret)
{
    struct endpoint *e = store_fixture_endpoint(w->sites[FRA].f, application, "hook");
    struct id id = e->base.id;

    bytes_fini(&e->secrets[0].sealed);
    seal_secret(w->sites[FRA].keyring, e, secret, &e->secrets[0].sealed);
    store_fixture_put(w->sites[FRA].f, &e->base);
    return id;
}

static const struct endpoint *wait_endpoint(struct world *w, const struct id *id)
{
    const struct endpoint *e;

    while (!(e = catalog_endpoint_by_key(w->sites[IAD].f->catalog, id_key(id))))
        turn(w);
    return e;
}

static void who_is_not_reached_gets_what_others_write(void **state)
{
    struct world *w = *state;
    const struct catalog *there = w->sites[IAD].f->catalog;
    struct id before = put_application(w, "eu");

    while (!catalog_application_by_key(there, id_key(&before)))
        turn(w);
    struct id while_it_waits = put_application(w, "fr");
    while (!catalog_application_by_key(there, id_key(&while_it_waits)))
        turn(w);
    journals_assert_same(w->sites[FRA].f, w->sites[IAD].f, w->sites[FRA].f->ordinal);
}

static void secrets_go_to_the_regions_of_the_jurisdiction_alone(void **state)
{
    struct world *w = *state;
    struct secret secret, opened;
    struct id ours = put_application(w, "eu"), others = put_application(w, "fr");

    secret_generate(&secret);
    struct id shared = put_endpoint(w, &ours, &secret);
    struct id withheld = put_endpoint(w, &others, &secret);

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
    struct world *w = *state;

    while (seen_by(w, IAD, FRA) != REGION_ALIVE)
        turn(w);
    assert_true(w->sites[IAD].watch.health->regions[FRA].rtt_us > 0);
    assert_int_equal(seen_by(w, FRA, IAD), REGION_UNKNOWN);
    close_link(w, &w->sites[FRA]);
    while (seen_by(w, IAD, FRA) != REGION_SUSPECT)
        turn(w);
    assert_true(w->sites[IAD].watch.health->regions[FRA].reason[0] != '\0');
}

static void on_errand_done(struct errand *errand)
{
    errand->carrying = NULL;
}

static void nothing_is_carried_to_who_is_not_reached(void **state)
{
    struct world *w = *state;
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
        turn(w);
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
    struct world *w = *state;
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
        { "GET /link/v1/snapshot?after=9223372036854775807", "HTTP/1.1 200" },
        { "GET /api/v1/app", "HTTP/1.1 404" },
    };
    struct client c;

    put_application(w, "eu");
    client_open_tls(&c, &w->sites[FRA].f->loop.uv, link_port(w->sites[FRA].link), &options);
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(&c, rows[i].request);
        const char *answer = client_answer(&c);
        if (!is_status(answer, rows[i].status))
            fail_msg("%s: %.60s", rows[i].request, answer);
    }
    client_close(&c);
}

static void who_waits_too_often_loses_its_oldest_wait(void **state)
{
    struct world *w = *state;
    struct site *fra = &w->sites[FRA];
    const struct tls_client_options options = { .identity = &w->sites[IAD].made };
    struct client waiting[READERS], probe;
    size_t empty = 0;

    close_link(w, &w->sites[IAD]);
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
    put_application(w, "eu");
    for (size_t i = 0; i < READERS; i++) {
        const char *answer = client_answer(&waiting[i]);

        assert_true(is_status(answer, "HTTP/1.1 200"));
        empty += strstr(answer, "\"entries\":[]") != NULL;
        client_close(&waiting[i]);
    }
    assert_in_range(empty, 1, READERS);
    client_close(&probe);
}

#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(who_is_not_reached_gets_what_others_write),
        LINK_TEST(secrets_go_to_the_regions_of_the_jurisdiction_alone),
        LINK_TEST(who_answers_is_alive_until_it_stops),
        LINK_TEST(nothing_is_carried_to_who_is_not_reached),
        LINK_TEST(a_hostile_peer_gets_a_refusal),
        LINK_TEST(who_waits_too_often_loses_its_oldest_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
