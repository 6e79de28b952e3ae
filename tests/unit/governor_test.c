#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/governor.h"

#define MS_NS 1000000u

/* Judge every 50 ms for `ms`, with so many milliseconds of idle time in each. */
static unsigned after(struct governor *g, uint64_t ms, unsigned idle_ms)
{
    unsigned limit = g->limit;

    for (uint64_t end = g->mono_ms + ms; g->mono_ms < end;)
        limit = governor_judge(g, g->mono_ms + 50, g->idle_ns + (uint64_t)idle_ms * MS_NS);
    return limit;
}

static void a_loop_with_time_to_wait_gets_the_most(void **state)
{
    struct governor g;

    (void)state;
    governor_init(&g, 64, 1024);
    assert_int_equal(g.limit, 64);
    assert_in_range(after(&g, 50, 10), 80, 82);
    assert_int_equal(after(&g, 1000, 10), 1024);
}

static void a_loop_without_idle_time_gets_the_least(void **state)
{
    struct governor g;

    (void)state;
    governor_init(&g, 64, 1024);
    after(&g, 1000, 50);
    assert_in_range(after(&g, 50, 1), 890, 900);
    assert_int_equal(after(&g, 2000, 1), 64);
}

static void in_between_the_limit_stays(void **state)
{
    struct governor g;

    (void)state;
    governor_init(&g, 64, 1024);
    unsigned limit = after(&g, 500, 20);
    assert_int_equal(after(&g, 1000, 5), limit);
}

static void it_judges_no_more_often_than_its_period(void **state)
{
    struct governor g;

    (void)state;
    governor_init(&g, 64, 1024);
    unsigned limit = after(&g, 1000, 20);
    for (uint64_t ms = 1000; ms < 1050; ms++)
        assert_int_equal(governor_judge(&g, ms, g.idle_ns), limit);
    assert_true(governor_judge(&g, 1050, g.idle_ns) < limit);
}

static void a_most_below_the_least_is_kept(void **state)
{
    struct governor g;

    (void)state;
    governor_init(&g, 64, 8);
    assert_int_equal(after(&g, 1000, 0), 8);
    assert_int_equal(after(&g, 1000, 50), 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_with_time_to_wait_gets_the_most),
        cmocka_unit_test(a_loop_without_idle_time_gets_the_least),
        cmocka_unit_test(in_between_the_limit_stays),
        cmocka_unit_test(it_judges_no_more_often_than_its_period),
        cmocka_unit_test(a_most_below_the_least_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
