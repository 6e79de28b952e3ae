#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <math.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/number.h"

static void a_number_has_digits_only_and_keeps_its_bounds(void **state)
{
    static const struct {
        const char *text;
        uint32_t least, most, value;
        bool good;
    } rows[] = {
        { "0", 0, 10, 0, true },
        { "010", 0, 10, 10, true },
        { "4294967295", 0, UINT32_MAX, UINT32_MAX, true },
        { "11", 0, 10, 0, false },
        { "1", 2, 10, 0, false },
        { "4294967296", 0, UINT32_MAX, 0, false },
        { "99999999999999999999999999", 0, UINT32_MAX, 0, false },
        { "", 0, 10, 0, false },
        { "-1", 0, 10, 0, false },
        { "+1", 0, 10, 0, false },
        { " 1", 0, 10, 0, false },
        { "1 ", 0, 10, 0, false },
        { "0x1", 0, 10, 0, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint32_t value = 0;

        if (number_parse(rows[i].text, rows[i].least, rows[i].most, &value) != rows[i].good ||
            value != rows[i].value)
            fail_msg("row %zu: %u", i, value);
    }
}

static void degrees_are_read_and_written(void **state)
{
    static const struct {
        const char *text, *again;
        double value;
    } rows[] = {
        { "0", "0", 0 },
        { "-0", "0", 0 },
        { "50.11", "50.11", 50.11 },
        { "-77.45", "-77.45", -77.45 },
        { "-0.1278", "-0.1278", -0.1278 },
        { "180", "180", 180 },
        { "-180.000", "-180", -180 },
        { "8.68200001", "8.682", 8.682 },
        { "001.5", "1.5", 1.5 },
        { "1.000000001", "1", 1 },
    };
    char again[NUMBER_DEGREES_MAX];
    double value;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!number_parse_degrees(rows[i].text, 180, &value))
            fail_msg("row %zu", i);
        assert_true(fabs(value - rows[i].value) < 1e-7);
        number_format_degrees(value, again);
        assert_string_equal(again, rows[i].again);
    }
}

static void what_is_no_degrees_is_refused(void **state)
{
    static const char *const rows[] = {
        "",    "-",    "+1", ".5",  "1.",   "1e2", "0x10",   "nan",          "inf",
        "1,5", "1..5", "1 ", " 1",  "--1",  "1-",  "180.01", "1.0000000001", "0180",
        "360", "-181", "١",  "1.a", "1.5.",
    };
    double value;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (number_parse_degrees(rows[i], 180, &value))
            fail_msg("\"%s\" became %f", rows[i], value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_has_digits_only_and_keeps_its_bounds),
        cmocka_unit_test(degrees_are_read_and_written),
        cmocka_unit_test(what_is_no_degrees_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
