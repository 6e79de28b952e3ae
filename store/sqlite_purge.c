/* Purge: a bite of a background task that expunges an application's payloads. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* What one bite expunges. */
struct purge {
    int64_t keys[BACKGROUND_BITE_ROWS]; /* of messages with a payload */
    size_t count, looked_at;
    size_t bytes;
};

/* clang-format off */
static const char SQL_PAYLOADS[] =
    "SELECT m.key, length(m.payload)"
    "  FROM messages_listed AS l"
    " CROSS JOIN messages AS m ON m.key = l.key"
    " WHERE l.application_key = ?1 AND l.key > ?2 AND l.key < ?3"
    " ORDER BY l.key"
    " LIMIT ?4";

static const char SQL_PURGE_PAYLOAD[] =
    "UPDATE messages"
    "   SET payload = NULL"
    " WHERE key = ?1";
/* clang-format on */

enum err sqlite_purge_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.payloads, SQL_PAYLOADS },
        { &b->writer.purge_payload, SQL_PURGE_PAYLOAD },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

/* Up to so many rows, or the one with which the bytes are enough. */
static enum err look(struct backend *b, struct background_task *task, struct purge *out)
{
    sqlite3_stmt *st = b->writer.payloads;
    bool row = true;
    enum err err = ERR_OK;

    sqlite3_bind_int64(st, 1, id_key(&task->application));
    sqlite3_bind_int64(st, 2, background_above(task));
    sqlite3_bind_int64(st, 3, background_below(task));
    bind_u64(st, 4, BACKGROUND_BITE_ROWS);
    while (out->bytes < BACKGROUND_BITE_BYTES &&
           !(err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row)) && row) {
        task->reached_key = sqlite3_column_int64(st, 0);
        if (sqlite3_column_type(st, 1) != SQLITE_NULL) {
            out->keys[out->count++] = task->reached_key;
            out->bytes += (size_t)sqlite3_column_int64(st, 1);
        }
        out->looked_at++;
    }
    sqlite3_reset(st);
    if (!err && !row && out->looked_at < BACKGROUND_BITE_ROWS)
        task->status = BACKGROUND_FINISHED;
    return err;
}

enum err sqlite_empty(struct backend *b, int64_t message_key)
{
    sqlite3_bind_int64(b->writer.purge_payload, 1, message_key);
    enum err err = sqlite_run(&b->writer.files[BACKEND_REGIONAL], b->writer.purge_payload);

    return err ? err : sqlite_end_message(b, message_key);
}

static enum err purge(struct backend *b, const struct purge *bite)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < bite->count; i++)
        err = sqlite_empty(b, bite->keys[i]);
    return err;
}

/* Each bite overwrites in the file; the log, which has what was there before, starts again from nothing
 * behind the last. */
enum err sqlite_purge(struct backend *b, struct background_task *task)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    struct purge bite = { .count = 0 };
    enum err err = look(b, task, &bite);

    if (!err)
        err = sqlite_exec(c, "PRAGMA secure_delete = ON");
    if (err)
        return err;
    err = purge(b, &bite);
    enum err usual = sqlite_exec(c, "PRAGMA secure_delete = FAST");
    if (err || usual)
        return err ? err : usual;
    task->looked_at += bite.looked_at;
    task->done += bite.count;
    if (task->status == BACKGROUND_FINISHED)
        sqlite_wipe_log(b, true);
    return ERR_OK;
}
