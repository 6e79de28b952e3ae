#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/wan/path.h"

#define MS_NS 1000000u

static void a_packet_arrives_after_the_delay(void **state)
{
    struct path p = { .delay_ns = 46 * MS_NS };
    struct dice dice = { 0 };
    uint64_t due_ns;

    (void)state;
    assert_true(path_send(&p, 100, 5, &dice, &due_ns));
    assert_int_equal(due_ns, 46 * MS_NS + 5);
    assert_int_equal(p.packets, 1);
    assert_int_equal(p.bytes, 100);
    assert_int_equal(p.dropped, 0);
}

static void jitter_stays_within_its_bounds_and_keeps_the_order(void **state)
{
    struct path p = { .delay_ns = 20 * MS_NS, .jitter_ns = 5 * MS_NS };
    struct dice dice = { 1 };
    uint64_t last_ns = 0, least_ns = UINT64_MAX, most_ns = 0;

    (void)state;
    for (uint64_t now_ns = 0; now_ns < 10000 * (uint64_t)MS_NS; now_ns += 20 * MS_NS) {
        uint64_t due_ns;
        assert_true(path_send(&p, 1, now_ns, &dice, &due_ns));
        assert_true(due_ns >= last_ns);
        last_ns = due_ns;
        if (due_ns - now_ns < least_ns)
            least_ns = due_ns - now_ns;
        if (due_ns - now_ns > most_ns)
            most_ns = due_ns - now_ns;
    }
    assert_in_range(least_ns, 15 * MS_NS, 16 * MS_NS);
    assert_in_range(most_ns, 24 * MS_NS, 25 * MS_NS);
}

static void jitter_above_the_delay_never_arrives_in_the_past(void **state)
{
    struct path p = { .delay_ns = 1 * MS_NS, .jitter_ns = 50 * MS_NS };
    struct dice dice = { 2 };

    (void)state;
    for (uint64_t now_ns = 0; now_ns < 1000; now_ns++) {
        uint64_t due_ns;
        assert_true(path_send(&p, 1, now_ns, &dice, &due_ns));
        assert_true(due_ns >= now_ns);
    }
}

static void a_shorter_path_overtakes_nothing_that_was_sent_before(void **state)
{
    struct path p = { .delay_ns = 100 * MS_NS };
    struct dice dice = { 0 };
    uint64_t first_ns, second_ns;

    (void)state;
    assert_true(path_send(&p, 1, 0, &dice, &first_ns));
    p.delay_ns = 10 * MS_NS;
    assert_true(path_send(&p, 1, 1, &dice, &second_ns));
    assert_int_equal(second_ns, first_ns);
}

static void loss_drops_its_share(void **state)
{
    static const struct {
        double loss;
        unsigned least, most;
    } rows[] = { { 0, 0, 0 }, { 0.02, 150, 250 }, { 0.5, 4800, 5200 }, { 1, 10000, 10000 } };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct path p = { .loss = rows[i].loss };
        struct dice dice = { 3 };
        uint64_t due_ns;
        for (int packet = 0; packet < 10000; packet++)
            (void)path_send(&p, 1, 0, &dice, &due_ns);
        assert_int_equal(p.packets, 10000);
        assert_in_range(p.dropped, rows[i].least, rows[i].most);
    }
}

static void a_rate_spaces_packets_and_drops_what_would_wait_too_long(void **state)
{
    /* 1,250 bytes take a millisecond. */
    struct path p = { .delay_ns = 7 * MS_NS, .rate_bps = 10000000 };
    struct dice dice = { 0 };
    uint64_t due_ns;

    (void)state;
    for (uint64_t packet = 1; packet <= 201; packet++) {
        assert_true(path_send(&p, 1250, 0, &dice, &due_ns));
        assert_int_equal(due_ns, (packet + 7) * MS_NS);
    }
    assert_false(path_send(&p, 1250, 0, &dice, &due_ns));
    assert_int_equal(p.dropped, 1);

    assert_true(path_send(&p, 1250, 500 * MS_NS, &dice, &due_ns));
    assert_int_equal(due_ns, 508 * (uint64_t)MS_NS);
}

static void a_cut_path_passes_nothing_until_it_is_healed(void **state)
{
    struct path p = { .cut = true, .loss = 1, .delay_ns = 3 };
    struct dice dice = { 0 };
    uint64_t due_ns;

    (void)state;
    assert_false(path_send(&p, 1, 0, &dice, &due_ns));
    path_heal(&p);
    assert_true(path_send(&p, 1, 0, &dice, &due_ns));
    assert_int_equal(due_ns, 3);
    assert_int_equal(p.dropped, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_arrives_after_the_delay),
        cmocka_unit_test(jitter_stays_within_its_bounds_and_keeps_the_order),
        cmocka_unit_test(jitter_above_the_delay_never_arrives_in_the_past),
        cmocka_unit_test(a_shorter_path_overtakes_nothing_that_was_sent_before),
        cmocka_unit_test(loss_drops_its_share),
        cmocka_unit_test(a_rate_spaces_packets_and_drops_what_would_wait_too_long),
        cmocka_unit_test(a_cut_path_passes_nothing_until_it_is_healed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
