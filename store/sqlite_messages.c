/* Messages: one, or a page of an application's. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_GET_MESSAGE[] =
    "SELECT " SCANNED_COLUMNS
    "  FROM messages AS m"
    " WHERE m.key = ?1";

static const char SQL_GET_EVENT[] =
    "SELECT " SCANNED_COLUMNS
    "  FROM messages AS m"
    " WHERE m.application_key = ?1 AND m.event_id = ?2";

static const char SQL_GET_PAYLOAD[] =
    "SELECT payload"
    "  FROM messages"
    " WHERE key = ?1";

#define SQL_LIST_MESSAGES(direction)                                                           \
    "SELECT " SCANNED_COLUMNS                                                                  \
    "  FROM messages AS m"                                                                     \
    " WHERE m.application_key = ?1 AND m.key > ?2 AND m.key < ?3"                              \
    " ORDER BY m.key " direction
/* clang-format on */

enum err sqlite_messages_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.get_message, SQL_GET_MESSAGE },
        { &b->reader.get_event, SQL_GET_EVENT },
        { &b->reader.get_payload, SQL_GET_PAYLOAD },
        { &b->reader.messages.up, SQL_LIST_MESSAGES("ASC") },
        { &b->reader.messages.down, SQL_LIST_MESSAGES("DESC") },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

enum err sqlite_take_message(struct backend *b, sqlite3_stmt *st, bool with_content,
                             struct message **out)
{
    struct message *m = column_tagged_message(st, false);
    enum err err = ERR_OK;

    if (with_content)
        err = sqlite_take_content(b, b->reader.get_payload, &m->id, &m->payload);
    if (err)
        message_unref(m);
    else
        *out = m;
    return err;
}

enum err sqlite_take_content(struct backend *b, sqlite3_stmt *st, const struct id *id,
                             struct bytes *out)
{
    bool found;

    sqlite3_bind_int64(st, 1, id_key(id));
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (!err && found) {
        *out = column_bytes(st, 0);
        sqlite3_reset(st);
    }
    return err;
}

enum err sqlite_get_message(struct backend *b, struct store_get_message *op)
{
    sqlite3_stmt *st = op->event_id ? b->reader.get_event : b->reader.get_message;
    bool found;

    if (op->event_id) {
        sqlite3_bind_int64(st, 1, id_key(&op->application));
        bind_text(st, 2, op->event_id);
    } else {
        sqlite3_bind_int64(st, 1, id_key(&op->id));
    }
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (err)
        return err;

    found = found && column_id_is(st, MESSAGE_APPLICATION, &op->application) &&
            (op->event_id || column_id_is(st, MESSAGE_ID, &op->id));
    err = found ? sqlite_take_message(b, st, op->with_content, &op->message) : ERR_NOT_FOUND;
    sqlite3_reset(st);
    return err;
}

bool sqlite_message_passes(sqlite3_stmt *st, const struct id *application,
                           const struct message_filter *filter)
{
    return column_id_is(st, MESSAGE_APPLICATION, application) &&
           filter_takes_time(filter, column_u64(st, MESSAGE_CREATED_AT_MS)) &&
           (filter->event_types.count == 0 ||
            column_is_in(st, MESSAGE_EVENT_TYPE, &filter->event_types)) &&
           (!filter->channel || column_list_has(st, MESSAGE_CHANNELS, filter->channel)) &&
           (!filter->tag || column_list_has(st, MESSAGE_TAGS, filter->tag));
}

/* `out_reached` is where the rows that may be looked at ended, if they did. */
static enum err collect_messages(struct backend *b, sqlite3_stmt *st,
                                 struct store_list_messages *op, struct id *out_reached)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    size_t seen = 0, bytes = 0;
    bool row;
    enum err err = ERR_OK;

    while (!op->more && !(err = sqlite_next(c, st, &row)) && row) {
        bool passes = sqlite_message_passes(st, &op->application, &op->filter);
        if (passes && (op->count == op->page.limit || bytes > PAGE_BYTES_MAX)) {
            op->more = true;
        } else if (passes) {
            struct message **m = &op->messages[op->count];
            if ((err = sqlite_take_message(b, st, op->with_content, m)))
                break;
            bytes += (*m)->payload.len;
            op->count++;
        }
        if (!op->more && ++seen == PAGE_ROWS_MAX) {
            op->more = true;
            *out_reached = column_id(st, MESSAGE_ID);
        }
    }
    sqlite3_reset(st);
    return err;
}

enum err sqlite_list_messages(struct backend *b, struct store_list_messages *op)
{
    struct walk walk = walk_filtered(&op->page, &op->filter);
    struct id reached = { { 0 } };
    sqlite3_stmt *st = walk.ascending ? b->reader.messages.up : b->reader.messages.down;

    sqlite3_bind_int64(st, 1, id_key(&op->application));
    sqlite3_bind_int64(st, 2, walk.above);
    sqlite3_bind_int64(st, 3, walk.below);
    op->count = 0;
    op->more = false;
    op->messages = xcalloc(op->page.limit, sizeof(struct message *));
    enum err err = collect_messages(b, st, op, &reached);
    if (err) {
        for (size_t i = 0; i < op->count; i++)
            message_unref(op->messages[i]);
        free(op->messages);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->messages, op->count, sizeof(struct message *));
    op->span = span_of(&walk, op->count > 0 ? &op->messages[0]->id : NULL,
                       op->count > 0 ? &op->messages[op->count - 1]->id : NULL, &reached);
    return ERR_OK;
}
