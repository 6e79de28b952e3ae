#include "store/sqlite.h"

/* Tenths of a microsecond, as bench/lists found them. */
#define EFFORT_ENTRY 1  /* of an index, */
#define EFFORT_READ  25 /* and each page of the file that wasn't in memory */

static int pages_read(const struct connection *c)
{
    int now = 0, peak;

    sqlite3_db_status(c->db, SQLITE_DBSTATUS_CACHE_MISS, &now, &peak, 0);
    return now;
}

struct effort effort_begin(const struct connection *c)
{
    return (struct effort){ .connection = c, .pages = pages_read(c) };
}

void effort_add(struct effort *e, size_t rows)
{
    e->rows += rows;
}

void effort_took(struct effort *e)
{
    e->pages = pages_read(e->connection);
    e->rows = 0;
}

bool effort_passed(struct effort *e)
{
    int pages = pages_read(e->connection);

    e->spent +=
        EFFORT_ENTRY + e->rows * EFFORT_ROW + (unsigned)(pages - e->pages) * EFFORT_READ;
    e->pages = pages;
    e->rows = 0;
    return e->spent >= EFFORT_MAX;
}
