#include "tests/lib/faulty_disk.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include <sqlite3.h>

/* The real file lies behind it. */
struct faulty_file {
    sqlite3_file base;
};

static sqlite3_vfs faulty;
static sqlite3_vfs *real;
static enum disk_fault fault;
static unsigned left; /* writes or fsyncs that still work */
static unsigned writes, reads;

void faulty_disk_set(enum disk_fault next, unsigned after)
{
    fault = next;
    left = after;
}

unsigned faulty_disk_writes(void)
{
    return writes;
}

unsigned faulty_disk_reads(void)
{
    return reads;
}

/* Whether it is this call that goes wrong. */
static bool strikes(enum disk_fault kind)
{
    return fault == kind && left-- == 0;
}

static sqlite3_file *below(sqlite3_file *file)
{
    return (sqlite3_file *)((struct faulty_file *)file + 1);
}

static int do_close(sqlite3_file *file)
{
    return below(file)->pMethods->xClose(below(file));
}

static int do_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
    reads++;
    return below(file)->pMethods->xRead(below(file), to, len, at);
}

static int do_write(sqlite3_file *file, const void *from, int len, sqlite3_int64 at)
{
    writes++;
    if (fault == DISK_FULL && left == 0)
        return SQLITE_FULL;
    if (fault == DISK_FULL)
        left--;
    if (strikes(DISK_WRITE_FAILS))
        return SQLITE_IOERR_WRITE;
    if (strikes(DISK_WRITE_KILLS))
        _exit(DISK_KILLED);
    return below(file)->pMethods->xWrite(below(file), from, len, at);
}

static int do_truncate(sqlite3_file *file, sqlite3_int64 len)
{
    return below(file)->pMethods->xTruncate(below(file), len);
}

static int do_sync(sqlite3_file *file, int flags)
{
    if (strikes(DISK_SYNC_FAILS))
        return SQLITE_IOERR_FSYNC;
    return below(file)->pMethods->xSync(below(file), flags);
}

static int do_file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return below(file)->pMethods->xFileSize(below(file), out);
}

static int do_lock(sqlite3_file *file, int kind)
{
    return below(file)->pMethods->xLock(below(file), kind);
}

static int do_unlock(sqlite3_file *file, int kind)
{
    return below(file)->pMethods->xUnlock(below(file), kind);
}

static int do_check_lock(sqlite3_file *file, int *out)
{
    return below(file)->pMethods->xCheckReservedLock(below(file), out);
}

static int do_control(sqlite3_file *file, int what, void *arg)
{
    return below(file)->pMethods->xFileControl(below(file), what, arg);
}

static int do_sector_size(sqlite3_file *file)
{
    return below(file)->pMethods->xSectorSize(below(file));
}

static int do_characteristics(sqlite3_file *file)
{
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

static int do_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return below(file)->pMethods->xShmMap(below(file), page, size, extend, out);
}

static int do_shm_lock(sqlite3_file *file, int at, int count, int flags)
{
    return below(file)->pMethods->xShmLock(below(file), at, count, flags);
}

static void do_shm_barrier(sqlite3_file *file)
{
    below(file)->pMethods->xShmBarrier(below(file));
}

static int do_shm_unmap(sqlite3_file *file, int remove)
{
    return below(file)->pMethods->xShmUnmap(below(file), remove);
}

/* Version 2: with shared memory, without memory-mapped reads. */
static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = do_close,
    .xRead = do_read,
    .xWrite = do_write,
    .xTruncate = do_truncate,
    .xSync = do_sync,
    .xFileSize = do_file_size,
    .xLock = do_lock,
    .xUnlock = do_unlock,
    .xCheckReservedLock = do_check_lock,
    .xFileControl = do_control,
    .xSectorSize = do_sector_size,
    .xDeviceCharacteristics = do_characteristics,
    .xShmMap = do_shm_map,
    .xShmLock = do_shm_lock,
    .xShmBarrier = do_shm_barrier,
    .xShmUnmap = do_shm_unmap,
};

static int do_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags,
                   int *out_flags)
{
    (void)vfs;
    int rc = real->xOpen(real, path, below(file), flags, out_flags);

    file->pMethods = rc == SQLITE_OK ? &METHODS : NULL;
    return rc;
}

void faulty_disk_install(void)
{
    if (real)
        return;
    real = sqlite3_vfs_find(NULL);
    faulty = *real;
    faulty.zName = "faulty";
    faulty.szOsFile = (int)sizeof(struct faulty_file) + real->szOsFile;
    faulty.xOpen = do_open;
    int rc = sqlite3_vfs_register(&faulty, 1);
    assert(rc == SQLITE_OK);
    (void)rc;
}
