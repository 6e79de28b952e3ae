/* Outbox: what is written for a message on its way. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

#define HOUR_MS (UINT64_C(60) * 60 * 1000)

/* clang-format off */
static const char SQL_FIND_EVENT[] =
    "SELECT 1"
    "  FROM messages"
    " WHERE application_key = ?1 AND event_id = ?2";

static const char SQL_INSERT_MESSAGE[] =
    "INSERT INTO messages (key, tail, application_key, application_tail, event_type,"
    "                      event_id, channels, created_at_ms, expires_at_ms, payload)"
    "     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

static const char SQL_INSERT_TAGS[] =
    "INSERT INTO message_tags (key, application_key, tags)"
    "     VALUES (?1, ?2, ?3)";

static const char SQL_INSERT_EXPIRING[] =
    "INSERT INTO expiring (expires_at_ms, message_key)"
    "     VALUES (?1, ?2)";

static const char SQL_INSERT_DELIVERY[] =
    "INSERT INTO deliveries (message_key, endpoint_key, state, attempts, due_at_ms)"
    "     VALUES (?1, ?2, 0, 0, ?3)";

#define INSERT_ATTEMPT                                                                         \
    "INSERT INTO attempts (key, tail, message_key, endpoint_key, endpoint_tail, number,"       \
    "                      status, trigger, response_status, duration_ms, started_at_ms,"      \
    "                      next_attempt_at_ms, url, response)"
#define ATTEMPT_VALUES "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14"

static const char SQL_INSERT_ATTEMPT[] =
    INSERT_ATTEMPT
    "     VALUES (" ATTEMPT_VALUES ")";

static const char SQL_INSERT_LATE_ATTEMPT[] =
    INSERT_ATTEMPT
    "     SELECT " ATTEMPT_VALUES
    "      WHERE EXISTS (SELECT 1"
    "                      FROM deliveries"
    "                     WHERE message_key = ?3 AND endpoint_key = ?4)"
    "         ON CONFLICT (key) DO NOTHING";

static const char SQL_INSERT_WAY[] =
    "INSERT INTO attempt_ways (key, region, connect_us, tls_us, first_byte_us)"
    "     VALUES (?1, ?2, ?3, ?4, ?5)";

/* Not by a scheduled attempt when another was asked for meanwhile. */
static const char SQL_MOVE_DELIVERY[] =
    "UPDATE deliveries"
    "   SET state = ?3, attempts = attempts + (?5 = 0), due_at_ms = ?4, trigger = ?6,"
    "       resume_at_ms = CASE ?6 WHEN 1 THEN resume_at_ms ELSE 0 END"
    " WHERE message_key = ?1 AND endpoint_key = ?2 AND state = 0 AND trigger <= ?5";

static const char SQL_OVERTAKE_DELIVERY[] =
    "UPDATE deliveries"
    "   SET attempts = attempts + 1, resume_at_ms = ?3"
    " WHERE message_key = ?1 AND endpoint_key = ?2 AND state = 0";

static const char SQL_END_LANE[] =
    "UPDATE deliveries"
    "   SET state = 2, trigger = 0, resume_at_ms = 0"
    " WHERE (message_key, endpoint_key) IN (SELECT message_key, endpoint_key"
    "                                         FROM deliveries"
    "                                        WHERE endpoint_key = ?1 AND state = 0"
    "                                        LIMIT ?2)";

static const char SQL_ADD_TOTALS[] =
    "UPDATE totals"
    "   SET messages = messages + ?1, attempts = attempts + ?2, pending = pending + ?3,"
    "       messages_listed_to = ?4, attempts_listed_to = ?5"
    " WHERE one = 1";
/* clang-format on */

enum err sqlite_outbox_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.find_event, SQL_FIND_EVENT },
        { &b->writer.insert_message, SQL_INSERT_MESSAGE },
        { &b->writer.insert_tags, SQL_INSERT_TAGS },
        { &b->writer.insert_expiring, SQL_INSERT_EXPIRING },
        { &b->writer.insert_delivery, SQL_INSERT_DELIVERY },
        { &b->writer.insert_attempt, SQL_INSERT_ATTEMPT },
        { &b->writer.insert_late_attempt, SQL_INSERT_LATE_ATTEMPT },
        { &b->writer.insert_way, SQL_INSERT_WAY },
        { &b->writer.move_delivery, SQL_MOVE_DELIVERY },
        { &b->writer.overtake_delivery, SQL_OVERTAKE_DELIVERY },
        { &b->writer.end_lane, SQL_END_LANE },
        { &b->writer.add_totals, SQL_ADD_TOTALS },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

/* ERR_CONFLICT when it is taken. */
static enum err check_event_id(struct backend *b, const struct message *m)
{
    sqlite3_stmt *st = b->writer.find_event;
    bool taken;

    if (!m->event_id)
        return ERR_OK;
    sqlite3_bind_int64(st, 1, id_key(&m->application));
    bind_text(st, 2, m->event_id);
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &taken);
    sqlite3_reset(st);
    return err ? err : taken ? ERR_CONFLICT : ERR_OK;
}

static enum err insert_message(struct backend *b, const struct message *m)
{
    sqlite3_stmt *st = b->writer.insert_message;

    bind_id(st, 1, &m->id);
    bind_id(st, 3, &m->application);
    bind_text(st, 5, m->event_type);
    bind_text(st, 6, m->event_id);
    bind_list(st, 7, &m->channels);
    bind_u64(st, 8, m->created_at_ms);
    bind_u64(st, 9, m->expires_at_ms);
    bind_bytes(st, 10, m->payload.data, m->payload.len);
    enum err err = sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
    return err ? err
               : sqlite_listing_add(b, LIST_MESSAGES, &m->application, &m->id, m->payload.len);
}

static enum err insert_tags(struct backend *b, const struct message *m)
{
    sqlite3_stmt *st = b->writer.insert_tags;

    if (m->tags.count == 0)
        return ERR_OK;
    sqlite3_bind_int64(st, 1, id_key(&m->id));
    sqlite3_bind_int64(st, 2, id_key(&m->application));
    bind_list(st, 3, &m->tags);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

/* Those that are kept longest go by their keys. */
static enum err insert_expiring(struct backend *b, const struct message *m)
{
    sqlite3_stmt *st = b->writer.insert_expiring;

    if (m->expires_at_ms >= m->created_at_ms + PAYLOAD_HOURS_MAX * HOUR_MS)
        return ERR_OK;
    bind_u64(st, 1, m->expires_at_ms);
    sqlite3_bind_int64(st, 2, id_key(&m->id));
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

static enum err insert_deliveries(struct backend *b, const struct append_rows *rows)
{
    sqlite3_stmt *st = b->writer.insert_delivery;
    enum err err = ERR_OK;

    sqlite3_bind_int64(st, 1, id_key(&rows->message->id));
    bind_u64(st, 3, rows->due_at_ms);
    for (size_t i = 0; !err && i < rows->endpoint_count; i++) {
        sqlite3_bind_int64(st, 2, rows->endpoint_keys[i]);
        err = sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
    }
    return err;
}

enum err sqlite_append(struct backend *b, const struct append_rows *rows)
{
    enum err err = check_event_id(b, rows->message);

    if (!err)
        err = insert_message(b, rows->message);
    if (!err)
        err = insert_tags(b, rows->message);
    if (!err)
        err = insert_expiring(b, rows->message);
    if (!err)
        err = insert_deliveries(b, rows);
    if (!err && rows->idempotency_hash)
        err = sqlite_remember(b, rows->idempotency_hash, rows->message);
    if (err)
        return err;
    b->writer.messages++;
    b->writer.pending += (int64_t)rows->endpoint_count;
    return ERR_OK;
}

static enum err insert_way(struct backend *b, const struct attempt_record *a)
{
    sqlite3_stmt *st = b->writer.insert_way;

    if (a->way.region == 0)
        return ERR_OK;
    sqlite3_bind_int64(st, 1, id_key(&a->id));
    bind_u64(st, 2, a->way.region);
    bind_u64(st, 3, a->way.connect_us);
    bind_u64(st, 4, a->way.tls_us);
    bind_u64(st, 5, a->way.first_byte_us);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

static enum err insert_attempt(struct backend *b, const struct attempt_record *a,
                               sqlite3_stmt *st)
{
    bind_id(st, 1, &a->id);
    sqlite3_bind_int64(st, 3, id_key(&a->message));
    bind_id(st, 4, &a->endpoint);
    bind_u64(st, 6, a->number);
    bind_u64(st, 7, a->status);
    bind_u64(st, 8, a->trigger);
    bind_u64(st, 9, a->response_status);
    bind_u64(st, 10, a->duration_ms);
    bind_u64(st, 11, a->started_at_ms);
    bind_u64(st, 12, a->next_attempt_at_ms);
    bind_text(st, 13, a->url);
    bind_bytes(st, 14, a->response.data, a->response.len);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

/* The attempt was the schedule's, and another one was asked for meanwhile: that is yet to be made. */
static enum err overtake_delivery(struct backend *b, struct store_record *op)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->writer.overtake_delivery;

    sqlite3_bind_int64(st, 1, id_key(&op->attempt->message));
    sqlite3_bind_int64(st, 2, id_key(&op->attempt->endpoint));
    bind_u64(st, 3, op->next == DELIVERY_PENDING ? op->due_at_ms : 0);
    enum err err = sqlite_run(c, st);
    if (!err)
        op->settled = op->asked_for = sqlite3_changes(c->db) > 0;
    return err;
}

/* There was no delivery to move: its message went while the attempt was made, perhaps, and then nobody
 * is to find it. */
static enum err drop_orphan(struct backend *b, const struct store_record *op)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *find = b->writer.find_content;
    bool found;

    sqlite3_bind_int64(find, 1, id_key(&op->attempt->message));
    enum err err = sqlite_next(c, find, &found);
    sqlite3_reset(find);
    return err || found ? err : sqlite_drop_attempt(b, id_key(&op->attempt->id));
}

static enum err move_delivery(struct backend *b, struct store_record *op)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->writer.move_delivery;
    bool is_pending = op->next == DELIVERY_PENDING;

    sqlite3_bind_int64(st, 1, id_key(&op->attempt->message));
    sqlite3_bind_int64(st, 2, id_key(&op->attempt->endpoint));
    bind_u64(st, 3, op->next);
    bind_u64(st, 4, is_pending ? op->due_at_ms : 0);
    bind_u64(st, 5, op->attempt->trigger);
    bind_u64(st, 6, is_pending && op->still_manual ? TRIGGER_MANUAL : TRIGGER_SCHEDULED);
    enum err err = sqlite_run(c, st);
    if (err)
        return err;
    bool moved = op->settled = sqlite3_changes(c->db) > 0;
    if (!moved && op->attempt->trigger == TRIGGER_SCHEDULED) {
        err = overtake_delivery(b, op);
        moved = op->asked_for;
    }
    if (err || !moved)
        return err ? err : drop_orphan(b, op);
    if (!is_pending && !op->asked_for)
        b->writer.pending -= sqlite3_changes(c->db);
    return ERR_OK;
}

enum err sqlite_record(struct backend *b, struct store_record *op)
{
    sqlite3_stmt *insert = op->late ? b->writer.insert_late_attempt : b->writer.insert_attempt;
    enum err err = insert_attempt(b, op->attempt, insert);

    op->asked_for = op->failed_too_long = op->settled = false;
    if (err || sqlite3_changes(b->writer.files[BACKEND_REGIONAL].db) == 0)
        return err;
    b->writer.attempts++;
    err = sqlite_listing_add(b, LIST_ATTEMPTS, &op->attempt->endpoint, &op->attempt->id,
                             op->attempt->response.len);
    if (!err)
        err = insert_way(b, op->attempt);
    if (err || (op->late && op->next != DELIVERY_DELIVERED))
        return err;
    err = move_delivery(b, op);
    return err ? err : sqlite_note_end(b, op);
}

enum err sqlite_end_lane(struct backend *b, struct store_end_lane *op)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    sqlite3_stmt *st = b->writer.end_lane;

    sqlite3_bind_int64(st, 1, op->endpoint_key);
    bind_u64(st, 2, op->limit);
    enum err err = sqlite_run(c, st);
    if (err)
        return err;
    op->ended = (size_t)sqlite3_changes(c->db);
    b->writer.pending -= (int64_t)op->ended;
    return ERR_OK;
}

/* A transaction that writes nothing shall need no room either, so the lists wait for another. */
enum err sqlite_save_totals(struct backend *b)
{
    sqlite3_stmt *st = b->writer.add_totals;
    bool changed = b->writer.messages != 0 || b->writer.attempts != 0 || b->writer.pending != 0;
    enum err err = changed ? sqlite_listing_catch_up(b, false) : ERR_OK;

    if (err || !(changed || sqlite_listing_grew(b)))
        return err;
    sqlite3_bind_int64(st, 1, b->writer.messages);
    sqlite3_bind_int64(st, 2, b->writer.attempts);
    sqlite3_bind_int64(st, 3, b->writer.pending);
    sqlite3_bind_int64(st, 4, b->writer.listings[LIST_MESSAGES].to);
    sqlite3_bind_int64(st, 5, b->writer.listings[LIST_ATTEMPTS].to);
    sqlite_drop_totals(b);
    return sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
}

void sqlite_drop_totals(struct backend *b)
{
    b->writer.messages = b->writer.attempts = b->writer.pending = 0;
}
