/* Repeat: idempotency keys, hashed, for some hours. */
#include "store/sqlite.h"

#include <string.h>

#include "store/sqlite_row.h"

/* Expired hashes go a few at a time: after every so many new ones a sweep passes over the next
 * stretch of the table, twice as long, so that it comes round faster than the table grows. An
 * index by age would cost more than all sweeps. */
#define SWEEP_AFTER 64
#define SWEEP_ROWS  "128"

/* clang-format off */
static const char SQL_FIND_REPEATED[] =
    "SELECT " TAGGED_COLUMNS ", i.hash"
    "  FROM idempotency AS i"
    "  JOIN messages AS m ON m.key = i.message_key"
    " WHERE i.key = ?1 AND i.created_at_ms > ?2";

/* Two hashes that share their first eight bytes are somebody's try: the older one goes. */
static const char SQL_REMEMBER[] =
    "INSERT OR REPLACE INTO idempotency (key, hash, message_key, created_at_ms)"
    "     VALUES (?1, ?2, ?3, ?4)";

static const char SQL_SWEEP_TO[] =
    "SELECT key"
    "  FROM idempotency"
    " WHERE key > ?1"
    " ORDER BY key"
    " LIMIT 1 OFFSET " SWEEP_ROWS;

static const char SQL_SWEEP[] =
    "DELETE FROM idempotency"
    " WHERE key > ?1 AND key <= ?2 AND created_at_ms <= ?3";
/* clang-format on */

enum err sqlite_repeat_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->writer.find_repeated, SQL_FIND_REPEATED },
        { &b->writer.remember, SQL_REMEMBER },
        { &b->writer.sweep_to, SQL_SWEEP_TO },
        { &b->writer.sweep, SQL_SWEEP },
        { 0 },
    };

    b->writer.swept_key = INT64_MIN;
    return sqlite_prepare(&b->writer.files[BACKEND_REGIONAL], statements);
}

static int64_t hash_key(const uint8_t *hash)
{
    int64_t key;

    memcpy(&key, hash, sizeof key);
    return key;
}

/* Kept since then, and forgotten before. */
static uint64_t kept_since(uint64_t now_ms)
{
    return now_ms > IDEMPOTENCY_MS ? now_ms - IDEMPOTENCY_MS : 0;
}

enum err sqlite_find_repeated(struct backend *b, const uint8_t *hash, uint64_t now_ms,
                              struct message **out)
{
    sqlite3_stmt *st = b->writer.find_repeated;
    bool row;

    sqlite3_bind_int64(st, 1, hash_key(hash));
    bind_u64(st, 2, kept_since(now_ms));
    enum err err = sqlite_next(&b->writer.files[BACKEND_REGIONAL], st, &row);
    if (err)
        return err;
    if (!row)
        return ERR_NOT_FOUND;

    const void *stored = sqlite3_column_blob(st, TAGGED_END);
    bool same = stored && memcmp(stored, hash, IDEMPOTENCY_HASH_LEN) == 0;
    if (same)
        *out = column_tagged_message(st, true);
    sqlite3_reset(st);
    return same ? ERR_OK : ERR_NOT_FOUND;
}

static enum err sweep(struct backend *b, uint64_t now_ms)
{
    const struct connection *c = &b->writer.files[BACKEND_REGIONAL];
    int64_t to = INT64_MAX;
    bool row;

    sqlite3_bind_int64(b->writer.sweep_to, 1, b->writer.swept_key);
    enum err err = sqlite_next(c, b->writer.sweep_to, &row);
    if (err)
        return err;
    if (row)
        to = sqlite3_column_int64(b->writer.sweep_to, 0);
    sqlite3_reset(b->writer.sweep_to);

    sqlite3_bind_int64(b->writer.sweep, 1, b->writer.swept_key);
    sqlite3_bind_int64(b->writer.sweep, 2, to);
    bind_u64(b->writer.sweep, 3, kept_since(now_ms));
    b->writer.swept_key = row ? to : INT64_MIN;
    return sqlite_run(c, b->writer.sweep);
}

enum err sqlite_remember(struct backend *b, const uint8_t *hash, const struct message *message)
{
    sqlite3_stmt *st = b->writer.remember;

    sqlite3_bind_int64(st, 1, hash_key(hash));
    bind_bytes(st, 2, hash, IDEMPOTENCY_HASH_LEN);
    sqlite3_bind_int64(st, 3, id_key(&message->id));
    bind_u64(st, 4, message->created_at_ms);
    enum err err = sqlite_run(&b->writer.files[BACKEND_REGIONAL], st);
    if (err || ++b->writer.remembered < SWEEP_AFTER)
        return err;
    b->writer.remembered = 0;
    return sweep(b, message->created_at_ms);
}
