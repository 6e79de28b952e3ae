/* A courier and a server between regions: each knows the other by its certificate, or hears why
 * not. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/certificates.h"
#include "wire/courier.h"
#include "wire/server.h"
#include "wire/tls.h"

#define DAY_S 86400L

/* From one region to another. */
struct line {
    struct courier_identity identity;
    struct tls_pins *pins;
    struct courier *courier;
};

struct fixture {
    uv_loop_t loop;
    struct egress *egress;
    struct made_certificate fra, iad, sin; /* sin isn't known to fra until a test says so */
    struct tls_context *context;
    struct server *server; /* of fra, or of who shows fra's name */
    struct line line;      /* of iad, to fra */
    char stranger[160];    /* the server's last report */
    unsigned requests;
    unsigned open; /* server and couriers that aren't closed yet */
    struct exchange *owed;
};

static void on_headers(struct exchange *x, void *ctx)
{
    (void)x, (void)ctx;
}

static void reply(struct exchange *x)
{
    struct buf body = BUF_INIT(64);

    assert_int_equal(buf_append_text(&body, exchange_peer(x)), ERR_OK);
    exchange_reply(x, 200, &body);
}

static void on_request(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;

    f->requests++;
    if (strcmp(exchange_path(x), "/later") == 0)
        f->owed = x;
    else
        reply(x);
}

static void on_stranger(const char *address, const char *why, void *ctx)
{
    struct fixture *f = ctx;

    snprintf(f->stranger, sizeof f->stranger, "%s %s", address, why);
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->open--;
}

/* A server that shows `own` and knows iad, and sin too if `knows_sin`. */
static void open_server(struct fixture *f, const struct made_certificate *own, bool knows_sin)
{
    const struct tls_peer peers[] = { { "iad", buf_text(&f->iad.certificate) },
                                      { "sin", buf_text(&f->sin.certificate) } };
    const struct tls_options options = { buf_text(&own->certificate), buf_text(&own->key),
                                         peers, knows_sin ? 2 : 1 };
    const char *why;

    assert_int_equal(tls_context_new(&options, &f->context, &why), ERR_OK);
    assert_int_equal(server_open(&f->server,
                                 &(struct server_options){
                                     .loop = &f->loop,
                                     .address = "127.0.0.1",
                                     .tls = f->context,
                                     .on_headers = on_headers,
                                     .on_request = on_request,
                                     .on_stranger = on_stranger,
                                     .ctx = f,
                                 }),
                     ERR_OK);
    f->open++;
}

static void wait_closed(struct fixture *f, unsigned open)
{
    while (f->open > open)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void close_server(struct fixture *f)
{
    server_close(f->server, 1000, on_closed, f);
    wait_closed(f, f->open - 1);
    tls_context_free(f->context);
}

/* A courier to whom `peer` says it is; it shows `own`, with the key of `key_of`. */
static void open_courier(struct fixture *f, struct line *line,
                         const struct made_certificate *own,
                         const struct made_certificate *key_of, const struct tls_peer *peer)
{
    const char *why;

    assert_int_equal(tls_pins_new(peer, 1, &line->pins, &why), ERR_OK);
    line->identity = (struct courier_identity){
        .certificate = buf_text(&own->certificate),
        .key = buf_text(&key_of->key),
        .pins = line->pins,
    };
    assert_int_equal(courier_open(&line->courier,
                                  &(struct courier_options){
                                      .loop = &f->loop,
                                      .egress = f->egress,
                                      .user_agent = "posthaste-test/1",
                                      .idle_connections = 8,
                                      .identity = &line->identity,
                                  }),
                     ERR_OK);
    f->open++;
}

static void close_courier(struct fixture *f, struct line *line)
{
    courier_close(line->courier, on_closed, f);
    wait_closed(f, f->open - 1);
    tls_pins_free(line->pins);
}

static struct tls_peer fra_of(const struct fixture *f)
{
    return (struct tls_peer){ "fra", buf_text(&f->fra.certificate) };
}

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    struct text_list subnets = { .count = 1, .items = (char *[]){ "127.0.0.0/8" } };
    const char *bad;

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&f->loop);
    assert_int_equal(egress_new(&subnets, &f->egress, &bad), ERR_OK);
    f->fra = make_region_certificate("fra");
    f->iad = make_region_certificate("iad");
    f->sin = make_region_certificate("sin");
    open_server(f, &f->fra, false);
    struct tls_peer fra = fra_of(f);
    open_courier(f, &f->line, &f->iad, &f->iad, &fra);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    close_courier(f, &f->line);
    close_server(f);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    egress_free(f->egress);
    made_certificate_fini(&f->fra);
    made_certificate_fini(&f->iad);
    made_certificate_fini(&f->sin);
    free(f);
    return 0;
}

static struct target *target_at(const struct fixture *f, const char *path)
{
    const struct text_list none = { 0 };
    struct target *target;
    char url[64];

    snprintf(url, sizeof url, "https://127.0.0.1:%u%s", server_port(f->server), path);
    assert_int_equal(target_new("GET", url, &none, &target), ERR_OK);
    return target;
}

struct request {
    struct call call;
    bool is_done;
};

static void on_done(struct call *call)
{
    ((struct request *)((char *)call - offsetof(struct request, call)))->is_done = true;
}

static struct request request_to(struct target *target)
{
    return (struct request){
        .call = { .target = target,
                  .timeout_ms = 10000,
                  .response_kept = 64,
                  .response_max = 4096,
                  .is_timed = true,
                  .done = on_done },
    };
}

static void carry(struct fixture *f, struct line *line, struct request *r)
{
    courier_send(line->courier, &r->call);
    while (!r->is_done)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void assert_answer(const struct request *r, const char *peer)
{
    if (r->call.err)
        fail_msg("%s", r->call.reason);
    assert_string_equal(buf_text(&r->call.response), peer);
}

static void assert_carried(struct fixture *f, struct line *line, const char *peer)
{
    struct request r = request_to(target_at(f, "/"));

    carry(f, line, &r);
    assert_answer(&r, peer);
    buf_fini(&r.call.response);
    target_unref(r.call.target);
}

static void assert_refused(struct fixture *f, struct line *line, bool is_distrust,
                           const char *reason)
{
    struct request r = request_to(target_at(f, "/"));

    carry(f, line, &r);
    assert_int_equal(r.call.err, ERR_UNAVAILABLE);
    assert_string_equal(r.call.reason, reason);
    assert_int_equal(r.call.is_distrust, is_distrust);
    buf_fini(&r.call.response);
    target_unref(r.call.target);
}

static void two_regions_know_each_other(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        assert_carried(f, &f->line, "iad");
    assert_string_equal(f->stranger, "");
}

static void a_server_is_refused_whose_certificate_is_not_the_pinned_one(void **state)
{
    static const struct {
        struct certificate_kind kind; /* of the one that is shown and pinned … */
        bool is_other;                /* … or it isn't the pinned one */
        const char *reason;
    } rows[] = {
        { { .names = "URI:region:fra" },
          true,
          "the peer shows a certificate that isn't pinned here" },
        { { .names = "URI:region:fra", .from_s = -2 * DAY_S, .to_s = -1 },
          false,
          "the peer shows a certificate that has expired" },
        { { .names = "URI:region:fra", .from_s = DAY_S, .to_s = 2 * DAY_S },
          false,
          "the peer shows a certificate that isn't valid yet" },
        { { .names = "URI:region:gru,IP:127.0.0.1" },
          false,
          "the peer shows a certificate that doesn't name the region it is pinned for" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct made_certificate shown = make_certificate(&rows[i].kind);
        const struct tls_peer peer = { "fra", rows[i].is_other ? buf_text(&f->fra.certificate)
                                                               : buf_text(&shown.certificate) };
        struct line line;

        close_server(f);
        open_server(f, &shown, false);
        open_courier(f, &line, &f->iad, &f->iad, &peer);
        assert_refused(f, &line, true, rows[i].reason);
        close_courier(f, &line);
        made_certificate_fini(&shown);
    }
    assert_int_equal(f->requests, 0);
}

static void a_caller_is_refused_that_is_not_known(void **state)
{
    struct fixture *f = *state;
    struct tls_peer fra = fra_of(f);
    struct line line;

    open_courier(f, &line, &f->sin, &f->sin, &fra);
    assert_refused(f, &line, true, "refused within TLS: unknown ca");
    assert_string_equal(f->stranger, "127.0.0.1 shows a certificate that isn't pinned here");
    assert_int_equal(f->requests, 0);
    close_courier(f, &line);
}

static void an_identity_that_does_not_fit_is_ours_to_mend(void **state)
{
    struct fixture *f = *state;
    struct tls_peer fra = fra_of(f);
    struct line line;

    open_courier(f, &line, &f->iad, &f->sin, &fra);
    assert_refused(f, &line, false, "our certificate or its key can't be used");
    close_courier(f, &line);
}

static void nothing_goes_to_a_peer_in_clear(void **state)
{
    const struct text_list none = { 0 };
    struct fixture *f = *state;
    struct target *target;

    assert_int_equal(target_new("GET", "http://127.0.0.1:9/", &none, &target), ERR_OK);
    struct request r = request_to(target);
    carry(f, &f->line, &r);
    assert_int_equal(r.call.err, ERR_INVALID);
    assert_string_equal(r.call.reason, "a peer is spoken to by https alone");
    buf_fini(&r.call.response);
    target_unref(target);
}

static void couriers_of_two_identities_are_two_callers(void **state)
{
    struct fixture *f = *state;
    struct tls_peer fra = fra_of(f);
    struct line of_sin;

    close_server(f);
    open_server(f, &f->fra, true);
    open_courier(f, &of_sin, &f->sin, &f->sin, &fra);
    for (unsigned i = 0; i < 3; i++) {
        assert_carried(f, &f->line, "iad");
        assert_carried(f, &of_sin, "sin");
    }
    close_courier(f, &of_sin);
}

/* The peer pins both for a while; then the server shows the new one. */
static void a_certificate_is_replaced_without_a_gap(void **state)
{
    struct fixture *f = *state;
    struct made_certificate next = make_region_certificate("fra");
    struct buf both = BUF_INIT(TLS_PEMS_MAX);
    struct line line;

    assert_int_equal(
        buf_printf(&both, "%s%s", buf_text(&f->fra.certificate), buf_text(&next.certificate)),
        ERR_OK);
    open_courier(f, &line, &f->iad, &f->iad, &(struct tls_peer){ "fra", buf_text(&both) });
    assert_carried(f, &line, "iad");
    close_server(f);
    open_server(f, &next, false);
    assert_carried(f, &line, "iad");
    assert_refused(f, &f->line, true, "the peer shows a certificate that isn't pinned here");
    close_courier(f, &line);
    buf_fini(&both);
    made_certificate_fini(&next);
}

/* Times. */

static void the_steps_of_a_call_are_timed(void **state)
{
    struct fixture *f = *state;
    struct target *target = target_at(f, "/");
    struct request first = request_to(target), kept = request_to(target),
                   untimed = request_to(target);

    carry(f, &f->line, &first);
    assert_answer(&first, "iad");
    assert_in_range(first.call.times.connect_us, 1, 5000000);
    assert_in_range(first.call.times.tls_us, 1, 5000000);
    assert_in_range(first.call.times.first_byte_us, 1, 5000000);
    assert_in_range(first.call.times.rtt.smoothed_us, 1, 5000000);
    assert_in_range(first.call.times.rtt.least_us, 1, 5000000);

    carry(f, &f->line, &kept);
    assert_answer(&kept, "iad");
    assert_int_equal(kept.call.times.connect_us, 0);
    assert_int_equal(kept.call.times.tls_us, 0);
    assert_in_range(kept.call.times.first_byte_us, 1, 5000000);
    assert_in_range(kept.call.times.rtt.least_us, 1, 5000000);

    untimed.call.is_timed = false;
    carry(f, &f->line, &untimed);
    assert_answer(&untimed, "iad");
    assert_memory_equal(&untimed.call.times, &(struct call_times){ 0 },
                        sizeof(struct call_times));

    buf_fini(&first.call.response);
    buf_fini(&kept.call.response);
    buf_fini(&untimed.call.response);
    target_unref(target);
}

static void answer_owed(uv_timer_t *timer)
{
    struct fixture *f = timer->data;

    reply(f->owed);
    uv_close((uv_handle_t *)timer, NULL);
}

static void the_wait_for_an_answer_is_not_the_way_to_it(void **state)
{
    struct fixture *f = *state;
    struct target *target = target_at(f, "/later");
    struct request r = request_to(target);
    uv_timer_t timer;

    courier_send(f->line.courier, &r.call);
    while (!f->owed)
        uv_run(&f->loop, UV_RUN_ONCE);
    timer.data = f;
    uv_timer_init(&f->loop, &timer);
    uv_update_time(&f->loop);
    uv_timer_start(&timer, answer_owed, 200, 0);
    while (!r.is_done)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_answer(&r, "iad");
    assert_in_range(r.call.times.first_byte_us, 150000, 5000000);
    assert_in_range(r.call.times.rtt.least_us, 1, 100000);
    buf_fini(&r.call.response);
    target_unref(target);
}

#define LINK_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINK_TEST(two_regions_know_each_other),
        LINK_TEST(a_server_is_refused_whose_certificate_is_not_the_pinned_one),
        LINK_TEST(a_caller_is_refused_that_is_not_known),
        LINK_TEST(an_identity_that_does_not_fit_is_ours_to_mend),
        LINK_TEST(nothing_goes_to_a_peer_in_clear),
        LINK_TEST(couriers_of_two_identities_are_two_callers),
        LINK_TEST(a_certificate_is_replaced_without_a_gap),
        LINK_TEST(the_steps_of_a_call_are_timed),
        LINK_TEST(the_wait_for_an_answer_is_not_the_way_to_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
