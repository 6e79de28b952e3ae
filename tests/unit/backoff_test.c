#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/backoff.h"

static void each_wait_is_twice_the_one_before_up_to_the_bound(void **state)
{
    static const uint32_t least_ms[] = { 250, 500, 1000, 2000, 2500, 2500 };
    struct backoff b = { .first_ms = 500, .most_ms = 5000 };

    (void)state;
    for (size_t i = 0; i < COUNT(least_ms); i++) {
        struct backoff same = b;
        uint32_t most_ms = 2 * least_ms[i];

        assert_int_equal(backoff_fail(&b, 0), least_ms[i]);
        assert_in_range(backoff_fail(&same, 0.999), most_ms * 9 / 10, most_ms);
    }
    b.failures = 0;
    assert_int_equal(backoff_fail(&b, 0), 250);
}

static void however_often_it_fails_the_wait_is_bounded(void **state)
{
    struct backoff b = { .first_ms = UINT32_MAX / 2,
                         .most_ms = UINT32_MAX,
                         .failures = UINT_MAX - 1 };

    (void)state;
    assert_int_equal(backoff_fail(&b, 0), UINT32_MAX / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_wait_is_twice_the_one_before_up_to_the_bound),
        cmocka_unit_test(however_often_it_fails_the_wait_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
