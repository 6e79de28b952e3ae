#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/datagram.h"
#include "tests/wan/command.h"

enum { FRA, IAD, SIN };

static int setup(void **state)
{
    static const char *const names[] = { "fra", "iad", "sin" };
    struct network *n = network_new();

    for (size_t i = 0; i < COUNT(names); i++)
        assert_int_equal(network_add(n, names[i]), ERR_OK);
    *state = n;
    return 0;
}

static int teardown(void **state)
{
    network_free(*state);
    return 0;
}

static void assert_replies(struct network *n, const char *line, const char *expected)
{
    struct buf reply = BUF_INIT(4096);

    assert_int_equal(command_run(n, line, &reply), ERR_OK);
    assert_string_equal(buf_text(&reply), expected);
    buf_fini(&reply);
}

static void each_setting_lands_where_it_was_meant_to(void **state)
{
    struct network *n = *state;
    const struct path *there = &n->routes[FRA][SIN].path, *back = &n->routes[SIN][FRA].path;

    assert_replies(n, "rtt fra sin 162.5 3", "ok\n");
    assert_int_equal(there->delay_ns, 81250000);
    assert_int_equal(back->delay_ns, 81250000);
    assert_int_equal(there->jitter_ns, 1500000);
    assert_replies(n, "oneway sin fra 90", "ok\n");
    assert_int_equal(there->delay_ns, 81250000);
    assert_int_equal(back->delay_ns, 90000000);
    assert_int_equal(back->jitter_ns, 0);
    assert_replies(n, "loss fra sin 2", "ok\n");
    assert_true(there->loss > 0.0199 && there->loss < 0.0201 && back->loss > 0.0199);
    assert_replies(n, "rate fra sin 20", "ok\n");
    assert_int_equal(there->rate_bps, 20000000);
    assert_int_equal(back->rate_bps, 20000000);
    assert_int_equal(n->routes[FRA][IAD].path.delay_ns, 0);
}

static void a_cut_has_one_way_or_two_and_is_healed_by_pair_or_everywhere(void **state)
{
    struct network *n = *state;
    const struct path *there = &n->routes[FRA][SIN].path, *back = &n->routes[SIN][FRA].path;

    assert_replies(n, "cut1 fra sin", "ok\n");
    assert_true(there->cut && !back->cut);
    assert_replies(n, "cut fra sin", "ok\n");
    assert_replies(n, "cut fra iad", "ok\n");
    assert_true(there->cut && back->cut);
    assert_replies(n, "heal sin fra", "ok\n");
    assert_true(!there->cut && !back->cut && n->routes[FRA][IAD].path.cut);
    assert_replies(n, "heal", "ok\n");
    assert_true(!n->routes[FRA][IAD].path.cut);
}

static void what_was_seen_in_clear_is_told_by_direction_and_pattern(void **state)
{
    struct network *n = *state;
    struct datagram d = datagram_tcp(SIN + 1, 1, 0, "a canary");

    assert_replies(n, "watch 6e6f6e65", "0\nok\n");
    assert_replies(n, "watch 63616e617279", "1\nok\n");
    assert_replies(n, "hits", "ok\n");
    network_send(n, FRA, d.bytes, d.len, 0);
    assert_replies(n, "hits", "fra>sin 1 1\nok\n");
    assert_replies(n, "forget", "ok\n");
    assert_replies(n, "hits", "ok\n");
}

static void every_direction_is_shown(void **state)
{
    struct network *n = network_new();
    struct datagram d = datagram_tcp(2, 1, 0, "text");

    (void)state;
    assert_int_equal(network_add(n, "fra"), ERR_OK);
    assert_int_equal(network_add(n, "iad"), ERR_OK);
    assert_replies(n, "rtt fra iad 92 1", "ok\n");
    assert_replies(n, "rate fra iad 0.5", "ok\n");
    assert_replies(n, "loss fra iad 12.5", "ok\n");
    assert_replies(n, "cut1 fra iad", "ok\n");
    network_send(n, FRA, d.bytes, d.len, 0);
    assert_replies(n, "show",
                   "fra>iad delay_us=46000 jitter_us=500 loss=0.1250 rate_mbit=0.500 cut=1 "
                   "packets=1 bytes=44 dropped=1\n"
                   "iad>fra delay_us=46000 jitter_us=500 loss=0.1250 rate_mbit=0.500 cut=0 "
                   "packets=0 bytes=0 dropped=0\n"
                   "ok\n");
    network_free(n);
}

static void what_is_wrong_is_said_and_changes_nothing(void **state)
{
    struct network *n = *state;
    static const struct {
        const char *line, *reply;
    } rows[] = {
        { "", "error: there is no such command\n" },
        { "  ", "error: there is no such command\n" },
        { "rttt fra sin 1", "error: there is no such command\n" },
        { "rtt fra sin 1 2 3", "error: too many words\n" },
        { "cut", "error: cut: expected two sites\n" },
        { "cut fra", "error: cut: expected two sites\n" },
        { "heal fra", "error: heal: expected two sites\n" },
        { "cut fra gru", "error: cut: expected two sites that are joined\n" },
        { "cut fra fra", "error: cut: expected two sites that are joined\n" },
        { "cut fra sin 1", "error: cut: expected more or fewer numbers\n" },
        { "rtt fra sin", "error: rtt: expected more or fewer numbers\n" },
        { "show 1", "error: show: expected more or fewer numbers\n" },
        { "rtt fra sin -1", "error: rtt: expected a number in its range\n" },
        { "rtt fra sin 60001", "error: rtt: expected a number in its range\n" },
        { "rtt fra sin 1e3", "error: rtt: expected a number in its range\n" },
        { "rtt fra sin nan", "error: rtt: expected a number in its range\n" },
        { "rtt fra sin 1.2.3", "error: rtt: expected a number in its range\n" },
        { "rtt fra sin .", "error: rtt: expected a number in its range\n" },
        { "loss fra sin 101", "error: loss: expected a number in its range\n" },
        { "watch", "error: watch: expected one word\n" },
        { "watch 61616161 6161", "error: watch: expected one word\n" },
        { "watch 616161", "error: watch: invalid input\n" },
        { "watch 6161616", "error: watch: invalid input\n" },
        { "watch 616161zz", "error: watch: invalid input\n" },
        { "watch 6161616A", "error: watch: invalid input\n" },
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_replies(n, rows[i].line, rows[i].reply);
    for (size_t from = 0; from < n->count; from++) {
        for (size_t to = 0; to < n->count; to++) {
            static const struct path untouched;
            assert_memory_equal(&n->routes[from][to].path, &untouched, sizeof untouched);
        }
    }
}

static void a_line_of_the_longest_pattern_fits_and_no_longer_one(void **state)
{
    struct network *n = *state;
    char line[COMMAND_LEN_MAX + 2] = "watch ";

    memset(line + 6, 'a', 2 * (size_t)LEAK_PATTERN_LEN_MAX);
    assert_replies(n, line, "0\nok\n");
    memset(line + 6, 'a', 2 * (size_t)LEAK_PATTERN_LEN_MAX + 2);
    assert_replies(n, line, "error: watch: invalid input\n");
    memset(line, 'a', COMMAND_LEN_MAX + 1);
    assert_replies(n, line, "error: the line is too long\n");
}

static void a_reply_has_a_limit(void **state)
{
    struct buf reply = BUF_INIT(100);

    assert_int_equal(command_run(*state, "show", &reply), ERR_LIMIT);
    buf_fini(&reply);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_setting_lands_where_it_was_meant_to),
        TEST(a_cut_has_one_way_or_two_and_is_healed_by_pair_or_everywhere),
        TEST(what_was_seen_in_clear_is_told_by_direction_and_pattern),
        TEST(every_direction_is_shown),
        TEST(what_is_wrong_is_said_and_changes_nothing),
        TEST(a_line_of_the_longest_pattern_fits_and_no_longer_one),
        TEST(a_reply_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
