/* Journal: what the writer keeps of changes, this region's and others'. */
#include "store/sqlite.h"

#include "store/sqlite_row.h"

#define QUARANTINE_KEPT 100 /* entries of an origin: the newest */

/* clang-format off */
#define POSITION_COLUMNS "origin, incarnation, seq, hlc, chain, at_ms, adopting"

static const char SQL_OWN_POSITION[] =
    "SELECT " POSITION_COLUMNS
    "  FROM positions"
    " WHERE own = 1";

static const char SQL_POSITION[] =
    "SELECT " POSITION_COLUMNS
    "  FROM positions"
    " WHERE origin = ?1";

static const char SQL_POSITIONS[] =
    "SELECT " POSITION_COLUMNS ","
    "       (SELECT count(*) FROM quarantine AS q WHERE q.origin = p.origin)"
    "  FROM positions AS p"
    " ORDER BY own DESC, origin";

static const char SQL_SET_POSITION[] =
    "INSERT INTO positions (" POSITION_COLUMNS ", own)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    "     ON CONFLICT (origin) DO UPDATE"
    "    SET (" POSITION_COLUMNS ", own) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

static const char SQL_BEGIN_ROUND[] =
    "INSERT INTO positions (" POSITION_COLUMNS ", own, round)"
    " VALUES (?1, zeroblob(16), 0, 0, zeroblob(32), 0, 1, 0, 1)"
    "     ON CONFLICT (origin) DO UPDATE"
    "    SET (seq, adopting, round) = (0, 1, round + 1)";

static const char SQL_KEEP_ENTRY[] =
    "INSERT INTO journal (seq, hlc, chain, code, sealed_by)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";

/* A small step; the next entry makes the next one. */
static const char SQL_PRUNE_JOURNAL[] =
    "DELETE FROM journal"
    " WHERE seq IN (SELECT seq FROM journal ORDER BY seq LIMIT 16)"
    "   AND (seq <= ?1 OR hlc < ?2)";

static const char SQL_KEEP_STATE[] =
    "INSERT INTO states (origin, key, kind, version, digest, round)"
    " VALUES (?1, ?2, ?3, ?4, ?5,"
    "         ifnull((SELECT round FROM positions WHERE origin = ?1), 0))"
    "     ON CONFLICT (origin, key) DO UPDATE"
    "    SET (kind, version, digest, round) = (?3, ?4, ?5, excluded.round)"
    "  WHERE version < excluded.version OR round < excluded.round";

/* Of event types, as states_of_event_types has it. */
static const char SQL_RIVAL_STATE[] =
    "SELECT origin, version"
    "  FROM states"
    " WHERE kind = 2 AND key = ?1 AND origin <> ?2"
    " ORDER BY version DESC, origin"
    " LIMIT 1";

static const char SQL_DROP_STATE[] =
    "DELETE FROM states"
    " WHERE origin = ?1 AND key = ?2";

static const char SQL_STRAYS[] =
    "SELECT key"
    "  FROM states"
    " WHERE origin = ?1 AND round < (SELECT round FROM positions WHERE origin = ?1)"
    "   AND kind = ?2"
    " LIMIT ?3";

static const char SQL_QUARANTINE[] =
    "INSERT INTO quarantine (origin, seq, reason, code, at_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5)"
    "     ON CONFLICT (origin, seq) DO UPDATE SET reason = ?3, code = ?4, at_ms = ?5";

static const char SQL_BOUND_QUARANTINE[] =
    "DELETE FROM quarantine"
    " WHERE origin = ?1"
    "   AND seq <= (SELECT seq FROM quarantine WHERE origin = ?1"
    "                ORDER BY seq DESC LIMIT 1 OFFSET ?2)";

static const char SQL_EMPTY_QUARANTINE[] =
    "DELETE FROM quarantine"
    " WHERE origin = ?1";
/* clang-format on */

enum err sqlite_journal_prepare(struct backend *b)
{
    const struct prepared writing[] = {
        { &b->writer.own_position, SQL_OWN_POSITION },
        { &b->writer.position, SQL_POSITION },
        { &b->writer.set_position, SQL_SET_POSITION },
        { &b->writer.keep_entry, SQL_KEEP_ENTRY },
        { &b->writer.prune_journal, SQL_PRUNE_JOURNAL },
        { &b->writer.keep_state, SQL_KEEP_STATE },
        { &b->writer.rival_state, SQL_RIVAL_STATE },
        { &b->writer.drop_state, SQL_DROP_STATE },
        { &b->writer.strays, SQL_STRAYS },
        { &b->writer.begin_round, SQL_BEGIN_ROUND },
        { &b->writer.quarantine, SQL_QUARANTINE },
        { &b->writer.bound_quarantine, SQL_BOUND_QUARANTINE },
        { &b->writer.empty_quarantine, SQL_EMPTY_QUARANTINE },
        { 0 },
    };
    const struct prepared reading[] = {
        { &b->reader.own_position, SQL_OWN_POSITION },
        { &b->reader.position, SQL_POSITION },
        { &b->reader.positions, SQL_POSITIONS },
        { 0 },
    };
    enum err err = sqlite_prepare(&b->writer.files[BACKEND_GLOBAL], writing);

    return err ? err : sqlite_prepare(&b->reader.files[BACKEND_GLOBAL], reading);
}

enum err sqlite_own_position(struct backend *b, struct journal_position *out)
{
    return sqlite_one_position(&b->writer.files[BACKEND_GLOBAL], b->writer.own_position, out);
}

enum err sqlite_position(struct backend *b, uint8_t origin, struct journal_position *out)
{
    bind_u64(b->writer.position, 1, origin);
    return sqlite_one_position(&b->writer.files[BACKEND_GLOBAL], b->writer.position, out);
}

enum err sqlite_one_position(const struct connection *c, sqlite3_stmt *st,
                             struct journal_position *out)
{
    bool row;
    enum err err = sqlite_next(c, st, &row);

    if (!err)
        *out = row ? column_position(st) : (struct journal_position){ 0 };
    sqlite3_reset(st);
    return err;
}

struct journal_position column_position(sqlite3_stmt *st)
{
    struct journal_position p = {
        .origin = (uint8_t)column_u32(st, 0),
        .seq = column_u64(st, 2),
        .hlc = column_u64(st, 3),
        .at_ms = column_u64(st, 5),
        .adopting = column_bool(st, 6),
    };

    column_array(st, 1, p.incarnation, INCARNATION_LEN);
    column_array(st, 4, p.chain, CHAIN_LEN);
    return p;
}

enum err sqlite_set_position(struct backend *b, const struct journal_position *p, bool own)
{
    sqlite3_stmt *st = b->writer.set_position;

    bind_u64(st, 1, p->origin);
    bind_bytes(st, 2, p->incarnation, INCARNATION_LEN);
    bind_u64(st, 3, p->seq);
    bind_u64(st, 4, p->hlc);
    bind_bytes(st, 5, p->chain, CHAIN_LEN);
    bind_u64(st, 6, p->at_ms);
    bind_u64(st, 7, p->adopting);
    bind_u64(st, 8, own);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_keep_entry(struct backend *b, const struct journal_entry *entry,
                           int64_t sealed_by)
{
    sqlite3_stmt *st = b->writer.keep_entry;

    bind_u64(st, 1, entry->seq);
    bind_u64(st, 2, entry->hlc);
    bind_bytes(st, 3, entry->chain, CHAIN_LEN);
    bind_bytes(st, 4, entry->code.data, entry->code.len);
    bind_sealed_by(st, 5, sealed_by);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_prune_journal(struct backend *b, uint64_t seq, uint64_t hlc)
{
    bind_u64(b->writer.prune_journal, 1, seq);
    bind_u64(b->writer.prune_journal, 2, hlc);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], b->writer.prune_journal);
}

enum err sqlite_keep_state(struct backend *b, const struct object_state *state, bool *out_newer)
{
    const struct connection *c = &b->writer.files[BACKEND_GLOBAL];
    sqlite3_stmt *st = b->writer.keep_state;

    bind_u64(st, 1, state->origin);
    sqlite3_bind_int64(st, 2, state->key);
    bind_u64(st, 3, state->kind);
    bind_u64(st, 4, state->version);
    bind_bytes(st, 5, state->digest, CHAIN_LEN);
    enum err err = sqlite_run(c, st);
    *out_newer = !err && sqlite3_changes(c->db) > 0;
    return err;
}

enum err sqlite_rival_state(struct backend *b, const struct object_state *of,
                            struct object_state *out)
{
    sqlite3_stmt *st = b->writer.rival_state;
    bool row;

    sqlite3_bind_int64(st, 1, of->key);
    bind_u64(st, 2, of->origin);
    enum err err = sqlite_next(&b->writer.files[BACKEND_GLOBAL], st, &row);
    if (err)
        return err;
    *out = (struct object_state){ .key = of->key, .kind = of->kind };
    if (row) {
        out->origin = (uint8_t)column_u32(st, 0);
        out->version = column_u64(st, 1);
    }
    sqlite3_reset(st);
    return ERR_OK;
}

enum err sqlite_drop_state(struct backend *b, const struct object_state *state)
{
    sqlite3_stmt *st = b->writer.drop_state;

    bind_u64(st, 1, state->origin);
    sqlite3_bind_int64(st, 2, state->key);
    return sqlite_run(&b->writer.files[BACKEND_GLOBAL], st);
}

enum err sqlite_quarantine(struct backend *b, uint8_t origin, const struct journal_entry *entry,
                           const char *why, uint64_t now_ms)
{
    const struct connection *c = &b->writer.files[BACKEND_GLOBAL];
    sqlite3_stmt *st = b->writer.quarantine;

    bind_u64(st, 1, origin);
    bind_u64(st, 2, entry->seq);
    bind_text(st, 3, why);
    bind_bytes(st, 4, entry->code.data, entry->code.len);
    bind_u64(st, 5, now_ms);
    enum err err = sqlite_run(c, st);
    if (err)
        return err;
    bind_u64(b->writer.bound_quarantine, 1, origin);
    bind_u64(b->writer.bound_quarantine, 2, QUARANTINE_KEPT);
    return sqlite_run(c, b->writer.bound_quarantine);
}

enum err sqlite_begin_round(struct backend *b, uint8_t origin)
{
    const struct connection *c = &b->writer.files[BACKEND_GLOBAL];

    bind_u64(b->writer.begin_round, 1, origin);
    bind_u64(b->writer.empty_quarantine, 1, origin);
    enum err err = sqlite_run(c, b->writer.begin_round);
    return err ? err : sqlite_run(c, b->writer.empty_quarantine);
}

enum err sqlite_strays(struct backend *b, uint8_t origin, enum object_kind kind,
                       struct object_state *out, size_t limit, size_t *out_count)
{
    sqlite3_stmt *st = b->writer.strays;
    size_t count = 0;
    bool row;
    enum err err;

    bind_u64(st, 1, origin);
    bind_u64(st, 2, kind);
    bind_u64(st, 3, limit);
    while (!(err = sqlite_next(&b->writer.files[BACKEND_GLOBAL], st, &row)) && row)
        out[count++] = (struct object_state){
            .origin = origin,
            .kind = kind,
            .key = sqlite3_column_int64(st, 0),
        };
    if (!err)
        *out_count = count;
    return err;
}
