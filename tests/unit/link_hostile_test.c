/* A region's link and a peer with the right certificate that answers as it likes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/count.h"
#include "core/mem.h"
#include "region/words.h"
#include "tests/lib/journals.h"
#include "tests/lib/link_site.h"
#include "wire/server.h"
#include "wire/tls.h"

#define URL_ROOM  64
#define CLOSE_MS  100
#define PULLS_MAX 4

/* What the peer answers to who asks for its journal, or for a page of its snapshot. */
struct script {
    unsigned changes_status, snapshot_status;
    struct changes_words changes, snapshot;
};

/* iad, and who is in fra's place on its loop. */
struct world {
    struct journals_world *journals;
    struct link_site fra, iad; /* fra has a certificate and no link */
    struct tls_context *tls;
    struct server *server;
    bool server_closed;
    struct script script;
    unsigned hellos, pulls;
    uint64_t pulled_mono_ms[PULLS_MAX]; /* the first of them */
};

static uv_loop_t *loop_of(struct world *w)
{
    return &w->iad.f->loop.uv;
}

static void reply(struct exchange *x, unsigned status, enum err err, struct buf *body)
{
    assert_int_equal(err, ERR_OK);
    exchange_reply(x, status, body);
}

static void on_headers(struct exchange *x, void *ctx)
{
    (void)x, (void)ctx;
}

static void on_request(struct exchange *x, void *ctx)
{
    struct world *w = ctx;
    struct script *script = &w->script;
    struct buf body = BUF_INIT(WORDS_LEN_MAX);

    if (strcmp(exchange_path(x), "/link/v1/hello") == 0) {
        w->hellos++;
        const struct hello_words hello = { .region = "fra",
                                           .ordinal = w->fra.f->ordinal,
                                           .version_least = LINK_VERSION,
                                           .version_most = LINK_VERSION };
        reply(x, 200, hello_write(&hello, &body), &body);
    } else if (strcmp(exchange_path(x), "/link/v1/ping") == 0) {
        const struct ping_words ping = { .received_us = clock_wall_us(),
                                         .replied_us = clock_wall_us() };
        reply(x, 200, ping_write(&ping, &body), &body);
    } else if (strcmp(exchange_path(x), "/link/v1/changes") == 0) {
        if (w->pulls < PULLS_MAX)
            w->pulled_mono_ms[w->pulls] = clock_now().mono_ms;
        w->pulls++;
        reply(x, script->changes_status, changes_write(&script->changes, &body), &body);
    } else {
        reply(x, script->snapshot_status, changes_write(&script->snapshot, &body), &body);
    }
}

static void open_server(struct world *w)
{
    const struct tls_peer iad = { "iad", buf_text(&w->iad.made.certificate) };
    const struct tls_options tls = { buf_text(&w->fra.made.certificate),
                                     buf_text(&w->fra.made.key), &iad, 1 };
    const char *why;

    assert_int_equal(tls_context_new(&tls, &w->tls, &why), ERR_OK);
    assert_int_equal(server_open(&w->server, &(struct server_options){ .loop = loop_of(w),
                                                                       .address = "127.0.0.1",
                                                                       .tls = w->tls,
                                                                       .on_headers = on_headers,
                                                                       .on_request = on_request,
                                                                       .ctx = w }),
                     ERR_OK);
}

/* The card's link_url is `base`, and the server's port. */
static int set_up_at(void **state, const char *base, bool port)
{
    struct world *w = xcalloc(1, sizeof *w);
    struct topology_fault fault;
    struct topology *t;
    struct buf url = BUF_INIT(URL_ROOM);

    journals_start((void **)&w->journals);
    link_site_start(&w->fra, "fra", &w->journals->f[0]);
    link_site_start(&w->iad, "iad", &w->journals->f[1]);
    open_server(w);
    assert_int_equal(buf_append_text(&url, base), ERR_OK);
    if (port)
        assert_int_equal(buf_printf(&url, ":%u", server_port(w->server)), ERR_OK);
    struct region regions[] = { link_site_region(&w->fra, "eu", buf_text(&url)),
                                link_site_region(&w->iad, "us", NULL) };
    assert_int_equal(topology_new(regions, COUNT(regions), 1, &t, &fault), ERR_OK);
    w->script = (struct script){ .changes_status = 200, .snapshot_status = 200 };
    link_site_open(&w->iad, t, NULL, (struct link_options){ .port = 0 });
    buf_fini(&url);
    *state = w;
    return 0;
}

static int set_up(void **state)
{
    return set_up_at(state, "https://127.0.0.1", true);
}

static int set_up_nowhere(void **state)
{
    return set_up_at(state, "https://[nowhere", false);
}

static void on_server_closed(void *ctx)
{
    ((struct world *)ctx)->server_closed = true;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    link_site_stop(&w->iad);
    server_close(w->server, CLOSE_MS, on_server_closed, w);
    while (!w->server_closed)
        uv_run(loop_of(w), UV_RUN_ONCE);
    tls_context_free(w->tls);
    keyring_free(w->fra.keyring);
    made_certificate_fini(&w->fra.made);
    journals_stop((void **)&w->journals);
    free(w);
    return 0;
}

static const char *reason(const struct world *w)
{
    return link_site_sees(&w->iad, "fra")->reason;
}

static void wait_for_reason(struct world *w, const char *part)
{
    while (!strstr(reason(w), part))
        uv_run(loop_of(w), UV_RUN_ONCE);
}

static void wait_until_well(struct world *w)
{
    while (reason(w)[0] != '\0')
        uv_run(loop_of(w), UV_RUN_ONCE);
}

static void who_says_nothing_at_once_is_asked_less_and_less_often(void **state)
{
    struct world *w = *state;

    while (w->pulls < 3)
        uv_run(loop_of(w), UV_RUN_ONCE);
    assert_true(w->pulled_mono_ms[1] - w->pulled_mono_ms[0] >= 250);
    assert_true(w->pulled_mono_ms[2] - w->pulled_mono_ms[1] >= 500);
    assert_string_equal(reason(w), ""); /* which is no trouble */
}

static void who_refuses_to_tell_its_journal_is_shown_until_it_does(void **state)
{
    struct world *w = *state;

    w->script.changes_status = 404;
    wait_for_reason(w, "it answers with status 404");
    w->script.changes_status = 200;
    wait_until_well(w);
    assert_int_equal(w->hellos, 1); /* it was alive throughout */
}

/* It may pass, and is told when it doesn't. */
static void who_is_busy_for_long_is_shown(void **state)
{
    struct world *w = *state;

    w->script.changes_status = 503;
    wait_for_reason(w, "too busy");
    assert_true(w->pulls > 3);
}

/* Pages, each with the same key to go on behind. */
static void assert_refuses_pages_behind(struct world *w, int64_t last)
{
    w->script.changes_status = 410;
    w->script.snapshot.more = true;
    w->script.snapshot.last = last;
    wait_for_reason(w, "no end");
    w->script.changes_status = 200;
    w->script.snapshot.more = false;
    wait_until_well(w);
}

static void a_snapshot_that_does_not_advance_is_refused(void **state)
{
    assert_refuses_pages_behind(*state, INT64_MIN);
}

static void a_snapshot_that_brings_nothing_is_refused(void **state)
{
    assert_refuses_pages_behind(*state, 1);
}

static void who_has_no_good_url_is_not_asked(void **state)
{
    struct world *w = *state;

    wait_for_reason(w, "link_url");
    assert_int_equal(link_site_sees(&w->iad, "fra")->state, REGION_INCOMPATIBLE);
    assert_int_equal(w->hellos, 0);
}

#define HOSTILE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOSTILE_TEST(who_says_nothing_at_once_is_asked_less_and_less_often),
        HOSTILE_TEST(who_refuses_to_tell_its_journal_is_shown_until_it_does),
        HOSTILE_TEST(who_is_busy_for_long_is_shown),
        HOSTILE_TEST(a_snapshot_that_does_not_advance_is_refused),
        HOSTILE_TEST(a_snapshot_that_brings_nothing_is_refused),
        cmocka_unit_test_setup_teardown(who_has_no_good_url_is_not_asked, set_up_nowhere,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
