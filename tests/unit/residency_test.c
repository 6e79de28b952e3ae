#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/residency.h"
#include "tests/lib/regions.h"

static char eu[] = "eu", us[] = "us", none[] = "mars";

/* What is said in the region fra. */
static void a_new_application_gets_what_it_wishes_or_what_is_usual(void **state)
{
    static const struct {
        struct residency_wish wish;
        const char *jurisdiction;
        unsigned home;
        enum residency_mode mode;
        enum residency_failover failover;
    } rows[] = {
        { { NULL, NULL, NULL, NULL }, "eu", 1, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { "eu", NULL, NULL, NULL }, "eu", 1, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { "us", NULL, NULL, NULL }, "us", 2, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { NULL, "sin", NULL, NULL }, "sg", 3, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { "eu", "dub", NULL, NULL }, "eu", 7, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { NULL, NULL, "at_rest", "none" }, "eu", 1, RESIDENCY_AT_REST, FAILOVER_NONE },
        { { "eu", "fra", "processing", "jurisdiction" },
          "eu",
          1,
          RESIDENCY_PROCESSING,
          FAILOVER_JURISDICTION },
        { { NULL, "dub", "transit", NULL }, "eu", 7, RESIDENCY_TRANSIT, FAILOVER_NONE },
    };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct residency made;
        struct residency_fault fault;

        assert_int_equal(residency_make(t, NULL, &rows[i].wish, &made, &fault), ERR_OK);
        assert_string_equal(made.jurisdiction, rows[i].jurisdiction);
        assert_int_equal(made.home, rows[i].home);
        assert_int_equal(made.home_epoch, 1);
        assert_int_equal(made.mode, rows[i].mode);
        assert_int_equal(made.failover, rows[i].failover);
        residency_fini(&made);
    }
    topology_free(t);
}

static void a_wish_that_breaks_a_rule_is_told_the_field_and_the_rule(void **state)
{
    static const struct {
        struct residency_wish wish;
        const char *field, *why;
    } rows[] = {
        { { "mars", NULL, NULL, NULL },
          "jurisdiction",
          "no region is of the jurisdiction \"mars\"" },
        { { "mars", "fra", NULL, NULL },
          "jurisdiction",
          "no region is of the jurisdiction \"mars\"" },
        { { "", NULL, NULL, NULL }, "jurisdiction", "no region is of the jurisdiction \"\"" },
        { { "eu", "lhr", NULL, NULL }, "home", "no region is called \"lhr\"" },
        { { "eu", "", NULL, NULL }, "home", "no region is called \"\"" },
        { { "eu", "iad", NULL, NULL },
          "home",
          "must be in its jurisdiction: iad isn't a region of eu" },
        { { NULL, NULL, "somewhere", NULL },
          "mode",
          "expected at_rest, processing or transit" },
        { { NULL, NULL, NULL, "any" }, "failover", "expected none or jurisdiction" },
    };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct residency made;
        struct residency_fault fault;

        assert_int_equal(residency_make(t, NULL, &rows[i].wish, &made, &fault), ERR_INVALID);
        assert_string_equal(residency_field_name(fault.field), rows[i].field);
        assert_string_equal(fault.why, rows[i].why);
    }
    topology_free(t);
}

static void an_application_may_change_its_mode_but_not_its_place(void **state)
{
    static const struct {
        struct residency_wish wish;
        const char *fault; /* the field; NULL = none */
        enum residency_mode mode;
        enum residency_failover failover;
    } rows[] = {
        { { NULL, NULL, NULL, NULL }, NULL, RESIDENCY_PROCESSING, FAILOVER_JURISDICTION },
        { { "eu", "dub", NULL, NULL }, NULL, RESIDENCY_PROCESSING, FAILOVER_JURISDICTION },
        { { NULL, NULL, "transit", NULL }, NULL, RESIDENCY_TRANSIT, FAILOVER_JURISDICTION },
        { { NULL, NULL, NULL, "none" }, NULL, RESIDENCY_PROCESSING, FAILOVER_NONE },
        { { NULL, "fra", NULL, NULL }, "home", 0, 0 },
        { { "us", NULL, NULL, NULL }, "jurisdiction", 0, 0 },
        { { NULL, "lhr", NULL, NULL }, "home", 0, 0 },
        { { NULL, NULL, "x", NULL }, "mode", 0, 0 },
    };
    const struct residency current = {
        .jurisdiction = eu,
        .home = 7,
        .home_epoch = 3,
        .mode = RESIDENCY_PROCESSING,
        .failover = FAILOVER_JURISDICTION,
    };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct residency made;
        struct residency_fault fault;
        enum err err = residency_make(t, &current, &rows[i].wish, &made, &fault);

        assert_int_equal(err, rows[i].fault ? ERR_INVALID : ERR_OK);
        if (err) {
            assert_string_equal(residency_field_name(fault.field), rows[i].fault);
            continue;
        }
        assert_string_equal(made.jurisdiction, "eu");
        assert_int_equal(made.home, 7);
        assert_int_equal(made.home_epoch, 3);
        assert_int_equal(made.mode, rows[i].mode);
        assert_int_equal(made.failover, rows[i].failover);
        residency_fini(&made);
    }
    topology_free(t);
}

static void a_residency_from_a_peer_is_held_to_the_same_rules(void **state)
{
    static const struct {
        struct residency residency;
        const char *fault; /* the field; NULL = none */
    } rows[] = {
        { { .jurisdiction = eu, .home = 1 }, NULL },
        { { .jurisdiction = eu, .home = 7, .failover = FAILOVER_JURISDICTION }, NULL },
        { { .jurisdiction = us, .home = 1 }, "home" },
        { { .jurisdiction = eu, .home = 9 }, "home" },
        { { .jurisdiction = none, .home = 1 }, "jurisdiction" },
        { { .jurisdiction = NULL, .home = 0 }, "jurisdiction" },
        { { .jurisdiction = eu, .home = 1, .mode = (enum residency_mode)3 }, "mode" },
        { { .jurisdiction = eu, .home = 1, .failover = (enum residency_failover)2 },
          "failover" },
    };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct residency_fault fault;
        enum err err = residency_check(t, &rows[i].residency, &fault);

        assert_int_equal(err, rows[i].fault ? ERR_INVALID : ERR_OK);
        if (err)
            assert_string_equal(residency_field_name(fault.field), rows[i].fault);
    }
    topology_free(t);
}

/* An answer: what is done, and which region it names. */
struct want {
    enum residency_action action;
    const char *region; /* NULL = none */
};

static void assert_decision(size_t row, struct residency_decision got, struct want want)
{
    const char *region = got.region ? got.region->name : NULL;

    if (got.action != want.action || (region == NULL) != (want.region == NULL) ||
        (region && strcmp(region, want.region) != 0))
        fail_msg("row %zu: want %d %s, got %d %s: %s", row, (int)want.action,
                 want.region ? want.region : "-", (int)got.action, region ? region : "-",
                 got.reason);
    assert_true(strlen(got.reason) > 0);
}

#define AT_REST    RESIDENCY_AT_REST
#define PROCESSING RESIDENCY_PROCESSING
#define TRANSIT    RESIDENCY_TRANSIT
#define REPLICA    RESIDENCY_REPLICA
#define OWNER      RESIDENCY_OWNER
#define INTAKE     RESIDENCY_INTAKE
#define ALL        "fra iad sin gru dub"
#define NO_FRA     "iad sin gru dub"
#define NO_EU      "iad sin gru"

/* An application of eu whose home is fra. */
static void a_request_goes_where_the_residency_lets_it(void **state)
{
    static const struct {
        const char *self, *alive;
        enum residency_mode mode;
        enum residency_failover failover;
        struct residency_request request;
        struct want want;
    } rows[] = {
        /* At home, whatever else. */
        { "fra", ALL, AT_REST, 0, { INTAKE, false }, { RESIDENCY_SERVE, "fra" } },
        { "fra", ALL, TRANSIT, 0, { OWNER, false }, { RESIDENCY_SERVE, "fra" } },
        { "fra", "", PROCESSING, 0, { INTAKE, false }, { RESIDENCY_SERVE, "fra" } },
        { "fra", ALL, AT_REST, 0, { INTAKE, true }, { RESIDENCY_SERVE, "fra" } },
        /* What each region has. */
        { "fra", ALL, AT_REST, 0, { REPLICA, false }, { RESIDENCY_SERVE, "fra" } },
        { "iad", ALL, AT_REST, 0, { REPLICA, false }, { RESIDENCY_SERVE, "iad" } },
        { "iad", "", TRANSIT, 0, { REPLICA, false }, { RESIDENCY_SERVE, "iad" } },
        { "iad", ALL, AT_REST, 0, { REPLICA, true }, { RESIDENCY_SERVE, "iad" } },
        /* Outside the jurisdiction, by the mode. */
        { "iad", ALL, AT_REST, 0, { INTAKE, false }, { RESIDENCY_CARRY, "fra" } },
        { "iad", ALL, AT_REST, 0, { OWNER, false }, { RESIDENCY_CARRY, "fra" } },
        { "iad", ALL, PROCESSING, 0, { INTAKE, false }, { RESIDENCY_REDIRECT, "fra" } },
        { "iad", ALL, PROCESSING, 0, { OWNER, false }, { RESIDENCY_REDIRECT, "fra" } },
        { "iad", ALL, TRANSIT, 0, { INTAKE, false }, { RESIDENCY_REFUSE, "fra" } },
        /* Inside, it is carried whatever the mode. */
        { "dub", ALL, AT_REST, 0, { INTAKE, false }, { RESIDENCY_CARRY, "fra" } },
        { "dub", ALL, PROCESSING, 0, { INTAKE, false }, { RESIDENCY_CARRY, "fra" } },
        { "dub", ALL, TRANSIT, 0, { INTAKE, false }, { RESIDENCY_CARRY, "fra" } },
        /* One hop. */
        { "iad", ALL, AT_REST, 0, { INTAKE, true }, { RESIDENCY_LOOP, "fra" } },
        { "iad", ALL, PROCESSING, 0, { INTAKE, true }, { RESIDENCY_LOOP, "fra" } },
        { "dub", ALL, AT_REST, 1, { INTAKE, true }, { RESIDENCY_LOOP, "fra" } },
        /* The home is down. */
        { "iad", NO_FRA, AT_REST, 0, { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
        { "iad", NO_FRA, PROCESSING, 0, { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
        { "dub", NO_FRA, AT_REST, 0, { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
        { "dub", NO_FRA, AT_REST, 0, { INTAKE, true }, { RESIDENCY_HOLD, NULL } },
        /* Another takes messages in, and nothing but messages. */
        { "dub", NO_FRA, AT_REST, 1, { INTAKE, false }, { RESIDENCY_SERVE, "dub" } },
        { "dub", NO_FRA, TRANSIT, 1, { INTAKE, false }, { RESIDENCY_SERVE, "dub" } },
        { "dub", NO_FRA, AT_REST, 1, { INTAKE, true }, { RESIDENCY_SERVE, "dub" } },
        { "dub", NO_FRA, AT_REST, 1, { OWNER, false }, { RESIDENCY_HOLD, NULL } },
        { "iad", NO_FRA, AT_REST, 1, { INTAKE, false }, { RESIDENCY_CARRY, "dub" } },
        { "iad", NO_FRA, PROCESSING, 1, { INTAKE, false }, { RESIDENCY_REDIRECT, "dub" } },
        { "iad", NO_FRA, TRANSIT, 1, { INTAKE, false }, { RESIDENCY_REFUSE, "dub" } },
        { "iad", NO_FRA, AT_REST, 1, { INTAKE, true }, { RESIDENCY_LOOP, "dub" } },
        { "iad", NO_FRA, AT_REST, 1, { OWNER, false }, { RESIDENCY_HOLD, NULL } },
        /* Never outside, though all of the jurisdiction is down. */
        { "iad", NO_EU, AT_REST, 1, { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
        { "iad", "", AT_REST, 1, { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct residency residency = {
            .jurisdiction = eu,
            .home = 1,
            .mode = rows[i].mode,
            .failover = rows[i].failover,
        };
        struct topology *t = regions_five(rows[i].self);
        region_set alive = regions_set(t, rows[i].alive);

        assert_decision(i, residency_decide(t, alive, &residency, &rows[i].request),
                        rows[i].want);
        topology_free(t);
    }
}

/* The first of a jurisdiction's regions that is up, seen from each of them and from outside. */
static void all_regions_agree_on_who_stands_in(void **state)
{
    static const char *const regions[] = { "ams 9 eu", "fra 1 eu", "dub 7 eu", "iad 2 us" };
    const struct residency residency = {
        .jurisdiction = eu,
        .home = 1,
        .failover = FAILOVER_JURISDICTION,
    };
    const struct residency_request request = { RESIDENCY_INTAKE, false };
    static const struct {
        const char *self;
        struct want want;
    } rows[] = {
        { "iad", { RESIDENCY_CARRY, "dub" } },
        { "ams", { RESIDENCY_CARRY, "dub" } },
        { "dub", { RESIDENCY_SERVE, "dub" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct topology *t = regions_topology(regions, COUNT(regions), rows[i].self);
        region_set alive = regions_set(t, "ams dub iad");

        assert_decision(i, residency_decide(t, alive, &residency, &request), rows[i].want);
        topology_free(t);
    }
}

static void a_home_that_is_unknown_or_unlawful_is_never_replaced_by_another(void **state)
{
    static const struct residency rows[] = {
        { .jurisdiction = eu, .home = 9, .failover = FAILOVER_JURISDICTION },
        { .jurisdiction = none, .home = 1, .failover = FAILOVER_JURISDICTION },
        { .jurisdiction = us, .home = 1, .failover = FAILOVER_JURISDICTION },
        { .jurisdiction = NULL, .home = 0 },
    };
    const struct residency_request request = { RESIDENCY_INTAKE, false };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_decision(i, residency_decide(t, topology_all(t), &rows[i], &request),
                        (struct want){ RESIDENCY_HOLD, NULL });
    topology_free(t);
}

/* At fra, of eu alone; dub is of eu, too, and iad isn't. */
static void an_unknown_application_is_looked_for_where_its_id_was_made(void **state)
{
    static const struct {
        uint8_t ordinal;
        const char *alive;
        struct residency_request request;
        struct want want;
    } rows[] = {
        { 1, ALL, { INTAKE, false }, { RESIDENCY_SERVE, "fra" } },
        { 1, ALL, { INTAKE, true }, { RESIDENCY_SERVE, "fra" } },
        { 9, ALL, { INTAKE, false }, { RESIDENCY_SERVE, "fra" } },
        { 0, ALL, { OWNER, false }, { RESIDENCY_SERVE, "fra" } },
        { 2, ALL, { REPLICA, false }, { RESIDENCY_CARRY, "iad" } },
        { 2, ALL, { OWNER, false }, { RESIDENCY_REDIRECT, "iad" } },
        { 2, ALL, { INTAKE, false }, { RESIDENCY_REDIRECT, "iad" } },
        { 7, ALL, { INTAKE, false }, { RESIDENCY_CARRY, "dub" } },
        { 7, ALL, { INTAKE, true }, { RESIDENCY_LOOP, "dub" } },
        { 2, ALL, { REPLICA, true }, { RESIDENCY_LOOP, "iad" } },
        { 2, "fra", { REPLICA, false }, { RESIDENCY_HOLD, NULL } },
        { 7, "fra iad", { INTAKE, false }, { RESIDENCY_HOLD, NULL } },
    };
    struct topology *t = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_decision(i,
                        residency_decide_unknown(t, regions_set(t, rows[i].alive),
                                                 rows[i].ordinal, &rows[i].request),
                        rows[i].want);
    topology_free(t);
}

static void
what_the_organization_owns_is_changed_in_the_region_of_the_lowest_ordinal(void **state)
{
    static const struct {
        const char *self, *alive;
        struct residency_request request;
        struct want want;
    } rows[] = {
        { "fra", "", { OWNER, false }, { RESIDENCY_SERVE, "fra" } },
        { "fra", ALL, { OWNER, true }, { RESIDENCY_SERVE, "fra" } },
        { "sin", ALL, { REPLICA, false }, { RESIDENCY_SERVE, "sin" } },
        { "sin", ALL, { OWNER, false }, { RESIDENCY_CARRY, "fra" } },
        { "sin", ALL, { OWNER, true }, { RESIDENCY_LOOP, "fra" } },
        { "sin", NO_FRA, { OWNER, false }, { RESIDENCY_HOLD, NULL } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct topology *t = regions_five(rows[i].self);

        assert_decision(
            i, residency_decide_directory(t, regions_set(t, rows[i].alive), &rows[i].request),
            rows[i].want);
        topology_free(t);
    }
}

/* I2, I4: whatever is alive, wished and asked. */
static void no_decision_names_a_region_outside_the_jurisdiction(void **state)
{
    static const char *const selves[] = { "fra", "iad", "sin", "gru", "dub" };

    (void)state;
    for (size_t self = 0; self < COUNT(selves); self++) {
        struct topology *t = regions_five(selves[self]);
        for (unsigned bits = 0; bits < 1u << 12; bits++) {
            const struct residency residency = {
                .jurisdiction = eu,
                .home = bits & 1 ? 1 : 7,
                .mode = (enum residency_mode)((bits >> 1 & 3) % 3),
                .failover = (enum residency_failover)(bits >> 3 & 1),
            };
            const struct residency_request request = {
                .need = (enum residency_need)(1 + (bits >> 4 & 1)),
                .carried = bits >> 5 & 1,
            };
            struct residency_decision d =
                residency_decide(t, bits >> 6 & 31, &residency, &request);
            assert_true(!d.region || text_list_has(&d.region->jurisdictions, "eu"));
            assert_int_equal(d.region == NULL, d.action == RESIDENCY_HOLD);
        }
        topology_free(t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_application_gets_what_it_wishes_or_what_is_usual),
        cmocka_unit_test(a_wish_that_breaks_a_rule_is_told_the_field_and_the_rule),
        cmocka_unit_test(an_application_may_change_its_mode_but_not_its_place),
        cmocka_unit_test(a_residency_from_a_peer_is_held_to_the_same_rules),
        cmocka_unit_test(a_request_goes_where_the_residency_lets_it),
        cmocka_unit_test(all_regions_agree_on_who_stands_in),
        cmocka_unit_test(a_home_that_is_unknown_or_unlawful_is_never_replaced_by_another),
        cmocka_unit_test(an_unknown_application_is_looked_for_where_its_id_was_made),
        cmocka_unit_test(
            what_the_organization_owns_is_changed_in_the_region_of_the_lowest_ordinal),
        cmocka_unit_test(no_decision_names_a_region_outside_the_jurisdiction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
