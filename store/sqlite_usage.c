/* Usage: what a background task that counts has of each application, as rows. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/sqlite_row.h"

/* A message that went to many endpoints, many times, has as many rows to be counted. */
#define ATTEMPTS_COUNTED 20000 /* in one bite, and those of one message more */

/* clang-format off */
static const char SQL_ADD[] =
    "INSERT INTO background_usage (task_key, application_key, application_tail, uid, is_done,"
    "                              destinations, has_catch_all)"
    "     VALUES (?1, ?2, ?3, ?4, 0, 0, 0)";

#define USAGE_COLUMNS                                                                          \
    "application_key, application_tail, uid, destinations, event_types, has_catch_all"

static const char SQL_NEXT[] =
    "SELECT " USAGE_COLUMNS
    "  FROM background_usage"
    " WHERE task_key = ?1 AND is_done = 0"
    " ORDER BY application_key"
    " LIMIT 1";

static const char SQL_KEEP[] =
    "UPDATE background_usage"
    "   SET is_done = ?3, destinations = ?4, event_types = ?5, has_catch_all = ?6"
    " WHERE task_key = ?1 AND application_key = ?2";

static const char SQL_GET[] =
    "SELECT " USAGE_COLUMNS
    "  FROM background_usage"
    " WHERE task_key = ?1 AND is_done = 1"
    " ORDER BY application_key";

static const char SQL_DESTINATIONS[] =
    "SELECT l.key,"
    "       (SELECT count(DISTINCT a.endpoint_key)"
    "          FROM attempts AS a INDEXED BY attempts_of_message"
    "         WHERE a.message_key = l.key),"
    "       (SELECT count(*)"
    "          FROM attempts AS a INDEXED BY attempts_of_message"
    "         WHERE a.message_key = l.key)"
    "  FROM messages_listed AS l"
    " WHERE l.application_key = ?1 AND l.key > ?2 AND l.key < ?3"
    " ORDER BY l.key"
    " LIMIT ?4";
/* clang-format on */
enum usage_column {
    USAGE_APPLICATION = 0, /* and tail */
    USAGE_UID = 2,
    USAGE_DESTINATIONS,
    USAGE_EVENT_TYPES,
    USAGE_CATCH_ALL,
};
enum destinations_column { DESTINATIONS_KEY, DESTINATIONS_COUNT, DESTINATIONS_ATTEMPTS };

enum err sqlite_usage_prepare(struct backend *b)
{
    const struct prepared writes[] = {
        { &b->writer.add_usage, SQL_ADD },
        { &b->writer.next_usage, SQL_NEXT },
        { &b->writer.keep_usage, SQL_KEEP },
        { &b->writer.destinations_between, SQL_DESTINATIONS },
        { 0 },
    };
    const struct prepared reads[] = { { &b->reader.get_usage, SQL_GET }, { 0 } };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], writes);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], reads);
}

enum err sqlite_add_usage(struct backend *b, const struct background_task *task,
                          const struct application *application)
{
    sqlite3_stmt *st = b->writer.add_usage;

    sqlite3_bind_int64(st, 1, id_key(&task->id));
    bind_id(st, 2, &application->base.id);
    bind_text(st, 4, application->uid);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

static struct background_usage column_usage(sqlite3_stmt *st)
{
    return (struct background_usage){
        .application = column_id(st, USAGE_APPLICATION),
        .uid = column_text(st, USAGE_UID),
        .destinations = column_u64(st, USAGE_DESTINATIONS),
        .event_types = column_list(st, USAGE_EVENT_TYPES),
        .has_catch_all = column_bool(st, USAGE_CATCH_ALL),
    };
}

enum err sqlite_next_usage(struct backend *b, const struct background_task *task,
                           struct background_usage *out)
{
    sqlite3_stmt *st = b->writer.next_usage;
    bool row;

    sqlite3_bind_int64(st, 1, id_key(&task->id));
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row);
    if (err)
        return err;
    if (!row)
        return ERR_NOT_FOUND;
    *out = column_usage(st);
    sqlite3_reset(st);
    return ERR_OK;
}

enum err sqlite_keep_usage(struct backend *b, const struct background_task *task,
                           const struct background_usage *usage)
{
    sqlite3_stmt *st = b->writer.keep_usage;

    sqlite3_bind_int64(st, 1, id_key(&task->id));
    sqlite3_bind_int64(st, 2, id_key(&usage->application));
    bind_u64(st, 3, usage->is_done);
    bind_u64(st, 4, usage->destinations);
    bind_list(st, 5, &usage->event_types);
    bind_u64(st, 6, usage->has_catch_all);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

/* What is left of a bite. */
struct rest {
    size_t rows;
    uint64_t attempts;
};

/* Go on with the messages of one application. */
static enum err count_some(struct backend *b, struct background_task *task,
                           struct background_usage *usage, struct rest *rest)
{
    sqlite3_stmt *st = b->writer.destinations_between;
    bool row = true;
    enum err err = ERR_OK;

    sqlite3_bind_int64(st, 1, id_key(&usage->application));
    sqlite3_bind_int64(st, 2, background_above(task));
    sqlite3_bind_int64(st, 3, background_below(task));
    bind_u64(st, 4, rest->rows);
    while (rest->rows > 0 && rest->attempts > 0 &&
           !(err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row)) && row) {
        uint64_t attempts = column_u64(st, DESTINATIONS_ATTEMPTS);
        task->reached_key = sqlite3_column_int64(st, DESTINATIONS_KEY);
        task->looked_at++;
        usage->destinations += column_u64(st, DESTINATIONS_COUNT);
        rest->attempts -= attempts < rest->attempts ? attempts : rest->attempts;
        rest->rows--;
    }
    sqlite3_reset(st);
    usage->is_done = !err && !row;
    if (usage->is_done)
        task->reached_key = 0;
    return err;
}

enum err sqlite_count_usage(struct backend *b, struct background_task *task)
{
    struct rest rest = { BACKGROUND_BITE_ROWS, ATTEMPTS_COUNTED };
    enum err err = ERR_OK;

    while (!err && rest.rows > 0 && rest.attempts > 0) {
        struct background_usage usage;
        err = sqlite_next_usage(b, task, &usage);
        if (err == ERR_NOT_FOUND) {
            task->status = BACKGROUND_FINISHED;
            return ERR_OK;
        }
        if (err)
            return err;
        err = count_some(b, task, &usage, &rest);
        if (!err)
            err = sqlite_keep_usage(b, task, &usage);
        task->done += usage.is_done;
        if (rest.rows > 0)
            rest.rows--;
        background_usage_fini(&usage);
    }
    return err;
}

enum err sqlite_get_usage(struct backend *b, struct store_get_background *op)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->reader.get_usage;
    size_t room = 0;
    bool row;
    enum err err;

    sqlite3_bind_int64(st, 1, id_key(&op->id));
    while (!(err = sqlite_next(c, st, &row)) && row) {
        if (op->usage_count == room)
            op->usage = xgrow(op->usage, &room, 16, sizeof *op->usage);
        op->usage[op->usage_count++] = column_usage(st);
    }
    if (err)
        background_usages_fini(op->usage, op->usage_count);
    return err;
}
