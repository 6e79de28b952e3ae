/* Resend: deliveries that are due once more because somebody asked for them. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_FIND_CONTENT[] =
    "SELECT key, tail, application_key, application_tail, length(payload) > 0"
    "  FROM messages"
    " WHERE key = ?1";

static const char SQL_FIND_DELIVERY[] =
    "SELECT state, trigger"
    "  FROM deliveries"
    " WHERE message_key = ?1 AND endpoint_key = ?2";

static const char SQL_ASK_FOR[] =
    "INSERT INTO deliveries (message_key, endpoint_key, state, attempts, due_at_ms, trigger)"
    "     VALUES (?1, ?2, 0, 0, ?3, 1)"
    "ON CONFLICT (message_key, endpoint_key) DO"
    "     UPDATE"
    "        SET state = 0, due_at_ms = excluded.due_at_ms, trigger = 1,"
    "            resume_at_ms = CASE state WHEN 0 THEN due_at_ms ELSE 0 END";
/* clang-format on */
enum content_column { CONTENT_ID = 0, CONTENT_APPLICATION = 2, CONTENT_IS_THERE = 4 };

enum err sqlite_resend_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.find_content, SQL_FIND_CONTENT },
        { &b->writer.find_delivery, SQL_FIND_DELIVERY },
        { &b->writer.ask_for, SQL_ASK_FOR },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

/* ERR_UNAVAILABLE: it is there without its payload. */
static enum err find_content(struct backend *b, const struct store_resend *op)
{
    sqlite3_stmt *st = b->writer.find_content;
    bool found;

    sqlite3_bind_int64(st, 1, id_key(&op->message));
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &found);
    if (err)
        return err;
    if (!found || !column_id_is(st, CONTENT_ID, &op->message) ||
        !column_id_is(st, CONTENT_APPLICATION, &op->application))
        err = ERR_NOT_FOUND;
    else if (!column_bool(st, CONTENT_IS_THERE))
        err = ERR_UNAVAILABLE;
    sqlite3_reset(st);
    return err;
}

enum err sqlite_ask_for(struct backend *b, int64_t message_key, int64_t endpoint_key,
                        uint64_t due_at_ms)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    bool found, is_pending = false, is_asked_for = false;
    sqlite3_stmt *st = b->writer.find_delivery;

    sqlite3_bind_int64(st, 1, message_key);
    sqlite3_bind_int64(st, 2, endpoint_key);
    enum err err = sqlite_next(c, st, &found);
    if (err)
        return err;
    if (found) {
        is_pending = column_u32(st, 0) == DELIVERY_PENDING;
        is_asked_for = column_u32(st, 1) == TRIGGER_MANUAL;
    }
    sqlite3_reset(st);
    if (is_pending && is_asked_for)
        return ERR_OK;

    st = b->writer.ask_for;
    sqlite3_bind_int64(st, 1, message_key);
    sqlite3_bind_int64(st, 2, endpoint_key);
    bind_u64(st, 3, due_at_ms);
    err = sqlite_run(c, st);
    if (!err && !is_pending)
        b->writer.pending++;
    return err;
}

enum err sqlite_resend(struct backend *b, const struct store_resend *op, uint64_t due_at_ms)
{
    enum err err = find_content(b, op);

    return err ? err
               : sqlite_ask_for(b, id_key(&op->message), id_key(&op->endpoint), due_at_ms);
}
