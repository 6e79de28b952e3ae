#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/peer.h"

#define NOW_US UINT64_C(1798761600000000)
#define NOW_MS (NOW_US / 1000)

static void answer(struct peer_health *p, region_set reaches)
{
    const struct pong pong = { .sent_us = NOW_US,
                               .received_us = NOW_US + 80000,
                               .replied_us = NOW_US + 80500,
                               .got_us = NOW_US + 160500,
                               .reaches = reaches };

    peer_answered(p, &pong, NOW_MS);
}

static void miss(struct peer_health *p, int times)
{
    for (int i = 0; i < times; i++)
        peer_missed(p, "timed out");
}

static void a_round_trip_and_an_offset_come_from_four_instants(void **state)
{
    static const struct {
        struct pong pong; /* relative to NOW_US */
        uint32_t rtt_us;
        int64_t offset_us;
    } CASES[] = {
        { { .received_us = 80000, .replied_us = 80500, .got_us = 160500 }, 160000, 0 },
        { { .received_us = 90080000, .replied_us = 90080500, .got_us = 160500 },
          160000,
          90000000 },
        { { .received_us = 10000, .replied_us = 10000, .got_us = 30000 }, 30000, -5000 },
        { { .received_us = 80000, .replied_us = 70000, .got_us = 160500 }, 160500, -5250 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct peer_health p = { 0 };
        struct pong pong = CASES[i].pong;
        pong.sent_us += NOW_US;
        pong.received_us += NOW_US;
        pong.replied_us += NOW_US;
        pong.got_us += NOW_US;
        peer_answered(&p, &pong, NOW_MS);
        assert_int_equal(p.rtt_us, CASES[i].rtt_us);
        assert_int_equal(p.clock_offset_us, CASES[i].offset_us);
    }
}

static void instants_of_a_hostile_peer_do_no_harm(void **state)
{
    static const struct {
        uint64_t received_us, replied_us;
    } CASES[] = { { 0, 0 }, { INT64_MAX, INT64_MAX }, { 0, INT64_MAX }, { INT64_MAX, 0 } };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        const struct pong pong = { .sent_us = NOW_US,
                                   .received_us = CASES[i].received_us,
                                   .replied_us = CASES[i].replied_us,
                                   .got_us = NOW_US + 1000 };
        struct peer_health p = { 0 };

        peer_answered(&p, &pong, NOW_MS);
        assert_in_range(p.rtt_us, 1, 1000);
    }
}

static void who_is_dead_or_refused_is_given_up_until_it_answers(void **state)
{
    struct peer_health p = { 0 };

    (void)state;
    for (unsigned i = 0; i < PEER_DEAD_AFTER; i++) {
        assert_false(peer_is_given_up(&p));
        peer_missed(&p, "");
    }
    assert_true(peer_is_given_up(&p));
    answer(&p, 0);
    assert_false(peer_is_given_up(&p));
    peer_refused(&p, "");
    assert_true(peer_is_given_up(&p));
}

static void a_round_trip_is_smoothed(void **state)
{
    struct peer_health p = { 0 };
    struct pong slow = { .sent_us = NOW_US,
                         .received_us = NOW_US,
                         .replied_us = NOW_US,
                         .got_us = NOW_US + 260000 };

    (void)state;
    answer(&p, 0);
    peer_answered(&p, &slow, NOW_MS);
    assert_int_equal(p.rtt_us, 180000);
    answer(&p, 0);
    assert_int_equal(p.rtt_us, 176000);
    slow.got_us = NOW_US - 1; /* the clock was set back: nothing is learnt from it */
    peer_answered(&p, &slow, NOW_MS);
    assert_int_equal(p.rtt_us, 176000);
}

/* Regions 0 … 3, of which 0 is this one. */
static void assert_states(const struct peer_health peers[4], const enum region_state states[4])
{
    struct region_condition out[4];

    peers_judge(peers, 4, 0, out);
    for (int i = 0; i < 4; i++)
        assert_int_equal(out[i].state, states[i]);
}

#define STATES(a, b, c)                                                                        \
    (const enum region_state[])                                                                \
    {                                                                                          \
        REGION_SELF, REGION_##a, REGION_##b, REGION_##c                                        \
    }

static void a_peer_that_misses_pings_is_suspect_and_then_dead(void **state)
{
    struct peer_health peers[4] = { { 0 } };

    (void)state;
    assert_states(peers, STATES(UNKNOWN, UNKNOWN, UNKNOWN));
    for (int i = 1; i < 4; i++)
        answer(&peers[i], 0x1);
    assert_states(peers, STATES(ALIVE, ALIVE, ALIVE));
    miss(&peers[1], PEER_SUSPECT_AFTER - 1);
    assert_states(peers, STATES(ALIVE, ALIVE, ALIVE));
    miss(&peers[1], 1);
    assert_states(peers, STATES(SUSPECT, ALIVE, ALIVE));
    miss(&peers[1], PEER_DEAD_AFTER - PEER_SUSPECT_AFTER);
    assert_states(peers, STATES(DEAD, ALIVE, ALIVE));
    miss(&peers[1], 100);
    answer(&peers[1], 0x1);
    assert_states(peers, STATES(ALIVE, ALIVE, ALIVE));
}

static void a_peer_that_never_answered_is_dead_in_time_too(void **state)
{
    struct peer_health peers[4] = { { 0 } };

    (void)state;
    answer(&peers[2], 0x1);
    answer(&peers[3], 0x1);
    miss(&peers[1], PEER_DEAD_AFTER);
    assert_states(peers, STATES(DEAD, ALIVE, ALIVE));
}

static void a_peer_that_another_reaches_is_not_dead(void **state)
{
    struct peer_health peers[4] = { { 0 } };

    (void)state;
    answer(&peers[1], 0x1);
    answer(&peers[2], 0x1 | 0x2); /* reaches 1 */
    answer(&peers[3], 0x1);
    miss(&peers[1], PEER_DEAD_AFTER);
    assert_states(peers, STATES(SUSPECT, ALIVE, ALIVE));
    answer(&peers[2], 0x1);
    assert_states(peers, STATES(DEAD, ALIVE, ALIVE));
    answer(&peers[2], 0x1 | 0x2);
    miss(&peers[2], PEER_SUSPECT_AFTER); /* its word is old now */
    assert_states(peers, STATES(DEAD, SUSPECT, ALIVE));
}

static void who_reaches_nobody_calls_nobody_dead(void **state)
{
    struct peer_health peers[4] = { { 0 } };
    struct region_condition out[4];

    (void)state;
    for (int i = 1; i < 4; i++) {
        answer(&peers[i], 0xf);
        miss(&peers[i], PEER_DEAD_AFTER);
    }
    assert_states(peers, STATES(SUSPECT, SUSPECT, SUSPECT));
    peers_judge(peers, 4, 0, out);
    assert_string_equal(out[1].reason, "no other region answers: this one may be cut off");

    peers_judge(peers, 2, 0, out); /* of two, one is as good as the other */
    assert_int_equal(out[1].state, REGION_DEAD);
}

static void a_peer_that_answers_nonsense_is_incompatible_until_it_does_not(void **state)
{
    struct peer_health peers[4] = { { 0 } };
    struct region_condition out[4];

    (void)state;
    peer_refused(&peers[1], "speaks version 9");
    peers_judge(peers, 4, 0, out);
    assert_int_equal(out[1].state, REGION_INCOMPATIBLE);
    assert_string_equal(out[1].reason, "speaks version 9");
    assert_false(peer_is_heard(&peers[1]));
    answer(&peers[1], 0x1);
    assert_states(peers, STATES(ALIVE, UNKNOWN, UNKNOWN));
}

static void a_peer_says_itself_that_it_drains(void **state)
{
    struct peer_health peers[4] = { { 0 } };
    const struct pong pong = { .sent_us = NOW_US,
                               .received_us = NOW_US,
                               .replied_us = NOW_US,
                               .got_us = NOW_US + 1000,
                               .draining = true };

    (void)state;
    peer_answered(&peers[1], &pong, NOW_MS);
    assert_states(peers, STATES(DRAINING, UNKNOWN, UNKNOWN));
    assert_true(peer_is_heard(&peers[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_trip_and_an_offset_come_from_four_instants),
        cmocka_unit_test(instants_of_a_hostile_peer_do_no_harm),
        cmocka_unit_test(who_is_dead_or_refused_is_given_up_until_it_answers),
        cmocka_unit_test(a_round_trip_is_smoothed),
        cmocka_unit_test(a_peer_that_misses_pings_is_suspect_and_then_dead),
        cmocka_unit_test(a_peer_that_never_answered_is_dead_in_time_too),
        cmocka_unit_test(a_peer_that_another_reaches_is_not_dead),
        cmocka_unit_test(who_reaches_nobody_calls_nobody_dead),
        cmocka_unit_test(a_peer_that_answers_nonsense_is_incompatible_until_it_does_not),
        cmocka_unit_test(a_peer_says_itself_that_it_drains),
    };

    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
