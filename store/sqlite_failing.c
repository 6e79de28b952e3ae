/* Failing: since when an endpoint's deliveries run out of attempts. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_BEGIN[] =
    "INSERT INTO failing_endpoints (key, since_ms)"
    "     VALUES (?1, ?2)"
    "         ON CONFLICT (key) DO UPDATE SET since_ms = since_ms"
    "  RETURNING since_ms";

static const char SQL_END[] =
    "DELETE"
    "  FROM failing_endpoints"
    " WHERE key = ?1";

static const char SQL_ANY[] =
    "SELECT EXISTS (SELECT 1 FROM failing_endpoints)";
/* clang-format on */

enum err sqlite_failing_prepare(struct backend *b)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    const struct prepared statements[] = {
        { &b->writer.begin_failing, SQL_BEGIN },
        { &b->writer.end_failing, SQL_END },
        { 0 },
    };
    int64_t any = 0;
    enum err err = sqlite_prepare(c, statements);

    if (!err)
        err = sqlite_number(c, SQL_ANY, &any);
    b->writer.some_fail = any != 0;
    return err;
}

static enum err end_failing(struct backend *b, int64_t endpoint_key)
{
    sqlite3_stmt *st = b->writer.end_failing;

    sqlite3_bind_int64(st, 1, endpoint_key);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

static enum err begin_failing(struct backend *b, int64_t endpoint_key, uint64_t at_ms,
                              uint64_t *out_since_ms)
{
    sqlite3_stmt *st = b->writer.begin_failing;
    bool row;

    sqlite3_bind_int64(st, 1, endpoint_key);
    bind_u64(st, 2, at_ms);
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row);
    if (!err)
        *out_since_ms = column_u64(st, 0);
    sqlite3_reset(st);
    b->writer.some_fail = true;
    return err;
}

/* A success costs nothing as long as nobody fails. */
enum err sqlite_note_end(struct backend *b, struct store_record *op)
{
    int64_t key = id_key(&op->attempt->endpoint);
    uint64_t since_ms;

    if (op->next == DELIVERY_DELIVERED)
        return b->writer.some_fail ? end_failing(b, key) : ERR_OK;
    if (op->next != DELIVERY_DEAD || op->failing_limit_ms == 0)
        return ERR_OK;
    enum err err = begin_failing(b, key, op->ended_at_ms, &since_ms);
    if (err || op->ended_at_ms < since_ms || op->ended_at_ms - since_ms < op->failing_limit_ms)
        return err;
    op->failed_too_long = true;
    op->fail_since_ms = since_ms;
    return end_failing(b, key);
}
