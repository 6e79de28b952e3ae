#include "core/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
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
    case EISDIR:
        return ERR_FOLDER;
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

static bool ends_in(const char *name, const char *suffix)
{
    size_t len = strlen(name), suffix_len = strlen(suffix);

    return len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum err file_list(const char *path, const char *suffix, struct text_list *out)
{
    DIR *folder = opendir(path);
    size_t first = out->count;
    struct dirent *entry;

    if (!folder)
        return from_errno(errno);
    errno = 0;
    while (out->count - first <= FILE_NAMES_MAX && (entry = readdir(folder)))
        if (entry->d_name[0] != '.' && ends_in(entry->d_name, suffix))
            text_list_add(out, entry->d_name, strlen(entry->d_name));
    enum err err = errno ? from_errno(errno) : ERR_OK;
    closedir(folder);
    if (!err && out->count - first > FILE_NAMES_MAX)
        err = ERR_LIMIT;
    if (out->count > first)
        qsort(out->items + first, out->count - first, sizeof *out->items, compare);
    return err;
}
