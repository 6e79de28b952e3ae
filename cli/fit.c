#include "cli/fit.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define ESCAPE_WIDTH 4 /* of "\x0a" */

static size_t width_under(const struct fit *column, size_t cap)
{
    size_t width = column->width < cap ? column->width : cap;

    return width < column->least ? column->least : width;
}

static size_t row_under(const struct fit *columns, size_t count, size_t gap, size_t cap)
{
    size_t row = count > 0 ? gap * (count - 1) : 0;

    for (size_t i = 0; i < count; i++)
        row += width_under(&columns[i], cap);
    return row;
}

void fit_columns(struct fit *columns, size_t count, size_t gap, size_t terminal)
{
    size_t least = row_under(columns, count, gap, 0);
    size_t room = terminal > 0 && least > 0 ? (least + terminal - 1) / terminal * terminal : 0;
    size_t cap = room;

    while (cap > 0 && row_under(columns, count, gap, cap) > room)
        cap--;
    for (size_t i = 0; i < count; i++)
        columns[i].width = width_under(&columns[i], cap);
}

/* The bytes of the character at `at`, a text's, and the width that it takes. */
static size_t measure(const char *at, size_t *out_width)
{
    mbstate_t state = { 0 };
    wchar_t c;
    size_t len = mbrtowc(&c, at, strlen(at), &state);
    int width = len > 0 && len <= MB_CUR_MAX ? wcwidth(c) : -1;

    if (len == 0 || len > MB_CUR_MAX)
        len = 1;
    *out_width = width < 0 ? len * ESCAPE_WIDTH : (size_t)width;
    return len;
}

size_t fit_width(const char *text)
{
    size_t total = 0, width;

    for (; *text; total += width)
        text += measure(text, &width);
    return total;
}

enum err fit_cut(const char *text, size_t width, struct buf *out)
{
    size_t kept = 0, used = 0, next;

    if (fit_width(text) <= width)
        return buf_append_text(out, text);
    for (;; used += next) {
        size_t len = measure(text + kept, &next);

        if (used + next + 1 > width)
            break;
        kept += len;
    }
    enum err err = buf_append(out, text, kept);
    return err ? err : buf_append_text(out, MB_CUR_MAX > 1 ? "…" : "~");
}
