/* Operational: what is to be told of changes, on its way from one file to the other, and what was told
 * of a message. */
#include "store/sqlite.h"

#include "core/operational.h"
#include "store/sqlite_row.h"

/* Attempts of one message that are looked at, newest first: the writer's thread is shared. */
#define LOOKED_BACK_MAX 1000

/* clang-format off */
static const char SQL_KEEP[] =
    "INSERT INTO operational_messages (key, tail, application_key, application_tail,"
    "                                  event_type, created_at_ms, payload)"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

static const char SQL_NEXT[] =
    "SELECT key, tail, application_key, application_tail, event_type, created_at_ms, payload"
    "  FROM operational_messages"
    " ORDER BY key"
    " LIMIT ?1";

static const char SQL_FORGET[] =
    "DELETE"
    "  FROM operational_messages"
    " WHERE key <= ?1";

static const char SQL_HAS_MESSAGE[] =
    "SELECT 1"
    "  FROM messages"
    " WHERE key = ?1";

static const char SQL_EVENT_ID[] =
    "SELECT event_id"
    "  FROM messages"
    " WHERE key = ?1";

static const char SQL_LOOK_BACK[] =
    "SELECT max(status = 0),"
    "       max(trigger = 0 AND status = 2 AND (number = ?4 OR next_attempt_at_ms = 0))"
    "  FROM (SELECT endpoint_key, status, trigger, number, next_attempt_at_ms"
    "          FROM attempts"
    "         WHERE message_key = ?1 AND key <> ?3"
    "         ORDER BY key DESC"
    "         LIMIT ?5)"
    " WHERE endpoint_key = ?2";
/* clang-format on */
enum kept_column {
    KEPT_ID = 0,          /* and tail */
    KEPT_APPLICATION = 2, /* and tail */
    KEPT_EVENT_TYPE = 4,
    KEPT_CREATED_AT_MS,
    KEPT_PAYLOAD,
};

enum err sqlite_operational_prepare(struct backend *b)
{
    const struct prepared global[] = {
        { &b->writer.keep_told, SQL_KEEP },
        { &b->writer.next_told, SQL_NEXT },
        { &b->writer.forget_told, SQL_FORGET },
        { 0 },
    };
    const struct prepared regional[] = {
        { &b->writer.has_message, SQL_HAS_MESSAGE },
        { &b->writer.event_id, SQL_EVENT_ID },
        { &b->writer.look_back, SQL_LOOK_BACK },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_GLOBAL], global);

    return err ? err : sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], regional);
}

enum err sqlite_keep_told(struct backend *b, const struct message *message)
{
    sqlite3_stmt *st = b->writer.keep_told;

    bind_id(st, KEPT_ID + 1, &message->id);
    bind_id(st, KEPT_APPLICATION + 1, &message->application);
    bind_text(st, KEPT_EVENT_TYPE + 1, message->event_type);
    bind_u64(st, KEPT_CREATED_AT_MS + 1, message->created_at_ms);
    bind_bytes(st, KEPT_PAYLOAD + 1, message->payload.data, message->payload.len);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

static struct message *column_kept(sqlite3_stmt *st)
{
    struct message *message = message_new();

    message->id = column_id(st, KEPT_ID);
    message->application = column_id(st, KEPT_APPLICATION);
    message->event_type = column_text(st, KEPT_EVENT_TYPE);
    message->created_at_ms = column_u64(st, KEPT_CREATED_AT_MS);
    message->payload = column_bytes(st, KEPT_PAYLOAD);
    return message;
}

enum err sqlite_next_told(struct backend *b, struct message **out, size_t limit,
                          size_t *out_count)
{
    sqlite3_stmt *st = b->writer.next_told;
    size_t count = 0;
    bool row;
    enum err err;

    bind_u64(st, 1, limit);
    while (!(err = sqlite_next(&b->writer.files[BACKEND_GLOBAL], st, &row)) && row)
        out[count++] = column_kept(st);
    if (err) {
        while (count > 0)
            message_unref(out[--count]);
        return err;
    }
    *out_count = count;
    return ERR_OK;
}

enum err sqlite_forget_told(struct backend *b, int64_t up_to_key)
{
    sqlite3_stmt *st = b->writer.forget_told;

    sqlite3_bind_int64(st, 1, up_to_key);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_has_message(struct backend *b, int64_t key, bool *out)
{
    sqlite3_stmt *st = b->writer.has_message;

    sqlite3_bind_int64(st, 1, key);
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, out);
    sqlite3_reset(st);
    return err;
}

static enum err read_event_id(struct backend *b, int64_t message_key, char **out)
{
    sqlite3_stmt *st = b->writer.event_id;
    bool row;

    sqlite3_bind_int64(st, 1, message_key);
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row);
    *out = !err && row ? column_text(st, 0) : NULL;
    sqlite3_reset(st);
    return err;
}

enum err sqlite_look_back(struct backend *b, const struct attempt_record *attempt,
                          struct message_past *out)
{
    sqlite3_stmt *st = b->writer.look_back;
    bool row;

    sqlite3_bind_int64(st, 1, id_key(&attempt->message));
    sqlite3_bind_int64(st, 2, id_key(&attempt->endpoint));
    sqlite3_bind_int64(st, 3, id_key(&attempt->id));
    sqlite3_bind_int64(st, 4, OPERATIONAL_FAILING_AT);
    sqlite3_bind_int64(st, 5, LOOKED_BACK_MAX);
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row);
    bool delivered = !err && column_bool(st, 0), told = !err && column_bool(st, 1);
    sqlite3_reset(st);
    if (!err)
        err = read_event_id(b, id_key(&attempt->message), &out->event_id);
    if (err)
        return err;
    out->delivered = delivered;
    out->told = told;
    return ERR_OK;
}
