#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "dispatcher/lane.h"

#define CLAIMS 64

static const struct lane_limits limits = {
    .window_first = 4,
    .window_max = 8,
    .fail_limit = 3,
    .cool_off_first_ms = 1000,
    .cool_off_max_ms = 60000,
    .claimed_max = 20,
};

static const double no_jitter = 0.5;

struct fixture {
    struct lane lane;
    struct claim claims[CLAIMS];
};

static struct now at(uint64_t ms)
{
    return (struct now){ .mono_ms = ms, .wall_ms = 1000000 + ms };
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    lane_init(&f->lane, 7, &limits);
    for (size_t i = 0; i < CLAIMS; i++) {
        struct message *message = message_new();
        message->id.bytes[7] = (uint8_t)(i + 1);
        f->claims[i].delivery.message = message;
        list_init(&f->claims[i].link);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < CLAIMS; i++)
        message_unref(f->claims[i].delivery.message);
    free(f);
    return 0;
}

static struct claim *send_one(struct fixture *f, size_t i, uint64_t ms)
{
    lane_queue(&f->lane, &f->claims[i]);
    lane_advance(&f->lane, at(ms));
    return lane_may_send(&f->lane, at(ms)) ? lane_send(&f->lane, at(ms)) : NULL;
}

static void succeed_one(struct fixture *f, uint64_t ms)
{
    struct claim *claim = send_one(f, 0, ms);

    assert_non_null(claim);
    lane_succeeded(&f->lane);
    lane_settle(&f->lane, claim);
}

static void fail_one(struct fixture *f, uint64_t ms)
{
    struct claim *claim = send_one(f, 0, ms);

    assert_non_null(claim);
    lane_failed(&f->lane, at(ms), no_jitter);
    lane_settle(&f->lane, claim);
}

static unsigned send_all(struct fixture *f, uint64_t ms)
{
    unsigned sent = 0;

    for (size_t i = 0; i < CLAIMS; i++)
        lane_queue(&f->lane, &f->claims[i]);
    for (; lane_may_send(&f->lane, at(ms)); sent++)
        lane_send(&f->lane, at(ms));
    return sent;
}

static void the_oldest_message_is_sent_first(void **state)
{
    static const size_t order[] = { 3, 0, 2, 1 };
    struct fixture *f = *state;

    for (size_t i = 0; i < 4; i++)
        lane_queue(&f->lane, &f->claims[order[i]]);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(lane_send(&f->lane, at(0)), &f->claims[i]);
}

static void an_open_lane_admits_its_window(void **state)
{
    assert_int_equal(send_all(*state, 0), limits.window_first);
}

static void the_window_grows_by_one_per_window_of_successes(void **state)
{
    struct fixture *f = *state;

    for (unsigned window = 4; window <= 8; window++) {
        assert_int_equal(f->lane.window, window);
        for (unsigned i = 0; i < window; i++)
            succeed_one(f, 0);
    }
    assert_int_equal(f->lane.window, limits.window_max);
}

static void a_failure_halves_the_window(void **state)
{
    struct fixture *f = *state;

    fail_one(f, 0);
    assert_int_equal(f->lane.window, 2);
    fail_one(f, 0);
    assert_int_equal(f->lane.window, 1);
    succeed_one(f, 0);
    fail_one(f, 0);
    assert_int_equal(f->lane.window, 1);
    assert_int_equal(f->lane.state, LANE_OPEN);
}

static void failures_in_a_row_shut_the_lane_and_one_probe_opens_it(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < limits.fail_limit; i++)
        fail_one(f, 100);
    assert_int_equal(f->lane.state, LANE_SHUT);
    assert_int_equal(lane_next_mono_ms(&f->lane, at(100)), 1100);
    assert_int_equal(lane_depth(&f->lane, false), 0);
    lane_advance(&f->lane, at(1099));
    assert_false(lane_may_send(&f->lane, at(1099)));
    lane_advance(&f->lane, at(1100));
    assert_int_equal(lane_depth(&f->lane, false), 1);
    assert_int_equal(send_all(f, 1100), 1);
    lane_succeeded(&f->lane);
    assert_int_equal(f->lane.state, LANE_OPEN);
    assert_int_equal(f->lane.window, 2);
}

static void the_cool_off_doubles_up_to_its_limit(void **state)
{
    static const uint64_t waits_ms[] = { 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000 };
    struct fixture *f = *state;
    uint64_t ms = 0;

    fail_one(f, ms);
    fail_one(f, ms);
    for (size_t i = 0; i < COUNT(waits_ms); i++) {
        fail_one(f, ms);
        assert_int_equal(f->lane.reopen_mono_ms - ms, waits_ms[i]);
        ms = f->lane.reopen_mono_ms;
    }
    succeed_one(f, ms);
    for (unsigned i = 0; i < limits.fail_limit; i++)
        fail_one(f, ms);
    assert_int_equal(f->lane.reopen_mono_ms - ms, waits_ms[0]);
}

static void attempts_that_outlast_the_shutting_change_nothing(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(send_all(f, 0), 4);
    for (unsigned i = 0; i < 3; i++)
        lane_failed(&f->lane, at(50), no_jitter);
    lane_failed(&f->lane, at(500), no_jitter);
    assert_int_equal(f->lane.reopen_mono_ms, 1050);
}

static void who_outlasts_the_cool_off_is_no_probe(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(send_all(f, 0), 4);
    for (unsigned i = 0; i < 3; i++)
        lane_failed(&f->lane, at(50), no_jitter);
    lane_advance(&f->lane, at(1050));
    lane_failed(&f->lane, at(5000), no_jitter);
    assert_int_equal(f->lane.state, LANE_PROBING);
    assert_true(lane_may_send(&f->lane, at(5000)));
    lane_send(&f->lane, at(5000));
    lane_failed(&f->lane, at(6000), no_jitter);
    assert_int_equal(f->lane.reopen_mono_ms, 6000 + 2000);
}

static void a_pause_that_was_asked_for_is_never_shortened(void **state)
{
    struct fixture *f = *state;

    lane_shut(&f->lane, 5000);
    lane_shut(&f->lane, 2000);
    lane_advance(&f->lane, at(4999));
    assert_int_equal(f->lane.state, LANE_SHUT);
    lane_advance(&f->lane, at(5000));
    assert_int_equal(f->lane.state, LANE_PROBING);
}

static void a_rate_is_kept_whatever_the_window(void **state)
{
    struct fixture *f = *state;
    unsigned sent = 0;

    f->lane.throttle.rate = 100;
    for (uint64_t ms = 5000; ms < 7000; ms++) {
        lane_queue(&f->lane, &f->claims[0]);
        if (lane_may_send(&f->lane, at(ms))) {
            lane_settle(&f->lane, lane_send(&f->lane, at(ms)));
            lane_succeeded(&f->lane);
            sent++;
        } else {
            uint64_t next = lane_next_mono_ms(&f->lane, at(ms));
            assert_in_range(next, ms + 1, ms + 10);
            lane_unqueue(&f->lane, &f->claims[0]);
        }
    }
    assert_in_range(sent, 200, 200 + 11);
}

static void a_held_or_ended_lane_sends_and_takes_nothing(void **state)
{
    struct fixture *f = *state;

    f->lane.more = true;
    lane_queue(&f->lane, &f->claims[0]);
    f->lane.held = true;
    assert_false(lane_may_send(&f->lane, at(0)));
    assert_int_equal(lane_depth(&f->lane, false), 0);
    assert_false(lane_wants_refill(&f->lane, false));
    f->lane.held = false;
    f->lane.ended = true;
    assert_false(lane_may_send(&f->lane, at(0)));
    assert_int_equal(lane_next_mono_ms(&f->lane, at(0)), AGENDA_NEVER);
}

static void what_is_due_later_becomes_due(void **state)
{
    struct fixture *f = *state;
    struct now now = at(0);

    lane_note_due(&f->lane, now.wall_ms + 500, now);
    lane_note_due(&f->lane, now.wall_ms + 300, now);
    lane_note_due(&f->lane, now.wall_ms + 400, now);
    assert_int_equal(lane_next_mono_ms(&f->lane, now), 300);
    assert_false(lane_wants_refill(&f->lane, false));
    lane_advance(&f->lane, at(300));
    assert_true(lane_wants_refill(&f->lane, false));
    assert_false(lane_is_idle(&f->lane));
}

static void a_refill_waits_until_half_of_the_depth_is_used_up(void **state)
{
    struct fixture *f = *state;
    unsigned depth = lane_depth(&f->lane, false);

    f->lane.more = true;
    for (unsigned i = 0; i < depth; i++) {
        assert_int_equal(lane_wants_refill(&f->lane, false), i <= depth / 2);
        lane_queue(&f->lane, &f->claims[i]);
    }
}

static void memory_holds_less_when_it_is_scarce(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lane_depth(&f->lane, false), 16);
    assert_int_equal(lane_depth(&f->lane, true), 4);
    f->lane.window = 8;
    assert_int_equal(lane_depth(&f->lane, false), limits.claimed_max);
}

static void a_refill_is_told_all_that_is_claimed_in_order(void **state)
{
    struct fixture *f = *state;
    int64_t keys[6];

    for (size_t i = 6; i > 0; i--)
        lane_queue(&f->lane, &f->claims[i - 1]);
    lane_send(&f->lane, at(0));
    lane_send(&f->lane, at(0));
    lane_keys(&f->lane, keys);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(keys[i], i + 1);
        assert_true(lane_has(&f->lane, (int64_t)i + 1));
    }
    assert_false(lane_has(&f->lane, 7));
}

#define LANE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LANE_TEST(the_oldest_message_is_sent_first),
        LANE_TEST(an_open_lane_admits_its_window),
        LANE_TEST(the_window_grows_by_one_per_window_of_successes),
        LANE_TEST(a_failure_halves_the_window),
        LANE_TEST(failures_in_a_row_shut_the_lane_and_one_probe_opens_it),
        LANE_TEST(the_cool_off_doubles_up_to_its_limit),
        LANE_TEST(attempts_that_outlast_the_shutting_change_nothing),
        LANE_TEST(who_outlasts_the_cool_off_is_no_probe),
        LANE_TEST(a_pause_that_was_asked_for_is_never_shortened),
        LANE_TEST(a_rate_is_kept_whatever_the_window),
        LANE_TEST(a_held_or_ended_lane_sends_and_takes_nothing),
        LANE_TEST(what_is_due_later_becomes_due),
        LANE_TEST(a_refill_waits_until_half_of_the_depth_is_used_up),
        LANE_TEST(memory_holds_less_when_it_is_scarce),
        LANE_TEST(a_refill_is_told_all_that_is_claimed_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
