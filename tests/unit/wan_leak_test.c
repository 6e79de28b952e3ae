#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/datagram.h"
#include "tests/wan/leak.h"

struct world {
    struct leak *leak;
    uint64_t hits[LEAK_PATTERNS_MAX];
};

static int setup(void **state)
{
    static struct world w;

    w = (struct world){ .leak = leak_new() };
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    leak_free(w->leak);
    return 0;
}

static size_t watch(struct world *w, const char *pattern)
{
    size_t index;

    assert_int_equal(leak_watch(w->leak, (const uint8_t *)pattern, strlen(pattern), &index),
                     ERR_OK);
    return index;
}

static void look(struct world *w, const struct datagram *d)
{
    leak_look(w->leak, d->bytes, d->len, w->hits);
}

static void segment(struct world *w, unsigned port, uint32_t sequence, const char *text)
{
    struct datagram d = datagram_tcp(2, port, sequence, text);

    look(w, &d);
}

static void each_occurrence_of_each_pattern_counts(void **state)
{
    struct world *w = *state;
    size_t one = watch(w, "canary-one"), two = watch(w, "canary-two"), none = watch(w, "other");

    segment(w, 1, 0, "{\"a\":\"canary-one\",\"b\":\"canary-two canary-two\"}");
    segment(w, 2, 0, "canary-on");
    assert_int_equal(w->hits[one], 1);
    assert_int_equal(w->hits[two], 2);
    assert_int_equal(w->hits[none], 0);
}

static void a_pattern_is_found_across_packets_of_one_stream(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");

    segment(w, 1, 100, "xcana");
    segment(w, 1, 105, "ry");
    segment(w, 1, 107, "-onecanary-");
    segment(w, 1, 118, "one");
    assert_int_equal(w->hits[canary], 2);
}

static void across_packets_it_counts_once(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");

    segment(w, 1, 0, "canary-one");
    segment(w, 1, 10, " and");
    segment(w, 1, 14, " more");
    assert_int_equal(w->hits[canary], 1);
}

static void packets_that_dont_follow_one_another_are_looked_at_apart(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");

    segment(w, 1, 0, "canary");
    segment(w, 2, 6, "-one"); /* another connection */
    segment(w, 1, 7, "-one"); /* a byte is missing */
    assert_int_equal(w->hits[canary], 0);
}

static void sequence_numbers_wrap(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");

    segment(w, 1, UINT32_MAX - 2, "canary");
    segment(w, 1, 3, "-one");
    assert_int_equal(w->hits[canary], 1);
}

static void headers_are_not_looked_at(void **state)
{
    struct world *w = *state;
    static const char addresses[] = "\xc6\x12\x01\x01\xc6\x12\x02\x01";

    size_t pattern = watch(w, addresses);
    segment(w, 1, 0, "text");
    assert_int_equal(w->hits[pattern], 0);
}

static void what_is_not_tcp_or_not_whole_is_looked_at_as_it_is(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");
    struct datagram udp = datagram_tcp(2, 1, 0, "canary-one");
    struct datagram fragment = udp, tcp = udp;

    udp.bytes[9] = 17;
    fragment.bytes[7] = 1;     /* at an offset */
    tcp.bytes[20 + 12] = 0xf0; /* a header of 60 bytes in 30 */
    look(w, &udp);
    look(w, &fragment);
    look(w, &tcp);
    assert_int_equal(w->hits[canary], 3);
}

static void a_packet_cut_anywhere_is_no_trouble(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");
    struct datagram d = datagram_tcp(2, 1, 0, "canary-one");

    for (d.len = 0; d.len < 50; d.len++)
        look(w, &d);
    assert_int_equal(w->hits[canary], 0);
    d.bytes[0] = 4 << 4 | 4; /* a header of 16 bytes */
    look(w, &d);
    d.bytes[0] = 4 << 4 | 15; /* of 60 */
    look(w, &d);
    assert_int_equal(w->hits[canary], 0);
}

static void patterns_have_limits(void **state)
{
    struct world *w = *state;
    static const struct {
        size_t len;
        enum err e;
    } rows[] = { { 0, ERR_INVALID },
                 { LEAK_PATTERN_LEN_MIN - 1, ERR_INVALID },
                 { LEAK_PATTERN_LEN_MIN, ERR_OK },
                 { LEAK_PATTERN_LEN_MAX, ERR_OK },
                 { LEAK_PATTERN_LEN_MAX + 1, ERR_INVALID } };
    uint8_t pattern[LEAK_PATTERN_LEN_MAX + 1] = "canary";
    size_t index = 0;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(leak_watch(w->leak, pattern, rows[i].len, &index), rows[i].e);
    while (index + 1 < LEAK_PATTERNS_MAX)
        assert_int_equal(leak_watch(w->leak, pattern, sizeof "canary", &index), ERR_OK);
    assert_int_equal(leak_watch(w->leak, pattern, sizeof "canary", &index), ERR_LIMIT);
}

static void what_was_forgotten_counts_no_more(void **state)
{
    struct world *w = *state;
    size_t canary = watch(w, "canary-one");

    leak_forget(w->leak);
    segment(w, 1, 0, "canary-one");
    assert_int_equal(w->hits[canary], 0);
    assert_int_equal(watch(w, "canary-two"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_occurrence_of_each_pattern_counts),
        TEST(a_pattern_is_found_across_packets_of_one_stream),
        TEST(across_packets_it_counts_once),
        TEST(packets_that_dont_follow_one_another_are_looked_at_apart),
        TEST(sequence_numbers_wrap),
        TEST(headers_are_not_looked_at),
        TEST(what_is_not_tcp_or_not_whole_is_looked_at_as_it_is),
        TEST(a_packet_cut_anywhere_is_no_trouble),
        TEST(patterns_have_limits),
        TEST(what_was_forgotten_counts_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
