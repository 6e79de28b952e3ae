/* Count: how many attempts at an endpoint came to what, from one instant to another.
 *
 *   from ┤ rows ├──────── entries of lists ────────┤ rows ├ until
 *
 * A key tells the time by the tick: only in the first and the last is a row's own instant read. */
#include "store/sqlite.h"

#include <assert.h>

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_COUNT_ROWS[] =
    "SELECT status, count(*)"
    "  FROM attempts"
    " WHERE key IN (SELECT key"
    "                 FROM attempts_listed"
    "                WHERE endpoint_key = ?1 AND key > ?2 AND key < ?3"
    "                UNION ALL "
    "               SELECT key"
    "                 FROM attempts"
    "                WHERE " SQL_NOT_LISTED("attempts") " AND key < ?3 AND endpoint_key = ?1)"
    "   AND started_at_ms BETWEEN ?4 AND ?5"
    " GROUP BY status";

/* What isn't listed comes behind all that is. */
static const char SQL_COUNT_ENTRIES[] =
    "SELECT (SELECT count(*)"
    "          FROM attempts"
    "         WHERE " SQL_NOT_LISTED("attempts") " AND key < ?3 AND endpoint_key = ?1),"
    "       count(*), max(key)"
    "  FROM (SELECT key"
    "          FROM attempts_listed"
    "         WHERE endpoint_key = ?1 AND key > ?2 AND key < ?3"
    "         ORDER BY key"
    "         LIMIT ?4)";

static const char SQL_COUNT_FAILED[] =
    "SELECT status, count(*)"
    "  FROM attempts INDEXED BY attempts_failed"
    " WHERE endpoint_key = ?1 AND key > ?2 AND key < ?3 AND status <> 0"
    " GROUP BY status";
/* clang-format on */

enum entries_column { ENTRIES_NOT_LISTED, ENTRIES_LISTED, ENTRIES_LAST };

/* Keys from one on and up to another, which isn't among them. */
struct span {
    int64_t from, end;
};

enum err sqlite_count_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.count_rows, SQL_COUNT_ROWS },
        { &b->reader.count_entries, SQL_COUNT_ENTRIES },
        { &b->reader.count_failed, SQL_COUNT_FAILED },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static void bind_span(sqlite3_stmt *st, const struct store_count_attempts *op,
                      const struct span *span)
{
    sqlite3_bind_int64(st, 1, id_key(&op->endpoint));
    sqlite3_bind_int64(st, 2, span->from - 1);
    sqlite3_bind_int64(st, 3, span->end);
}

/* Adds what a bound statement says of each status; of how many in all. */
static enum err add_counts(struct backend *b, sqlite3_stmt *st, struct store_count_attempts *op,
                           uint64_t *out_all)
{
    bool row;
    enum err err;

    *out_all = 0;
    while (!(err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row)) && row) {
        assert(column_u32(st, 0) < ATTEMPT_STATUSES);
        op->counts[column_u32(st, 0)] += column_u64(st, 1);
        *out_all += column_u64(st, 1);
    }
    return err;
}

static enum err count_rows(struct backend *b, struct store_count_attempts *op,
                           const struct span *span)
{
    uint64_t all;

    bind_span(b->reader.count_rows, op, span);
    bind_u64(b->reader.count_rows, 4, op->from_ms);
    bind_u64(b->reader.count_rows, 5, op->until_ms);
    return add_counts(b, b->reader.count_rows, op, &all);
}

/* What didn't fail was delivered. Ends the span where it reaches the most that may be counted at once. */
static enum err count_entries(struct backend *b, struct store_count_attempts *op,
                              struct span *span)
{
    sqlite3_stmt *st = b->reader.count_entries;
    uint64_t all, failed;
    bool row;

    bind_span(st, op, span);
    bind_u64(st, 4, ATTEMPTS_COUNTED_MAX);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row);
    if (err)
        return err;
    all = column_u64(st, ENTRIES_LISTED);
    op->reached_key = sqlite3_column_int64(st, ENTRIES_LAST);
    op->more = all == ATTEMPTS_COUNTED_MAX;
    if (op->more)
        span->end = op->reached_key + 1;
    else
        all += column_u64(st, ENTRIES_NOT_LISTED);
    sqlite3_reset(st);

    bind_span(b->reader.count_failed, op, span);
    err = add_counts(b, b->reader.count_failed, op, &failed);
    op->counts[ATTEMPT_SUCCESS] += err ? 0 : all - failed;
    return err;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static enum err count(struct backend *b, void *arg)
{
    struct store_count_attempts *op = arg;
    int64_t from = later(id_key_at(op->from_ms), op->after_key + 1);
    struct span first = { from, later(from, id_key_at(op->from_ms + ID_TICK_MS)) };
    struct span between = { first.end, later(first.end, id_key_at(op->until_ms)) };
    struct span last = { between.end,
                         later(between.end, id_key_at(op->until_ms + ID_TICK_MS)) };

    for (size_t i = 0; i < ATTEMPT_STATUSES; i++)
        op->counts[i] = 0;
    op->more = false;
    enum err err = count_rows(b, op, &first);
    if (!err)
        err = count_entries(b, op, &between);
    if (!err && !op->more)
        err = count_rows(b, op, &last);
    return err;
}

/* What comes between two statements would be counted by one of them. */
enum err sqlite_count_attempts(struct backend *b, struct store_count_attempts *op)
{
    return sqlite_in_one_state(b, BACKEND_REGIONAL, count, op);
}
