/* Deliveries as they stand: those of a message, by endpoint, and those of an endpoint, by message. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "store/page.h"
#include "store/sqlite_row.h"

#define OUTCOME_COLUMNS "d.state, d.attempts, d.due_at_ms"
enum outcome_column { OUTCOME_STATE = 0, OUTCOME_ATTEMPTS, OUTCOME_DUE_AT_MS, OUTCOME_END };

/* Behind them, of a list of destinations. There is no tail: a cursor's key will do. */
#define DESTINATION_ENDPOINT OUTCOME_END

/* Behind a message's key and no tail; all NULL when there is no delivery. */
#define TRIED_MESSAGE 0
#define TRIED(column) (2 + (column))

/* Of those of one message. */
#define ATTEMPTS_LOOKED_AT_MAX (EFFORT_MAX / EFFORT_ROW)

/* clang-format off */
#define SQL_LIST_DESTINATIONS(direction)                                                       \
    "SELECT " OUTCOME_COLUMNS ", d.endpoint_key, NULL"                                         \
    "  FROM deliveries AS d"                                                                   \
    " WHERE d.message_key = ?1 AND d.endpoint_key > ?2 AND d.endpoint_key < ?3"                \
    " ORDER BY d.endpoint_key " direction

#define SQL_LIST_TRIED(direction)                                                              \
    "SELECT key, NULL, " OUTCOME_COLUMNS                                                       \
    "  FROM messages_listed"                                                                   \
    "  LEFT JOIN deliveries AS d ON d.message_key = key AND d.endpoint_key = ?4"               \
    " WHERE application_key = ?1 AND key > ?2 AND key < ?3"                                    \
    " UNION ALL "                                                                              \
    "SELECT key, NULL, " OUTCOME_COLUMNS                                                       \
    "  FROM messages"                                                                          \
    "  LEFT JOIN deliveries AS d ON d.message_key = key AND d.endpoint_key = ?4"               \
    " WHERE " SQL_NOT_LISTED("messages") " AND key < ?3 AND application_key = ?1"              \
    " ORDER BY key " direction

static const char SQL_LOOK_AT_ATTEMPTS[] =
    "SELECT max(endpoint_key = ?2), max(endpoint_key = ?2 AND status = 0), count(*)"
    "  FROM (SELECT status, endpoint_key"
    "          FROM attempts"
    "         WHERE message_key = ?1"
    "         ORDER BY key DESC"
    "         LIMIT ?3)";
/* clang-format on */

enum err sqlite_deliveries_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.destinations.up, SQL_LIST_DESTINATIONS("ASC") },
        { &b->reader.destinations.down, SQL_LIST_DESTINATIONS("DESC") },
        { &b->reader.tried.up, SQL_LIST_TRIED("ASC") },
        { &b->reader.tried.down, SQL_LIST_TRIED("DESC") },
        { &b->reader.look_at_attempts, SQL_LOOK_AT_ATTEMPTS },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], statements);
}

static struct delivery_outcome column_outcome(sqlite3_stmt *st, int at)
{
    switch ((enum delivery_state)column_u32(st, at + OUTCOME_STATE)) {
    case DELIVERY_PENDING:
        return (struct delivery_outcome){ ATTEMPT_SENDING,
                                          column_u64(st, at + OUTCOME_DUE_AT_MS) };
    case DELIVERY_DELIVERED:
        return (struct delivery_outcome){ ATTEMPT_SUCCESS, 0 };
    case DELIVERY_DEAD:
        break;
    }
    return (struct delivery_outcome){ ATTEMPT_FAIL, 0 };
}

/* What the attempts of a message at an endpoint say that the delivery doesn't. */
struct past {
    bool tried, delivered;
};

static enum err look_at_attempts(struct backend *b, int64_t message_key, int64_t endpoint_key,
                                 struct effort *effort, struct past *out)
{
    sqlite3_stmt *st = b->reader.look_at_attempts;
    bool row;

    sqlite3_bind_int64(st, 1, message_key);
    sqlite3_bind_int64(st, 2, endpoint_key);
    sqlite3_bind_int64(st, 3, ATTEMPTS_LOOKED_AT_MAX);
    enum err err = sqlite_next(&b->reader.files[BACKEND_REGIONAL], st, &row);
    if (!err && row) {
        *out = (struct past){ column_bool(st, 0), column_bool(st, 1) };
        effort_add(effort, (size_t)column_u64(st, 2));
    }
    sqlite3_reset(st);
    return err;
}

/* One that ended without an attempt of the schedule may have had one that was asked for, or none. */
static enum err was_tried(struct backend *b, sqlite3_stmt *st, int at, int64_t message_key,
                          int64_t endpoint_key, struct effort *effort, bool *out)
{
    struct past past = { 0 };
    enum err err = ERR_OK;

    past.tried = column_u32(st, at + OUTCOME_ATTEMPTS) > 0;
    if (!past.tried && column_u32(st, at + OUTCOME_STATE) != DELIVERY_PENDING)
        err = look_at_attempts(b, message_key, endpoint_key, effort, &past);
    *out = past.tried;
    return err;
}

/* Destinations. */

/* The current row, if it was tried. The endpoint is in the other file, for good: its row outlives
 * it. */
static enum err take_destination(struct backend *b, sqlite3_stmt *st,
                                 struct store_list_destinations *op)
{
    struct object *endpoint;
    int64_t key = sqlite3_column_int64(st, DESTINATION_ENDPOINT);
    enum err err = sqlite_get_object(b, OBJECT_ENDPOINT, key, &endpoint);

    if (!err && endpoint)
        op->destinations[op->count++] =
            (struct destination){ as_endpoint(endpoint), column_outcome(st, 0) };
    return err;
}

/* As collect_messages(). */
static enum err collect_destinations(struct backend *b, sqlite3_stmt *st,
                                     struct store_list_destinations *op, struct id *out_reached)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    struct effort effort = effort_begin(c);
    bool row;
    enum err err = ERR_OK;

    while (!op->more && !(err = sqlite_next(c, st, &row)) && row) {
        int64_t endpoint_key = sqlite3_column_int64(st, DESTINATION_ENDPOINT);
        bool passes;
        if ((err = was_tried(b, st, 0, id_key(&op->message), endpoint_key, &effort, &passes)))
            break;
        if (passes && op->count == op->page.limit)
            op->more = true;
        else if (passes && (err = take_destination(b, st, op)))
            break;
        if (passes) {
            effort_took(&effort);
        } else if (effort_passed(&effort)) {
            op->more = true;
            *out_reached = column_id(st, DESTINATION_ENDPOINT);
        }
    }
    sqlite3_reset(st);
    return err;
}

static void drop_destinations(struct store_list_destinations *op)
{
    for (size_t i = 0; i < op->count; i++)
        object_unref(&op->destinations[i].endpoint->base);
    free(op->destinations);
}

static const struct id *destination_id(const struct store_list_destinations *op, size_t at)
{
    return &op->destinations[at].endpoint->base.id;
}

enum err sqlite_list_destinations(struct backend *b, struct store_list_destinations *op)
{
    struct walk walk = walk_page(&op->page);
    sqlite3_stmt *st = walk.ascending ? b->reader.destinations.up : b->reader.destinations.down;
    struct id reached = { { 0 } };

    sqlite3_bind_int64(st, 1, id_key(&op->message));
    sqlite3_bind_int64(st, 2, walk.above);
    sqlite3_bind_int64(st, 3, walk.below);
    op->count = 0;
    op->more = false;
    op->destinations = xcalloc(op->page.limit, sizeof *op->destinations);
    enum err err = collect_destinations(b, st, op, &reached);
    if (err) {
        drop_destinations(op);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->destinations, op->count, sizeof *op->destinations);
    op->span = span_of(&walk, op->count > 0 ? destination_id(op, 0) : NULL,
                       op->count > 0 ? destination_id(op, op->count - 1) : NULL, &reached);
    return ERR_OK;
}

/* Messages. */

/* A delivery may have ended otherwise than one of its attempts: some are repeated, or late. */
static enum err status_passes(struct backend *b, sqlite3_stmt *st,
                              const struct store_list_tried *op, struct effort *effort,
                              bool *out)
{
    enum attempt_status status = column_outcome(st, TRIED(0)).status;
    struct past past = { .delivered = status == ATTEMPT_SUCCESS };
    enum err err = ERR_OK;

    if (!past.delivered)
        err = look_at_attempts(b, sqlite3_column_int64(st, TRIED_MESSAGE),
                               id_key(&op->endpoint), effort, &past);
    *out = past.delivered ? op->status == ATTEMPT_SUCCESS : op->status == status;
    return err;
}

/* The message of a row, if it was tried and all filters take it; or NULL. */
static enum err find_tried(struct backend *b, sqlite3_stmt *st,
                           const struct store_list_tried *op, struct effort *effort,
                           struct message **out)
{
    int64_t key = sqlite3_column_int64(st, TRIED_MESSAGE);
    bool passes;
    enum err err = was_tried(b, st, TRIED(0), key, id_key(&op->endpoint), effort, &passes);

    *out = NULL;
    if (!err && passes && op->has_status)
        err = status_passes(b, st, op, effort, &passes);
    if (err || !passes)
        return err;
    effort_add(effort, 1);
    return sqlite_find_message(b, key, &op->application, &op->filter, op->with_content, out);
}

/* As add_message(). */
static void add_tried(struct store_list_tried *op, struct message *m,
                      struct delivery_outcome outcome, size_t *bytes)
{
    if (op->count == op->page.limit || *bytes > PAGE_BYTES_MAX) {
        op->more = true;
        message_unref(m);
    } else {
        op->tried[op->count++] = (struct tried_message){ m, outcome };
        *bytes += m->payload.len;
    }
}

/* As collect_messages(). */
static enum err collect_tried(struct backend *b, sqlite3_stmt *st, struct store_list_tried *op,
                              struct id *out_reached)
{
    const struct connection *c = &b->reader.files[BACKEND_REGIONAL];
    struct effort effort = effort_begin(c);
    size_t bytes = 0;
    bool row;
    enum err err = ERR_OK;

    while (!op->more && !(err = sqlite_next(c, st, &row)) && row) {
        struct message *m;
        effort_add(&effort, 1); /* its delivery */
        if ((err = find_tried(b, st, op, &effort, &m)))
            break;
        if (m) {
            add_tried(op, m, column_outcome(st, TRIED(0)), &bytes);
            effort_took(&effort);
        } else if (effort_passed(&effort)) {
            op->more = true;
            *out_reached = column_id(st, TRIED_MESSAGE);
        }
    }
    sqlite3_reset(st);
    return err;
}

static void drop_tried(struct store_list_tried *op)
{
    for (size_t i = 0; i < op->count; i++)
        message_unref(op->tried[i].message);
    free(op->tried);
}

enum err sqlite_list_tried(struct backend *b, struct store_list_tried *op)
{
    struct walk walk = walk_filtered(&op->page, &op->filter);
    struct id reached = { { 0 } };
    sqlite3_stmt *st = walk.ascending ? b->reader.tried.up : b->reader.tried.down;

    sqlite3_bind_int64(st, 1, id_key(&op->application));
    sqlite3_bind_int64(st, 2, walk.above);
    sqlite3_bind_int64(st, 3, walk.below);
    sqlite3_bind_int64(st, 4, id_key(&op->endpoint));
    op->count = 0;
    op->more = false;
    op->tried = xcalloc(op->page.limit, sizeof *op->tried);
    enum err err = collect_tried(b, st, op, &reached);
    if (err) {
        drop_tried(op);
        return err;
    }
    if (walk.reversed)
        page_reverse(op->tried, op->count, sizeof *op->tried);
    op->span = span_of(&walk, op->count > 0 ? &op->tried[0].message->id : NULL,
                       op->count > 0 ? &op->tried[op->count - 1].message->id : NULL, &reached);
    return ERR_OK;
}
