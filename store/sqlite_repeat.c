/* Repeat: idempotency keys, hashed, for some hours, with what they were answered. */
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
    "INSERT OR REPLACE INTO idempotency (key, hash, created_at_ms, message_key)"
    "     VALUES (?1, ?2, ?3, ?4)";

static const char SQL_FIND_ANSWER[] =
    "SELECT hash, answer"
    "  FROM answers"
    " WHERE key = ?1 AND created_at_ms > ?2";

static const char SQL_KEEP_ANSWER[] =
    "INSERT OR REPLACE INTO answers (key, hash, created_at_ms, answer)"
    "     VALUES (?1, ?2, ?3, ?4)";

#define SQL_SWEEP_TO(table)                                                                    \
    "SELECT key"                                                                               \
    "  FROM " table                                                                            \
    " WHERE key > ?1"                                                                          \
    " ORDER BY key"                                                                            \
    " LIMIT 1 OFFSET " SWEEP_ROWS

#define SQL_SWEEP(table)                                                                       \
    "DELETE FROM " table                                                                       \
    " WHERE key > ?1 AND key <= ?2 AND created_at_ms <= ?3"
/* clang-format on */

static enum err prepare(struct backend *b, enum backend_file file, struct hashes *hashes,
                        const char *const sql[4])
{
    const struct prepared statements[] = {
        { &hashes->find, sql[0] },
        { &hashes->remember, sql[1] },
        { &hashes->sweep_to, sql[2] },
        { &hashes->sweep, sql[3] },
        { 0 },
    };

    hashes->swept_key = INT64_MIN;
    return sqlite_prepare(&b->writer.files[file], statements);
}

enum err sqlite_repeat_prepare(struct backend *b)
{
    static const char *const MESSAGES[] = {
        SQL_FIND_REPEATED,
        SQL_REMEMBER,
        SQL_SWEEP_TO("idempotency"),
        SQL_SWEEP("idempotency"),
    };
    static const char *const ANSWERS[] = {
        SQL_FIND_ANSWER,
        SQL_KEEP_ANSWER,
        SQL_SWEEP_TO("answers"),
        SQL_SWEEP("answers"),
    };
    enum err err = prepare(b, BACKEND_REGIONAL, &b->writer.repeated, MESSAGES);

    for (int file = 0; !err && file < BACKEND_FILES; file++)
        err = prepare(b, (enum backend_file)file, &b->writer.answers[file], ANSWERS);
    return err;
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

/* The row of a hash, whose column `at` has all of it. With ERR_OK the statement is to be reset. */
static enum err find(const struct connection *c, const struct hashes *hashes,
                     const uint8_t *hash, uint64_t now_ms, int at)
{
    bool row;

    sqlite3_bind_int64(hashes->find, 1, hash_key(hash));
    bind_u64(hashes->find, 2, kept_since(now_ms));
    enum err err = sqlite_next(c, hashes->find, &row);
    if (err)
        return err;
    if (!row)
        return ERR_NOT_FOUND;

    const void *stored = sqlite3_column_blob(hashes->find, at);
    if (stored && memcmp(stored, hash, IDEMPOTENCY_HASH_LEN) == 0)
        return ERR_OK;
    sqlite3_reset(hashes->find);
    return ERR_NOT_FOUND;
}

enum err sqlite_find_repeated(struct backend *b, const uint8_t *hash, uint64_t now_ms,
                              struct message **out)
{
    const struct hashes *hashes = &b->writer.repeated;
    enum err err = find(&b->writer.files[BACKEND_REGIONAL], hashes, hash, now_ms, TAGGED_END);

    if (err)
        return err;
    *out = column_tagged_message(hashes->find, true);
    sqlite3_reset(hashes->find);
    return ERR_OK;
}

enum err sqlite_find_answer(struct backend *b, enum backend_file file, const uint8_t *hash,
                            uint64_t now_ms, struct bytes *out)
{
    const struct hashes *hashes = &b->writer.answers[file];
    enum err err = find(&b->writer.files[file], hashes, hash, now_ms, 0);

    if (err)
        return err;
    *out = column_bytes(hashes->find, 1);
    sqlite3_reset(hashes->find);
    return ERR_OK;
}

static enum err sweep(const struct connection *c, struct hashes *hashes, uint64_t now_ms)
{
    int64_t to = INT64_MAX;
    bool row;

    sqlite3_bind_int64(hashes->sweep_to, 1, hashes->swept_key);
    enum err err = sqlite_next(c, hashes->sweep_to, &row);
    if (err)
        return err;
    if (row)
        to = sqlite3_column_int64(hashes->sweep_to, 0);
    sqlite3_reset(hashes->sweep_to);

    sqlite3_bind_int64(hashes->sweep, 1, hashes->swept_key);
    sqlite3_bind_int64(hashes->sweep, 2, to);
    bind_u64(hashes->sweep, 3, kept_since(now_ms));
    hashes->swept_key = row ? to : INT64_MIN;
    return sqlite_run(c, hashes->sweep);
}

/* What else the row has is bound already. */
static enum err remember(const struct connection *c, struct hashes *hashes, const uint8_t *hash,
                         uint64_t now_ms)
{
    sqlite3_bind_int64(hashes->remember, 1, hash_key(hash));
    bind_bytes(hashes->remember, 2, hash, IDEMPOTENCY_HASH_LEN);
    bind_u64(hashes->remember, 3, now_ms);
    enum err err = sqlite_run(c, hashes->remember);
    if (err || ++hashes->remembered < SWEEP_AFTER)
        return err;
    hashes->remembered = 0;
    return sweep(c, hashes, now_ms);
}

enum err sqlite_remember(struct backend *b, const uint8_t *hash, const struct message *message)
{
    struct hashes *hashes = &b->writer.repeated;

    sqlite3_bind_int64(hashes->remember, 4, id_key(&message->id));
    return remember(&b->writer.files[BACKEND_REGIONAL], hashes, hash, message->created_at_ms);
}

enum err sqlite_keep_answer(struct backend *b, enum backend_file file, const uint8_t *hash,
                            const struct bytes *answer, uint64_t now_ms)
{
    struct hashes *hashes = &b->writer.answers[file];

    bind_bytes(hashes->remember, 4, answer->data, answer->len);
    return remember(&b->writer.files[file], hashes, hash, now_ms);
}
