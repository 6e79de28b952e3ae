#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/big_endian.h"

static void the_highest_byte_comes_first(void **state)
{
    const uint8_t four[] = { 1, 2, 3, 4 }, eight[] = { 0xff, 0, 0, 0, 0, 0, 0, 0xfe };
    uint8_t bytes[8];

    (void)state;
    big_endian_put(bytes, 0x01020304, sizeof four);
    assert_memory_equal(bytes, four, sizeof four);
    big_endian_put(bytes, UINT64_C(0xff000000000000fe), sizeof eight);
    assert_memory_equal(bytes, eight, sizeof eight);
    assert_int_equal(big_endian_get(four, sizeof four), 0x01020304);
    assert_true(big_endian_get(eight, sizeof eight) == UINT64_C(0xff000000000000fe));
}

static void what_does_not_fit_is_cut_at_the_top(void **state)
{
    uint8_t bytes[2];

    (void)state;
    big_endian_put(bytes, 0x12345, sizeof bytes);
    assert_int_equal(big_endian_get(bytes, sizeof bytes), 0x2345);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_highest_byte_comes_first),
        cmocka_unit_test(what_does_not_fit_is_cut_at_the_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
