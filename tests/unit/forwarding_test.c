/* The real dispatcher, courier and store; who sends, and the region far away, are scripted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "tests/lib/dispatch_fixture.h"

#define HERE 1 /* ordinals; the fixture's own is HERE */
#define FAR  3

/* What the router says, one after the other; then HERE. */
struct abroad {
    struct router router;
    struct forwarder forwarder;
    uint8_t routes[4];
    bool doubts; /* what fails on its way isn't the endpoint's fault */

    struct forward answer; /* fate and so on of each forward */
    struct task answered;
    struct forward *forward; /* under way */
    bool hangs;

    size_t routed, retried, learnt, refused, forwarded;
    struct sighting seen; /* the latest; but for what it borrows */
    struct buf headers;
    char body[128];
};

static struct abroad abroad;

static struct routing on_route(struct router *r, const struct application *application,
                               const struct endpoint *endpoint, bool again, struct now now)
{
    struct abroad *a = container_of(r, struct abroad, router);
    uint8_t region = a->routed < 4 && a->routes[a->routed] ? a->routes[a->routed] : HERE;

    (void)application, (void)now;
    a->routed++;
    a->retried += again;
    return (struct routing){ .region = region == UINT8_MAX ? 0 : region, .url = endpoint->url };
}

static bool on_learn(struct router *r, const struct sighting *sighting, struct now now)
{
    struct abroad *a = container_of(r, struct abroad, router);

    (void)now;
    a->learnt++;
    a->seen = *sighting;
    return a->doubts && sighting->err != ERR_OK;
}

static void on_refused(struct router *r, uint8_t region, struct now now)
{
    (void)now;
    assert_int_equal(region, FAR);
    container_of(r, struct abroad, router)->refused++;
}

static void finish(struct abroad *a)
{
    struct forward *forward = a->forward;

    a->forward = NULL;
    forward->fate = a->answer.fate;
    forward->err = a->answer.err;
    forward->status = a->answer.status;
    forward->times = a->answer.times;
    snprintf(forward->reason, sizeof forward->reason, "%s", a->answer.reason);
    forward->done(forward);
}

static void on_answered(struct task *task)
{
    finish(container_of(task, struct abroad, answered));
}

static void on_send(struct forwarder *f, struct forward *forward)
{
    struct abroad *a = container_of(f, struct abroad, forwarder);

    assert_null(a->forward);
    a->forward = forward;
    a->forwarded++;
    buf_clear(&a->headers);
    for (size_t i = 0; i < forward->headers.count; i++)
        assert_int_equal(buf_printf(&a->headers, "%s\n", forward->headers.items[i]), ERR_OK);
    snprintf(a->body, sizeof a->body, "%.*s", (int)forward->body->len, forward->body->data);
    a->answered.run = on_answered;
    if (!a->hangs)
        inbox_post(forward->reply_to, &a->answered);
}

static void on_cancel(struct forwarder *f, struct forward *forward)
{
    struct abroad *a = container_of(f, struct abroad, forwarder);

    assert_ptr_equal(forward, a->forward);
    inbox_post(forward->reply_to, &a->answered);
}

static int set_up(void **state)
{
    abroad = (struct abroad){
        .router = { .route = on_route, .learn = on_learn, .refused = on_refused },
        .forwarder = { .send = on_send, .cancel = on_cancel },
        .headers = BUF_INIT(4096),
    };
    return dispatch_fixture_start(state, &abroad.router, &abroad.forwarder, egress_new_open());
}

static int tear_down(void **state)
{
    buf_fini(&abroad.headers);
    return dispatch_fixture_stop(state);
}

static void send_one(struct dispatch_fixture *f)
{
    store_fixture_put(&f->store, &dispatch_fixture_endpoint(f, "/")->base);
    dispatch_fixture_send(f);
}

static void what_is_sent_here_says_so_and_how_it_got_there(void **state)
{
    struct dispatch_fixture *f = *state;
    struct attempt_record attempt;

    send_one(f);
    dispatch_fixture_attempts(f, &attempt, 1);
    assert_int_equal(attempt.response_status, 204);
    assert_int_equal(attempt.way.region, HERE);
    assert_int_not_equal(attempt.way.first_byte_us, 0);
    assert_int_equal(abroad.seen.region, HERE);
    assert_int_equal(abroad.seen.err, ERR_OK);
    assert_int_equal(abroad.forwarded, 0);
    attempt_record_fini(&attempt);
}

static void assert_header(const char *start)
{
    assert_non_null(strstr(buf_text(&abroad.headers), start));
}

static void another_region_gets_a_signed_request_and_its_outcome_counts(void **state)
{
    struct dispatch_fixture *f = *state;
    struct attempt_record attempt;

    abroad.routes[0] = FAR;
    abroad.answer = (struct forward){ .fate = FORWARD_ANSWERED,
                                      .status = 200,
                                      .times = { .connect_us = 700, .first_byte_us = 900 } };
    send_one(f);
    dispatch_fixture_attempts(f, &attempt, 1);
    assert_int_equal(attempt.status, ATTEMPT_SUCCESS);
    assert_int_equal(attempt.way.region, FAR);
    assert_int_equal(attempt.way.connect_us, 700);
    assert_int_equal(abroad.seen.region, FAR);
    assert_int_equal(f->receiver.requests, 0);
    assert_string_equal(abroad.body, DISPATCH_PAYLOAD);
    assert_header("content-type: application/json\n");
    assert_header("webhook-id: msg_");
    assert_header("webhook-timestamp: 1");
    assert_header("webhook-signature: v1,");
    attempt_record_fini(&attempt);
}

static void what_a_region_doesnt_take_or_loses_was_never_tried(void **state)
{
    static const enum forward_fate FATES[] = { FORWARD_REFUSED, FORWARD_LOST };
    struct dispatch_fixture *f = *state;
    struct attempt_record attempt;

    store_fixture_put(&f->store, &dispatch_fixture_endpoint(f, "/")->base);
    for (size_t i = 0; i < sizeof FATES / sizeof *FATES; i++) {
        abroad.routed = 0;
        abroad.routes[0] = FAR;
        abroad.answer = (struct forward){ .fate = FATES[i] };
        dispatch_fixture_send(f);
        dispatch_fixture_attempts(f, &attempt, 1);
        assert_int_equal(attempt.number, 1);
        assert_int_equal(attempt.way.region, HERE);
        assert_int_equal(abroad.refused, i + 1);
        assert_int_equal(f->receiver.requests, i + 1);
        attempt_record_fini(&attempt);
    }
}

/* The schedule's first step is an hour. */
static void a_way_that_fails_is_doubted_before_the_endpoint_is(void **state)
{
    struct dispatch_fixture *f = *state;
    struct attempt_record attempts[2];

    abroad.doubts = true;
    abroad.routes[0] = FAR;
    abroad.answer = (struct forward){ .fate = FORWARD_ANSWERED,
                                      .err = ERR_TIMEOUT,
                                      .reason = "no answer in time" };
    send_one(f);
    dispatch_fixture_attempts(f, attempts, 2);
    assert_int_equal(attempts[0].status, ATTEMPT_FAIL);
    assert_int_equal(attempts[0].way.region, FAR);
    assert_int_equal(attempts[1].status, ATTEMPT_SUCCESS);
    assert_int_equal(attempts[1].way.region, HERE);
    assert_int_equal(attempts[1].number, 2);
    assert_int_equal(abroad.retried, 1);
    attempt_record_fini(&attempts[0]);
    attempt_record_fini(&attempts[1]);
}

static void closing_gives_up_what_another_region_has(void **state)
{
    struct dispatch_fixture *f = *state;
    struct store_status *status = xcalloc(1, sizeof *status);

    abroad.routes[0] = FAR;
    abroad.hangs = true;
    abroad.answer = (struct forward){ .fate = FORWARD_LOST };
    send_one(f);
    while (!abroad.forward)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    dispatch_fixture_close(f, 10);
    assert_int_equal(STORE_RUN(&f->store, store_status, status), ERR_OK);
    assert_int_equal(status->pending, 1);
    assert_int_equal(status->attempts, 0);
    free(status);
}

static void where_no_region_may_send_it_waits(void **state)
{
    struct dispatch_fixture *f = *state;
    struct store_status *status = xcalloc(1, sizeof *status);

    abroad.routes[0] = UINT8_MAX;
    send_one(f);
    while (abroad.routed == 0)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    assert_int_equal(STORE_RUN(&f->store, store_status, status), ERR_OK);
    assert_int_equal(status->pending, 1);
    assert_int_equal(status->attempts, 0);
    assert_int_equal(abroad.routed, 1);
    free(status);
}

#define FORWARDING_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FORWARDING_TEST(what_is_sent_here_says_so_and_how_it_got_there),
        FORWARDING_TEST(another_region_gets_a_signed_request_and_its_outcome_counts),
        FORWARDING_TEST(what_a_region_doesnt_take_or_loses_was_never_tried),
        FORWARDING_TEST(a_way_that_fails_is_doubted_before_the_endpoint_is),
        FORWARDING_TEST(closing_gives_up_what_another_region_has),
        FORWARDING_TEST(where_no_region_may_send_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
