/* Messages: one, or a page of an application's. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_GET_MESSAGE[] =
    "SELECT " BARE_COLUMNS
    "  FROM messages AS m"
    " WHERE m.key = ?1";

static const char SQL_GET_EVENT[] =
    "SELECT " BARE_COLUMNS
    "  FROM messages AS m"
    " WHERE m.application_key = ?1 AND m.event_id = ?2";

static const char SQL_GET_PAYLOAD[] =
    "SELECT payload"
    "  FROM messages"
    " WHERE key = ?1";

/* Lists walk along an index and read the rows that may pass, each by its key. There is no tail: a cursor's
 * key will do. */
#define SQL_WALK_MESSAGES(direction)                                                           \
    "SELECT key, NULL"                                                                         \
    "  FROM messages_listed"                                                                   \
    " WHERE application_key = ?1 AND key > ?2 AND key < ?3"                                    \
    " UNION ALL "                                                                              \
    "SELECT key, NULL"                                                                         \
    "  FROM messages"                                                                          \
    " WHERE " SQL_NOT_LISTED("messages") " AND key < ?3 AND application_key = ?1"              \
    " ORDER BY key " direction

#define SQL_WALK_TAGGED(direction)                                                             \
    "SELECT key, NULL, tags"                                                                   \
    "  FROM message_tags INDEXED BY message_tags_listed"                                       \
    " WHERE application_key = ?1 AND key > ?2 AND key < ?3"                                    \
    " ORDER BY key " direction
/* clang-format on */
enum walk_column { WALK_ID = 0, WALK_TAGS = 2 /* of tagged ones */ };

enum err sqlite_messages_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.get_message, SQL_GET_MESSAGE },
        { &b->reader.get_event, SQL_GET_EVENT },
        { &b->reader.get_payload, SQL_GET_PAYLOAD },
        { &b->reader.messages.up, SQL_WALK_MESSAGES("ASC") },
        { &b->reader.messages.down, SQL_WALK_MESSAGES("DESC") },
        { &b->reader.tagged.up, SQL_WALK_TAGGED("ASC") },
        { &b->reader.tagged.down, SQL_WALK_TAGGED("DESC") },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static enum err take_message(struct backend *b, sqlite3_stmt *st, bool with_content,
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
    err = found ? take_message(b, st, op->with_content, &op->message) : ERR_NOT_FOUND;
    sqlite3_reset(st);
    return err;
}

static bool message_passes(sqlite3_stmt *st, const struct id *application,
                           const struct message_filter *filter)
{
    return column_id_is(st, MESSAGE_APPLICATION, application) &&
           filter_takes_time(filter, column_u64(st, MESSAGE_CREATED_AT_MS)) &&
           (filter->event_types.count == 0 ||
            column_is_in(st, MESSAGE_EVENT_TYPE, &filter->event_types)) &&
           (!filter->channel || column_list_has(st, MESSAGE_CHANNELS, filter->channel)) &&
           (!filter->tag || column_list_has(st, MESSAGE_TAGS, filter->tag));
}

enum err sqlite_find_message(struct backend *b, int64_t key, const struct id *application,
                             const struct message_filter *filter, bool with_content,
                             struct message **out)
{
    sqlite3_stmt *st = b->reader.get_message;
    bool found;

    *out = NULL;
    sqlite3_bind_int64(st, 1, key);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (!err && found && message_passes(st, application, filter))
        err = take_message(b, st, with_content, out);
    sqlite3_reset(st);
    return err;
}

/* A message goes to the page, or ends it where that is full. */
static void add_message(struct store_list_messages *op, struct message *m, size_t *bytes)
{
    if (op->count == op->page.limit || *bytes > PAGE_BYTES_MAX) {
        op->more = true;
        message_unref(m);
    } else {
        op->messages[op->count++] = m;
        *bytes += m->payload.len;
    }
}

/* `out_reached` is where the effort ended, if it did. */
static enum err collect_messages(struct backend *b, sqlite3_stmt *st,
                                 struct store_list_messages *op, struct id *out_reached)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    const char *tag = op->filter.tag;
    struct effort effort = effort_begin(c);
    size_t bytes = 0;
    bool row;
    enum err err = ERR_OK;

    while (!op->more && !(err = sqlite_next(c, st, &row)) && row) {
        bool is_read = !tag || column_list_has(st, WALK_TAGS, tag);
        struct message *m = NULL;
        if (is_read &&
            (err = sqlite_find_message(b, sqlite3_column_int64(st, WALK_ID), &op->application,
                                       &op->filter, op->with_content, &m)))
            break;
        effort_add(&effort, is_read);
        if (m) {
            add_message(op, m, &bytes);
            effort_took(&effort);
        } else if (effort_passed(&effort)) {
            op->more = true;
            *out_reached = column_id(st, WALK_ID);
        }
    }
    sqlite3_reset(st);
    return err;
}

enum err sqlite_list_messages(struct backend *b, struct store_list_messages *op)
{
    struct walk walk = walk_filtered(&op->page, &op->filter);
    const struct ordered *list = op->filter.tag ? &b->reader.tagged : &b->reader.messages;
    sqlite3_stmt *st = walk.ascending ? list->up : list->down;
    struct id reached = { { 0 } };

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
