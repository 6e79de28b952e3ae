#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/revocation.h"

#define EVER REVOCATION_FOR_EVER

/* A session or token is known by one letter; '*' is all. */
static struct revocation rule_of(uint64_t before_ms, uint64_t from_ms, uint64_t until_ms,
                                 char name)
{
    struct revocation rule = { before_ms, from_ms, until_ms, name == '*', { (uint8_t)name } };

    return rule;
}

static struct revocable token_of(uint64_t minted_at_ms, char session, char id)
{
    return (struct revocable){
        .minted_at_ms = minted_at_ms,
        .session = { (uint8_t)session },
        .id = { (uint8_t)id },
    };
}

static void a_rule_voids_what_it_says(void **state)
{
    static const struct {
        struct {
            uint64_t before_ms, from_ms;
            char name;
        } rule;
        struct {
            uint64_t minted_at_ms;
            char session, id;
        } token;
        uint64_t now_ms;
        bool is_void;
    } rows[] = {
        { { 100, 100, '*' }, { 99, 0, 't' }, 100, true },
        { { 100, 100, '*' }, { 100, 0, 't' }, 100, false },
        { { 100, 200, '*' }, { 99, 0, 't' }, 199, false },
        { { 100, 200, '*' }, { 99, 0, 't' }, 200, true },
        { { 100, 100, 's' }, { 99, 's', 't' }, 100, true },
        { { 100, 100, 's' }, { 99, 'S', 't' }, 100, false },
        { { 100, 100, 's' }, { 100, 's', 't' }, 100, false },
        { { 100, 100, 's' }, { 99, 0, 't' }, 100, false },
        { { 100, 100, 't' }, { 99, 's', 't' }, 100, true },
        { { 100, 100, 't' }, { 99, 's', 'u' }, 100, false },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text_list rules = { 0 };
        struct revocation rule =
            rule_of(rows[i].rule.before_ms, rows[i].rule.from_ms, EVER, rows[i].rule.name);
        struct revocable token =
            token_of(rows[i].token.minted_at_ms, rows[i].token.session, rows[i].token.id);
        assert_false(revocation_voids(&rules, &token, rows[i].now_ms));
        assert_int_equal(revocation_add(&rules, &rule, 50), ERR_OK);
        if (revocation_voids(&rules, &token, rows[i].now_ms) != rows[i].is_void)
            fail_msg("row %zu: %s", i, rules.items[0]);
        assert_int_equal(revocation_last_ms(&rules), 100);
        text_list_fini(&rules);
    }
}

/* Added in order at the instants given; how many rules are left. */
static void only_what_still_says_something_is_kept(void **state)
{
    static const struct {
        struct {
            uint64_t now_ms, before_ms, from_ms, until_ms;
            char name;
        } rules[4];
        size_t left;
    } rows[] = {
        { { { 10, 10, 10, EVER, '*' }, { 20, 20, 20, EVER, '*' } }, 1 },
        { { { 10, 10, 99, EVER, '*' }, { 20, 20, 20, EVER, '*' } }, 1 },
        /* What is void already isn't good again because more will be void later. */
        { { { 10, 10, 10, EVER, '*' }, { 20, 20, 99, EVER, '*' } }, 2 },
        { { { 10, 10, 50, EVER, '*' }, { 20, 20, 60, EVER, '*' } }, 2 },
        { { { 10, 10, 50, EVER, '*' }, { 20, 20, 60, EVER, '*' }, { 70, 71, 90, EVER, '*' } },
          2 },
        { { { 10, 10, 10, 500, 's' }, { 20, 20, 20, 600, 's' } }, 1 },
        { { { 10, 10, 10, 500, 's' }, { 20, 20, 20, 600, 'u' } }, 2 },
        { { { 10, 10, 10, 500, 's' }, { 20, 20, 20, EVER, '*' } }, 1 },
        { { { 10, 10, 10, EVER, '*' }, { 20, 9, 20, 500, 's' } }, 1 },
        { { { 10, 10, 10, EVER, '*' }, { 20, 20, 20, 500, 's' } }, 2 },
        { { { 10, 10, 10, 15, 's' }, { 20, 20, 20, 500, 'u' } }, 1 },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text_list rules = { 0 };
        for (size_t n = 0; n < COUNT(rows[i].rules) && rows[i].rules[n].name; n++) {
            struct revocation rule =
                rule_of(rows[i].rules[n].before_ms, rows[i].rules[n].from_ms,
                        rows[i].rules[n].until_ms, rows[i].rules[n].name);
            assert_int_equal(revocation_add(&rules, &rule, rows[i].rules[n].now_ms), ERR_OK);
        }
        if (rules.count != rows[i].left)
            fail_msg("row %zu: %zu", i, rules.count);
        text_list_fini(&rules);
    }
}

static void there_are_so_many_rules_at_once_and_no_more(void **state)
{
    struct text_list rules = { 0 };
    struct revocation rule = rule_of(10, 10, 500, 0);
    (void)state;

    for (size_t i = 0; i < REVOCATIONS_MAX; i++) {
        rule.name[0] = (uint8_t)(i + 1);
        assert_int_equal(revocation_add(&rules, &rule, 10), ERR_OK);
    }
    rule.name[0] = 0;
    assert_int_equal(revocation_add(&rules, &rule, 10), ERR_LIMIT);
    assert_int_equal(rules.count, REVOCATIONS_MAX);
    rule = rule_of(20, 20, EVER, '*');
    assert_int_equal(revocation_add(&rules, &rule, 20), ERR_OK);
    assert_int_equal(rules.count, 1);
    text_list_fini(&rules);
}

static void what_is_no_rule_voids_nothing_and_stays(void **state)
{
    static const char *const texts[] = {
        "",         "*",        "100 100 *",       "100 100 100",
        "a 1 1 *",  "9 9 9 zz", "9 9 9 **",        "99999999999999999999 0 9 *",
        "9  9 9 *", "-9 9 9 *", "9 0 9 *trailing", "9 0 9 0000",
    };
    struct text_list rules = { 0 };
    struct revocable token = token_of(1, 0, 0);
    struct revocation rule = rule_of(1, 100, EVER, '*');
    (void)state;

    for (size_t i = 0; i < COUNT(texts); i++)
        text_list_add(&rules, texts[i], strlen(texts[i]));
    assert_false(revocation_voids(&rules, &token, 50));
    assert_int_equal(revocation_last_ms(&rules), 0);
    assert_int_equal(revocation_add(&rules, &rule, 50), ERR_OK);
    assert_int_equal(rules.count, COUNT(texts) + 1);
    text_list_fini(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_voids_what_it_says),
        cmocka_unit_test(only_what_still_says_something_is_kept),
        cmocka_unit_test(there_are_so_many_rules_at_once_and_no_more),
        cmocka_unit_test(what_is_no_rule_voids_nothing_and_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
