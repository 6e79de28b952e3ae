#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/hex.h"

static void bytes_are_written_as_digits_and_read_again(void **state)
{
    const uint8_t bytes[] = { 0x00, 0x09, 0xaf, 0xff };
    uint8_t read[sizeof bytes];
    char text[HEX_LEN(sizeof bytes) + 1];

    (void)state;
    hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "0009afff");
    assert_int_equal(hex_decode(text, strlen(text), read, sizeof read), ERR_OK);
    assert_memory_equal(read, bytes, sizeof bytes);
    hex_encode(bytes, 0, text);
    assert_string_equal(text, "");
}

static void what_is_not_those_digits_is_refused(void **state)
{
    static const char *const rows[] = {
        "", "00", "00000", "000", "000g", "00 0", "00FF", "0x00", "-100", "0:00",
    };
    uint8_t read[2];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        if (hex_decode(rows[i], strlen(rows[i]), read, sizeof read) != ERR_INVALID)
            fail_msg("'%s' was read", rows[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_written_as_digits_and_read_again),
        cmocka_unit_test(what_is_not_those_digits_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
