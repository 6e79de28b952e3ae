#include "store/sqlite_gather.h"

#include <string.h>

#include <sqlite3.h>

#include "core/mem.h"

/* Bytes: fifteen pages. SQLite's own VFS writes no more than 128 KiB less one at a time. */
#define GATHERED_MAX ((size_t)127 * 1024)

/* A log; SQLite's own file lies behind it. */
struct log_file {
    sqlite3_file base;
    sqlite3_int64 at; /* where in the file what is gathered begins */
    size_t len;       /* bytes gathered */
    char *gathered;   /* GATHERED_MAX; NULL before the first write */
};

static sqlite3_vfs gather;
static sqlite3_vfs *below_vfs;

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                   int *out_flags);
static int on_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at);
static int on_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at);
static int on_truncate(sqlite3_file *file, sqlite3_int64 len);
static int on_sync(sqlite3_file *file, int flags);
static int on_file_size(sqlite3_file *file, sqlite3_int64 *out);
static int on_control(sqlite3_file *file, int what, void *arg);
static int on_sector_size(sqlite3_file *file);
static int on_characteristics(sqlite3_file *file);
static int on_close(sqlite3_file *file);

/* SQLite neither locks a log nor maps it. */
static const sqlite3_io_methods METHODS = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

const char *sqlite_gather_vfs(void)
{
    if (!below_vfs) {
        below_vfs = sqlite3_vfs_find(NULL);
        gather = *below_vfs;
        gather.zName = "gather";
        gather.szOsFile = (int)sizeof(struct log_file) + below_vfs->szOsFile;
        gather.xOpen = on_open;
        sqlite3_vfs_register(&gather, 0);
    }
    return gather.zName;
}

static sqlite3_file *below(struct log_file *log)
{
    return (sqlite3_file *)(log + 1);
}

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                   int *out_flags)
{
    struct log_file *log = (struct log_file *)file;

    (void)vfs;
    if (!(flags & SQLITE_OPEN_WAL))
        return below_vfs->xOpen(below_vfs, path, file, flags, out_flags);

    *log = (struct log_file){ 0 };
    int rc = below_vfs->xOpen(below_vfs, path, below(log), flags, out_flags);
    log->base.pMethods = below(log)->pMethods ? &METHODS : NULL;
    return rc;
}

/* Hand on what is gathered. What can't be written is dropped: its commit has failed. */
static int flush(struct log_file *log)
{
    size_t len = log->len;

    log->len = 0;
    if (len == 0)
        return SQLITE_OK;
    return below(log)->pMethods->xWrite(below(log), log->gathered, (int)len, log->at);
}

static int on_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    struct log_file *log = (struct log_file *)file;
    size_t more = (size_t)len;
    int rc = SQLITE_OK;

    if (at != log->at + (sqlite3_int64)log->len || more > GATHERED_MAX - log->len)
        rc = flush(log);
    if (rc != SQLITE_OK)
        return rc;
    if (more > GATHERED_MAX)
        return below(log)->pMethods->xWrite(below(log), from, len, at);

    if (!log->gathered)
        log->gathered = xcalloc(GATHERED_MAX, 1);
    if (log->len == 0)
        log->at = at;
    memcpy(log->gathered + log->len, from, more);
    log->len += more;
    return SQLITE_OK;
}

static int on_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    struct log_file *log = (struct log_file *)file;
    int rc = flush(log);

    return rc ? rc : below(log)->pMethods->xRead(below(log), to, len, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 len)
{
    struct log_file *log = (struct log_file *)file;
    int rc = flush(log);

    return rc ? rc : below(log)->pMethods->xTruncate(below(log), len);
}

static int on_sync(sqlite3_file *file, int flags)
{
    struct log_file *log = (struct log_file *)file;
    int rc = flush(log);

    return rc ? rc : below(log)->pMethods->xSync(below(log), flags);
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    struct log_file *log = (struct log_file *)file;
    int rc = flush(log);

    return rc ? rc : below(log)->pMethods->xFileSize(below(log), out);
}

static int on_control(sqlite3_file *file, int what, void *arg)
{
    struct log_file *log = (struct log_file *)file;
    int rc = flush(log);

    return rc ? rc : below(log)->pMethods->xFileControl(below(log), what, arg);
}

static int on_sector_size(sqlite3_file *file)
{
    struct log_file *log = (struct log_file *)file;

    return below(log)->pMethods->xSectorSize(below(log));
}

static int on_characteristics(sqlite3_file *file)
{
    struct log_file *log = (struct log_file *)file;

    return below(log)->pMethods->xDeviceCharacteristics(below(log));
}

static int on_close(sqlite3_file *file)
{
    struct log_file *log = (struct log_file *)file;

    free(log->gathered);
    return below(log)->pMethods->xClose(below(log));
}
