/* Bite: the next rows of a background task, and the deliveries that they ask for. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* What one bite looked at. */
struct bite {
    int64_t keys[BACKGROUND_BITE_ROWS]; /* of messages to be sent */
    size_t count;
    size_t looked_at;
};

/* clang-format off */
/* The first failure of each message in the window, unless something of it was delivered there. */
static const char SQL_FAILURES[] =
    "SELECT a.key, a.message_key,"
    "       a.status = 2"
    "       AND EXISTS (SELECT 1"
    "                     FROM messages AS m"
    "                    WHERE m.key = a.message_key AND length(m.payload) > 0)"
    "       AND NOT EXISTS (SELECT 1"
    "                         FROM attempts AS o INDEXED BY attempts_of_message"
    "                        WHERE o.message_key = a.message_key AND o.endpoint_key = ?1"
    "                          AND o.key >= ?5 AND o.key < ?3"
    "                          AND (o.status = 0 OR (o.status = 2 AND o.key < a.key)))"
    "  FROM attempts_listed AS l"
    " CROSS JOIN attempts AS a ON a.key = l.key"
    " WHERE l.endpoint_key = ?1 AND l.key > ?2 AND l.key < ?3"
    " ORDER BY l.key"
    " LIMIT ?4";

/* Each with what became of it at the endpoint; the last answer and tags only where they are asked for. */
static const char SQL_MESSAGES[] =
    "SELECT m.key, m.key, length(m.payload) > 0, m.event_type, m.channels, d.state,"
    "       CASE ?6 WHEN 1 THEN (SELECT a.response_status"
    "                              FROM attempts AS a INDEXED BY attempts_of_message"
    "                             WHERE a.message_key = m.key AND a.endpoint_key = ?1"
    "                             ORDER BY a.key DESC"
    "                             LIMIT 1) END,"
    "       CASE ?7 WHEN 1 THEN " TAGS_OF_MESSAGE " END"
    "  FROM messages_listed AS l"
    " CROSS JOIN messages AS m ON m.key = l.key"
    "  LEFT JOIN deliveries AS d ON d.message_key = m.key AND d.endpoint_key = ?1"
    " WHERE l.application_key = ?5 AND l.key > ?2 AND l.key < ?3"
    " ORDER BY l.key"
    " LIMIT ?4";
/* clang-format on */
enum bite_column {
    BITE_KEY, /* of what is looked at */
    BITE_MESSAGE_KEY,
    BITE_FITS,       /* as far as the statement can say */
    BITE_EVENT_TYPE, /* of messages, as all that follows */
    BITE_CHANNELS,
    BITE_STATE, /* NULL: there is no delivery */
    BITE_RESPONSE_STATUS,
    BITE_TAGS,
};

enum err sqlite_bite_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.failures, SQL_FAILURES },
        { &b->writer.messages_between, SQL_MESSAGES },
        { 0 },
    };

    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

static sqlite3_stmt *bind_walk(struct backend *b, const struct background_task *task)
{
    bool recovers = task->kind == BACKGROUND_RECOVER;
    sqlite3_stmt *st = recovers ? b->writer.failures : b->writer.messages_between;

    sqlite3_bind_int64(st, 1, id_key(&task->endpoint));
    sqlite3_bind_int64(st, 2, background_above(task));
    sqlite3_bind_int64(st, 3, background_below(task));
    bind_u64(st, 4, BACKGROUND_BITE_ROWS);
    if (recovers) {
        sqlite3_bind_int64(st, 5, id_key_at(task->since_ms));
    } else {
        sqlite3_bind_int64(st, 5, id_key(&task->application));
        bind_u64(st, 6, task->has_status_class);
        bind_u64(st, 7, task->tag != NULL);
    }
    return st;
}

static bool column_list_shares(sqlite3_stmt *st, int at, const struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (column_list_has(st, at, list->items[i]))
            return true;
    return false;
}

/* As match_wants(), without making a message of the row. */
static bool endpoint_wants(sqlite3_stmt *st, const struct endpoint *e)
{
    return (e->event_types.count == 0 || column_is_in(st, BITE_EVENT_TYPE, &e->event_types)) &&
           (e->channels.count == 0 || column_list_shares(st, BITE_CHANNELS, &e->channels));
}

static bool status_fits(sqlite3_stmt *st, const struct background_task *task)
{
    enum delivery_state state = (enum delivery_state)column_u32(st, BITE_STATE);

    switch (task->message_status) {
    case ATTEMPT_SUCCESS:
        return state == DELIVERY_DELIVERED;
    case ATTEMPT_FAIL:
        return state == DELIVERY_DEAD;
    case ATTEMPT_PENDING:
    case ATTEMPT_SENDING:
        return state == DELIVERY_PENDING;
    case ATTEMPT_CANCELED:
        break;
    }
    return false;
}

static bool class_fits(sqlite3_stmt *st, const struct background_task *task)
{
    return sqlite3_column_type(st, BITE_RESPONSE_STATUS) != SQLITE_NULL &&
           column_u32(st, BITE_RESPONSE_STATUS) / 100 * 100 == task->status_class;
}

static bool replay_fits(sqlite3_stmt *st, const struct background_task *task)
{
    return (task->event_types.count == 0 ||
            column_is_in(st, BITE_EVENT_TYPE, &task->event_types)) &&
           (!task->channel || column_list_has(st, BITE_CHANNELS, task->channel)) &&
           (!task->tag || column_list_has(st, BITE_TAGS, task->tag)) &&
           (!task->has_status || status_fits(st, task)) &&
           (!task->has_status_class || class_fits(st, task));
}

static bool row_fits(sqlite3_stmt *st, const struct background_task *task,
                     const struct endpoint *endpoint)
{
    bool was_sent;

    if (!column_bool(st, BITE_FITS))
        return false;
    if (task->kind == BACKGROUND_RECOVER)
        return true;
    was_sent = sqlite3_column_type(st, BITE_STATE) != SQLITE_NULL;
    if (task->kind == BACKGROUND_REPLAY_MISSING)
        return !was_sent && endpoint_wants(st, endpoint);
    return was_sent && replay_fits(st, task);
}

static enum err look(struct backend *b, struct background_task *task,
                     const struct endpoint *endpoint, struct bite *out)
{
    sqlite3_stmt *st = bind_walk(b, task);
    bool row;
    enum err err;

    while (!(err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row)) && row) {
        task->reached_key = sqlite3_column_int64(st, BITE_KEY);
        if (row_fits(st, task, endpoint))
            out->keys[out->count++] = sqlite3_column_int64(st, BITE_MESSAGE_KEY);
        out->looked_at++;
    }
    return err;
}

static enum err bite_to_send(struct backend *b, struct background_task *task,
                             const struct endpoint *endpoint, uint64_t due_at_ms)
{
    struct bite bite = { .count = 0 };
    enum err err = look(b, task, endpoint, &bite);

    for (size_t i = 0; !err && !task->dry_run && i < bite.count; i++)
        err = sqlite_ask_for(b, bite.keys[i], id_key(&task->endpoint), due_at_ms);
    if (err)
        return err;
    task->looked_at += bite.looked_at;
    task->done += bite.count;
    if (bite.looked_at < BACKGROUND_BITE_ROWS)
        task->status = BACKGROUND_FINISHED;
    return ERR_OK;
}

enum err sqlite_bite(struct backend *b, struct background_task *task,
                     const struct endpoint *endpoint, uint64_t due_at_ms)
{
    enum err err = sqlite_listing_catch_up(b, true);

    if (err)
        return err;
    if (background_sends(task->kind))
        return bite_to_send(b, task, endpoint, due_at_ms);
    return task->kind == BACKGROUND_PURGE ? sqlite_purge(b, task) : sqlite_count_usage(b, task);
}
