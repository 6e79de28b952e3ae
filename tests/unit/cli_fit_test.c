/* How a table's columns share a terminal, and how a text is cut. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/fit.h"
#include "core/count.h"

#define COLUMNS 3
#define GAP     1

static void the_widest_columns_give_until_the_row_fits(void **state)
{
    static const struct {
        size_t terminal;
        struct fit columns[COLUMNS];
        size_t widths[COLUMNS];
    } rows[] = {
        { 80, { { 10, 2 }, { 20, 2 }, { 30, 2 } }, { 10, 20, 30 } },
        { 62, { { 10, 2 }, { 20, 2 }, { 30, 2 } }, { 10, 20, 30 } },
        { 61, { { 10, 2 }, { 20, 2 }, { 30, 2 } }, { 10, 20, 29 } },
        { 42, { { 10, 2 }, { 20, 2 }, { 30, 2 } }, { 10, 15, 15 } },
        { 14, { { 10, 2 }, { 20, 2 }, { 30, 2 } }, { 4, 4, 4 } },
        { 42, { { 30, 30 }, { 8, 2 }, { 9, 2 } }, { 30, 5, 5 } },
        { 42, { { 30, 30 }, { 8, 6 }, { 9, 2 } }, { 30, 6, 4 } },
        /* ids alone take more than a line: two of it are for all that is there */
        { 40, { { 30, 30 }, { 27, 27 }, { 90, 4 } }, { 30, 27, 21 } },
        { 40, { { 30, 30 }, { 27, 27 }, { 9, 4 } }, { 30, 27, 9 } },
        { 1, { { 3, 3 }, { 3, 3 }, { 900, 3 } }, { 3, 3, 3 } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fit columns[COLUMNS];

        for (size_t c = 0; c < COLUMNS; c++)
            columns[c] = rows[i].columns[c];
        fit_columns(columns, COLUMNS, GAP, rows[i].terminal);
        for (size_t c = 0; c < COLUMNS; c++)
            assert_int_equal(columns[c].width, rows[i].widths[c]);
    }
}

static void a_text_that_is_cut_says_so(void **state)
{
    static const struct {
        const char *text;
        size_t width, room;
        const char *cut;
    } rows[] = {
        { "", 0, 0, "" },           { "abc", 3, 3, "abc" },
        { "abcd", 4, 3, "ab…" },    { "abcd", 4, 1, "…" },
        { "Tönung", 6, 4, "Tön…" }, { "日本語", 6, 5, "日本…" },
        { "日本語", 6, 4, "日…" },  { "e\xcc\x81t\xc3\xa9", 3, 3, "e\xcc\x81t\xc3\xa9" },
        { "a\nbc", 7, 6, "a\n…" },  { "a\xff", 5, 5, "a\xff" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(64);

        assert_int_equal(fit_width(rows[i].text), rows[i].width);
        assert_int_equal(fit_cut(rows[i].text, rows[i].room, &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].cut);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_widest_columns_give_until_the_row_fits),
        cmocka_unit_test(a_text_that_is_cut_says_so),
    };

    setlocale(LC_ALL, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
