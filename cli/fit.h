/* Fit: a table's columns in the width of a terminal, and texts cut to that. Widths are columns of the
 * screen, by the locale. Pure. */
#ifndef CLI_FIT_H
#define CLI_FIT_H

#include <stddef.h>

#include "core/buf.h"

struct fit {
    size_t width; /* in: what its widest cell takes; out: what it gets */
    size_t least; /* of that */
};

/* Make the widest narrower until all of them, with `gap` between any two, fit into one line of the
 * terminal, or if the least that they take is more, into as few as that needs. */
void fit_columns(struct fit *columns, size_t count, size_t gap, size_t terminal);

/* Bytes that can't be printed take the width of "\x0a" each, as they are shown. */
size_t fit_width(const char *text);

/* Append `text`, or as much of it as fits with a mark that there is more. */
MUST_USE enum err fit_cut(const char *text, size_t width, struct buf *out);

#endif
