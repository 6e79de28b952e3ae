/* Background: tasks as rows. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

#define TASK_COLUMNS                                                                           \
    "key, tail, organization, application_key, application_tail, endpoint_key,"                \
    " endpoint_tail, kind, status, dry_run, since_ms, until_ms, event_types, channel,"         \
    " message_status, status_class, reached_key, looked_at, deliveries, created_at_ms,"        \
    " updated_at_ms, tag"
enum task_column {
    TASK_ID = 0, /* and tail */
    TASK_ORGANIZATION = 2,
    TASK_APPLICATION = 3, /* and tail, as the next */
    TASK_ENDPOINT = 5,
    TASK_KIND = 7,
    TASK_STATUS,
    TASK_DRY_RUN,
    TASK_SINCE_MS,
    TASK_UNTIL_MS,
    TASK_EVENT_TYPES,
    TASK_CHANNEL,
    TASK_MESSAGE_STATUS,
    TASK_STATUS_CLASS,
    TASK_REACHED_KEY,
    TASK_LOOKED_AT,
    TASK_DONE,
    TASK_CREATED_AT_MS,
    TASK_UPDATED_AT_MS,
    TASK_TAG,
};
#define AT(column) ((column) + 1)

/* clang-format off */
static const char SQL_START[] =
    "INSERT INTO background_tasks (" TASK_COLUMNS ")"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,"
    "             ?18, ?19, ?20, ?21, ?22)";

static const char SQL_COUNT_RUNNING[] =
    "SELECT count(*)"
    "  FROM background_tasks"
    " WHERE status = 0";

static const char SQL_BOUND[] =
    "DELETE FROM background_tasks"
    " WHERE key IN (SELECT key"
    "                 FROM background_tasks"
    "                WHERE status <> 0"
    "                ORDER BY key DESC"
    "                LIMIT -1 OFFSET ?1)";

static const char SQL_NEXT[] =
    "SELECT " TASK_COLUMNS
    "  FROM background_tasks"
    " WHERE status = 0 AND key > ?1"
    " ORDER BY key"
    " LIMIT 1";

static const char SQL_KEEP[] =
    "UPDATE background_tasks"
    "   SET status = ?2, reached_key = ?3, looked_at = ?4, deliveries = ?5, updated_at_ms = ?6"
    " WHERE key = ?1";

static const char SQL_GET[] =
    "SELECT " TASK_COLUMNS
    "  FROM background_tasks"
    " WHERE key = ?1";

#define SQL_LIST(direction)                                                                    \
    "SELECT " TASK_COLUMNS                                                                     \
    "  FROM background_tasks"                                                                  \
    " WHERE organization = ?1 AND key > ?2 AND key < ?3"                                       \
    "   AND (?4 < 0 OR status = ?4) AND (?5 < 0 OR kind = ?5)"                                 \
    " ORDER BY key " direction
/* clang-format on */

enum err sqlite_background_prepare(struct backend *b)
{
    const struct prepared writes[] = {
        { &b->writer.start_background, SQL_START },
        { &b->writer.count_background, SQL_COUNT_RUNNING },
        { &b->writer.bound_background, SQL_BOUND },
        { &b->writer.next_background, SQL_NEXT },
        { &b->writer.keep_background, SQL_KEEP },
        { 0 },
    };
    const struct prepared reads[] = {
        { &b->reader.get_background, SQL_GET },
        { &b->reader.background.up, SQL_LIST("ASC") },
        { &b->reader.background.down, SQL_LIST("DESC") },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], writes);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], reads);
}

static void column_task(sqlite3_stmt *st, struct background_task *out)
{
    *out = (struct background_task){
        .id = column_id(st, TASK_ID),
        .organization = column_whole_id(st, TASK_ORGANIZATION),
        .application = column_id(st, TASK_APPLICATION),
        .endpoint = column_id(st, TASK_ENDPOINT),
        .kind = (enum background_kind)column_u32(st, TASK_KIND),
        .status = (enum background_status)column_u32(st, TASK_STATUS),
        .dry_run = column_bool(st, TASK_DRY_RUN),
        .since_ms = column_u64(st, TASK_SINCE_MS),
        .until_ms = column_u64(st, TASK_UNTIL_MS),
        .event_types = column_list(st, TASK_EVENT_TYPES),
        .channel = column_text(st, TASK_CHANNEL),
        .tag = column_text(st, TASK_TAG),
        .has_status = sqlite3_column_int(st, TASK_MESSAGE_STATUS) >= 0,
        .has_status_class = sqlite3_column_int(st, TASK_STATUS_CLASS) >= 0,
        .reached_key = sqlite3_column_int64(st, TASK_REACHED_KEY),
        .looked_at = column_u64(st, TASK_LOOKED_AT),
        .done = column_u64(st, TASK_DONE),
        .created_at_ms = column_u64(st, TASK_CREATED_AT_MS),
        .updated_at_ms = column_u64(st, TASK_UPDATED_AT_MS),
    };
    if (out->has_status)
        out->message_status = (enum attempt_status)column_u32(st, TASK_MESSAGE_STATUS);
    if (out->has_status_class)
        out->status_class = column_u32(st, TASK_STATUS_CLASS);
}

/* The only row; ERR_NOT_FOUND. */
static enum err one_task(const struct connection *c, sqlite3_stmt *st,
                         struct background_task *out)
{
    bool row;
    enum err err = sqlite_next(c, st, &row);

    if (err)
        return err;
    if (!row)
        return ERR_NOT_FOUND;
    column_task(st, out);
    sqlite3_reset(st);
    return ERR_OK;
}

static enum err insert_task(struct backend *b, const struct background_task *task)
{
    sqlite3_stmt *st = b->writer.start_background;

    bind_id(st, AT(TASK_ID), &task->id);
    bind_whole_id(st, AT(TASK_ORGANIZATION), &task->organization);
    bind_id(st, AT(TASK_APPLICATION), &task->application);
    bind_id(st, AT(TASK_ENDPOINT), &task->endpoint);
    bind_u64(st, AT(TASK_KIND), task->kind);
    bind_u64(st, AT(TASK_STATUS), task->status);
    bind_u64(st, AT(TASK_DRY_RUN), task->dry_run);
    bind_u64(st, AT(TASK_SINCE_MS), task->since_ms);
    bind_u64(st, AT(TASK_UNTIL_MS), task->until_ms);
    bind_list(st, AT(TASK_EVENT_TYPES), &task->event_types);
    bind_text(st, AT(TASK_CHANNEL), task->channel);
    bind_text(st, AT(TASK_TAG), task->tag);
    sqlite3_bind_int(st, AT(TASK_MESSAGE_STATUS),
                     task->has_status ? (int)task->message_status : -1);
    sqlite3_bind_int(st, AT(TASK_STATUS_CLASS),
                     task->has_status_class ? (int)task->status_class : -1);
    sqlite3_bind_int64(st, AT(TASK_REACHED_KEY), task->reached_key);
    bind_u64(st, AT(TASK_LOOKED_AT), task->looked_at);
    bind_u64(st, AT(TASK_DONE), task->done);
    bind_u64(st, AT(TASK_CREATED_AT_MS), task->created_at_ms);
    bind_u64(st, AT(TASK_UPDATED_AT_MS), task->updated_at_ms);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

enum err sqlite_start_background(struct backend *b, const struct background_task *task)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *count = b->writer.count_background;
    bool row;
    enum err err = sqlite_next(c, count, &row);

    if (err)
        return err;
    bool is_full = sqlite3_column_int64(count, 0) >= BACKGROUND_RUNNING_MAX;
    sqlite3_reset(count);
    if (is_full)
        return ERR_LIMIT;
    bind_u64(b->writer.bound_background, 1, BACKGROUND_KEPT);
    err = sqlite_run(c, b->writer.bound_background);
    return err ? err : insert_task(b, task);
}

enum err sqlite_next_background(struct backend *b, int64_t after_key,
                                struct background_task *out)
{
    sqlite3_bind_int64(b->writer.next_background, 1, after_key);
    return one_task(&b->writer.files[BACKEND_REGIONAL], b->writer.next_background, out);
}

enum err sqlite_keep_background(struct backend *b, const struct background_task *task)
{
    sqlite3_stmt *st = b->writer.keep_background;

    sqlite3_bind_int64(st, 1, id_key(&task->id));
    bind_u64(st, 2, task->status);
    sqlite3_bind_int64(st, 3, task->reached_key);
    bind_u64(st, 4, task->looked_at);
    bind_u64(st, 5, task->done);
    bind_u64(st, 6, task->updated_at_ms);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

enum err sqlite_get_background(struct backend *b, struct store_get_background *op)
{
    sqlite3_stmt *st = b->reader.get_background;

    op->usage = NULL;
    op->usage_count = 0;
    sqlite3_bind_int64(st, 1, id_key(&op->id));
    enum err err = one_task(&b->reader.files[BACKEND_REGIONAL], st, &op->task);
    if (err)
        return err;
    err = ERR_NOT_FOUND;
    if (id_equal(&op->task.id, &op->id) && id_equal(&op->task.organization, &op->organization))
        err = background_counts(op->task.kind) ? sqlite_get_usage(b, op) : ERR_OK;
    if (err)
        background_task_fini(&op->task);
    return err;
}

enum err sqlite_list_background(struct backend *b, struct store_list_background *op)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    struct walk walk = walk_page(&op->page);
    sqlite3_stmt *st = walk.ascending ? b->reader.background.up : b->reader.background.down;
    bool row;
    enum err err;

    bind_whole_id(st, 1, &op->organization);
    sqlite3_bind_int64(st, 2, walk.above);
    sqlite3_bind_int64(st, 3, walk.below);
    sqlite3_bind_int(st, 4, op->has_status ? (int)op->status : -1);
    sqlite3_bind_int(st, 5, op->has_kind ? (int)op->kind : -1);
    op->count = 0;
    op->more = false;
    op->tasks = xcalloc(op->page.limit, sizeof *op->tasks);
    while (!(err = sqlite_next(c, st, &row)) && row && !op->more) {
        op->more = op->count == op->page.limit;
        if (!op->more)
            column_task(st, &op->tasks[op->count++]);
    }
    sqlite3_reset(st);
    if (err) {
        for (size_t i = 0; i < op->count; i++)
            background_task_fini(&op->tasks[i]);
        free(op->tasks);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->tasks, op->count, sizeof *op->tasks);
    return ERR_OK;
}
