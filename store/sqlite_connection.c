/* Connection: opening a file as durably as we promise, and running statements on it. */
#include "store/sqlite.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"
#include "store/sqlite_gather.h"

/* clang-format off */
static const char WRITER_PRAGMAS[] =
    "PRAGMA page_size = 8192;"
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA cache_size = -16384;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA secure_delete = FAST;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;";

static const char READER_PRAGMAS[] =
    "PRAGMA query_only = ON;"
    "PRAGMA cache_size = -4096;"
    "PRAGMA mmap_size = 0;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA trusted_schema = OFF;"
    "PRAGMA cell_size_check = ON;";
/* clang-format on */

static enum err open_connection(struct connection *c, const char *dir, const char *file,
                                int flags, const char *vfs, const char *pragmas);
static enum err assert_durable(const struct connection *c);
static int on_commit(void *connection, sqlite3 *db, const char *name, int pages);

enum err sqlite_open_writer(struct connection *c, const char *dir, const char *file)
{
    enum err err = open_connection(c, dir, file, SQLITE_OPEN_READWRITE, sqlite_gather_vfs(),
                                   WRITER_PRAGMAS);

    if (!err)
        err = assert_durable(c);
    if (!err)
        sqlite3_wal_hook(c->db, on_commit, c);
    return err;
}

enum err sqlite_open_reader(struct connection *c, const char *dir, const char *file)
{
    return open_connection(c, dir, file, SQLITE_OPEN_READONLY, NULL, READER_PRAGMAS);
}

static enum err open_connection(struct connection *c, const char *dir, const char *file,
                                int flags, const char *vfs, const char *pragmas)
{
    size_t room = strlen(dir) + strlen(file) + 2;
    char *path = xcalloc(room, 1);

    c->file = file;
    snprintf(path, room, "%s/%s", dir, file);
    int rc = sqlite3_open_v2(path, &c->db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    free(path);
    if (rc != SQLITE_OK)
        return from_sqlite(c, rc);

    sqlite3_extended_result_codes(c->db, 1);
    sqlite3_busy_timeout(c->db, SQLITE_BUSY_MS);
    return sqlite_exec(c, pragmas);
}

/* Run SQL up to its first row; the statement is to be finalized. */
static int first_row(const struct connection *c, const char *sql, sqlite3_stmt **out)
{
    int rc = sqlite3_prepare_v2(c->db, sql, -1, out, NULL);

    return rc == SQLITE_OK ? sqlite3_step(*out) : rc;
}

/* Whether a pragma, asked for its value, says `value`. */
static enum err pragma_is(const struct connection *c, const char *sql, const char *value,
                          bool *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = first_row(c, sql, &statement);

    if (rc == SQLITE_ROW)
        *out = strcmp((const char *)sqlite3_column_text(statement, 0), value) == 0;

    enum err err = from_sqlite(c, rc);
    sqlite3_finalize(statement);
    return err;
}

/* A pragma that SQLite can't obey fails silently, and then an answer would be a lie. */
static enum err assert_durable(const struct connection *c)
{
    bool full = false, wal = false;
    enum err err = pragma_is(c, "PRAGMA synchronous", "2", &full);

    if (!err)
        err = pragma_is(c, "PRAGMA journal_mode", "wal", &wal);
    if (!err && !(full && wal)) {
        log_event(LOG_ERROR, "store_not_durable", LOG_STR("file", c->file),
                  LOG_NUM("synchronous_full", full), LOG_NUM("journal_mode_wal", wal));
        err = ERR_IO;
    }
    return err;
}

/* Takes the place of SQLite's own automatic checkpoint. */
static int on_commit(void *connection, sqlite3 *db, const char *name, int pages)
{
    struct connection *c = connection;

    (void)db, (void)name;
    c->log_pages = pages;
    return SQLITE_OK;
}

void sqlite_close(struct connection *c)
{
    sqlite3_stmt *statement;

    while (c->db && (statement = sqlite3_next_stmt(c->db, NULL)))
        sqlite3_finalize(statement);
    sqlite3_close(c->db);
    c->db = NULL;
}

/* SQLite says SQLITE_FULL for ENOSPC on its files, but not for its shared memory or a quota. A
 * failed fsync is never one of these: what it covered is unknown. */
static bool means_full(const struct connection *c, int rc)
{
    int reason = c->db ? sqlite3_system_errno(c->db) : 0;

    if (rc == SQLITE_FULL)
        return true;
    if (rc != SQLITE_IOERR_WRITE && rc != SQLITE_IOERR_SHMSIZE)
        return false;
    return reason == ENOSPC || reason == EDQUOT;
}

static enum err lost(const struct connection *c, int rc, enum err err)
{
    const char *words = c->db ? sqlite3_errmsg(c->db) : sqlite3_errstr(rc);

    log_event(LOG_ERROR, "database_failed", LOG_STR("file", c->file), LOG_NUM("code", rc),
              LOG_STR("reason", words));
    return err;
}

enum err from_sqlite(const struct connection *c, int rc)
{
    if (means_full(c, rc))
        return ERR_FULL;

    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return ERR_OK;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_NOMEM:
        abort();
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return lost(c, rc, ERR_CORRUPT);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return lost(c, rc, ERR_DENIED);
    default:
        return lost(c, rc, ERR_IO);
    }
}

enum err sqlite_prepare(const struct connection *c, const struct prepared *statements)
{
    int rc = SQLITE_OK;

    for (; statements->sql && rc == SQLITE_OK; statements++)
        rc = sqlite3_prepare_v3(c->db, statements->sql, -1, SQLITE_PREPARE_PERSISTENT,
                                statements->out, NULL);
    return from_sqlite(c, rc);
}

enum err sqlite_exec(const struct connection *c, const char *sql)
{
    return from_sqlite(c, sqlite3_exec(c->db, sql, NULL, NULL, NULL));
}

enum err sqlite_number(const struct connection *c, const char *sql, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = first_row(c, sql, &statement);

    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);

    enum err err = from_sqlite(c, rc);
    sqlite3_finalize(statement);
    return err;
}

enum err sqlite_run(const struct connection *c, sqlite3_stmt *statement)
{
    bool row;
    enum err err = sqlite_next(c, statement, &row);

    assert(err || !row);
    return err;
}

enum err sqlite_next(const struct connection *c, sqlite3_stmt *statement, bool *out_row)
{
    int rc = sqlite3_step(statement);

    *out_row = rc == SQLITE_ROW;
    if (rc == SQLITE_ROW)
        return ERR_OK;

    enum err err = rc == SQLITE_DONE ? ERR_OK : from_sqlite(c, rc);
    sqlite3_reset(statement);
    return err;
}
