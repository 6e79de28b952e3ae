/* Attempts: one, or a page of a message's or an endpoint's. */
#include "store/sqlite.h"

#include <assert.h>

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

/* Without the response, which take_attempt() gets: see SCANNED_COLUMNS. */
#define ATTEMPT_COLUMNS                                                                        \
    "a.key, a.tail, m.key, m.tail, a.endpoint_key, a.endpoint_tail, m.application_key,"        \
    " m.application_tail, a.number, a.status, a.trigger, a.response_status,"                   \
    " a.duration_ms, a.started_at_ms, a.next_attempt_at_ms, a.url, m.event_type,"              \
    " m.channels, " TAGS_OF_MESSAGE ", w.region, w.connect_us, w.tls_us, w.first_byte_us"
enum attempt_column {
    ATTEMPT_ID = 0, /* and tail, as the next three */
    ATTEMPT_MESSAGE = 2,
    ATTEMPT_ENDPOINT = 4,
    ATTEMPT_APPLICATION = 6,
    ATTEMPT_NUMBER = 8,
    ATTEMPT_STATUS,
    ATTEMPT_TRIGGER,
    ATTEMPT_RESPONSE_STATUS,
    ATTEMPT_DURATION_MS,
    ATTEMPT_STARTED_AT_MS,
    ATTEMPT_NEXT_ATTEMPT_AT_MS,
    ATTEMPT_URL,
    ATTEMPT_EVENT_TYPE,
    ATTEMPT_CHANNELS,
    ATTEMPT_TAGS,
    ATTEMPT_REGION, /* the way: all NULL where there is only one region */
    ATTEMPT_CONNECT_US,
    ATTEMPT_TLS_US,
    ATTEMPT_FIRST_BYTE_US,
};

/* clang-format off */
static const char SQL_GET_ATTEMPT[] =
    "SELECT " ATTEMPT_COLUMNS
    "  FROM attempts AS a"
    "  JOIN messages AS m ON m.key = a.message_key"
    "  LEFT JOIN attempt_ways AS w ON w.key = a.key"
    " WHERE a.key = ?1";

static const char SQL_GET_RESPONSE[] =
    "SELECT response"
    "  FROM attempts"
    " WHERE key = ?1";

/* As SQL_WALK_MESSAGES. */
#define SQL_WALK_OF_MESSAGE(direction)                                                         \
    "SELECT key, NULL"                                                                         \
    "  FROM attempts INDEXED BY attempts_of_message"                                           \
    " WHERE message_key = ?1 AND key > ?2 AND key < ?3"                                        \
    " ORDER BY key " direction

#define SQL_WALK_OF_ENDPOINT(direction)                                                        \
    "SELECT key, NULL"                                                                         \
    "  FROM attempts_listed"                                                                   \
    " WHERE endpoint_key = ?1 AND key > ?2 AND key < ?3"                                       \
    " UNION ALL "                                                                              \
    "SELECT key, NULL"                                                                         \
    "  FROM attempts"                                                                          \
    " WHERE " SQL_NOT_LISTED("attempts") " AND key < ?3 AND endpoint_key = ?1"                 \
    " ORDER BY key " direction

#define SQL_WALK_FAILED(direction)                                                             \
    "SELECT key, NULL"                                                                         \
    "  FROM attempts INDEXED BY attempts_failed"                                               \
    " WHERE endpoint_key = ?1 AND key > ?2 AND key < ?3 AND status <> 0"                       \
    " ORDER BY key " direction
/* clang-format on */

enum err sqlite_attempts_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.get_attempt, SQL_GET_ATTEMPT },
        { &b->reader.get_response, SQL_GET_RESPONSE },
        { &b->reader.by_message.up, SQL_WALK_OF_MESSAGE("ASC") },
        { &b->reader.by_message.down, SQL_WALK_OF_MESSAGE("DESC") },
        { &b->reader.by_endpoint.up, SQL_WALK_OF_ENDPOINT("ASC") },
        { &b->reader.by_endpoint.down, SQL_WALK_OF_ENDPOINT("DESC") },
        { &b->reader.failed.up, SQL_WALK_FAILED("ASC") },
        { &b->reader.failed.down, SQL_WALK_FAILED("DESC") },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static enum err take_attempt(struct backend *b, sqlite3_stmt *st, bool with_content,
                             struct attempt_record *out)
{
    *out = (struct attempt_record){
        .id = column_id(st, ATTEMPT_ID),
        .message = column_id(st, ATTEMPT_MESSAGE),
        .endpoint = column_id(st, ATTEMPT_ENDPOINT),
        .application = column_id(st, ATTEMPT_APPLICATION),
        .number = column_u32(st, ATTEMPT_NUMBER),
        .status = (enum attempt_status)column_u32(st, ATTEMPT_STATUS),
        .trigger = (enum attempt_trigger)column_u32(st, ATTEMPT_TRIGGER),
        .url = column_text(st, ATTEMPT_URL),
        .response_status = column_u32(st, ATTEMPT_RESPONSE_STATUS),
        .duration_ms = column_u32(st, ATTEMPT_DURATION_MS),
        .started_at_ms = column_u64(st, ATTEMPT_STARTED_AT_MS),
        .next_attempt_at_ms = column_u64(st, ATTEMPT_NEXT_ATTEMPT_AT_MS),
        .way = {
            .region = (uint8_t)column_u32(st, ATTEMPT_REGION),
            .connect_us = column_u32(st, ATTEMPT_CONNECT_US),
            .tls_us = column_u32(st, ATTEMPT_TLS_US),
            .first_byte_us = column_u32(st, ATTEMPT_FIRST_BYTE_US),
        },
    };
    if (!with_content)
        return ERR_OK;
    return sqlite_take_content(b, b->reader.get_response, &out->id, &out->response);
}

enum err sqlite_get_attempt(struct backend *b, struct store_get_attempt *op)
{
    sqlite3_stmt *st = b->reader.get_attempt;
    bool found;

    sqlite3_bind_int64(st, 1, id_key(&op->id));
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (err)
        return err;

    found = found && column_id_is(st, ATTEMPT_ID, &op->id) &&
            column_id_is(st, ATTEMPT_MESSAGE, &op->message) &&
            column_id_is(st, ATTEMPT_APPLICATION, &op->application);
    err = found ? take_attempt(b, st, true, &op->attempt) : ERR_NOT_FOUND;
    if (found && err)
        attempt_record_fini(&op->attempt);
    sqlite3_reset(st);
    return err;
}

static bool message_filter_passes(sqlite3_stmt *st, const struct message_filter *filter)
{
    return filter_takes_time(filter, column_u64(st, ATTEMPT_STARTED_AT_MS)) &&
           (filter->event_types.count == 0 ||
            column_is_in(st, ATTEMPT_EVENT_TYPE, &filter->event_types)) &&
           (!filter->channel || column_list_has(st, ATTEMPT_CHANNELS, filter->channel)) &&
           (!filter->tag || column_list_has(st, ATTEMPT_TAGS, filter->tag));
}

static bool attempt_passes(sqlite3_stmt *st, const struct store_list_attempts *op)
{
    const struct attempt_filter *filter = &op->filter;
    unsigned response_class = column_u32(st, ATTEMPT_RESPONSE_STATUS) / 100 * 100;

    return column_id_is(st, ATTEMPT_APPLICATION, &op->application) &&
           (!op->by_message || column_id_is(st, ATTEMPT_MESSAGE, &op->message)) &&
           (!op->by_endpoint || column_id_is(st, ATTEMPT_ENDPOINT, &op->endpoint)) &&
           (!filter->has_status || column_u32(st, ATTEMPT_STATUS) == filter->status) &&
           (!filter->has_status_class || response_class == filter->status_class) &&
           message_filter_passes(st, &filter->message);
}

/* The message of the attempt that comes next in the page, if messages are asked for. */
static enum err take_message(struct backend *b, sqlite3_stmt *st,
                             struct store_list_attempts *op, size_t *bytes)
{
    struct store_get_message get = {
        .application = op->application,
        .id = column_id(st, ATTEMPT_MESSAGE),
        .with_content = op->with_content,
    };

    if (!op->with_messages)
        return ERR_OK;
    enum err err = sqlite_get_message(b, &get);
    if (err)
        return err;
    op->messages[op->count] = get.message;
    *bytes += get.message->payload.len;
    return ERR_OK;
}

/* An attempt goes to the page, or ends it where that is full. */
static enum err add_attempt(struct backend *b, sqlite3_stmt *st, struct store_list_attempts *op,
                            size_t *bytes)
{
    if (op->count == op->page.limit || *bytes > PAGE_BYTES_MAX) {
        op->more = true;
        return ERR_OK;
    }
    enum err err = take_message(b, st, op, bytes);
    if (!err)
        err = take_attempt(b, st, op->with_content, &op->attempts[op->count++]);
    return err;
}

/* The attempt of a key, if it passes. */
static enum err look_at_attempt(struct backend *b, int64_t key, struct store_list_attempts *op,
                                size_t *bytes, bool *out_passes)
{
    sqlite3_stmt *st = b->reader.get_attempt;
    bool found;

    *out_passes = false;
    sqlite3_bind_int64(st, 1, key);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &found);
    if (!err && found && attempt_passes(st, op)) {
        *out_passes = true;
        err = add_attempt(b, st, op, bytes);
    }
    sqlite3_reset(st);
    return err;
}

/* As collect_messages(). */
static enum err collect_attempts(struct backend *b, sqlite3_stmt *st,
                                 struct store_list_attempts *op, struct id *out_reached)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    struct effort effort = effort_begin(c);
    size_t bytes = 0;
    bool row;
    enum err err = ERR_OK;

    while (!op->more && !(err = sqlite_next(c, st, &row)) && row) {
        bool passes;
        if ((err = look_at_attempt(b, sqlite3_column_int64(st, 0), op, &bytes, &passes)))
            break;
        effort_add(&effort, 2); /* its message too */
        if (passes) {
            effort_took(&effort);
        } else if (effort_passed(&effort)) {
            op->more = true;
            *out_reached = column_id(st, 0);
        }
    }
    sqlite3_reset(st);
    return err;
}

static void drop_attempts(struct store_list_attempts *op)
{
    for (size_t i = 0; i < op->count; i++) {
        attempt_record_fini(&op->attempts[i]);
        if (op->messages)
            message_unref(op->messages[i]);
    }
    free(op->attempts);
    free(op->messages);
}

/* Whether nothing passes that was delivered: a success is answered 2xx. */
static bool wants_failures(const struct attempt_filter *filter)
{
    return (filter->has_status && filter->status != ATTEMPT_SUCCESS) ||
           (filter->has_status_class && filter->status_class != 200);
}

static const struct ordered *attempts_to_walk(const struct reader *r,
                                              const struct store_list_attempts *op)
{
    if (op->by_message)
        return &r->by_message;
    return wants_failures(&op->filter) ? &r->failed : &r->by_endpoint;
}

enum err sqlite_list_attempts(struct backend *b, struct store_list_attempts *op)
{
    const struct id *of = op->by_message ? &op->message : &op->endpoint;
    const struct ordered *list = attempts_to_walk(&b->reader, op);
    struct walk walk = walk_filtered(&op->page, &op->filter.message);
    sqlite3_stmt *st = walk.ascending ? list->up : list->down;
    struct id reached = { { 0 } };

    assert(op->by_message || op->by_endpoint);
    sqlite3_bind_int64(st, 1, id_key(of));
    sqlite3_bind_int64(st, 2, walk.above);
    sqlite3_bind_int64(st, 3, walk.below);
    op->count = 0;
    op->more = false;
    op->attempts = xcalloc(op->page.limit, sizeof *op->attempts);
    op->messages = op->with_messages ? xcalloc(op->page.limit, sizeof *op->messages) : NULL;
    enum err err = collect_attempts(b, st, op, &reached);
    if (err) {
        drop_attempts(op);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->attempts, op->count, sizeof *op->attempts);
    if (walk.reversed && op->messages)
        page_reverse(op->messages, op->count, sizeof *op->messages);
    op->span = span_of(&walk, op->count > 0 ? &op->attempts[0].id : NULL,
                       op->count > 0 ? &op->attempts[op->count - 1].id : NULL, &reached);
    return ERR_OK;
}
