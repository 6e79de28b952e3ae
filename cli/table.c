#include "cli/table.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libsmartcols.h>

#include "cli/fit.h"
#include "core/count.h"
#include "core/mem.h"

#define CELL_LEN_MAX (64u << 20) /* bytes of a member as text */
#define NO_CONTENT   "\"{}\""    /* what stands for a text that wasn't asked for */
#define COLUMNS_MAX  32
#define GAP          1 /* that libsmartcols puts between columns */

struct table {
    const struct column *columns;
    bool is_list;
    bool named;    /* members stand beside their names */
    bool printed;  /* a part of it */
    uint64_t seen; /* bit i: an item of that part has column i */
    struct libscols_table *lines;
    size_t terminal; /* how wide it is; 0: that isn't where it goes */
    struct buf cell;
};

struct table *table_new(const struct column *columns, bool is_list)
{
    struct table *table = xcalloc(1, sizeof *table);

    *table = (struct table){
        .columns = columns,
        .is_list = is_list,
        .named = !is_list && columns[1].heading,
        .lines = scols_new_table(),
        .cell = BUF_INIT(CELL_LEN_MAX),
    };
    if (!table->lines)
        abort();
    if (isatty(STDOUT_FILENO))
        table->terminal = scols_table_get_termwidth(table->lines);
    scols_table_set_termforce(table->lines, SCOLS_TERMFORCE_NEVER);
    if (is_list) {
        for (const struct column *c = columns; c->heading; c++)
            scols_table_new_column(table->lines, c->heading, 0, 0);
        return table;
    }
    scols_table_enable_noheadings(table->lines, 1);
    if (table->named)
        scols_table_new_column(table->lines, "NAME", 0, 0);
    scols_table_new_column(table->lines, "VALUE", 0, 0);
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    scols_unref_table(table->lines);
    buf_fini(&table->cell);
    free(table);
}

static struct libscols_line *new_line(struct table *table)
{
    struct libscols_line *line = scols_table_new_line(table->lines, NULL);

    if (!line)
        abort();
    return line;
}

static void set_cell(struct libscols_line *line, size_t index, const char *text)
{
    if (scols_line_set_data(line, index, text) != 0)
        abort();
}

static const char *cell_text(struct libscols_line *line, size_t index)
{
    const char *text = scols_cell_get_data(scols_line_get_cell(line, index));

    return text ? text : "";
}

/* Left out: the item doesn't have what may be. */
static struct raw find_member(struct raw item, const char *member, bool *out_left_out)
{
    const char *inner = strchr(member, '/');

    if (!inner) {
        *out_left_out = false;
        return raw_member(item, member);
    }
    size_t outer_len = (size_t)(inner++ - member);
    char *outer = outer_len > 0 ? xmemdup(member, outer_len) : xstrdup(inner);
    struct raw found = raw_member(item, outer);
    free(outer);
    *out_left_out = found.len == 0;
    return outer_len > 0 && *inner ? raw_member(found, inner) : found;
}

/* What a column shows of an item. */
static struct raw find(struct raw item, const char *member, bool *out_left_out)
{
    const char *instead = strchr(member, '|');

    if (!instead)
        return find_member(item, member, out_left_out);
    char *first = xmemdup(member, (size_t)(instead - member));
    struct raw found = find_member(item, first, out_left_out);
    struct raw other = raw_member(item, instead + 1);
    free(first);
    return raw_is(found, "0") && !raw_is(other, NO_CONTENT) ? other : found;
}

bool table_shows(const struct column *columns, struct raw item)
{
    bool left_out;

    for (; columns->heading; columns++)
        if (find(item, columns->member, &left_out).len > 0)
            return true;
    return false;
}

/* NULL: it is left out. */
static const char *member_text(struct table *table, struct raw item, const char *member)
{
    bool left_out;
    struct raw found = find(item, member, &left_out);

    if (left_out)
        return NULL;
    buf_clear(&table->cell);
    if (raw_text(found, &table->cell) != ERR_OK)
        return "(too large)";
    return buf_text(&table->cell);
}

void table_add(struct table *table, struct raw item)
{
    struct libscols_line *line = NULL;

    for (size_t i = 0; table->columns[i].heading; i++) {
        const char *text = member_text(table, item, table->columns[i].member);

        if (!text && !table->is_list)
            continue;
        if (text)
            table->seen |= UINT64_C(1) << i;
        if (!line || !table->is_list)
            line = new_line(table);
        if (table->named)
            set_cell(line, 0, table->columns[i].heading);
        set_cell(line, table->is_list ? i : (size_t)table->named, text ? text : "-");
    }
}

/* Of a list that isn't empty, the columns that no item has. */
static void hide_unseen(struct table *table)
{
    for (size_t i = 0; table->is_list && table->seen != 0 && table->columns[i].heading; i++)
        if (!(table->seen >> i & 1))
            scols_column_set_flags(scols_table_get_column(table->lines, i), SCOLS_FL_HIDDEN);
}

/* What a row is called, or what it refers to, is for copying. */
static bool is_name(const struct column *columns, size_t i)
{
    static const char *const ENDINGS[] = { "id", "Id", "heldBy" };
    const char *member = columns[i].member;
    size_t len = strlen(member);

    for (size_t e = 0; e < COUNT(ENDINGS); e++) {
        size_t ending = strlen(ENDINGS[e]);

        if (len >= ending && strcmp(member + len - ending, ENDINGS[e]) == 0)
            return true;
    }
    return i == 0;
}

static size_t widest(struct libscols_table *lines, size_t index)
{
    size_t most = 0;

    for (size_t n = 0; n < scols_table_get_nlines(lines); n++) {
        size_t width = fit_width(cell_text(scols_table_get_line(lines, n), index));

        most = width > most ? width : most;
    }
    return most;
}

/* What is shown, and what it takes; a column is never narrower than its heading, nor than it was. */
static size_t measure(const struct table *table, size_t indexes[COLUMNS_MAX],
                      struct fit widths[COLUMNS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; table->columns[i].heading; i++) {
        struct libscols_column *column = scols_table_get_column(table->lines, i);
        size_t width = widest(table->lines, i), least = strlen(table->columns[i].heading);

        if (scols_column_is_hidden(column))
            continue;
        assert(count < COLUMNS_MAX);
        if (table->printed && least < scols_column_get_width(column))
            least = scols_column_get_width(column);
        width = width < least ? least : width;
        widths[count] = (struct fit){ width, is_name(table->columns, i) ? width : least };
        indexes[count++] = i;
    }
    return count;
}

static void cut_cells(struct table *table, size_t index, size_t width)
{
    for (size_t n = 0; n < scols_table_get_nlines(table->lines); n++) {
        struct libscols_line *line = scols_table_get_line(table->lines, n);

        buf_clear(&table->cell);
        if (fit_cut(cell_text(line, index), width, &table->cell) != ERR_OK)
            abort();
        set_cell(line, index, buf_text(&table->cell));
    }
}

static void fit(struct table *table)
{
    struct fit widths[COLUMNS_MAX];
    size_t indexes[COLUMNS_MAX], count = measure(table, indexes, widths);

    fit_columns(widths, count, GAP, table->terminal);
    for (size_t i = 0; i < count; i++)
        cut_cells(table, indexes[i], widths[i].width);
}

/* What follows stands below what is printed. A column gets as wide as its heading anyway, unless it is
 * strict. */
static void go_on(struct table *table)
{
    for (size_t i = 0; table->columns[i].heading; i++) {
        struct libscols_column *column = scols_table_get_column(table->lines, i);
        size_t width = scols_column_get_width(column);

        if (width <= strlen(table->columns[i].heading))
            continue;
        scols_column_set_whint(column, (double)width);
        scols_column_set_flags(column, scols_column_get_flags(column) | SCOLS_FL_STRICTWIDTH);
    }
    scols_table_remove_lines(table->lines);
    scols_table_enable_noheadings(table->lines, 1);
    table->printed = true;
}

void table_print(struct table *table)
{
    if (scols_table_get_nlines(table->lines) == 0)
        return;
    if (!table->printed)
        hide_unseen(table);
    if (table->is_list && table->terminal > 0)
        fit(table);
    scols_print_table(table->lines);
    if (table->is_list)
        go_on(table);
}
