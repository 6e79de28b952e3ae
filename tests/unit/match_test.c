#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/match.h"

/* Words between spaces; "" is none. */
static struct text_list list_of(const char *words)
{
    struct text_list list = { 0 };

    while (*words) {
        size_t len = strcspn(words, " ");
        text_list_add(&list, words, len);
        words += len + (words[len] == ' ');
    }
    return list;
}

static void an_endpoint_wants_what_its_filters_let_through(void **state)
{
    static const struct {
        const char *filter_types, *filter_channels, *event_type, *channels;
        bool wants;
    } rows[] = {
        { "", "", "order.paid", "", true },
        { "", "", "order.paid", "eu", true },
        { "order.paid", "", "order.paid", "", true },
        { "order.sent order.paid", "", "order.paid", "eu", true },
        { "order.sent", "", "order.paid", "", false },
        { "order", "", "order.paid", "", false },
        { "order.paid", "", "order", "", false },
        { "Order.paid", "", "order.paid", "", false },
        { "", "eu", "order.paid", "", false },
        { "", "eu", "order.paid", "eu", true },
        { "", "eu us", "order.paid", "asia us", true },
        { "", "eu us", "order.paid", "asia", false },
        { "order.paid", "eu", "order.paid", "us", false },
        { "order.sent", "eu", "order.paid", "eu", false },
        { "order.paid", "eu", "order.paid", "us eu", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoint *endpoint = endpoint_new();
        struct text_list channels = list_of(rows[i].channels);

        endpoint->event_types = list_of(rows[i].filter_types);
        endpoint->channels = list_of(rows[i].filter_channels);
        if (match_wants(endpoint, rows[i].event_type, &channels) != rows[i].wants)
            fail_msg("row %zu", i);
        text_list_fini(&channels);
        object_unref(&endpoint->base);
    }
}

static void a_disabled_endpoint_wants_and_a_deleted_one_does_not(void **state)
{
    struct endpoint *endpoint = endpoint_new();
    const struct text_list none = { 0 };

    (void)state;
    endpoint->disabled = true;
    assert_true(match_wants(endpoint, "order.paid", &none));
    endpoint->base.deleted = true;
    assert_false(match_wants(endpoint, "order.paid", &none));
    object_unref(&endpoint->base);
}

static void an_event_type_shows_with_one_of_its_flags(void **state)
{
    static const struct {
        const char *wanted, *flags;
        bool shows;
    } rows[] = {
        { "", "", true },
        { "", "\na\n", true },
        { "a", "", false },
        { "a", "\na\n", true },
        { "a", "\nb\na\n", true },
        { "a", "\nab\nba\n", false },
        { "ab", "\na\nb\n", false },
        { "x a", "\na\n", true },
        { "x y", "\na\nb\n", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_type *type = event_type_new();
        type->feature_flags = list_of(rows[i].wanted);
        if (match_shows(type, rows[i].flags) != rows[i].shows)
            fail_msg("row %zu", i);
        object_unref(&type->base);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_wants_what_its_filters_let_through),
        cmocka_unit_test(a_disabled_endpoint_wants_and_a_deleted_one_does_not),
        cmocka_unit_test(an_event_type_shows_with_one_of_its_flags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
