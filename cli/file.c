#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"

#define READ_STEP 65536

enum err file_read(const char *path, struct buf *out)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    const char *name = is_stdin ? "stdin" : path;
    uint8_t step[READ_STEP];
    enum err err = ERR_OK;
    ssize_t got = -1;

    while (fd >= 0 && !err && (got = read(fd, step, sizeof step)) > 0)
        err = buf_append(out, step, (size_t)got);
    if (err)
        say("%s: too large", name);
    else if (got < 0) {
        say("%s: %s", name, strerror(errno));
        err = ERR_IO;
    }
    if (fd > STDIN_FILENO)
        close(fd);
    return err;
}

/* False with errno. */
static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t wrote = write(fd, text, len);

        if (wrote < 0)
            return false;
        text += wrote;
        len -= (size_t)wrote;
    }
    return fsync(fd) == 0;
}

/* Make a file that isn't there. 0, or an errno and there is none. */
static int write_new(const char *path, mode_t mode, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    int why = fd >= 0 && write_all(fd, text, strlen(text)) ? 0 : errno;

    if (fd < 0)
        return why;
    if (close(fd) != 0 && why == 0)
        why = errno;
    if (why)
        unlink(path);
    return why;
}

/* So that a change of a name in it lasts. 0, or an errno. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    if (len >= sizeof folder)
        return ENAMETOOLONG;
    memcpy(folder, path, len);
    folder[len] = '\0';
    int fd = open(len > 0 ? folder : slash ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int why = fd >= 0 && fsync(fd) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    return why;
}

/* Written beside `path` and then put there by `put`, whole, so that who reads it meanwhile sees all of
 * it or none. */
static enum err put_whole(const char *path, mode_t mode, const char *text,
                          int (*put)(const char *from, const char *to))
{
    char beside[PATH_MAX];

    if (snprintf(beside, sizeof beside, "%s.%ld.new", path, (long)getpid()) >=
        (int)sizeof beside) {
        say("%s: too long a path", path);
        return ERR_IO;
    }
    unlink(beside); /* of one that was interrupted */
    int why = write_new(beside, mode, text);
    if (!why && put(beside, path) != 0)
        why = errno;
    unlink(beside);
    if (!why)
        why = sync_folder(path);
    if (!why)
        return ERR_OK;
    say("%s: %s", path, why == EEXIST ? "is there already, left as it is" : strerror(why));
    return why == EEXIST ? ERR_IN_USE : ERR_IO;
}

enum err file_create(const char *path, mode_t mode, const char *text)
{
    return put_whole(path, mode, text, link);
}

enum err file_replace(const char *path, mode_t mode, const char *text)
{
    return put_whole(path, mode, text, rename);
}

/* Behind a call that gave 0, or -1 and errno. */
static enum err settle(const char *path, int rc)
{
    int why = rc == 0 ? sync_folder(path) : errno;

    if (!why)
        return ERR_OK;
    say("%s: %s", path, strerror(why));
    return ERR_IO;
}

enum err file_rename(const char *from, const char *path)
{
    return settle(path, rename(from, path));
}

enum err file_remove(const char *path)
{
    return settle(path, unlink(path));
}
