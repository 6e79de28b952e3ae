/* Table: objects as rows on a terminal. The one home of libsmartcols.
 *
 * A list has a row for each item; a single object has one for each member, or just the value if
 * it has only one. On a terminal a list is made to fit, but for its names: a row's own, which stands
 * first, and every id is whole; what else is cut ends with a mark. No colours anywhere, so there is
 * nothing to turn off. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>

#include "cli/raw.h"

struct column {
    const char *heading; /* NULL ends the array */
    /* "a|b": b, where a is 0 and b isn't left out as content is;
     * "outer/inner": of an object in it, "outer/": that object; left out where no item that is
     * printed first has such an object; "/inner": left out where none of these has it */
    const char *member;
};

/* Whether there is something of `item` to show. */
bool table_shows(const struct column *columns, struct raw item);

struct table;

struct table *table_new(const struct column *columns, bool is_list);
void table_free(struct table *table); /* NULL does nothing */

void table_add(struct table *table, struct raw item);

/* On stdout, what was added since the last time. Columns stay as they were printed first, or get wider;
 * headings come once. */
void table_print(struct table *table);

#endif
