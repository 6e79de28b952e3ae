/* Migrate: the schema of a file is its user_version; each step is one transaction. */
#include "store/sqlite.h"

#include <stdlib.h>
#include <string.h>

#include "core/embedded.h"
#include "core/log.h"

static enum err apply(const struct connection *c, const struct embedded_file *file,
                      unsigned version, bool is_new);

/* Paths are "folder/0001_what.sql". */
static unsigned version_of(const struct embedded_file *file, const char *folder)
{
    size_t len = strlen(folder);

    if (strncmp(file->path, folder, len) != 0 || file->path[len] != '/')
        return 0;
    return (unsigned)strtoul(file->path + len + 1, NULL, 10);
}

enum err sqlite_migrate(const struct connection *c, const char *folder, unsigned *out_version)
{
    unsigned newest = 0;
    int64_t stored;
    enum err err = sqlite_number(c, "PRAGMA user_version", &stored);

    for (const struct embedded_file *f = embedded_migrations_sqlite; !err && f->path; f++) {
        unsigned version = version_of(f, folder);
        if (version > stored)
            err = apply(c, f, version, stored == 0);
        if (version > newest)
            newest = version;
    }
    if (!err && stored > newest) {
        log_event(LOG_ERROR, "schema_is_newer", LOG_STR("file", c->file),
                  LOG_NUM("stored", stored), LOG_NUM("known", newest));
        err = ERR_VERSION;
    }
    if (!err)
        *out_version = newest;
    return err;
}

static enum err set_version(const struct connection *c, unsigned version)
{
    char *sql = sqlite3_mprintf("PRAGMA user_version = %u", version);
    enum err err = sqlite_exec(c, sql);

    sqlite3_free(sql);
    return err;
}

/* The embedded text ends with a NUL. */
static enum err apply(const struct connection *c, const struct embedded_file *file,
                      unsigned version, bool is_new)
{
    enum err err = sqlite_exec(c, "BEGIN IMMEDIATE");

    /* A large file takes its time. The schema of a new one is no news. */
    log_event(is_new ? LOG_DEBUG : LOG_INFO, "schema_migrating", LOG_STR("file", c->file),
              LOG_NUM("version", version));
    if (!err)
        err = sqlite_exec(c, file->begin);
    if (!err)
        err = set_version(c, version);
    if (!err)
        err = sqlite_exec(c, "COMMIT");
    if (err)
        return err; /* closing the connection rolls back */
    log_event(is_new ? LOG_DEBUG : LOG_INFO, "schema_migrated", LOG_STR("file", c->file),
              LOG_NUM("version", version));
    return ERR_OK;
}
