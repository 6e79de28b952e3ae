/* Lanes: what is pending, by endpoint, oldest first. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/sqlite_row.h"

/* clang-format off */
/* In the order of deliveries_due. */
static const char SQL_DUE[] =
    "SELECT " MESSAGE_COLUMNS ", d.attempts, d.due_at_ms, d.trigger, d.resume_at_ms"
    "  FROM deliveries AS d"
    "  JOIN messages AS m ON m.key = d.message_key"
    " WHERE d.endpoint_key = ?1 AND d.state = 0"
    " ORDER BY d.due_at_ms, d.message_key";
/* clang-format on */
enum due_column { DUE_ATTEMPTS = MESSAGE_END, DUE_AT_MS, DUE_TRIGGER, DUE_RESUME_AT_MS };

/* clang-format off */
/* One seek a lane, however much is in it. */
static const char SQL_NEXT_LANE[] =
    "SELECT endpoint_key, due_at_ms"
    "  FROM deliveries"
    " WHERE endpoint_key > ?1 AND state = 0"
    " ORDER BY endpoint_key, due_at_ms"
    " LIMIT 1";
/* clang-format on */

enum err sqlite_lanes_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.due, SQL_DUE },
        { &b->reader.next_lane, SQL_NEXT_LANE },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static int compare_keys(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static bool is_excluded(const struct store_due *op, int64_t message_key)
{
    return op->exclude_count > 0 && bsearch(&message_key, op->exclude, op->exclude_count,
                                            sizeof *op->exclude, compare_keys) != NULL;
}

/* Take the row, or say why there is nothing more to take: false. */
static bool take_due(sqlite3_stmt *st, struct store_due *op, size_t *bytes)
{
    uint64_t due_at_ms = column_u64(st, DUE_AT_MS);

    if (is_excluded(op, sqlite3_column_int64(st, MESSAGE_ID)))
        return true;
    if (due_at_ms > op->now_wall_ms) {
        op->next_due_at_ms = due_at_ms;
        return false;
    }
    if (op->count == op->limit || (op->count > 0 && *bytes > op->bytes_limit)) {
        op->more = true;
        return false;
    }
    struct message *m = column_message(st, true);
    *bytes += m->payload.len;
    op->deliveries[op->count++] = (struct delivery){
        .message = m,
        .endpoint_key = op->endpoint_key,
        .attempts = column_u32(st, DUE_ATTEMPTS),
        .due_at_ms = due_at_ms,
        .trigger = (enum attempt_trigger)column_u32(st, DUE_TRIGGER),
        .resume_at_ms = column_u64(st, DUE_RESUME_AT_MS),
    };
    return true;
}

enum err sqlite_due(struct backend *b, struct store_due *op)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->reader.due;
    size_t bytes = 0;
    bool row;
    enum err err;

    op->count = 0;
    op->more = false;
    op->next_due_at_ms = 0;
    op->deliveries = xcalloc(op->limit, sizeof *op->deliveries);
    sqlite3_bind_int64(st, 1, op->endpoint_key);
    while (!(err = sqlite_next(c, st, &row)) && row && take_due(st, op, &bytes))
        ;
    sqlite3_reset(st);
    if (err) {
        for (size_t i = 0; i < op->count; i++)
            message_unref(op->deliveries[i].message);
        free(op->deliveries);
    }
    return err;
}

/* The first lane after a key; 0 when there is none. */
static enum err next_lane(struct backend *b, int64_t after_key, struct lane_due *out)
{
    sqlite3_stmt *st = b->reader.next_lane;
    bool row;

    sqlite3_bind_int64(st, 1, after_key);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row);
    if (err)
        return err;
    *out = (struct lane_due){ 0 };
    if (row)
        *out = (struct lane_due){ sqlite3_column_int64(st, 0), column_u64(st, 1) };
    sqlite3_reset(st);
    return ERR_OK;
}

enum err sqlite_lanes(struct backend *b, struct store_lanes *op)
{
    struct lane_due lane = { .endpoint_key = op->after_key };
    enum err err = next_lane(b, op->after_key, &lane);

    op->count = 0;
    op->more = false;
    op->lanes = xcalloc(op->limit, sizeof *op->lanes);
    while (!err && lane.endpoint_key && !op->more) {
        if (op->count == op->limit) {
            op->more = true;
        } else {
            op->lanes[op->count++] = lane;
            err = next_lane(b, lane.endpoint_key, &lane);
        }
    }
    if (err)
        free(op->lanes);
    return err;
}

enum err sqlite_oldest_due(struct backend *b, uint64_t *out_at_ms)
{
    struct lane_due lane;
    uint64_t oldest = 0;
    enum err err = next_lane(b, 0, &lane);

    while (!err && lane.endpoint_key) {
        if (oldest == 0 || lane.due_at_ms < oldest)
            oldest = lane.due_at_ms;
        err = next_lane(b, lane.endpoint_key, &lane);
    }
    if (!err)
        *out_at_ms = oldest;
    return err;
}
