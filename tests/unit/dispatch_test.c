#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/dispatch.h"
#include "core/mem.h"
#include "tests/lib/regions.h"

static char eu[] = "eu";

static void modes_have_names(void **state)
{
    enum dispatch_mode mode;

    (void)state;
    for (int i = 0; i <= DISPATCH_PIN; i++) {
        assert_true(dispatch_mode_find(dispatch_mode_name((enum dispatch_mode)i), &mode));
        assert_int_equal(mode, i);
    }
    assert_false(dispatch_mode_find("nearest", &mode));
    assert_false(dispatch_mode_find("", &mode));
}

static void the_jurisdictions_url_goes_before_the_regions_and_both_before_the_own(void **state)
{
    static const struct {
        const char *jurisdiction, *region, *label, *url;
    } rows[] = {
        { "eu", "fra", "eu", "https://eu.test/" },
        { "eu", "sin", "eu", "https://eu.test/" },
        { "sg", "sin", "sin", "https://sin.test/" },
        { "us", "iad", "default", "https://own.test/" },
        { "us", "ius", "default", "https://own.test/" },
        { NULL, "sin", "sin", "https://sin.test/" },
        { NULL, NULL, "default", "https://own.test/" },
    };
    struct endpoint *e = endpoint_new();

    (void)state;
    e->url = xstrdup("https://own.test/");
    dispatch_add_target(&e->dispatch, "sin", "https://sin.test/");
    dispatch_add_target(&e->dispatch, "eu", "https://eu.test/");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dispatch_target target =
            dispatch_choose(e, rows[i].jurisdiction, rows[i].region);

        assert_string_equal(target.label, rows[i].label);
        assert_string_equal(target.url, rows[i].url);
    }
    object_unref(&e->base);
}

static void a_peers_target_that_is_none_is_passed_over(void **state)
{
    static const char *const rows[] = { "", " ", "eu", " https://x.test/",
                                        "a-name-too-long-for-a-region https://x.test/" };
    struct endpoint *e = endpoint_new();
    struct dispatch_target target;

    (void)state;
    e->url = xstrdup("https://own.test/");
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_false(dispatch_read_target(rows[i], &target));
        text_list_add(&e->dispatch.targets, rows[i], strlen(rows[i]));
    }
    target = dispatch_choose(e, "eu", "fra");
    assert_string_equal(target.label, DISPATCH_DEFAULT);
    object_unref(&e->base);
}

static void add_names(struct text_list *list, const char *names)
{
    while (*names) {
        size_t len = strcspn(names, " ");

        text_list_add(list, names, len);
        names += len + strspn(names + len, " ");
    }
}

/* For an application of eu: fra and dub. */
static void what_breaks_a_rule_is_told_by_its_field(void **state)
{
    static const struct {
        enum dispatch_mode mode;
        const char *pins, *labels;
        const char *loc, *why; /* NULL: good */
    } rows[] = {
        { DISPATCH_AUTO, "", "", NULL, NULL },
        { DISPATCH_HOME, "", "eu us fra sin", NULL, NULL },
        { DISPATCH_PIN, "dub fra", "", NULL, NULL },
        { DISPATCH_AUTO, "", "eu mars", "targets/mars",
          "a label is a region or a jurisdiction: mars is neither" },
        { DISPATCH_PIN, "", "", "dispatch/regions", "a pin names at least one region" },
        { DISPATCH_AUTO, "fra", "", "dispatch/regions", "only a pin names regions" },
        { DISPATCH_HOME, "fra", "", "dispatch/regions", "only a pin names regions" },
        { DISPATCH_PIN, "fra lhr", "", "dispatch/regions/1", "no region is called \"lhr\"" },
        { DISPATCH_PIN, "dub sin", "", "dispatch/regions/1",
          "must be in the application's jurisdiction: sin isn't a region of eu" },
    };
    const struct residency residency = { .jurisdiction = eu, .home = 1 };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct dispatch dispatch = { .mode = rows[i].mode };
        struct text_list labels = { 0 };
        struct dispatch_fault fault;

        add_names(&dispatch.regions, rows[i].pins);
        add_names(&labels, rows[i].labels);
        for (size_t l = 0; l < labels.count; l++)
            dispatch_add_target(&dispatch, labels.items[l], "https://x.test/");
        assert_int_equal(dispatch_check(t, &residency, &dispatch, &fault),
                         rows[i].loc ? ERR_INVALID : ERR_OK);
        if (rows[i].loc) {
            assert_string_equal(fault.loc, rows[i].loc);
            assert_string_equal(fault.why, rows[i].why);
        }
        text_list_fini(&labels);
        dispatch_fini(&dispatch);
    }
    topology_free(t);
}

static void targets_have_a_limit(void **state)
{
    const struct residency residency = { .jurisdiction = eu, .home = 1 };
    struct topology *t = regions_five("fra");
    struct dispatch dispatch = { .mode = DISPATCH_AUTO };
    struct dispatch_fault fault;

    (void)state;
    for (size_t i = 0; i <= DISPATCH_TARGETS_MAX; i++)
        dispatch_add_target(&dispatch, "eu", "https://x.test/");
    assert_int_equal(dispatch_check(t, &residency, &dispatch, &fault), ERR_INVALID);
    assert_string_equal(fault.loc, "targets");
    dispatch_fini(&dispatch);
    topology_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_have_names),
        cmocka_unit_test(the_jurisdictions_url_goes_before_the_regions_and_both_before_the_own),
        cmocka_unit_test(a_peers_target_that_is_none_is_passed_over),
        cmocka_unit_test(what_breaks_a_rule_is_told_by_its_field),
        cmocka_unit_test(targets_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
