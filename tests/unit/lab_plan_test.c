#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "lab/plan.h"

static void lists_that_make_no_lab_are_refused_with_the_reason(void **state)
{
    static const struct {
        const char *regions, *why;
    } rows[] = {
        { "", "'' isn't a place" },
        { "fra", "at least 2" },
        { "fra,", "'' isn't a place" },
        { "fra,xyz", "'xyz' isn't a place" },
        { "fra,iad,fra", "'fra' stands there twice" },
        { "fra,a-name-that-is-longer-than-any", "'a-name-that-is-l' isn't" },
        { "fra,iad,sin,gru,nrt,syd,cdg,dub,lhr", "more than 8" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct plan plan;
        char why[PLAN_WHY_MAX];

        assert_int_equal(plan_read(rows[i].regions, &plan, why), ERR_INVALID);
        assert_non_null(strstr(why, rows[i].why));
    }
}

static void a_region_is_itself_at_its_address_and_a_cable_away_at_others(void **state)
{
    struct plan plan;
    char why[PLAN_WHY_MAX], address[PLAN_ADDRESS_MAX];

    (void)state;
    assert_int_equal(plan_read("gru,fra,iad", &plan, why), ERR_OK);
    assert_int_equal(plan.count, 3);
    plan_address(&plan, 0, 0, address);
    assert_string_equal(address, "127.71.1.1");
    plan_address(&plan, 2, 0, address);
    assert_string_equal(address, "127.71.3.1");
    assert_int_equal(plan_find(&plan, "iad"), 2);
    assert_int_equal(plan_find(&plan, "sin"), 3);
}

static void round_trips_are_those_measured_or_estimated_by_distance(void **state)
{
    struct plan plan;
    char why[PLAN_WHY_MAX];

    (void)state;
    assert_int_equal(plan_read("fra,iad,sin,gru,cdg,nrt", &plan, why), ERR_OK);
    assert_int_equal(plan_rtt_ms(&plan, 0, 1), 92);
    assert_int_equal(plan_rtt_ms(&plan, 3, 2), 328);
    assert_in_range(plan_rtt_ms(&plan, 0, 4), 7, 10);    /* 450 km to Paris */
    assert_in_range(plan_rtt_ms(&plan, 5, 0), 150, 165); /* 9,300 km to Tokyo */
    assert_int_equal(plan_rtt_ms(&plan, 5, 0), plan_rtt_ms(&plan, 0, 5));
}

static void no_two_regions_get_one_ordinal(void **state)
{
    struct plan plan;
    char why[PLAN_WHY_MAX];

    (void)state;
    assert_int_equal(plan_read("nrt,gru,cdg,fra,dub,iad,syd,sin", &plan, why), ERR_OK);
    assert_int_equal(plan_ordinal(&plan, 3), 1);
    for (size_t a = 0; a < plan.count; a++)
        for (size_t b = 0; b < a; b++)
            assert_int_not_equal(plan_ordinal(&plan, a), plan_ordinal(&plan, b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_that_make_no_lab_are_refused_with_the_reason),
        cmocka_unit_test(a_region_is_itself_at_its_address_and_a_cable_away_at_others),
        cmocka_unit_test(round_trips_are_those_measured_or_estimated_by_distance),
        cmocka_unit_test(no_two_regions_get_one_ordinal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
