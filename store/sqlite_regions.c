/* Regions: what their operators say of them. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_DRAIN[] =
    "INSERT INTO region_marks (ordinal, draining)"
    " VALUES (?1, ?2)"
    "     ON CONFLICT (ordinal) DO UPDATE SET draining = excluded.draining";

static const char SQL_DRAINING[] =
    "SELECT ordinal"
    "  FROM region_marks"
    " WHERE draining = 1";
/* clang-format on */

enum err sqlite_regions_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.drain, SQL_DRAIN },
        { &b->writer.draining, SQL_DRAINING },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_GLOBAL], statements);
}

enum err sqlite_drain(struct backend *b, const struct store_drain *op)
{
    sqlite3_stmt *st = b->writer.drain;

    bind_u64(st, 1, op->ordinal);
    bind_u64(st, 2, op->draining);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_load_draining(struct backend *b, struct catalog *into)
{
    sqlite3_stmt *st = b->writer.draining;
    bool row;
    enum err err;

    while (!(err = sqlite_next(&b->writer.files[BACKEND_GLOBAL], st, &row)) && row)
        catalog_set_draining(into, (uint8_t)column_u32(st, 0), true);
    return err;
}
