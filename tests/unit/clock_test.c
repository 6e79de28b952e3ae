#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/count.h"

static void dates_of_every_client_are_understood(void **state)
{
    static const struct {
        const char *text;
        uint64_t wall_ms;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0 },
        { "2026-11-24T02:57:36.747Z", 1795489056747 },
        { "2026-11-24T02:57:36.747999+00:00", 1795489056747 },
        { "2026-11-24T04:57:36.7+02:00", 1795489056700 },
        { "2026-11-23T21:27:36-05:30", 1795489056000 },
        { "2024-02-29t23:59:60z", 1709251200000 },
        { "2000-03-01T00:00:00Z", 951868800000 },
        { "9999-12-31T23:59:59.999Z", 253402300799999 },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t got = 0;
        assert_int_equal(clock_parse(rows[i].text, &got), ERR_OK);
        assert_int_equal(got, rows[i].wall_ms);
    }
}

static void what_is_no_date_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "2026",
        "2026-11-24",
        "2026-11-24T02:57Z",
        "2026-11-24T02:57:36",
        "2026-13-24T02:57:36Z",
        "2026-11-31T02:57:36Z",
        "2026-02-29T02:57:36Z",
        "1900-02-28T00:00:00Z",
        "2026-11-24T24:00:00Z",
        "2026-11-24T02:60:00Z",
        "2026-11-24T02:57:36.Z",
        "2026-11-24T02:57:36+2:00",
        "2026-11-24T02:57:36Zx",
        "1970-01-01T00:00:00+01:00",
        "26-11-24T02:57:36Z",
        "2026-11-24 02:57:36 00:00",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t got = 7;
        assert_int_equal(clock_parse(rows[i], &got), ERR_INVALID);
        assert_int_equal(got, 7);
    }
}

static void what_is_formatted_is_parsed_again(void **state)
{
    (void)state;

    for (uint64_t ms = 0; ms < UINT64_C(5000000000000); ms += 86399123457) {
        char text[CLOCK_TEXT_MAX];
        uint64_t got = 0;
        clock_format(ms, text);
        assert_int_equal(clock_parse(text, &got), ERR_OK);
        assert_int_equal(got, ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_of_every_client_are_understood),
        cmocka_unit_test(what_is_no_date_is_refused),
        cmocka_unit_test(what_is_formatted_is_parsed_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
