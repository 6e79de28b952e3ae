/* Status: how much is in the store. */
#include "store/sqlite.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/mem.h"
#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_TOTALS[] =
    "SELECT messages, attempts, pending"
    "  FROM totals"
    " WHERE one = 1";

/* All of deliveries_failing and nothing else: what waits for another try. */
static const char SQL_FAILING[] =
    "SELECT endpoint_key, count(*) AS waiting, max(attempts)"
    "  FROM deliveries"
    " WHERE state = 0 AND attempts > 0"
    " GROUP BY endpoint_key"
    " ORDER BY waiting DESC, endpoint_key"
    " LIMIT ?1";
/* clang-format on */

enum err sqlite_status_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.totals, SQL_TOTALS },
        { &b->reader.failing, SQL_FAILING },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static enum err read_totals(struct backend *b, struct store_status *op)
{
    sqlite3_stmt *st = b->reader.totals;
    bool row;
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row);

    if (err || !row)
        return err;
    op->messages = column_u64(st, 0);
    op->attempts = column_u64(st, 1);
    op->pending = column_u64(st, 2);
    sqlite3_reset(st);
    return ERR_OK;
}

static enum err read_failing(struct backend *b, struct store_status *op)
{
    sqlite3_stmt *st = b->reader.failing;
    bool row;
    enum err err;

    op->failing_count = 0;
    bind_u64(st, 1, STATUS_FAILING_MAX);
    while (!(err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row)) && row)
        op->failing[op->failing_count++] = (struct lane_failing){
            .endpoint_key = sqlite3_column_int64(st, 0),
            .deliveries = column_u64(st, 1),
            .attempts_most = column_u32(st, 2),
        };
    return err;
}

static uint64_t file_bytes(const struct backend *b, const char *name, const char *suffix)
{
    size_t room = strlen(b->dir) + strlen(name) + strlen(suffix) + 2;
    char *path = xcalloc(room, 1);
    struct stat status;

    snprintf(path, room, "%s/%s%s", b->dir, name, suffix);
    uint64_t bytes = stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
    free(path);
    return bytes;
}

static uint64_t bytes_with_log(const struct backend *b, enum backend_file file)
{
    const char *name = b->reader.files[file].file;

    return file_bytes(b, name, "") + file_bytes(b, name, "-wal");
}

enum err sqlite_status(struct backend *b, struct store_status *op, struct retention_ends *out)
{
    enum err err = read_totals(b, op);

    if (!err)
        err = sqlite_oldest_due(b, &op->oldest_due_at_ms);
    if (!err)
        err = read_failing(b, op);
    if (!err)
        err = sqlite_read_ends(&b->reader.files[BACKEND_REGIONAL], b->reader.ends, out);
    op->global_bytes = bytes_with_log(b, BACKEND_GLOBAL);
    op->regional_bytes = bytes_with_log(b, BACKEND_REGIONAL);
    op->global_schema = b->schema[BACKEND_GLOBAL];
    op->regional_schema = b->schema[BACKEND_REGIONAL];
    return err;
}
