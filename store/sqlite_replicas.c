/* Replicas: what peers ask for, read from one state of the file where that matters. */
#include "store/sqlite.h"

#include "core/mem.h"
#include "core/object_code.h"
#include "store/sqlite_row.h"

#define ENTRIES_FIRST 64

/* clang-format off */
static const char SQL_JOURNAL[] =
    "SELECT seq, hlc, chain, code"
    "  FROM journal"
    " WHERE seq > ?1"
    " ORDER BY seq";

static const char SQL_JOURNAL_CHAIN[] =
    "SELECT chain"
    "  FROM journal"
    " WHERE seq = ?1";

static const char SQL_JOURNAL_FIRST[] =
    "SELECT min(seq)"
    "  FROM journal";

static const char SQL_STATES[] =
    "SELECT key, kind"
    "  FROM states"
    " WHERE origin = ?1 AND key > ?2"
    " ORDER BY key";

static const char SQL_DIGESTS[] =
    "SELECT key, digest"
    "  FROM states"
    " WHERE origin = ?1";
/* clang-format on */

enum err sqlite_replicas_prepare(struct backend *b)
{
    const struct prepared statements[] = {
        { &b->reader.journal, SQL_JOURNAL },
        { &b->reader.journal_chain, SQL_JOURNAL_CHAIN },
        { &b->reader.journal_first, SQL_JOURNAL_FIRST },
        { &b->reader.states, SQL_STATES },
        { &b->reader.digests, SQL_DIGESTS },
        { 0 },
    };

    return sqlite_prepare(&b->reader.files[BACKEND_GLOBAL], statements);
}

static const struct connection *reader(const struct backend *b)
{
    return &b->reader.files[BACKEND_GLOBAL];
}

/* The first column of the only row. */
static enum err read_number(const struct backend *b, sqlite3_stmt *st, uint64_t *out)
{
    bool row;
    enum err err = sqlite_next(reader(b), st, &row);

    if (!err)
        *out = column_u64(st, 0);
    sqlite3_reset(st);
    return err;
}

/* The journal. */

static enum err read_entries(struct backend *b, struct store_journal *op)
{
    sqlite3_stmt *st = b->reader.journal;
    size_t room = 0, bytes = 0;
    bool row;
    enum err err;

    bind_u64(st, 1, op->after);
    while (!(err = sqlite_next(reader(b), st, &row)) && row) {
        if (op->count == op->limit || (op->count > 0 && bytes >= op->bytes_limit))
            break;
        if (op->count == room)
            op->entries = xgrow(op->entries, &room, ENTRIES_FIRST, sizeof *op->entries);
        struct journal_entry *entry = &op->entries[op->count++];
        entry->seq = column_u64(st, 0);
        entry->hlc = column_u64(st, 1);
        column_array(st, 2, entry->chain, CHAIN_LEN);
        entry->code = column_bytes(st, 3);
        bytes += entry->code.len;
    }
    sqlite3_reset(st);
    return err;
}

/* ERR_STALE: what the asker has applied last isn't the entry of that number here. One that was
 * pruned can't be compared; the next one's chain will tell. */
static enum err compare_chain(const struct backend *b, const struct store_journal *op)
{
    sqlite3_stmt *st = b->reader.journal_chain;
    uint8_t chain[CHAIN_LEN] = { 0 };
    bool row = true;
    enum err err = ERR_OK;

    if (!op->has_chain || op->after == 0)
        return ERR_OK;
    if (op->after == op->end.seq) {
        memcpy(chain, op->end.chain, CHAIN_LEN);
    } else {
        bind_u64(st, 1, op->after);
        err = sqlite_next(reader(b), st, &row);
        if (!err && row)
            column_array(st, 0, chain, CHAIN_LEN);
        sqlite3_reset(st);
    }
    if (!err && row && memcmp(chain, op->chain, CHAIN_LEN) != 0)
        err = ERR_STALE;
    return err;
}

static enum err read_journal(struct backend *b, void *ctx)
{
    struct store_journal *op = ctx;
    uint64_t first = 0;
    enum err err = sqlite_one_position(reader(b), b->reader.own_position, &op->end);

    if (!err)
        err = read_number(b, b->reader.journal_first, &first);
    if (!err && op->after > op->end.seq)
        return ERR_STALE;
    if (!err && op->after < op->end.seq && op->after + 1 < first)
        return ERR_NOT_FOUND;
    if (!err)
        err = compare_chain(b, op);
    return err ? err : read_entries(b, op);
}

enum err sqlite_journal(struct backend *b, struct store_journal *op)
{
    op->count = 0;
    op->entries = NULL;
    enum err err = sqlite_in_one_state(b, BACKEND_GLOBAL, read_journal, op);
    if (err)
        journal_entries_free(op->entries, op->count);
    return err;
}

/* Positions and sums. */

enum err sqlite_positions(struct backend *b, struct store_positions *op)
{
    sqlite3_stmt *st = b->reader.positions;
    bool row;
    enum err err;

    op->count = 0;
    while (!(err = sqlite_next(reader(b), st, &row)) && row) {
        op->quarantined[op->count] = column_u32(st, POSITION_END);
        op->positions[op->count++] = column_position(st);
    }
    return err;
}

/* Little-endian, modulo 2^128. */
static void add_to_sum(uint8_t sum[DIGEST_SUM_LEN], const uint8_t *digest)
{
    unsigned carry = 0;

    for (size_t i = 0; i < DIGEST_SUM_LEN; i++) {
        carry += (unsigned)sum[i] + digest[i];
        sum[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

/* Keys are time in their high half: the top of a product tells neighbours apart. */
static size_t bucket_of(int64_t key)
{
    return (size_t)(((uint64_t)key * UINT64_C(0x9e3779b97f4a7c15)) >> 56) % DIGEST_BUCKETS;
}

static enum err read_digest(struct backend *b, void *ctx)
{
    struct store_digest *op = ctx;
    sqlite3_stmt *st = b->reader.digests;
    bool row;

    bind_u64(b->reader.position, 1, op->origin);
    enum err err = sqlite_one_position(reader(b), b->reader.position, &op->at);
    if (err)
        return err;
    bind_u64(st, 1, op->origin);
    while (!(err = sqlite_next(reader(b), st, &row)) && row) {
        uint8_t digest[CHAIN_LEN] = { 0 };
        column_array(st, 1, digest, CHAIN_LEN);
        add_to_sum(op->sums[bucket_of(sqlite3_column_int64(st, 0))], digest);
        op->count++;
    }
    sqlite3_reset(st);
    return err;
}

enum err sqlite_digest(struct backend *b, struct store_digest *op)
{
    op->count = 0;
    memset(op->sums, 0, sizeof op->sums);
    return sqlite_in_one_state(b, BACKEND_GLOBAL, read_digest, op);
}

/* Snapshots. */

static enum err take_code(struct backend *b, enum object_kind kind, int64_t key,
                          struct bytes *out)
{
    struct buf code = BUF_INIT(OBJECT_CODE_MAX);
    struct object *object;
    enum err err = sqlite_get_object(b, kind, key, &object);

    if (err)
        return err;
    if (!object)
        return ERR_CORRUPT;
    err = object_encode(object, &code);
    if (!err)
        *out = (struct bytes){ .data = code.bytes, .len = code.len };
    else
        buf_fini(&code);
    object_unref(object);
    return err;
}

static enum err read_snapshot(struct backend *b, void *ctx)
{
    struct store_snapshot *op = ctx;
    sqlite3_stmt *st = b->reader.states;
    size_t bytes = 0;
    bool row;
    enum err err = sqlite_one_position(reader(b), b->reader.own_position, &op->end);

    if (err)
        return err;
    bind_u64(st, 1, op->end.origin);
    sqlite3_bind_int64(st, 2, op->after);
    while (!(err = sqlite_next(reader(b), st, &row)) && row && !op->more) {
        op->more = op->count == op->limit || (op->count > 0 && bytes >= op->bytes_limit);
        if (op->more)
            break;
        op->last = sqlite3_column_int64(st, 0);
        err =
            take_code(b, (enum object_kind)column_u32(st, 1), op->last, &op->codes[op->count]);
        if (err)
            break;
        bytes += op->codes[op->count++].len;
    }
    sqlite3_reset(st);
    return err;
}

enum err sqlite_snapshot(struct backend *b, struct store_snapshot *op)
{
    op->count = 0;
    op->more = false;
    op->last = op->after;
    op->codes = xcalloc(op->limit, sizeof *op->codes);
    enum err err = sqlite_in_one_state(b, BACKEND_GLOBAL, read_snapshot, op);
    if (!err)
        return ERR_OK;
    for (size_t i = 0; i < op->count; i++)
        bytes_fini(&op->codes[i]);
    free(op->codes);
    return err;
}
