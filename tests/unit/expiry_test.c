#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/expiry.h"
#include "tests/lib/regions.h"

#define DAY_S     UINT64_C(86400)
#define ENDS_S    (UINT64_C(1800000000))
#define END       "2027-01-15T08:00:00.000Z"
#define OTHERWISE "it is too busy"

static void the_last_month_of_a_certificate_is_told(void **state)
{
    static const struct {
        int64_t days, seconds; /* before the end */
        const char *reason;
    } ROWS[] = {
        { 31, 0, "" },
        { 30, 1, "" },
        { 30, 0, "its certificate ends at " END },
        { 1, 0, "its certificate ends at " END },
        { 0, 1, "its certificate ends at " END },
        { 0, 0, "its certificate has ended at " END },
        { -9, 0, "its certificate has ended at " END },
    };
    const struct expiry e = { .ends_s = { ENDS_S } };

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        int64_t before_s = ROWS[i].days * (int64_t)DAY_S + ROWS[i].seconds;
        uint64_t wall_ms = (uint64_t)((int64_t)ENDS_S - before_s) * 1000;
        struct region_condition c = { .state = REGION_ALIVE };

        expiry_condition(&e, 0, wall_ms, &c);
        assert_string_equal(c.reason, ROWS[i].reason);
    }
}

static void what_is_wrong_otherwise_goes_before(void **state)
{
    const struct expiry e = { .ends_s = { ENDS_S } };
    struct region_condition c = { .state = REGION_SUSPECT, .reason = OTHERWISE };

    (void)state;
    expiry_condition(&e, 0, ENDS_S * 1000, &c);
    assert_string_equal(c.reason, OTHERWISE);
}

static void a_region_without_a_certificate_has_none_to_end(void **state)
{
    struct topology *t = regions_five("fra");
    struct region_condition c = { .state = REGION_ALIVE };
    struct expiry e;

    (void)state;
    expiry_init(&e, t);
    expiry_condition(&e, 0, ENDS_S * 1000, &c);
    assert_string_equal(c.reason, "");
    topology_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_month_of_a_certificate_is_told),
        cmocka_unit_test(what_is_wrong_otherwise_goes_before),
        cmocka_unit_test(a_region_without_a_certificate_has_none_to_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
