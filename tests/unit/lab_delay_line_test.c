#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lab/delay_line.h"

static void take(struct delay_line *line, uint64_t now_ms, const char *bytes, size_t len)
{
    struct piece *piece = delay_line_take(line, now_ms);

    assert_non_null(piece);
    assert_int_equal(piece->kind, PIECE_BYTES);
    assert_int_equal(piece->len, len);
    assert_memory_equal(piece->bytes, bytes, len);
    free(piece);
}

static void a_piece_leaves_when_its_time_has_come(void **state)
{
    struct delay_line line;

    (void)state;
    delay_line_init(&line);
    assert_true(delay_line_due_ms(&line) == UINT64_MAX);
    delay_line_put(&line, PIECE_BYTES, "one", 3, 100);
    assert_int_equal(delay_line_due_ms(&line), 100);
    assert_null(delay_line_take(&line, 99));
    take(&line, 100, "one", 3);
    assert_null(delay_line_take(&line, 1000));
    delay_line_fini(&line);
}

static void none_overtakes_another(void **state)
{
    struct delay_line line;

    (void)state;
    delay_line_init(&line);
    delay_line_put(&line, PIECE_BYTES, "one", 3, 100);
    delay_line_put(&line, PIECE_BYTES, "two", 3, 50);
    delay_line_put(&line, PIECE_END, NULL, 0, 60);
    assert_null(delay_line_take(&line, 99));
    take(&line, 100, "one", 3);
    take(&line, 100, "two", 3);
    struct piece *end = delay_line_take(&line, 100);
    assert_int_equal(end->kind, PIECE_END);
    free(end);
    delay_line_fini(&line);
}

static void it_has_room_for_so_much_and_no_more(void **state)
{
    static const char bytes[1024];
    struct delay_line line;
    size_t count = 0;

    (void)state;
    delay_line_init(&line);
    for (; delay_line_has_room(&line); count++)
        delay_line_put(&line, PIECE_BYTES, bytes, sizeof bytes, 0);
    assert_in_range(count, DELAY_LINE_MAX / 1024 - 64, DELAY_LINE_MAX / 1024);
    take(&line, 0, bytes, sizeof bytes);
    assert_true(delay_line_has_room(&line));
    delay_line_fini(&line);
    assert_int_equal(line.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_leaves_when_its_time_has_come),
        cmocka_unit_test(none_overtakes_another),
        cmocka_unit_test(it_has_room_for_so_much_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
