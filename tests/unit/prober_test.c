/* Real connections on 127.0.0.1, and names from a server of the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/name_server.h"
#include "tests/lib/receiver.h"
#include "wire/prober.h"

#define TIMEOUT_MS 2000

static const struct zone_name ZONE[] = {
    { "near.test", { "127.0.0.1" } },
    { "private.test", { "10.0.0.1" } },
    { "silent.test", { NULL } },
    { NULL, { NULL } },
};

struct world {
    uv_loop_t loop;
    struct name_server names;
    struct receiver receiver;
    struct egress *egress;
    struct prober *prober;
    unsigned done;
    bool closed;
};

struct wish {
    struct probe probe;
    struct world *world;
};

static int set_up(void **state)
{
    static char LOOPBACK[] = "127.0.0.0/8";
    char *subnets[] = { LOOPBACK };
    const struct text_list allowed = { .count = 1, .items = subnets };
    struct world *w = xcalloc(1, sizeof *w);
    const char *bad;

    uv_loop_init(&w->loop);
    name_server_open(&w->names, &w->loop, ZONE);
    receiver_open(&w->receiver, &w->loop);
    assert_int_equal(egress_new(&allowed, &w->egress, &bad), ERR_OK);
    assert_int_equal(
        prober_open(&w->prober, &(struct prober_options){ .loop = &w->loop,
                                                          .egress = w->egress,
                                                          .name_servers = w->names.address }),
        ERR_OK);
    *state = w;
    return 0;
}

static void on_closed(void *ctx)
{
    ((struct world *)ctx)->closed = true;
}

static void close_prober(struct world *w)
{
    if (!w->prober)
        return;
    prober_close(w->prober, on_closed, w);
    w->prober = NULL;
    while (!w->closed)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static int tear_down(void **state)
{
    struct world *w = *state;

    close_prober(w);
    receiver_close(&w->receiver);
    name_server_close(&w->names);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    egress_free(w->egress);
    free(w);
    return 0;
}

static void on_done(struct probe *probe)
{
    container_of(probe, struct wish, probe)->world->done++;
}

static void begin(struct world *w, struct wish *wish, const char *url, uint32_t timeout_ms)
{
    wish->world = w;
    wish->probe = (struct probe){ .url = url, .timeout_ms = timeout_ms, .done = on_done };
    prober_start(w->prober, &wish->probe);
}

static enum err probe(struct world *w, const char *url)
{
    struct wish wish;
    unsigned before = w->done;

    begin(w, &wish, url, TIMEOUT_MS);
    while (w->done == before)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(wish.probe.rtt_us != 0, wish.probe.err == ERR_OK);
    return wish.probe.err;
}

static void a_host_that_answers_has_a_round_trip(void **state)
{
    struct world *w = *state;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/in?a=b", w->receiver.port);
    assert_int_equal(probe(w, url), ERR_OK);
    snprintf(url, sizeof url, "https://near.test:%u/", w->receiver.port);
    assert_int_equal(probe(w, url), ERR_OK);
    assert_int_equal(w->receiver.requests, 0);
}

static void what_cannot_be_reached_says_why(void **state)
{
    struct world *w = *state;
    char nobody[64];
    const struct {
        const char *url;
        enum err err;
    } ROWS[] = {
        { nobody, ERR_UNAVAILABLE },
        { "http://unknown.test/", ERR_UNAVAILABLE },
        { "http://10.0.0.1/", ERR_DENIED },
        { "http://private.test/", ERR_DENIED },
        { "https://[::1]/", ERR_DENIED },
        { "http:near.test", ERR_INVALID },
        { "http://near.test:99999/", ERR_INVALID },
        { "http://near.test:1x/", ERR_INVALID },
        { "http://[::1/", ERR_INVALID },
    };

    snprintf(nobody, sizeof nobody, "http://127.0.0.1:%u/", unused_port());
    for (size_t i = 0; i < COUNT(ROWS); i++)
        if (probe(w, ROWS[i].url) != ROWS[i].err)
            fail_msg("%s", ROWS[i].url);
}

static void no_more_than_so_many_are_under_way(void **state)
{
    struct world *w = *state;
    struct wish *wishes = xcalloc(PROBES_MAX + 1, sizeof *wishes);

    for (size_t i = 0; i <= PROBES_MAX; i++)
        begin(w, &wishes[i], "http://silent.test/", TIMEOUT_MS);
    while (w->done == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(wishes[PROBES_MAX].probe.err, ERR_BUSY);
    close_prober(w);
    assert_int_equal(w->done, PROBES_MAX + 1);
    assert_int_equal(wishes[0].probe.err, ERR_CANCELED);
    free(wishes);
}

static void one_that_takes_too_long_has_timed_out(void **state)
{
    struct world *w = *state;
    struct wish wish;

    begin(w, &wish, "http://silent.test/", 20);
    while (w->done == 0)
        uv_run(&w->loop, UV_RUN_ONCE);
    assert_int_equal(wish.probe.err, ERR_TIMEOUT);
}

#define PROBER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBER_TEST(a_host_that_answers_has_a_round_trip),
        PROBER_TEST(what_cannot_be_reached_says_why),
        PROBER_TEST(no_more_than_so_many_are_under_way),
        PROBER_TEST(one_that_takes_too_long_has_timed_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
