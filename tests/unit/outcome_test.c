#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/outcome.h"

static void each_answer_has_its_outcome(void **state)
{
    static const struct {
        unsigned status;
        uint32_t retry_after_s;
        enum outcome outcome;
    } rows[] = {
        { 200, 0, OUTCOME_DELIVERED },  { 201, 0, OUTCOME_DELIVERED },
        { 204, 9, OUTCOME_DELIVERED },  { 299, 0, OUTCOME_DELIVERED },
        { 199, 0, OUTCOME_FAILED },     { 301, 0, OUTCOME_FAILED },
        { 307, 5, OUTCOME_FAILED },     { 400, 0, OUTCOME_FAILED },
        { 401, 0, OUTCOME_FAILED },     { 404, 0, OUTCOME_FAILED },
        { 408, 9, OUTCOME_FAILED },     { 410, 0, OUTCOME_GONE },
        { 410, 9, OUTCOME_GONE },       { 429, 0, OUTCOME_FAILED },
        { 429, 1, OUTCOME_OVERLOADED }, { 500, 7, OUTCOME_FAILED },
        { 502, 1, OUTCOME_OVERLOADED }, { 503, 1, OUTCOME_OVERLOADED },
        { 504, 1, OUTCOME_OVERLOADED }, { 504, 0, OUTCOME_FAILED },
        { 599, 0, OUTCOME_FAILED },     { 0, 0, OUTCOME_FAILED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(outcome_of(ERR_OK, rows[i].status, rows[i].retry_after_s),
                         rows[i].outcome);
}

static void no_answer_is_a_failure_whatever_status_is_left_over(void **state)
{
    static const struct {
        enum err err;
        enum outcome outcome;
    } rows[] = {
        { ERR_DENIED, OUTCOME_FAILED },     { ERR_UNAVAILABLE, OUTCOME_FAILED },
        { ERR_LIMIT, OUTCOME_FAILED },      { ERR_INVALID, OUTCOME_FAILED },
        { ERR_TIMEOUT, OUTCOME_TIMED_OUT }, { ERR_CANCELED, OUTCOME_ABORTED },
        { ERR_BUSY, OUTCOME_HINDERED },     { ERR_SEALED, OUTCOME_SEALED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(outcome_of(rows[i].err, 200, 0), rows[i].outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_has_its_outcome),
        cmocka_unit_test(no_answer_is_a_failure_whatever_status_is_left_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
