/* A courier in a storm: receivers that answer, hang, reset or flood, names that don't resolve,
 * calls that are canceled, and an end in the middle of it. Each call is done once, and no
 * descriptor stays open.
 *
 *     STORM_SEED=17 build/asan/tests/courier_storm_test     one seed */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/list.h"
#include "tests/lib/courier_fixture.h"
#include "tests/lib/dice.h"
#include "tests/lib/storm.h"

#define CALLS_MAX 12
#define STEPS     300
#define SEEDS     20
struct flight {
    struct call call;
    bool is_under_way;
};

struct storm {
    struct courier_fixture *fixture;
    struct dice dice;
    struct flight flights[CALLS_MAX];
    unsigned sent, done;
};

static struct storm storm;

static void on_done(struct call *call)
{
    struct flight *flight = container_of(call, struct flight, call);

    assert_true(flight->is_under_way);
    assert_true((call->err == ERR_OK) == (call->status > 0));
    assert_true((call->err == ERR_OK) == (call->reason[0] == 0));
    flight->is_under_way = false;
    buf_fini(&call->response);
    storm.done++;
}

static void send_one(struct flight *flight)
{
    static const char *const hosts[] = { "127.0.0.1",      "127.0.0.1",   "receiver.test",
                                         "half-dead.test", "silent.test", "nowhere.test",
                                         "10.0.0.1",       "private.test" };
    const char *host = hosts[dice_between(&storm.dice, 0, COUNT(hosts) - 1)];
    struct target *target = target_at(host, storm.fixture->receiver.port);

    flight->call = (struct call){ .target = target,
                                  .body = "{}",
                                  .body_len = 2,
                                  .timeout_ms = (uint32_t)dice_between(&storm.dice, 0, 40),
                                  .response_kept = 4,
                                  .response_max = 8,
                                  .done = on_done };
    flight->is_under_way = true;
    storm.sent++;
    courier_send(storm.fixture->courier, &flight->call);
    target_unref(target);
}

static void change_the_weather(struct receiver *r)
{
    static const struct {
        enum reaction reaction;
        const char *answer, *more;
    } weathers[] = {
        { REACT_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL },
        { REACT_ANSWER, "HTTP/1.1 500 No\r\nContent-Length: 200\r\n\r\ncut", NULL },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", NULL },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nConte", NULL },
        { REACT_ANSWER_FOREVER, "HTTP/1.1 200 OK\r\n\r\n", "0123456789" },
        { REACT_ANSWER_FOREVER, "HTTP/1.1 200 OK\r\n", "X: y\r\n" },
        { REACT_ANSWER, "nonsense\r\n\r\n", NULL },
        { REACT_NOTHING, NULL, NULL },
        { REACT_CLOSE, NULL, NULL },
        { REACT_RESET, NULL, NULL },
    };
    size_t i = dice_between(&storm.dice, 0, COUNT(weathers) - 1);

    r->reaction = weathers[i].reaction;
    r->answer = weathers[i].answer;
    r->more = weathers[i].more;
}

static void step(void)
{
    struct courier_fixture *f = storm.fixture;
    struct flight *flight = &storm.flights[dice_between(&storm.dice, 0, CALLS_MAX - 1)];

    if (dice_chance(&storm.dice, 15))
        change_the_weather(&f->receiver);
    if (dice_chance(&storm.dice, 2))
        receiver_hang_up(&f->receiver);
    if (!flight->is_under_way)
        send_one(flight);
    else if (dice_chance(&storm.dice, 10))
        courier_cancel(f->courier, &flight->call);
    assert_int_equal(courier_active(f->courier), storm.sent - storm.done);
    bool may_wait = dice_chance(&storm.dice, 5) && storm.sent > storm.done;
    uv_run(&f->loop, may_wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

static void ride_out(uint64_t seed)
{
    void *fixture;

    storm = (struct storm){ .dice = { seed } };
    courier_fixture_setup(&fixture);
    storm.fixture = fixture;
    storm.fixture->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    for (unsigned i = 0; i < STEPS; i++)
        step();
    courier_fixture_close(storm.fixture);
    assert_int_equal(storm.sent, storm.done);
    courier_fixture_teardown(&fixture);
}

static void each_call_is_done_once_and_nothing_is_left(void **state)
{
    (void)state;
    storm_ride(SEEDS, ride_out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_is_done_once_and_nothing_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
