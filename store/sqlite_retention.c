/* Retention: the oldest rows go, the rest of them is overwritten.
 *
 * Everything here is at the left end of its table, so that a bite finds it by one seek; only the lists by
 * application and endpoint, where rows have their places too, are touched all over. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

/* clang-format off */
static const char SQL_ENDS[] =
    "SELECT (SELECT min(key) FROM messages),"
    "       (SELECT min(key) FROM attempts),"
    "       (SELECT min(key) FROM messages WHERE key > r.emptied_key),"
    "       (SELECT min(expires_at_ms) FROM expiring),"
    "       r.payloads, r.attempts, r.messages"
    "  FROM retention AS r"
    " WHERE r.one = 1";

static const char SQL_EXPIRING[] =
    "SELECT x.message_key, length(m.payload), x.expires_at_ms"
    "  FROM expiring AS x"
    "  LEFT JOIN messages AS m ON m.key = x.message_key"
    " WHERE x.expires_at_ms <= ?1"
    " ORDER BY x.expires_at_ms, x.message_key"
    " LIMIT ?2";

static const char SQL_EXPIRED[] =
    "DELETE FROM expiring"
    " WHERE (expires_at_ms, message_key) <= (?1, ?2)";

static const char SQL_PAYLOADS[] =
    "SELECT m.key, length(m.payload)"
    "  FROM messages AS m, retention AS r"
    " WHERE r.one = 1 AND m.key > r.emptied_key AND m.key < ?1"
    " ORDER BY m.key"
    " LIMIT ?2";

static const char SQL_ATTEMPTS[] =
    "SELECT key, length(response)"
    "  FROM attempts"
    " WHERE key < ?1"
    " ORDER BY key"
    " LIMIT ?2";

static const char SQL_MESSAGES[] =
    "SELECT key, length(payload)"
    "  FROM messages"
    " WHERE key < ?1"
    " ORDER BY key"
    " LIMIT ?2";

static const char SQL_ATTEMPTS_OF[] =
    "SELECT key, length(response)"
    "  FROM attempts INDEXED BY attempts_of_message"
    " WHERE message_key <= ?1"
    " ORDER BY message_key, key"
    " LIMIT ?2";

static const char SQL_DROP_ATTEMPT[] =
    "DELETE FROM attempts"
    " WHERE key = ?1";

static const char SQL_DROP_WAY[] =
    "DELETE FROM attempt_ways"
    " WHERE key = ?1";

static const char SQL_DROP_DELIVERIES[] =
    "DELETE FROM deliveries"
    "      WHERE (message_key, endpoint_key) IN (SELECT message_key, endpoint_key"
    "                                              FROM deliveries"
    "                                             WHERE message_key <= ?1"
    "                                             ORDER BY message_key, endpoint_key"
    "                                             LIMIT ?2)"
    "  RETURNING state";

static const char SQL_DROP_TAGS[] =
    "DELETE FROM message_tags"
    " WHERE key <= ?1";

static const char SQL_DROP_MESSAGES[] =
    "DELETE FROM messages"
    " WHERE key <= ?1";

static const char SQL_DROP_FAILING[] =
    "DELETE FROM failing_endpoints"
    " WHERE since_ms < ?1";

static const char SQL_ADD[] =
    "UPDATE retention"
    "   SET emptied_key = max(emptied_key, ?1), payloads = payloads + ?2,"
    "       attempts = attempts + ?3, messages = messages + ?4"
    " WHERE one = 1";
/* clang-format on */
enum end_column {
    END_MESSAGE,
    END_ATTEMPT,
    END_PAYLOAD,
    END_EXPIRES_AT_MS,
    END_PAYLOADS,
    END_ATTEMPTS,
    END_MESSAGES,
};

/* The oldest rows of a kind. */
struct oldest {
    int64_t keys[RETENTION_ROWS_MAX];
    bool full[RETENTION_ROWS_MAX]; /* it has content */
    size_t count;
    int64_t last; /* the third column of the last of them, where there is one */
    bool all;     /* there are no more */
};

/* What a bite did. */
struct bitten {
    int64_t emptied_key;
    int64_t payloads, attempts, messages;
};

enum err sqlite_retention_prepare(struct backend *b)
{
    const struct prepared writes[] = {
        { &b->writer.ends, SQL_ENDS },
        { &b->writer.expiring, SQL_EXPIRING },
        { &b->writer.expired, SQL_EXPIRED },
        { &b->writer.old_payloads, SQL_PAYLOADS },
        { &b->writer.old_attempts, SQL_ATTEMPTS },
        { &b->writer.old_messages, SQL_MESSAGES },
        { &b->writer.attempts_of, SQL_ATTEMPTS_OF },
        { &b->writer.drop_attempt, SQL_DROP_ATTEMPT },
        { &b->writer.drop_way, SQL_DROP_WAY },
        { &b->writer.drop_deliveries, SQL_DROP_DELIVERIES },
        { &b->writer.drop_tags, SQL_DROP_TAGS },
        { &b->writer.drop_messages, SQL_DROP_MESSAGES },
        { &b->writer.drop_failing, SQL_DROP_FAILING },
        { &b->writer.add_retention, SQL_ADD },
        { 0 },
    };
    const struct prepared reads[] = {
        { &b->reader.ends, SQL_ENDS },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], writes);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_REGIONAL], reads);
}

static const struct connection *writing(const struct backend *b)
{
    return &b->writer.files[BACKEND_REGIONAL];
}

enum err sqlite_read_ends(const struct connection *c, sqlite3_stmt *st,
                          struct retention_ends *out)
{
    bool row;
    enum err err = sqlite_next(c, st, &row);

    *out = (struct retention_ends){ 0 };
    if (err || !row)
        return err;
    *out = (struct retention_ends){
        .message_key = sqlite3_column_int64(st, END_MESSAGE),
        .attempt_key = sqlite3_column_int64(st, END_ATTEMPT),
        .payload_key = sqlite3_column_int64(st, END_PAYLOAD),
        .expires_at_ms = column_u64(st, END_EXPIRES_AT_MS),
        .done = { .payloads = column_u64(st, END_PAYLOADS),
                  .attempts = column_u64(st, END_ATTEMPTS),
                  .messages = column_u64(st, END_MESSAGES) },
    };
    sqlite3_reset(st);
    return ERR_OK;
}

enum err sqlite_retention_ends(struct backend *b, struct retention_ends *out)
{
    return sqlite_read_ends(writing(b), b->writer.ends, out);
}

/* The first rows of a statement that gives keys and how much content each has, up to a bound on both; at
 * least one, if there is one. */
static enum err look(struct backend *b, sqlite3_stmt *st, const struct retention_bite *op,
                     struct oldest *out)
{
    size_t bytes = 0;
    bool row = true;
    enum err err = ERR_OK;

    out->count = 0;
    bind_u64(st, 2, op->rows);
    while (bytes <= op->bytes && !(err = sqlite_next(writing(b), st, &row)) && row) {
        size_t len = (size_t)column_u64(st, 1);
        out->keys[out->count] = sqlite3_column_int64(st, 0);
        out->full[out->count++] = len > 0;
        out->last = sqlite3_column_int64(st, 2);
        bytes += len;
    }
    sqlite3_reset(st);
    out->all = !row && out->count < op->rows;
    return err;
}

static int64_t last_key(const struct oldest *oldest)
{
    return oldest->keys[oldest->count - 1];
}

static enum err run_on_key(struct backend *b, sqlite3_stmt *st, int64_t key)
{
    sqlite3_bind_int64(st, 1, key);
    return sqlite_run(writing(b), st);
}

/* Payloads. */

static enum err empty_messages(struct backend *b, const struct oldest *oldest,
                               struct bitten *bitten)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < oldest->count; i++) {
        if (!oldest->full[i])
            continue;
        err = sqlite_empty(b, oldest->keys[i]);
        bitten->payloads++;
    }
    return err;
}

/* A row stays behind the message that it names, if that goes earlier. */
static enum err empty_expired(struct backend *b, const struct retention_bite *op,
                              struct oldest *oldest, struct bitten *bitten)
{
    sqlite3_stmt *expired = b->writer.expired;

    bind_u64(b->writer.expiring, 1, op->now_ms);
    enum err err = look(b, b->writer.expiring, op, oldest);
    if (err || oldest->count == 0)
        return err;
    err = empty_messages(b, oldest, bitten);
    if (err)
        return err;
    sqlite3_bind_int64(expired, 1, oldest->last);
    sqlite3_bind_int64(expired, 2, last_key(oldest));
    return sqlite_run(writing(b), expired);
}

static enum err empty_old(struct backend *b, const struct retention_bite *op,
                          struct oldest *oldest, struct bitten *bitten)
{
    sqlite3_bind_int64(b->writer.old_payloads, 1, op->payloads_below);
    enum err err = look(b, b->writer.old_payloads, op, oldest);
    if (err || oldest->count == 0)
        return err;
    bitten->emptied_key = last_key(oldest);
    return empty_messages(b, oldest, bitten);
}

/* Attempts. */

enum err sqlite_drop_attempt(struct backend *b, int64_t key)
{
    enum err err = run_on_key(b, b->writer.drop_way, key);

    if (!err)
        err = run_on_key(b, b->writer.drop_attempt, key);
    if (!err)
        b->writer.attempts--;
    return err;
}

static enum err drop_attempts(struct backend *b, const struct oldest *oldest,
                              struct bitten *bitten)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < oldest->count; i++)
        err = sqlite_drop_attempt(b, oldest->keys[i]);
    bitten->attempts += (int64_t)oldest->count;
    return err;
}

static enum err drop_old_attempts(struct backend *b, const struct retention_bite *op,
                                  struct oldest *oldest, struct bitten *bitten)
{
    sqlite3_bind_int64(b->writer.old_attempts, 1, op->attempts_below);
    enum err err = look(b, b->writer.old_attempts, op, oldest);

    return err ? err : drop_attempts(b, oldest, bitten);
}

/* Messages: those before them are gone, so what is of one of them, or of an earlier one, is to go first. It
 * may be more than a bite. */

static enum err drop_attempts_of(struct backend *b, const struct retention_bite *op,
                                 int64_t message_key, struct oldest *oldest,
                                 struct bitten *bitten)
{
    sqlite3_bind_int64(b->writer.attempts_of, 1, message_key);
    enum err err = look(b, b->writer.attempts_of, op, oldest);

    return err ? err : drop_attempts(b, oldest, bitten);
}

static enum err drop_deliveries(struct backend *b, const struct retention_bite *op,
                                int64_t message_key, bool *out_all)
{
    sqlite3_stmt *st = b->writer.drop_deliveries;
    unsigned count = 0;
    bool row;
    enum err err;

    sqlite3_bind_int64(st, 1, message_key);
    bind_u64(st, 2, op->rows);
    for (; !(err = sqlite_next(writing(b), st, &row)) && row; count++)
        b->writer.pending -= column_u32(st, 0) == DELIVERY_PENDING;
    *out_all = count < op->rows;
    return err;
}

static enum err drop_messages(struct backend *b, int64_t message_key, struct bitten *bitten)
{
    enum err err = run_on_key(b, b->writer.drop_tags, message_key);

    if (!err)
        err = run_on_key(b, b->writer.drop_messages, message_key);
    if (!err)
        bitten->messages += sqlite3_changes(writing(b)->db);
    return err;
}

static enum err drop_old_messages(struct backend *b, const struct retention_bite *op,
                                  struct oldest *oldest, struct bitten *bitten)
{
    bool all;

    sqlite3_bind_int64(b->writer.old_messages, 1, op->messages_below);
    enum err err = look(b, b->writer.old_messages, op, oldest);
    if (err || oldest->count == 0)
        return err;
    int64_t message_key = last_key(oldest);
    err = drop_attempts_of(b, op, message_key, oldest, bitten);
    if (err || !oldest->all)
        return err;
    err = drop_deliveries(b, op, message_key, &all);
    return err || !all ? err : drop_messages(b, message_key, bitten);
}

/* The whole. */

static enum err drop_failing(struct backend *b, const struct retention_bite *op)
{
    bind_u64(b->writer.drop_failing, 1, op->failing_since_ms);
    return sqlite_run(writing(b), b->writer.drop_failing);
}

static enum err add_up(struct backend *b, const struct bitten *bitten)
{
    sqlite3_stmt *st = b->writer.add_retention;

    sqlite3_bind_int64(st, 1, bitten->emptied_key);
    sqlite3_bind_int64(st, 2, bitten->payloads);
    sqlite3_bind_int64(st, 3, bitten->attempts);
    sqlite3_bind_int64(st, 4, bitten->messages);
    b->writer.messages -= bitten->messages;
    return sqlite_run(writing(b), st);
}

static enum err bite(struct backend *b, const struct retention_bite *op, struct bitten *bitten)
{
    struct oldest oldest;
    enum err err = empty_expired(b, op, &oldest, bitten);

    if (!err)
        err = empty_old(b, op, &oldest, bitten);
    if (!err)
        err = drop_old_attempts(b, op, &oldest, bitten);
    if (!err)
        err = drop_old_messages(b, op, &oldest, bitten);
    return err;
}

static bool did_something(const struct bitten *bitten)
{
    return bitten->payloads + bitten->attempts + bitten->messages > 0;
}

enum err sqlite_retain(struct backend *b, struct retention_bite *op)
{
    struct bitten bitten = { 0 };
    enum err err = sqlite_exec(writing(b), "PRAGMA secure_delete = ON");

    if (err)
        return err;
    err = bite(b, op, &bitten);
    if (!err && !did_something(&bitten))
        err = drop_failing(b, op);
    enum err usual = sqlite_exec(writing(b), "PRAGMA secure_delete = FAST");
    if (err || usual)
        return err ? err : usual;
    op->removed = did_something(&bitten);
    return op->removed || bitten.emptied_key > 0 ? add_up(b, &bitten) : ERR_OK;
}
