#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/count.h"

static void a_buffer_grows_to_its_limit_and_no_further(void **state)
{
    static const size_t limits[] = { 0, 1, 255, 256, 257, 5000 };

    (void)state;
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct buf b = BUF_INIT(limits[i]);
        for (size_t len = 0; len < limits[i]; len++)
            assert_int_equal(buf_append(&b, "x", 1), ERR_OK);
        assert_int_equal(buf_append(&b, "x", 1), ERR_LIMIT);
        assert_int_equal(buf_append_text(&b, "xy"), ERR_LIMIT);
        assert_int_equal(buf_printf(&b, "%d", 7), ERR_LIMIT);
        assert_int_equal(b.len, limits[i]);
        assert_int_equal(strlen(buf_text(&b)), limits[i]);
        buf_fini(&b);
    }
}

static void what_would_pass_the_limit_changes_nothing(void **state)
{
    struct buf b = BUF_INIT(4);

    (void)state;
    assert_int_equal(buf_append_text(&b, "abc"), ERR_OK);
    assert_int_equal(buf_append(&b, "defg", SIZE_MAX), ERR_LIMIT);
    assert_int_equal(buf_append_text(&b, "de"), ERR_LIMIT);
    assert_int_equal(buf_printf(&b, "%s", "de"), ERR_LIMIT);
    assert_string_equal(buf_text(&b), "abc");
    assert_int_equal(buf_append_text(&b, "d"), ERR_OK);
    assert_string_equal(buf_text(&b), "abcd");
    buf_fini(&b);
}

static void the_content_always_ends_in_a_nul(void **state)
{
    struct buf b = BUF_INIT(1000);

    (void)state;
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_append(&b, "", 0), ERR_OK);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_append(&b, "ab", 2), ERR_OK);
    assert_string_equal(buf_text(&b), "ab");
    assert_int_equal(buf_printf(&b, "%d-%s", 42, "x"), ERR_OK);
    assert_string_equal(buf_text(&b), "ab42-x");
    buf_clear(&b);
    assert_string_equal(buf_text(&b), "");
    assert_int_equal(buf_append(&b, "a\0b", 3), ERR_OK);
    assert_int_equal(b.len, 3);
    assert_int_equal(b.bytes[3], 0);
    buf_fini(&b);
}

static void a_finished_buffer_can_be_used_again(void **state)
{
    struct buf b = BUF_INIT(8);

    (void)state;
    assert_int_equal(buf_append_text(&b, "12345678"), ERR_OK);
    buf_fini(&b);
    assert_null(b.bytes);
    assert_int_equal(buf_append_text(&b, "12345678"), ERR_OK);
    assert_int_equal(buf_append_text(&b, "9"), ERR_LIMIT);
    buf_fini(&b);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_grows_to_its_limit_and_no_further),
        cmocka_unit_test(what_would_pass_the_limit_changes_nothing),
        cmocka_unit_test(the_content_always_ends_in_a_nul),
        cmocka_unit_test(a_finished_buffer_can_be_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
