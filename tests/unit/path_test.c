#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/path.h"

#define URL       "https://hooks.shop.test/in"
#define MINUTE_MS UINT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define START_MS  (100 * HOUR_MS)

struct fixture {
    struct paths *paths;
    struct path *path; /* from region 3 to URL */
};

static int set_up(void **state)
{
    static struct fixture f;

    f.paths = paths_new(8);
    f.path = paths_take(f.paths, 3, URL);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    paths_free(f->paths);
    return 0;
}

static struct now at(uint64_t ms)
{
    return (struct now){ .mono_ms = START_MS + ms, .wall_ms = 5 };
}

static void deliver(struct path *path, uint32_t rtt_us, uint32_t first_byte_us, bool reused,
                    uint64_t ms)
{
    const struct path_sample sample = { rtt_us, first_byte_us, reused };

    path_delivered(path, &sample, at(ms));
}

static void a_fifth_of_each_round_trip_counts(void **state)
{
    static const struct {
        uint32_t sample_us, want_us;
    } rows[] = {
        { 100000, 100000 }, { 200000, 120000 }, { 200000, 136000 }, { 0, 136000 },
        { 136001, 136000 }, { 136003, 136001 }, { 1, 108801 },      { UINT32_MAX, 859080500 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        deliver(f->path, rows[i].sample_us, 0, true, i);
        assert_int_equal(path_view(f->path, at(i)).rtt_us, rows[i].want_us);
    }
}

static void deliveries_go_before_probes_as_long_as_they_are_fresh(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(path_view(f->path, at(0)).source, PATH_UNKNOWN);
    path_probed(f->path, 30000, at(0));
    assert_int_equal(path_view(f->path, at(0)).source, PATH_PROBE);
    assert_int_equal(path_view(f->path, at(0)).rtt_us, 30000);
    deliver(f->path, 50000, 0, true, 1000);
    path_probed(f->path, 30000, at(2000));
    assert_int_equal(path_view(f->path, at(5000)).source, PATH_DELIVERY);
    assert_int_equal(path_view(f->path, at(5000)).rtt_us, 50000);
    assert_int_equal(path_view(f->path, at(5000)).age_s, 4);

    /* A day later only the probe is known, and then nothing. */
    assert_int_equal(path_view(f->path, at(24 * HOUR_MS + 1001)).source, PATH_PROBE);
    assert_int_equal(path_view(f->path, at(24 * HOUR_MS + 2001)).source, PATH_UNKNOWN);
    deliver(f->path, 10000, 0, true, 48 * HOUR_MS);
    assert_int_equal(path_view(f->path, at(48 * HOUR_MS)).rtt_us, 10000);
}

static void the_first_byte_is_the_median_of_the_last_hour(void **state)
{
    static const uint32_t ms[] = { 40, 10, 30, 20, 50 };
    struct fixture *f = *state;

    assert_int_equal(path_view(f->path, at(0)).first_byte_count, 0);
    for (uint32_t i = 0; i < COUNT(ms); i++)
        deliver(f->path, 0, ms[i] * 1000, true, i * 10 * MINUTE_MS);
    struct path_view view = path_view(f->path, at(40 * MINUTE_MS));
    assert_int_equal(view.first_byte_us, 30000);
    assert_int_equal(view.first_byte_count, 5);
    view = path_view(f->path, at(61 * MINUTE_MS)); /* 10, 30, 20, 50: the lower of two */
    assert_int_equal(view.first_byte_us, 20000);
    assert_int_equal(view.first_byte_count, 4);
    assert_int_equal(path_view(f->path, at(5 * HOUR_MS)).first_byte_count, 0);
}

static void only_the_newest_first_bytes_are_kept(void **state)
{
    struct fixture *f = *state;

    for (uint32_t i = 0; i < 3 * PATH_SAMPLES; i++)
        deliver(f->path, 0, i < 2 * PATH_SAMPLES ? 90000 : 7000, true, 0);
    assert_int_equal(path_view(f->path, at(0)).first_byte_us, 7000);
    assert_int_equal(path_view(f->path, at(0)).first_byte_count, PATH_SAMPLES);
}

static void reuse_is_that_of_the_last_thousand_requests(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 100; i++)
        deliver(f->path, 0, 1, i % 4 != 0, 0);
    for (unsigned i = 0; i < 100; i++)
        deliver(f->path, 0, 0, true, 0); /* of which nothing is known */
    assert_int_equal(path_view(f->path, at(0)).requests, 100);
    assert_int_equal(path_view(f->path, at(0)).reused, 75);
    for (unsigned i = 0; i < 20000; i++)
        deliver(f->path, 0, 1, false, 0);
    assert_in_range(path_view(f->path, at(0)).requests, 512, 1024);
    assert_int_equal(path_view(f->path, at(0)).reused, 0);
}

static void three_failures_in_a_row_open_the_circuit(void **state)
{
    struct fixture *f = *state;

    path_failed(f->path, at(0));
    path_failed(f->path, at(1));
    deliver(f->path, 0, 0, true, 2); /* an answer, be it a 500 */
    path_failed(f->path, at(3));
    path_failed(f->path, at(4));
    assert_int_equal(path_view(f->path, at(4)).failures, 2);
    assert_false(path_view(f->path, at(4)).open);
    path_failed(f->path, at(5));
    assert_true(path_view(f->path, at(5)).open);
}

static void an_open_circuit_closes_when_all_went_well_for_five_minutes(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        path_failed(f->path, at(i));
    path_probed(f->path, 1000, at(MINUTE_MS));
    assert_true(path_view(f->path, at(MINUTE_MS)).open);
    path_probed(f->path, 1000, at(5 * MINUTE_MS));
    path_failed(f->path, at(5 * MINUTE_MS + 1)); /* begins anew */
    path_probed(f->path, 1000, at(7 * MINUTE_MS));
    path_probed(f->path, 1000, at(12 * MINUTE_MS - 1));
    assert_true(path_view(f->path, at(12 * MINUTE_MS - 1)).open);
    path_probed(f->path, 1000, at(12 * MINUTE_MS));
    assert_false(path_view(f->path, at(12 * MINUTE_MS)).open);
}

static void a_way_is_probed_when_nothing_is_known_and_when_its_circuit_is_open(void **state)
{
    const struct fixture *f = *state;

    assert_true(path_wants_probe(f->path, at(1)));
    path_asked(f->path, at(1));
    assert_false(path_wants_probe(f->path, at(PATH_PROBE_MS)));
    assert_true(path_wants_probe(f->path, at(PATH_PROBE_MS + 1)));
    path_probed(f->path, 1000, at(PATH_PROBE_MS + 1));
    assert_false(path_wants_probe(f->path, at(3 * PATH_PROBE_MS)));
    for (int i = 0; i < PATH_FAILURES_MAX; i++)
        path_failed(f->path, at(3 * PATH_PROBE_MS));
    assert_true(path_wants_probe(f->path, at(3 * PATH_PROBE_MS)));
    path_asked(f->path, at(3 * PATH_PROBE_MS));
    assert_false(path_wants_probe(f->path, at(3 * PATH_PROBE_MS + PATH_REPROBE_MS - 1)));
    assert_true(path_wants_probe(f->path, at(3 * PATH_PROBE_MS + PATH_REPROBE_MS)));
}

static void a_failure_is_shown_while_it_says_something_of_now(void **state)
{
    struct fixture *f = *state;

    path_failed(f->path, at(0));
    path_failed(f->path, at(0));
    assert_int_equal(path_view(f->path, at(PATH_FAILED_MS)).failures, 2);
    assert_int_equal(path_view(f->path, at(PATH_FAILED_MS + 1)).failures, 0);
    path_failed(f->path, at(HOUR_MS)); /* nothing has gone well in between */
    assert_int_equal(path_view(f->path, at(HOUR_MS + PATH_FAILED_MS + 1)).failures, 3);
    assert_true(path_view(f->path, at(HOUR_MS)).open);
}

static void a_failure_of_yesterday_is_forgotten(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 3; i++)
        path_failed(f->path, at(i));
    assert_true(path_view(f->path, at(24 * HOUR_MS)).open);
    assert_false(path_view(f->path, at(24 * HOUR_MS + 3)).open);
    path_failed(f->path, at(25 * HOUR_MS));
    assert_false(path_view(f->path, at(25 * HOUR_MS)).open);
}

static void only_what_the_way_did_is_a_failure_of_it(void **state)
{
    static const struct {
        enum err err;
        bool is_failure;
    } rows[] = {
        { ERR_OK, false },      { ERR_UNAVAILABLE, true }, { ERR_TIMEOUT, true },
        { ERR_DENIED, false },  { ERR_CANCELED, false },   { ERR_BUSY, false },
        { ERR_INVALID, false }, { ERR_LIMIT, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(path_is_failure(rows[i].err), rows[i].is_failure);
}

static void a_way_is_from_a_region_to_a_host(void **state)
{
    static const struct {
        uint8_t ordinal;
        const char *url;
        bool is_same;
    } rows[] = {
        { 3, "https://hooks.shop.test/in", true },
        { 3, "https://hooks.shop.test/other?x=/", true },
        { 3, "https://hooks.shop.test", true },
        { 3, "https://hooks.shop.test?q", true },
        { 4, "https://hooks.shop.test/in", false },
        { 3, "http://hooks.shop.test/in", false },
        { 3, "https://hooks.shop.test:8443/in", false },
        { 3, "https://hooks.shop.tes/in", false },
        { 3, "hooks.shop.test/in", false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(paths_find(f->paths, rows[i].ordinal, rows[i].url) == f->path,
                         rows[i].is_same);
    assert_int_equal(path_view(NULL, at(0)).source, PATH_UNKNOWN);
}

static void the_way_that_was_used_longest_ago_is_forgotten(void **state)
{
    struct fixture *f = *state;

    for (uint8_t i = 10; i < 17; i++)
        paths_take(f->paths, i, URL);
    assert_int_equal(paths_count(f->paths), 8);
    assert_ptr_equal(paths_take(f->paths, 3, URL), f->path);
    paths_take(f->paths, 17, URL);
    assert_int_equal(paths_count(f->paths), 8);
    assert_non_null(paths_find(f->paths, 3, URL));
    assert_null(paths_find(f->paths, 10, URL));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_fifth_of_each_round_trip_counts),
        TEST(deliveries_go_before_probes_as_long_as_they_are_fresh),
        TEST(the_first_byte_is_the_median_of_the_last_hour),
        TEST(only_the_newest_first_bytes_are_kept),
        TEST(reuse_is_that_of_the_last_thousand_requests),
        TEST(three_failures_in_a_row_open_the_circuit),
        TEST(an_open_circuit_closes_when_all_went_well_for_five_minutes),
        TEST(a_way_is_probed_when_nothing_is_known_and_when_its_circuit_is_open),
        TEST(a_failure_is_shown_while_it_says_something_of_now),
        TEST(a_failure_of_yesterday_is_forgotten),
        TEST(only_what_the_way_did_is_a_failure_of_it),
        TEST(a_way_is_from_a_region_to_a_host),
        TEST(the_way_that_was_used_longest_ago_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
