#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/hlc.h"

#define NOW_MS UINT64_C(1798761600000)

static void stamps_rise_whatever_the_clock_does(void **state)
{
    static const uint64_t CLOCK[] = { NOW_MS, NOW_MS, NOW_MS + 5, NOW_MS - 60000, NOW_MS + 4 };
    struct hlc hlc = { 0 };
    uint64_t last = 0;

    (void)state;
    for (size_t i = 0; i < sizeof CLOCK / sizeof *CLOCK; i++) {
        uint64_t stamp = hlc_next(&hlc, CLOCK[i]);
        assert_true(stamp > last);
        last = stamp;
    }
    assert_int_equal(hlc_wall_ms(last), NOW_MS + 5);
}

static void what_was_seen_comes_before_what_follows(void **state)
{
    struct hlc fra = { 0 }, sin = { 0 };
    uint64_t seen = hlc_next(&fra, NOW_MS + 1500);

    (void)state;
    hlc_see(&sin, seen);
    assert_true(hlc_next(&sin, NOW_MS) > seen);
    hlc_see(&sin, 1);
    assert_true(hlc_next(&sin, NOW_MS) > seen);
}

static void only_a_stamp_from_far_ahead_is_ahead(void **state)
{
    static const struct {
        uint64_t made_ms;
        bool ahead;
    } CASES[] = {
        { NOW_MS - 90000, false },
        { NOW_MS, false },
        { NOW_MS + HLC_AHEAD_MAX_MS, false },
        { NOW_MS + HLC_AHEAD_MAX_MS + 1, true },
        { NOW_MS + 90000, true },
    };

    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct hlc hlc = { 0 };
        assert_int_equal(hlc_is_ahead(hlc_next(&hlc, CASES[i].made_ms), NOW_MS),
                         CASES[i].ahead);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_rise_whatever_the_clock_does),
        cmocka_unit_test(what_was_seen_comes_before_what_follows),
        cmocka_unit_test(only_a_stamp_from_far_ahead_is_ahead),
    };

    return cmocka_run_group_tests_name("hlc", tests, NULL, NULL);
}
