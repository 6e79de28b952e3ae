#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"
#include "tests/lib/dice.h"
#include "tests/wan/holding.h"

static struct packet *due_at(uint64_t due_ns)
{
    struct packet *packet = xcalloc(1, sizeof *packet);

    packet->due_ns = due_ns;
    return packet;
}

static void packets_leave_by_the_instant_they_are_due_and_then_as_they_came(void **state)
{
    struct holding h = { 0 };
    struct dice dice = { 5 };
    uint64_t due_ns = 0, number = 0;

    (void)state;
    for (int i = 0; i < 5000; i++)
        assert_int_equal(holding_put(&h, due_at(dice_between(&dice, 1, 700))), ERR_OK);
    for (int i = 0; i < 5000; i++) {
        assert_ptr_equal(holding_next(&h), h.heap[0]);
        struct packet *packet = holding_take(&h);
        assert_true(packet->due_ns > due_ns ||
                    (packet->due_ns == due_ns && packet->number > number));
        due_ns = packet->due_ns;
        number = packet->number;
        free(packet);
    }
    assert_null(holding_take(&h));
    assert_null(holding_next(&h));
    holding_fini(&h);
}

static void a_full_holding_takes_no_more_and_frees_what_it_has(void **state)
{
    struct holding h = { 0 };
    struct packet *over = due_at(0);

    (void)state;
    for (size_t i = 0; i < HOLDING_MAX; i++)
        assert_int_equal(holding_put(&h, due_at(HOLDING_MAX - i)), ERR_OK);
    assert_int_equal(holding_put(&h, over), ERR_LIMIT);
    free(over);
    assert_int_equal(holding_next(&h)->due_ns, 1);
    holding_fini(&h);
    assert_null(holding_next(&h));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_leave_by_the_instant_they_are_due_and_then_as_they_came),
        cmocka_unit_test(a_full_holding_takes_no_more_and_frees_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
