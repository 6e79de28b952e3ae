/* SQLite backend: two files, their transactions and checkpoints. */
#include "store/sqlite.h"

#include <unistd.h>

#include "core/count.h"
#include "core/mem.h"

/* Pages of the log between two checkpoints, so that each is a small step between groups; and
 * the size at which the log must start again from its beginning, readers or not. */
#define CHECKPOINT_PAGES 1000
#define RESTART_PAGES    8192 /* 64 MB */
#define WIPE_PAGES       100  /* between two tries to get out of it what was overwritten */
#define RESTART_TRY_MS   5
#define RESTART_TRIES    20 /* 100 ms in all */

const char *const sqlite_files[BACKEND_FILES] = { "global.db", "regional.db" };
static const char *const FOLDERS[BACKEND_FILES] = { "global", "regional" };

static enum err open_files(struct backend *b);
static enum err prepare(struct backend *b);
static void sqlite_backend_close(struct backend *b);

static enum err sqlite_backend_open(struct backend **out, const char *dir)
{
    struct backend *b = xcalloc(1, sizeof *b);
    enum err err;

    /* SQLite's counting of its memory takes a lock at each allocation. Refused, and no matter,
     * when SQLite is in use already. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

    b->lock = -1;
    b->dir = xstrdup(dir);
    err = sqlite_directory_open(dir, &b->lock);
    if (!err)
        err = open_files(b);
    if (!err)
        err = prepare(b);
    if (err) {
        sqlite_backend_close(b);
        return err;
    }
    *out = b;
    return ERR_OK;
}

static enum err open_files(struct backend *b)
{
    for (int i = 0; i < BACKEND_FILES; i++) {
        struct connection *write = &b->writer.files[i];
        enum err err = sqlite_open_writer(write, b->dir, sqlite_files[i]);
        if (!err)
            err = sqlite_migrate(write, FOLDERS[i], &b->schema[i]);
        if (!err)
            err = sqlite_open_reader(&b->reader.files[i], b->dir, sqlite_files[i]);
        if (err)
            return err;
        write->checkpoint_at = CHECKPOINT_PAGES;
        write->wiped = true; /* perhaps: by a process that was killed */
    }
    return ERR_OK;
}

static enum err prepare(struct backend *b)
{
    static enum err (*const PARTS[])(struct backend *) = {
        sqlite_config_prepare,    sqlite_outbox_prepare,     sqlite_repeat_prepare,
        sqlite_messages_prepare,  sqlite_attempts_prepare,   sqlite_count_prepare,
        sqlite_lanes_prepare,     sqlite_status_prepare,     sqlite_journal_prepare,
        sqlite_replicas_prepare,  sqlite_regions_prepare,    sqlite_routes_prepare,
        sqlite_resend_prepare,    sqlite_deliveries_prepare, sqlite_failing_prepare,
        sqlite_expunge_prepare,   sqlite_background_prepare, sqlite_bite_prepare,
        sqlite_sealed_prepare,    sqlite_purge_prepare,      sqlite_operational_prepare,
        sqlite_retention_prepare, sqlite_usage_prepare,      sqlite_listing_prepare,
    };
    enum err err = ERR_OK;

    for (int i = 0; !err && i < BACKEND_FILES; i++) {
        const struct prepared writes[] = {
            { &b->writer.begin[i], "BEGIN IMMEDIATE" },
            { &b->writer.commit[i], "COMMIT" },
            { 0 },
        };
        const struct prepared reads[] = {
            { &b->reader.begin[i], "BEGIN" },
            { &b->reader.commit[i], "COMMIT" },
            { 0 },
        };
        err = sqlite_prepare(&b->writer.files[i], writes);
        if (!err)
            err = sqlite_prepare(&b->reader.files[i], reads);
    }
    for (size_t i = 0; !err && i < COUNT(PARTS); i++)
        err = PARTS[i](b);
    return err;
}

/* Takes a half-opened backend. The last connection of a file writes its log back. */
static void sqlite_backend_close(struct backend *b)
{
    for (int i = 0; i < BACKEND_FILES; i++) {
        sqlite_close(&b->reader.files[i]);
        sqlite_close(&b->writer.files[i]);
    }
    if (b->lock >= 0)
        close(b->lock);
    free(b->dir);
    free(b);
}

/* Of the region that the ordinal in the key names: what others' ids say is no business of ours. */
static enum err newest_in(const struct connection *c, const char *table, uint8_t ordinal,
                          int64_t *out)
{
    char *sql = sqlite3_mprintf("SELECT ifnull((SELECT key"
                                "                 FROM %s"
                                "                WHERE (key >> 16) & 255 = %u"
                                "                ORDER BY key DESC"
                                "                LIMIT 1), 0)",
                                table, ordinal);
    enum err err = sqlite_number(c, sql, out);

    sqlite3_free(sql);
    return err;
}

static enum err sqlite_newest_key(struct backend *b, uint8_t ordinal, int64_t *out)
{
    static const struct {
        enum backend_file file;
        const char *name;
    } TABLES[] = {
        { BACKEND_GLOBAL, "applications" },         { BACKEND_GLOBAL, "endpoints" },
        { BACKEND_GLOBAL, "event_types" },          { BACKEND_REGIONAL, "messages" },
        { BACKEND_REGIONAL, "attempts" },           { BACKEND_REGIONAL, "background_tasks" },
        { BACKEND_GLOBAL, "operational_messages" },
    };
    int64_t newest = 0;

    for (size_t i = 0; i < COUNT(TABLES); i++) {
        int64_t key;
        enum err err =
            newest_in(&b->writer.files[TABLES[i].file], TABLES[i].name, ordinal, &key);
        if (err)
            return err;
        if (key > newest)
            newest = key;
    }
    *out = newest;
    return ERR_OK;
}

static enum err sqlite_begin(struct backend *b, enum backend_file file)
{
    return sqlite_run(&b->writer.files[file], b->writer.begin[file]);
}

static enum err sqlite_commit(struct backend *b, enum backend_file file)
{
    bool is_regional = file == BACKEND_REGIONAL;
    enum err err = is_regional ? sqlite_save_totals(b) : ERR_OK;

    if (!err)
        err = sqlite_run(&b->writer.files[file], b->writer.commit[file]);
    if (!err && is_regional)
        sqlite_listing_keep(b);
    return err;
}

enum err sqlite_in_one_state(struct backend *b, enum backend_file file,
                             enum err (*read)(struct backend *, void *op), void *op)
{
    const struct connection *c = &b->reader.files[file];
    enum err err = sqlite_run(c, b->reader.begin[file]);

    if (err)
        return err;
    err = read(b, op);
    enum err ended = sqlite_run(c, b->reader.commit[file]);
    return err ? err : ended;
}

/* Some errors have rolled back already. */
static void sqlite_rollback(struct backend *b, enum backend_file file)
{
    sqlite3 *db = b->writer.files[file].db;

    if (file == BACKEND_REGIONAL) {
        sqlite_drop_totals(b);
        sqlite_listing_drop(b);
    }
    if (!sqlite3_get_autocommit(db))
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}

/* SQLite waits for the readers that it found at first, and a busy reader's next read is one of
 * them again. A new try finds it behind the last commit, where it is in nobody's way. */
static int restart_log(const struct connection *c)
{
    int rc = SQLITE_BUSY;

    sqlite3_busy_timeout(c->db, RESTART_TRY_MS);
    for (int i = 0; i < RESTART_TRIES && (rc & 0xff) == SQLITE_BUSY; i++)
        rc = sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    sqlite3_busy_timeout(c->db, SQLITE_BUSY_MS);
    return rc;
}

static int copy_log(const struct connection *c)
{
    return sqlite3_wal_checkpoint_v2(c->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
}

void sqlite_wipe_log(struct backend *b, bool more)
{
    struct connection *c = &b->writer.files[BACKEND_REGIONAL];

    c->wiped = c->wiped || more;
    c->wipe_at = 0;
}

/* A checkpoint that finds no room, or a reader in its way, has lost nothing: the log keeps
 * what the file doesn't have yet. */
static enum err sqlite_settle(struct backend *b, enum backend_file file)
{
    struct connection *c = &b->writer.files[file];

    if (c->log_pages < c->checkpoint_at - CHECKPOINT_PAGES)
        c->checkpoint_at = CHECKPOINT_PAGES; /* the log has started again */
    if (c->log_pages < c->wipe_at - WIPE_PAGES)
        c->wipe_at = 0; /* likewise */

    bool wipes = c->wiped && c->log_pages >= c->wipe_at;
    if (c->log_pages < c->checkpoint_at && !wipes)
        return ERR_OK;

    bool restarts = wipes || c->log_pages > RESTART_PAGES;
    int rc = restarts ? restart_log(c) : copy_log(c);
    c->checkpoint_at = c->log_pages + CHECKPOINT_PAGES;
    c->wiped = c->wiped && rc != SQLITE_OK;
    c->wipe_at = c->wiped ? c->log_pages + WIPE_PAGES : 0;

    enum err err = from_sqlite(c, rc);
    return err == ERR_FULL || err == ERR_BUSY ? ERR_OK : err;
}

const struct backend_ops sqlite_backend = {
    .name = "sqlite",
    .open = sqlite_backend_open,
    .close = sqlite_backend_close,
    .load = sqlite_load,
    .newest_key = sqlite_newest_key,
    .begin = sqlite_begin,
    .commit = sqlite_commit,
    .rollback = sqlite_rollback,
    .settle = sqlite_settle,
    .put = sqlite_put,
    .drain = sqlite_drain,
    .find_repeated = sqlite_find_repeated,
    .find_answer = sqlite_find_answer,
    .keep_answer = sqlite_keep_answer,
    .append = sqlite_append,
    .record = sqlite_record,
    .resend = sqlite_resend,
    .start_background = sqlite_start_background,
    .next_background = sqlite_next_background,
    .bite = sqlite_bite,
    .keep_background = sqlite_keep_background,
    .add_usage = sqlite_add_usage,
    .next_usage = sqlite_next_usage,
    .keep_usage = sqlite_keep_usage,
    .end_lane = sqlite_end_lane,
    .keep_told = sqlite_keep_told,
    .next_told = sqlite_next_told,
    .forget_told = sqlite_forget_told,
    .has_message = sqlite_has_message,
    .look_back = sqlite_look_back,
    .expunge_message = sqlite_expunge_message,
    .expunge_attempt = sqlite_expunge_attempt,
    .keep_route = sqlite_keep_route,
    .retain = sqlite_retain,
    .wipe_log = sqlite_wipe_log,
    .retention_ends = sqlite_retention_ends,
    .list_objects = sqlite_list_objects,
    .get_message = sqlite_get_message,
    .list_messages = sqlite_list_messages,
    .get_attempt = sqlite_get_attempt,
    .list_attempts = sqlite_list_attempts,
    .list_destinations = sqlite_list_destinations,
    .list_tried = sqlite_list_tried,
    .count_attempts = sqlite_count_attempts,
    .due = sqlite_due,
    .lanes = sqlite_lanes,
    .status = sqlite_status,
    .get_route = sqlite_get_route,
    .get_background = sqlite_get_background,
    .list_background = sqlite_list_background,
    .own_position = sqlite_own_position,
    .position = sqlite_position,
    .set_position = sqlite_set_position,
    .keep_entry = sqlite_keep_entry,
    .prune_journal = sqlite_prune_journal,
    .keep_state = sqlite_keep_state,
    .drop_state = sqlite_drop_state,
    .rival_state = sqlite_rival_state,
    .quarantine = sqlite_quarantine,
    .begin_round = sqlite_begin_round,
    .strays = sqlite_strays,
    .bury = sqlite_bury,
    .journal = sqlite_journal,
    .positions = sqlite_positions,
    .next_sealed = sqlite_next_sealed,
    .mark_sealed = sqlite_mark_sealed,
    .forget_sealed = sqlite_forget_sealed,
    .reseal_endpoint = sqlite_reseal_endpoint,
    .reseal_entry = sqlite_reseal_entry,
    .end_sealing = sqlite_end_sealing,
    .count_sealed = sqlite_count_sealed,
    .digest = sqlite_digest,
    .snapshot = sqlite_snapshot,
};
