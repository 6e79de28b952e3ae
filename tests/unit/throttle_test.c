#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/throttle.h"

#define START_MS 5000u

static struct now at(uint64_t mono_ms)
{
    return (struct now){ .mono_ms = mono_ms };
}

/* How many go in `ms`, if as many go at each millisecond as may. */
static unsigned count(struct throttle *t, uint64_t from_ms, uint64_t ms)
{
    unsigned gone = 0;

    for (uint64_t now_ms = from_ms; now_ms < from_ms + ms; now_ms++)
        for (; throttle_allows(t, at(now_ms)); gone++)
            throttle_take(t, at(now_ms));
    return gone;
}

static void a_rate_is_kept_but_for_a_tenth_of_a_second(void **state)
{
    static const uint32_t rates[] = { 1, 2, 7, 10, 100, 1000, 65535 };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct throttle t = { .rate = rates[i] };
        unsigned gone = count(&t, START_MS, 10000);
        assert_in_range(gone, 10 * rates[i], 10100000 / (1000000 / rates[i]) + 1);
    }
}

static void there_is_room_for_as_many_as_may_go(void **state)
{
    static const uint32_t rates[] = { 1, 3, 10, 50, 999, 65535 };

    (void)state;
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        struct throttle t = { .rate = rates[i] };
        for (uint64_t now_ms = START_MS; now_ms < START_MS + 3000; now_ms += 37) {
            uint64_t room = throttle_room(&t, at(now_ms));
            assert_int_equal(count(&t, now_ms, 1), room);
        }
    }
}

static void the_next_may_go_at_its_instant_and_not_before(void **state)
{
    struct throttle t = { .rate = 5 };

    (void)state;
    count(&t, START_MS, 1);
    uint64_t next_ms = throttle_next_mono_ms(&t);
    assert_false(throttle_allows(&t, at(next_ms - 1)));
    assert_true(throttle_allows(&t, at(next_ms)));
    assert_int_equal(throttle_room(&t, at(next_ms - 1)), 0);
}

static void without_a_rate_all_may_go(void **state)
{
    struct throttle t = { .rate = 1 };

    (void)state;
    count(&t, START_MS, 1);
    t.rate = 0;
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(throttle_allows(&t, at(START_MS)));
        throttle_take(&t, at(START_MS));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_kept_but_for_a_tenth_of_a_second),
        cmocka_unit_test(there_is_room_for_as_many_as_may_go),
        cmocka_unit_test(the_next_may_go_at_its_instant_and_not_before),
        cmocka_unit_test(without_a_rate_all_may_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
