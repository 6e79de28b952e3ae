/* Routes: decisions of which region sends, the newest of them. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_KEEP_ROUTE[] =
    "INSERT INTO routes (endpoint_key, decided_at_ms, code)"
    " VALUES (?1, ?2, ?3)";

static const char SQL_BOUND_ROUTES[] =
    "DELETE FROM routes"
    " WHERE key IN (SELECT key"
    "                 FROM routes"
    "                WHERE endpoint_key = ?1"
    "                ORDER BY key DESC"
    "                LIMIT -1 OFFSET ?2)"
    "    OR key <= (SELECT max(key)"
    "                 FROM routes) - ?3";

static const char SQL_GET_ROUTE[] =
    "SELECT decided_at_ms, code"
    "  FROM routes"
    " WHERE endpoint_key = ?1 AND decided_at_ms <= ?2"
    " ORDER BY key DESC"
    " LIMIT 1";
/* clang-format on */

enum err sqlite_routes_prepare(struct backend *b)
{
    const struct prepared writes[] = {
        { &b->writer.keep_route, SQL_KEEP_ROUTE },
        { &b->writer.bound_routes, SQL_BOUND_ROUTES },
        { 0 },
    };
    const struct prepared reads[] = {
        { &b->reader.get_route, SQL_GET_ROUTE },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], writes);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], reads);
}

enum err sqlite_keep_route(struct backend *b, const struct store_keep_route *op)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *keep = b->writer.keep_route, *bound = b->writer.bound_routes;

    sqlite3_bind_int64(keep, 1, op->endpoint_key);
    bind_u64(keep, 2, op->decided_at_ms);
    bind_bytes(keep, 3, op->code, op->code_len);
    enum err err = sqlite_run(c, keep);
    if (err)
        return err;
    sqlite3_bind_int64(bound, 1, op->endpoint_key);
    bind_u64(bound, 2, ROUTES_KEPT);
    bind_u64(bound, 3, ROUTES_KEPT_ALL);
    return sqlite_run(c, bound);
}

enum err sqlite_get_route(struct backend *b, struct store_get_route *op)
{
    sqlite3_stmt *st = b->reader.get_route;
    bool found;

    sqlite3_bind_int64(st, 1, op->endpoint_key);
    bind_u64(st, 2, op->at_ms);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (err)
        return err;
    if (found) {
        op->decided_at_ms = column_u64(st, 0);
        op->code = column_bytes(st, 1);
    }
    sqlite3_reset(st);
    return found ? ERR_OK : ERR_NOT_FOUND;
}
