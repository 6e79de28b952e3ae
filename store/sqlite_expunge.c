/* Expunge: payloads and responses that are overwritten. */
#include "store/sqlite.h"

#include <string.h>

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_EXPUNGE_MESSAGE[] =
    "UPDATE messages"
    "   SET payload = NULL"
    " WHERE key = ?1 AND tail = ?2 AND application_key = ?3 AND application_tail = ?4";

static const char SQL_END_MESSAGE[] =
    "UPDATE deliveries"
    "   SET state = 2, trigger = 0, resume_at_ms = 0"
    " WHERE message_key = ?1 AND state = 0";

static const char SQL_EXPUNGE_ATTEMPT[] =
    "UPDATE attempts"
    "   SET response = ?4"
    " WHERE key = ?1 AND tail = ?2 AND message_key = ?3";
/* clang-format on */

enum err sqlite_expunge_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.expunge_message, SQL_EXPUNGE_MESSAGE },
        { &b->writer.end_message, SQL_END_MESSAGE },
        { &b->writer.expunge_attempt, SQL_EXPUNGE_ATTEMPT },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

/* Run it with what it frees overwritten, whatever that writes more; sqlite_settle() does the log. */
static enum err wipe(struct backend *b, sqlite3_stmt *st)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    enum err err = sqlite_exec(c, "PRAGMA secure_delete = ON");

    if (err)
        return err;
    err = sqlite_run(c, st);
    enum err usual = sqlite_exec(c, "PRAGMA secure_delete = FAST");
    if (err || usual)
        return err ? err : usual;
    if (sqlite3_changes(c->db) == 0)
        return ERR_NOT_FOUND;
    sqlite_wipe_log(b, true);
    return ERR_OK;
}

enum err sqlite_expunge_message(struct backend *b, const struct store_expunge_message *op)
{
    sqlite3_stmt *st = b->writer.expunge_message;

    bind_id(st, 1, &op->message);
    bind_id(st, 3, &op->application);
    enum err err = wipe(b, st);
    if (err)
        return err;
    return sqlite_end_message(b, id_key(&op->message));
}

enum err sqlite_end_message(struct backend *b, int64_t message_key)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->writer.end_message;

    sqlite3_bind_int64(st, 1, message_key);
    enum err err = sqlite_run(c, st);
    if (!err)
        b->writer.pending -= sqlite3_changes(c->db);
    return err;
}

enum err sqlite_expunge_attempt(struct backend *b, const struct store_expunge_attempt *op)
{
    sqlite3_stmt *st = b->writer.expunge_attempt;

    bind_id(st, 1, &op->attempt);
    sqlite3_bind_int64(st, 3, id_key(&op->message));
    bind_bytes(st, 4, EXPUNGED_RESPONSE, strlen(EXPUNGED_RESPONSE));
    return wipe(b, st);
}
