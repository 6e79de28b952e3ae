#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err from_errno(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_IO;
    }
}

static enum err read_all(int fd, struct buf *out)
{
    uint8_t chunk[4096];
    enum err err = ERR_OK;
    ssize_t got;

    do {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            err = buf_append(out, chunk, (size_t)got);
    } while (!err && (got > 0 || (got < 0 && errno == EINTR)));
    if (got < 0)
        err = from_errno(errno);
    explicit_bzero(chunk, sizeof chunk); /* it may have been a key */
    return err;
}

enum err file_read_all(const char *path, struct buf *out, mode_t *out_mode)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return from_errno(errno);
    enum err err = fstat(fd, &status) == 0 ? ERR_OK : from_errno(errno);
    if (!err)
        err = read_all(fd, out);
    close(fd);
    if (!err && out_mode)
        *out_mode = status.st_mode;
    return err;
}
