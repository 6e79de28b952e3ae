/* Sealed: the rows that hold values under an older master key, by their index. */
#include "store/sqlite.h"

#include <string.h>

#include "store/sqlite_row.h"

/* clang-format off */
#define SQL_NEXT(key, code, table)                                                             \
    "SELECT " key ", sealed_by, " code                                                         \
    "  FROM " table                                                                            \
    " WHERE sealed_by >= ?1 AND sealed_by < ?2"                                                \
    "   AND (sealed_by > ?1 OR " key " > ?3)"                                                  \
    " ORDER BY sealed_by, " key                                                                \
    " LIMIT ?4"

/* NULL: it holds nothing sealed. */
#define SQL_MARK(key, table)                                                                   \
    "UPDATE " table                                                                            \
    "   SET sealed_by = ?2"                                                                    \
    " WHERE " key " = ?1"

#define SQL_COUNT(table)                                                                       \
    "SELECT sealed_by, count(*)"                                                               \
    "  FROM " table                                                                            \
    " WHERE sealed_by IS NOT NULL"                                                             \
    " GROUP BY sealed_by"

static const char SQL_FORGET[] =
    "UPDATE endpoints"
    "   SET (headers, secrets, sealed_by) = (NULL, NULL, NULL)"
    " WHERE key = ?1 AND deleted = 1";

static const char SQL_RESEAL_ENTRY[] =
    "UPDATE journal"
    "   SET (code, sealed_by) = (?2, ?3)"
    " WHERE seq = ?1";
/* clang-format on */

enum err sqlite_sealed_prepare(struct backend *b)
{
    const struct prepared writing[] = {
        { &b->writer.next_sealed[SEALED_ENDPOINTS], SQL_NEXT("key", "NULL", "endpoints") },
        { &b->writer.next_sealed[SEALED_JOURNAL], SQL_NEXT("seq", "code", "journal") },
        { &b->writer.mark_sealed[SEALED_ENDPOINTS], SQL_MARK("key", "endpoints") },
        { &b->writer.mark_sealed[SEALED_JOURNAL], SQL_MARK("seq", "journal") },
        { &b->writer.forget_sealed, SQL_FORGET },
        { &b->writer.reseal_entry, SQL_RESEAL_ENTRY },
        { 0 },
    };
    const struct prepared reading[] = {
        { &b->reader.count_sealed[SEALED_ENDPOINTS], SQL_COUNT("endpoints") },
        { &b->reader.count_sealed[SEALED_JOURNAL], SQL_COUNT("journal") },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_GLOBAL], writing);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_GLOBAL], reading);
}

enum err sqlite_next_sealed(struct backend *b, const struct sealed_search *search,
                            struct sealed_row *out, size_t *out_count)
{
    sqlite3_stmt *st = b->writer.next_sealed[search->place];
    size_t count = 0, bytes = 0;
    bool row;
    enum err err;

    sqlite3_bind_int64(st, 1, search->by);
    sqlite3_bind_int64(st, 2, search->below);
    sqlite3_bind_int64(st, 3, search->key);
    bind_u64(st, 4, search->limit);
    while (!(err = sqlite_next(&b->writer.files[BACKEND_GLOBAL], st, &row)) && row) {
        out[count] = (struct sealed_row){
            .place = search->place,
            .key = sqlite3_column_int64(st, 0),
            .by = sqlite3_column_int64(st, 1),
            .code = column_bytes(st, 2),
        };
        bytes += out[count++].code.len;
        if (bytes >= search->bytes_limit)
            break;
    }
    sqlite3_reset(st);
    *out_count = count;
    return err;
}

/* With what is replaced overwritten in the file; the log has it until end_sealing(). */
static enum err run_wiping(struct backend *b, sqlite3_stmt *st)
{
    const struct connection *c = &b->writer.files[BACKEND_GLOBAL];
    enum err err = sqlite_exec(c, "PRAGMA secure_delete = ON");

    if (err)
        return err;
    err = sqlite_run(c, st);
    enum err usual = sqlite_exec(c, "PRAGMA secure_delete = FAST");
    return err ? err : usual;
}

enum err sqlite_mark_sealed(struct backend *b, enum sealed_place place, int64_t key, int64_t by)
{
    sqlite3_stmt *st = b->writer.mark_sealed[place];

    sqlite3_bind_int64(st, 1, key);
    bind_sealed_by(st, 2, by);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_forget_sealed(struct backend *b, int64_t key)
{
    sqlite3_bind_int64(b->writer.forget_sealed, 1, key);
    return run_wiping(b, b->writer.forget_sealed);
}

enum err sqlite_reseal_endpoint(struct backend *b, struct endpoint *endpoint)
{
    return run_wiping(b, sqlite_bind_endpoint(b, endpoint));
}

enum err sqlite_reseal_entry(struct backend *b, int64_t seq, const struct bytes *code,
                             int64_t by)
{
    sqlite3_stmt *st = b->writer.reseal_entry;

    sqlite3_bind_int64(st, 1, seq);
    bind_bytes(st, 2, code->data, code->len);
    bind_sealed_by(st, 3, by);
    return run_wiping(b, st);
}

enum err sqlite_end_sealing(struct backend *b)
{
    b->writer.files[BACKEND_GLOBAL].wiped = true;
    return ERR_OK;
}

/* Counting. */

/* NULL: there are more than fit. */
static struct sealed_count *count_of(struct store_count_sealed *op, uint32_t key)
{
    for (size_t i = 0; i < op->count; i++)
        if (op->keys[i].key == key)
            return &op->keys[i];
    if (op->count == SEALED_KEYS_MAX)
        return NULL;
    op->keys[op->count] = (struct sealed_count){ .key = key };
    return &op->keys[op->count++];
}

static enum err count_in(struct backend *b, enum sealed_place place,
                         struct store_count_sealed *op)
{
    sqlite3_stmt *st = b->reader.count_sealed[place];
    bool row;
    enum err err;

    while (!(err = sqlite_next(&b->reader.files[BACKEND_GLOBAL], st, &row)) && row) {
        int64_t by = sqlite3_column_int64(st, 0);
        struct sealed_count *count = by < 0 ? NULL : count_of(op, (uint32_t)by);
        if (by < 0)
            op->lost[place] += column_u64(st, 1);
        else if (count)
            count->values[place] += column_u64(st, 1);
    }
    return err;
}

enum err sqlite_count_sealed(struct backend *b, struct store_count_sealed *op)
{
    enum err err = ERR_OK;

    op->count = 0;
    memset(op->lost, 0, sizeof op->lost);
    for (unsigned place = 0; !err && place < SEALED_PLACES; place++)
        err = count_in(b, (enum sealed_place)place, op);
    return err;
}
