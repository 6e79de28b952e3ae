#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dispatcher/agenda.h"

#define ITEMS 500

/* Knuth's MMIX generator: the same on every run. */
static size_t draw(size_t below)
{
    static uint64_t seed = 1;

    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(seed >> 33) % below;
}

static void items_come_out_in_the_order_of_their_instants(void **state)
{
    struct agenda agenda = { 0 };
    struct agenda_item items[ITEMS] = { 0 };
    struct agenda_item *item;
    uint64_t last = 0;
    size_t count = 0;

    (void)state;
    for (size_t i = 0; i < 4 * ITEMS; i++)
        agenda_set(&agenda, &items[draw(ITEMS)], draw(1000));
    for (size_t i = 0; i < ITEMS; i += 3)
        agenda_set(&agenda, &items[i], AGENDA_NEVER);

    size_t expected = agenda.count;
    while ((item = agenda_pop(&agenda, 1000))) {
        assert_true(item->at_mono_ms >= last);
        assert_int_equal(item->place, 0);
        assert_int_not_equal((item - items) % 3, 0);
        last = item->at_mono_ms;
        count++;
    }
    assert_int_equal(count, expected);
    assert_int_equal(agenda_next(&agenda), AGENDA_NEVER);
    agenda_fini(&agenda);
}

static void nothing_comes_before_its_time(void **state)
{
    struct agenda agenda = { 0 };
    struct agenda_item early = { 0 }, late = { 0 };

    (void)state;
    agenda_set(&agenda, &late, 20);
    agenda_set(&agenda, &early, 10);
    assert_null(agenda_pop(&agenda, 9));
    assert_int_equal(agenda_next(&agenda), 10);
    assert_ptr_equal(agenda_pop(&agenda, 10), &early);
    assert_null(agenda_pop(&agenda, 19));
    agenda_set(&agenda, &late, 5);
    assert_ptr_equal(agenda_pop(&agenda, 19), &late);
    agenda_fini(&agenda);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_the_order_of_their_instants),
        cmocka_unit_test(nothing_comes_before_its_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
