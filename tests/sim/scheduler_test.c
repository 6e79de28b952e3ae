/* What the scheduler does in single situations, to the millisecond of virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/capture.h"
#include "tests/lib/world.h"

#define SECOND_MS 1000u
#define HOUR_MS   (3600u * SECOND_MS)

static int set_up(void **state)
{
    struct world *w = world_new(1);

    world_open(w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    world_free(*state);
    return 0;
}

static unsigned accepted(const struct subscriber *r)
{
    unsigned count = 0;

    for (size_t n = 0; n < MESSAGES_MAX; n++)
        count += r->parcels[n].accepted;
    return count;
}

/* Time until `r` has accepted `count` messages. */
static uint64_t time_to_accept(struct world *w, const struct subscriber *r, unsigned count)
{
    uint64_t start = fate.now.mono_ms;

    while (accepted(r) < count) {
        assert_true(fate.now.mono_ms < start + HOUR_MS);
        run_for(w, 10);
    }
    return fate.now.mono_ms - start;
}

static void a_message_is_sent_at_once(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    send_messages(w, 1);
    assert_int_equal(r->in_flight, 1);
}

static void a_retry_starts_when_it_is_due(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);
    struct parcel *parcel = &r->parcels[0];

    r->manner = MANNER_BROKEN;
    send_messages(w, 1);
    for (unsigned attempts = 1; attempts <= 4; attempts++) {
        run_until(w, subscribers_next(&w->subscribers));
        assert_int_equal(parcel->attempts, attempts);
        uint64_t wait_ms = parcel->due_at_ms - fate.now.wall_ms;
        run_for(w, wait_ms - 1);
        assert_int_equal(r->in_flight, 0);
        run_for(w, 1);
        be_quiet(w);
        assert_int_equal(r->in_flight, 1);
    }
    run_for(w, HOUR_MS);
    assert_int_equal(parcel->attempts, 5);
    assert_int_equal(ask_pending(w), 0);
}

static void a_backlog_drains_as_fast_as_the_window_lets_it(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);
    uint64_t mean_answer_ms = 40;

    send_messages(w, 1000);
    assert_true(time_to_accept(w, r, 1000) < 2 * 1000 * mean_answer_ms / 8);
}

static void a_backlog_is_found_again_after_a_restart(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    set_disabled(w, r, true);
    send_messages(w, 20);
    world_restart(w, false);
    run_for(w, SECOND_MS);
    assert_int_equal(w->subscribers.attempts, 0);
    set_disabled(w, r, false);
    assert_int_equal(r->in_flight, 4);
    world_restart(w, true);
    assert_int_equal(r->in_flight, 4);
    assert_true(time_to_accept(w, r, 20) < SECOND_MS);
}

static void lost_hints_cost_a_second_not_a_message(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    w->inbox.limit = 2;
    send_messages(w, 50);
    run_for(w, SECOND_MS);
    send_messages(w, 1);
    assert_true(time_to_accept(w, r, 51) < 3 * SECOND_MS);
}

/* As the store does with one that is too long. */
static void on_fresh_without_message(struct store_watcher *watcher, struct store_hint *hint)
{
    message_unref(hint->message);
    hint->message = NULL;
    scheduler_take_hint(container_of(watcher, struct world, watcher)->scheduler, hint);
}

static void a_message_that_its_hint_lacks_is_read_at_once(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    w->watcher.fresh = on_fresh_without_message;
    send_messages(w, 3);
    assert_int_equal(r->in_flight, 3);
}

static void a_dead_receiver_delays_nobody_else(void **state)
{
    static const enum manner bad[] = { MANNER_BROKEN, MANNER_HANGING, MANNER_UNREACHABLE,
                                       MANNER_SLOW };
    struct world *w = *state;
    struct subscriber *healthy = make_endpoint(w, 0);

    for (size_t i = 0; i < COUNT(bad); i++)
        make_endpoint(w, 0)->manner = bad[i];
    for (unsigned i = 1; i <= 60; i++) {
        send_messages(w, 10);
        assert_true(time_to_accept(w, healthy, 10 * i) < 500);
        run_for(w, SECOND_MS);
    }
}

static void a_shut_lane_keeps_nothing_in_memory_and_probes_with_one(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    r->manner = MANNER_BROKEN;
    send_messages(w, 200);
    run_for(w, 2 * SECOND_MS);
    for (unsigned i = 0; i < 1000; i++) {
        run_for(w, 200);
        assert_in_range(r->in_flight, 0, 1);
        assert_in_range(scheduler_load(w->scheduler).claims, 0, 1);
    }
}

static void a_receiver_that_asks_for_a_pause_gets_it(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    r->manner = MANNER_OVERLOADED;
    r->retry_after_s = 600;
    send_messages(w, 1);
    run_until(w, subscribers_next(&w->subscribers));
    send_messages(w, 10);
    run_for(w, 599 * SECOND_MS);
    assert_int_equal(w->subscribers.attempts, 1);
    r->manner = MANNER_PROMPT;
    assert_true(time_to_accept(w, r, 11) < 3 * SECOND_MS);
}

static void a_shortage_of_ours_is_no_attempt_of_theirs(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0), *other = make_endpoint(w, 0);

    r->manner = MANNER_BEYOND_US;
    send_messages(w, 3);
    run_for(w, 10 * SECOND_MS);
    assert_int_equal(accepted(other), 3);
    assert_in_range(w->subscribers.attempts, 3 + 3 + 8, 3 + 3 + 10); /* one each second */
    r->manner = MANNER_PROMPT;
    assert_true(time_to_accept(w, r, 3) < 2 * SECOND_MS);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(r->parcels[n].attempts, 1);
}

static void what_is_sealed_waits_for_its_key_and_is_told_of_once_a_minute(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0), *other = make_endpoint(w, 0);
    struct capture log;
    char lines[65536];

    r->manner = MANNER_SEALED;
    capture_begin(&log);
    send_messages(w, 3);
    run_for(w, HOUR_MS);
    capture_end(&log, lines, sizeof lines);
    assert_in_range(capture_count(lines, "deliveries_held"), 60 - 10, 60);
    assert_int_equal(accepted(other), 3);
    r->manner = MANNER_PROMPT;
    assert_true(time_to_accept(w, r, 3) < 12 * SECOND_MS);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(r->parcels[n].attempts, 1);
}

static void what_is_sealed_is_looked_at_by_one_attempt_in_ten_seconds(void **state)
{
    struct world *w = *state;

    make_endpoint(w, 0)->manner = MANNER_SEALED;
    send_messages(w, 20);
    assert_int_equal(w->subscribers.attempts, 4); /* the first window */
    run_for(w, 100 * SECOND_MS);
    assert_in_range(w->subscribers.attempts, 4 + 9, 4 + 10);
}

static void an_attempt_without_record_says_nothing_of_the_disk(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    make_endpoint(w, 0)->manner = MANNER_BEYOND_US;
    send_messages(w, 20);
    assert_int_equal(w->subscribers.attempts, 2 * 4);
    fate.disk_full = true;
    run_for(w, 10 * SECOND_MS);
    /* one more may start before the first record is refused */
    assert_in_range(w->subscribers.attempts, 2 * 4, 2 * 4 + 1);
    fate.disk_full = false;
    time_to_accept(w, r, 20);
}

static void a_rate_is_kept(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 20);

    send_messages(w, 200);
    assert_in_range(time_to_accept(w, r, 200), 9800, 10200);
}

static void an_applications_rate_is_shared_by_its_endpoints(void **state)
{
    struct world *w = *state;
    struct subscriber *r[4];

    for (size_t i = 0; i < COUNT(r); i++)
        r[i] = make_endpoint(w, 0);
    set_application_rate(w, 40);
    send_messages(w, 200);
    for (unsigned second = 1; second <= 15; second++) {
        run_for(w, SECOND_MS);
        assert_in_range(w->subscribers.attempts, 40 * second, 40 * second + 5);
        for (size_t i = 0; i < COUNT(r); i++)
            assert_in_range(accepted(r[i]), 10 * second - 5, 10 * second + 3);
    }
}

static void beside_an_applications_rate_each_endpoints_own_is_kept(void **state)
{
    struct world *w = *state;
    struct subscriber *slow = make_endpoint(w, 5), *fast = make_endpoint(w, 0);

    set_application_rate(w, 20);
    send_messages(w, 200);
    run_for(w, 10 * SECOND_MS);
    assert_in_range(accepted(slow), 48, 52);
    assert_in_range(accepted(fast), 145, 155);
}

/* A long backlog elsewhere in the application costs a turn, not its length. */
static void a_backlog_takes_no_other_endpoints_turn(void **state)
{
    struct world *w = *state;
    struct subscriber *long_one = make_endpoint(w, 0), *fresh;

    set_application_rate(w, 10);
    send_messages(w, 500);
    run_for(w, SECOND_MS);
    fresh = make_endpoint(w, 0);
    send_messages(w, 1);
    assert_in_range(time_to_accept(w, fresh, 1), 0, 300);
    assert_in_range(accepted(long_one), 10, 14);
}

static void an_applications_rate_may_change_at_any_time(void **state)
{
    static const struct {
        uint32_t rate;
        unsigned least, most; /* attempts in a second of it */
    } steps[] = { { 1, 1, 2 },    { 100, 95, 111 },  { 5, 4, 7 },
                  { 50, 46, 57 }, { 1, 0, 2 },       { 20, 17, 23 },
                  { 2, 1, 3 },    { 200, 190, 222 }, { 10, 9, 12 } };
    struct world *w = *state;

    make_endpoint(w, 0);
    make_endpoint(w, 0);
    set_application_rate(w, 1);
    send_messages(w, 500);
    for (size_t i = 0; i < COUNT(steps); i++) {
        set_application_rate(w, steps[i].rate);
        run_for(w, SECOND_MS); /* what the rate of before was owed */
        unsigned before = w->subscribers.attempts;
        run_for(w, SECOND_MS);
        assert_in_range(w->subscribers.attempts - before, steps[i].least, steps[i].most);
    }
    set_application_rate(w, 0);
    run_for(w, 10 * SECOND_MS);
    assert_int_equal(ask_pending(w), 0);
}

static void a_throttled_backlog_stays_on_disk(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++)
        make_endpoint(w, 0);
    set_application_rate(w, 2);
    send_messages(w, 100);
    for (unsigned i = 0; i < 60; i++) {
        run_for(w, SECOND_MS);
        assert_true(scheduler_load(w->scheduler).claims <= 32);
    }
    assert_in_range(w->subscribers.attempts, 118, 124);
}

/* It is asked again when the rate allows the next, and not before. */
static void nobody_polls_while_an_application_waits_for_its_rate(void **state)
{
    struct world *w = *state;

    for (unsigned i = 0; i < 3; i++)
        make_endpoint(w, 0);
    set_application_rate(w, 1);
    send_messages(w, 50);
    run_for(w, 2 * SECOND_MS);
    unsigned wakes = w->pokes, attempts = w->subscribers.attempts;
    run_for(w, 20 * SECOND_MS);
    attempts = w->subscribers.attempts - attempts;
    assert_in_range(attempts, 19, 21);
    assert_true(w->pokes - wakes <= 20 * attempts);
}

static void an_endpoint_that_is_gone_is_disabled_and_holds_its_backlog(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    r->manner = MANNER_GONE;
    send_messages(w, 10);
    run_for(w, HOUR_MS);
    assert_true(r->closed);
    assert_in_range(w->subscribers.attempts, 1, 4);
    assert_int_equal(ask_pending(w), 10 - w->subscribers.attempts);

    r->manner = MANNER_PROMPT;
    set_disabled(w, r, false);
    assert_true(time_to_accept(w, r, 10 - w->subscribers.attempts) < SECOND_MS);
}

/* By the default of delivery.disable_after, with a message twice a day. */
static void who_fails_for_five_days_is_disabled_and_told_since_when(void **state)
{
    const uint64_t limit_ms = 120 * (uint64_t)HOUR_MS, step_ms = 12 * (uint64_t)HOUR_MS;
    struct world *w = world_new(1);
    uint64_t failing_wall_ms = 0, since_ms = 0;
    char body[TOLD_MAX], date[CLOCK_TEXT_MAX] = "";
    const char *since;

    (void)state;
    w->options.disable_after_ms = limit_ms;
    world_open(w);
    make_operational(w);
    struct subscriber *r = make_endpoint(w, 0);
    r->manner = MANNER_BROKEN;
    while (!r->closed) {
        send_messages(w, 1);
        run_for(w, step_ms);
        if (failing_wall_ms == 0 && ask_told(w, "message.attempt.exhausted", body) > 0)
            failing_wall_ms = fate.now.wall_ms;
        assert_true(failing_wall_ms == 0 || fate.now.wall_ms < failing_wall_ms + 2 * limit_ms);
    }
    assert_in_range(fate.now.wall_ms, failing_wall_ms + limit_ms - step_ms,
                    failing_wall_ms + limit_ms + 2 * step_ms);

    assert_int_equal(ask_told(w, "endpoint.disabled", body), 1);
    since = strstr(body, "\"failSince\":\"");
    assert_non_null(since);
    sscanf(since, "\"failSince\":\"%31[^\"]", date);
    assert_int_equal(clock_parse(date, &since_ms), ERR_OK);
    assert_in_range(since_ms, failing_wall_ms - step_ms, failing_wall_ms);
    assert_int_equal(ask_told(w, "endpoint.updated", body), 0);
    world_free(w);
}

static void a_deleted_endpoint_is_owed_nothing(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    r->manner = MANNER_SLOW;
    send_messages(w, 2500);
    delete_endpoint(w, r);
    assert_int_equal(ask_pending(w), 0);
    run_for(w, 30 * SECOND_MS);
    assert_int_equal(w->subscribers.attempts, 4);
    assert_int_equal(scheduler_load(w->scheduler).lanes, 0);
}

static void a_full_disk_stops_attempts_until_it_has_room(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    send_messages(w, 50);
    fate.disk_full = true;
    run_for(w, HOUR_MS);
    assert_in_range(w->subscribers.attempts, 1, 8);
    fate.disk_full = false;
    assert_true(time_to_accept(w, r, 50) < 3 * SECOND_MS);
    assert_int_equal(w->subscribers.attempts, 50);
    run_for(w, SECOND_MS);
    assert_int_equal(ask_pending(w), 0);
}

static void a_wall_clock_that_is_set_forward_makes_due_what_is_due(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    r->manner = MANNER_BROKEN;
    send_messages(w, 1);
    run_until(w, subscribers_next(&w->subscribers));
    be_quiet(w);
    fate.now.wall_ms += HOUR_MS;
    be_quiet(w);
    assert_int_equal(r->in_flight, 1);
}

static void a_wall_clock_that_is_set_back_delays_no_new_message(void **state)
{
    struct world *w = *state;
    struct subscriber *r = make_endpoint(w, 0);

    send_messages(w, 1);
    assert_true(time_to_accept(w, r, 1) < SECOND_MS);
    fate.now.wall_ms -= HOUR_MS;
    send_messages(w, 40);
    assert_true(time_to_accept(w, r, 41) < 2 * SECOND_MS);
}

static void receivers_that_hang_leave_room_for_others(void **state)
{
    struct world *w = *state;

    world_free(w);
    *state = w = world_new(1);
    w->options.in_flight_max = 12;
    world_open(w);
    struct subscriber *healthy = make_endpoint(w, 0);
    for (unsigned i = 0; i < 6; i++)
        make_endpoint(w, 0)->manner = MANNER_HANGING;
    send_messages(w, 50);
    assert_true(time_to_accept(w, healthy, 50) < 5 * SECOND_MS);
}

/* As a daemon that is stopped while its disk is full, and gets room before its patience ends. */
static void a_record_that_is_refused_while_stopping_is_asked_for_again(void **state)
{
    struct world *w = *state;

    make_endpoint(w, 0);
    send_messages(w, 4);
    fate.disk_full = true;
    run_for(w, SECOND_MS);
    scheduler_stop(w->scheduler);
    run_for(w, SECOND_MS);
    assert_false(scheduler_is_done(w->scheduler));
    fate.disk_full = false;
    run_for(w, SECOND_MS);
    assert_true(scheduler_is_done(w->scheduler));
    assert_int_equal(ask_pending(w), 0);
}

static void a_record_that_is_refused_at_the_end_is_given_up(void **state)
{
    struct world *w = *state;

    make_endpoint(w, 0);
    send_messages(w, 4);
    fate.disk_full = true;
    run_for(w, SECOND_MS);
    subscribers_doubt_all(&w->subscribers);
    scheduler_stop(w->scheduler);
    scheduler_cancel(w->scheduler);
    be_quiet(w);
    assert_true(scheduler_is_done(w->scheduler));
    assert_int_equal(ask_pending(w), 4);
    fate.disk_full = false;
}

static void idle_lanes_are_kept_only_so_many(void **state)
{
    struct world *w = *state;

    world_free(w);
    *state = w = world_new(1);
    w->options.limits.idle_max = 3;
    world_open(w);
    for (unsigned i = 0; i < SUBSCRIBERS_MAX; i++)
        make_endpoint(w, 0);
    send_messages(w, 1);
    assert_int_equal(scheduler_load(w->scheduler).lanes, SUBSCRIBERS_MAX);
    run_for(w, SECOND_MS);
    assert_int_equal(scheduler_load(w->scheduler).lanes, 3);
}

#define WORLD_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_message_is_sent_at_once),
        WORLD_TEST(a_retry_starts_when_it_is_due),
        WORLD_TEST(a_backlog_drains_as_fast_as_the_window_lets_it),
        WORLD_TEST(a_backlog_is_found_again_after_a_restart),
        WORLD_TEST(lost_hints_cost_a_second_not_a_message),
        WORLD_TEST(a_message_that_its_hint_lacks_is_read_at_once),
        WORLD_TEST(a_dead_receiver_delays_nobody_else),
        WORLD_TEST(a_shut_lane_keeps_nothing_in_memory_and_probes_with_one),
        WORLD_TEST(a_receiver_that_asks_for_a_pause_gets_it),
        WORLD_TEST(a_shortage_of_ours_is_no_attempt_of_theirs),
        WORLD_TEST(what_is_sealed_waits_for_its_key_and_is_told_of_once_a_minute),
        WORLD_TEST(what_is_sealed_is_looked_at_by_one_attempt_in_ten_seconds),
        WORLD_TEST(an_attempt_without_record_says_nothing_of_the_disk),
        WORLD_TEST(a_rate_is_kept),
        WORLD_TEST(an_applications_rate_is_shared_by_its_endpoints),
        WORLD_TEST(beside_an_applications_rate_each_endpoints_own_is_kept),
        WORLD_TEST(a_backlog_takes_no_other_endpoints_turn),
        WORLD_TEST(an_applications_rate_may_change_at_any_time),
        WORLD_TEST(a_throttled_backlog_stays_on_disk),
        WORLD_TEST(nobody_polls_while_an_application_waits_for_its_rate),
        WORLD_TEST(an_endpoint_that_is_gone_is_disabled_and_holds_its_backlog),
        cmocka_unit_test(who_fails_for_five_days_is_disabled_and_told_since_when),
        WORLD_TEST(a_deleted_endpoint_is_owed_nothing),
        WORLD_TEST(a_full_disk_stops_attempts_until_it_has_room),
        WORLD_TEST(a_wall_clock_that_is_set_forward_makes_due_what_is_due),
        WORLD_TEST(a_wall_clock_that_is_set_back_delays_no_new_message),
        WORLD_TEST(receivers_that_hang_leave_room_for_others),
        WORLD_TEST(a_record_that_is_refused_while_stopping_is_asked_for_again),
        WORLD_TEST(a_record_that_is_refused_at_the_end_is_given_up),
        WORLD_TEST(idle_lanes_are_kept_only_so_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
