/* Directory: ours alone, readable by us alone. */
#include "store/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"

#define LOCK_FILE      "lock"
#define DIRECTORY_MODE 0700
#define FILE_MODE      0600

static enum err from_errno(const char *path, const char *doing)
{
    int reason = errno;

    log_event(LOG_ERROR, "directory_failed", LOG_STR("path", path), LOG_STR("doing", doing),
              LOG_STR("reason", strerror(reason)));
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case EIO:
        return ERR_IO;
    default:
        return ERR_DENIED;
    }
}

/* It may be meant, for a group that makes backups, so it stays as it is. */
static void warn_if_open_to_others(int fd, const char *dir, const char *name)
{
    struct stat status;

    if (fstat(fd, &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)))
        log_event(LOG_WARN, "open_to_others", LOG_STR("path", dir), LOG_STR("name", name),
                  LOG_STR("reason", "others than its owner have access"));
}

/* SQLite gives a file that it makes the umask's mode, and its log the mode of the file: so an
 * empty file with ours is there before. */
static enum err make_file(int dir_fd, const char *dir, const char *name)
{
    int fd = openat(dir_fd, name, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return from_errno(dir, name);
    warn_if_open_to_others(fd, dir, name);
    close(fd);
    return ERR_OK;
}

static enum err lock_directory(int dir_fd, const char *dir, int *out_lock)
{
    int fd = openat(dir_fd, LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);

    if (fd < 0)
        return from_errno(dir, LOCK_FILE);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        *out_lock = fd;
        return ERR_OK;
    }

    enum err err = ERR_IN_USE;
    if (errno == EWOULDBLOCK)
        log_event(LOG_ERROR, "directory_in_use", LOG_STR("path", dir),
                  LOG_STR("reason", err_text(ERR_IN_USE)));
    else
        err = from_errno(dir, LOCK_FILE);
    close(fd);
    return err;
}

/* A file is durable when its directory's entry for it is. */
static enum err sync_directory(int dir_fd, const char *dir)
{
    return fsync(dir_fd) == 0 ? ERR_OK : from_errno(dir, "sync");
}

static enum err sync_parent(int dir_fd, const char *dir)
{
    int parent = openat(dir_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (parent < 0)
        return from_errno(dir, "open its parent");
    enum err err = sync_directory(parent, dir);
    close(parent);
    return err;
}

enum err sqlite_directory_open(const char *dir, int *out_lock)
{
    int lock = -1, dir_fd;
    bool made = mkdir(dir, DIRECTORY_MODE) == 0;
    enum err err;

    if (!made && errno != EEXIST)
        return from_errno(dir, "make");
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return from_errno(dir, "open");

    err = lock_directory(dir_fd, dir, &lock);
    if (!err)
        warn_if_open_to_others(dir_fd, dir, ".");
    for (int file = 0; !err && file < BACKEND_FILES; file++)
        err = make_file(dir_fd, dir, sqlite_files[file]);
    if (!err)
        err = sync_directory(dir_fd, dir);
    if (!err && made)
        err = sync_parent(dir_fd, dir);
    close(dir_fd);

    if (err && lock >= 0)
        close(lock);
    if (!err)
        *out_lock = lock;
    return err;
}
