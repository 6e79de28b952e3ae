#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "dispatcher/retry.h"

#define NOW_MS 1700000000000u

static const struct retry_policy policy = {
    .schedule_s = { 5, 300, 1800, 7200, 18000, 36000, 36000 },
    .count = 7,
};

static uint64_t delay_of(enum outcome outcome, unsigned number, uint32_t retry_after_s,
                         double jitter)
{
    struct verdict v = retry_judge(&policy, outcome, number, retry_after_s, NOW_MS, jitter);

    assert_int_equal(v.state, DELIVERY_PENDING);
    return v.due_at_ms - NOW_MS;
}

static void a_failure_waits_for_the_step_of_its_attempt_within_a_fifth(void **state)
{
    static const struct {
        unsigned number;
        double jitter;
        uint64_t delay_ms;
    } rows[] = {
        { 1, 0.0, 4000 },    { 1, 0.5, 5000 },    { 1, 1.0, 6000 },     { 2, 0.5, 300000 },
        { 3, 0.5, 1800000 }, { 4, 0.0, 5760000 }, { 6, 1.0, 43200000 }, { 7, 0.5, 36000000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_in_range(delay_of(OUTCOME_FAILED, rows[i].number, 0, rows[i].jitter),
                        rows[i].delay_ms - 1, rows[i].delay_ms);
}

static void a_delivery_dies_when_the_last_step_was_used(void **state)
{
    (void)state;
    for (unsigned number = 1; number <= 9; number++) {
        struct verdict v = retry_judge(&policy, OUTCOME_FAILED, number, 0, NOW_MS, 0.5);
        assert_int_equal(v.state, number <= 7 ? DELIVERY_PENDING : DELIVERY_DEAD);
    }
}

static void without_a_schedule_there_is_one_attempt(void **state)
{
    static const struct retry_policy once = { .count = 0 };

    (void)state;
    assert_int_equal(retry_judge(&once, OUTCOME_FAILED, 1, 0, NOW_MS, 0.5).state,
                     DELIVERY_DEAD);
}

static void an_accepted_or_unwanted_delivery_is_final_at_once(void **state)
{
    (void)state;
    assert_int_equal(retry_judge(&policy, OUTCOME_DELIVERED, 1, 0, NOW_MS, 0.5).state,
                     DELIVERY_DELIVERED);
    assert_int_equal(retry_judge(&policy, OUTCOME_GONE, 1, 0, NOW_MS, 0.5).state,
                     DELIVERY_DEAD);
}

static void after_a_timeout_the_receiver_has_a_minute(void **state)
{
    (void)state;
    assert_int_equal(delay_of(OUTCOME_TIMED_OUT, 1, 0, 0.5), RETRY_TIMEOUT_MIN_MS);
    assert_in_range(delay_of(OUTCOME_TIMED_OUT, 2, 0, 0.5), 299999, 300000);
}

static void retry_after_moves_it_within_one_and_two_steps(void **state)
{
    static const struct {
        unsigned number;
        uint32_t retry_after_s;
        double jitter;
        uint64_t delay_ms;
    } rows[] = {
        { 1, 1, 0.0, 5000 },     { 1, 5, 0.0, 5000 },       { 1, 7, 0.0, 7000 },
        { 1, 7, 0.5, 7700 },     { 1, 10, 0.5, 10000 },     { 1, 4000000000u, 0.5, 10000 },
        { 2, 400, 0.0, 400000 }, { 2, 86400, 0.0, 600000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_in_range(
            delay_of(OUTCOME_OVERLOADED, rows[i].number, rows[i].retry_after_s, rows[i].jitter),
            rows[i].delay_ms - 1, rows[i].delay_ms);
}

static void an_attempt_that_was_asked_for_is_not_retried(void **state)
{
    static const struct {
        enum outcome outcome;
        uint64_t resume_at_ms;
        enum delivery_state state;
        uint64_t due_at_ms;
    } rows[] = {
        { OUTCOME_DELIVERED, 0, DELIVERY_DELIVERED, 0 },
        { OUTCOME_DELIVERED, NOW_MS, DELIVERY_DELIVERED, 0 },
        { OUTCOME_FAILED, 0, DELIVERY_DEAD, 0 },
        { OUTCOME_TIMED_OUT, 0, DELIVERY_DEAD, 0 },
        { OUTCOME_FAILED, NOW_MS, DELIVERY_PENDING, NOW_MS },
        { OUTCOME_OVERLOADED, NOW_MS, DELIVERY_PENDING, NOW_MS },
        { OUTCOME_GONE, NOW_MS, DELIVERY_DEAD, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct verdict v = retry_judge_manual(rows[i].outcome, rows[i].resume_at_ms);
        assert_int_equal(v.state, rows[i].state);
        assert_int_equal(v.due_at_ms, rows[i].due_at_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_waits_for_the_step_of_its_attempt_within_a_fifth),
        cmocka_unit_test(a_delivery_dies_when_the_last_step_was_used),
        cmocka_unit_test(without_a_schedule_there_is_one_attempt),
        cmocka_unit_test(an_accepted_or_unwanted_delivery_is_final_at_once),
        cmocka_unit_test(after_a_timeout_the_receiver_has_a_minute),
        cmocka_unit_test(retry_after_moves_it_within_one_and_two_steps),
        cmocka_unit_test(an_attempt_that_was_asked_for_is_not_retried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
