#include "lab/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"

#define LOCK_NAME       "lab.lock"
#define WALK_FILES      16 /* descriptors */
#define LOCK_PATH_MAX   (FOLDER_PATH_MAX + sizeof LOCK_NAME)
#define OTHERS_ANYTHING 077

enum err folder_path(const char *dir, char out[FOLDER_PATH_MAX])
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char here[PATH_MAX] = "";
    int len;

    if (dir && dir[0] != '/' && !getcwd(here, sizeof here)) {
        say("--dir: %s", strerror(errno));
        return ERR_IO;
    }
    if (dir)
        len = snprintf(out, FOLDER_PATH_MAX, "%s%s%s", here, dir[0] == '/' ? "" : "/", dir);
    else if (runtime && runtime[0] == '/')
        len = snprintf(out, FOLDER_PATH_MAX, "%s/posthaste-lab", runtime);
    else
        len = snprintf(out, FOLDER_PATH_MAX, "/tmp/posthaste-lab-%u", (unsigned)getuid());
    if (len < FOLDER_PATH_MAX)
        return ERR_OK;
    say("%s: a lab's path has at most %d bytes (see --dir)", dir ? dir : runtime,
        FOLDER_PATH_MAX - 1);
    return ERR_LIMIT;
}

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *position)
{
    (void)status;
    (void)kind;
    /* The lock goes last. */
    if (position->level == 0 || strcmp(path + position->base, LOCK_NAME) == 0)
        return 0;
    return remove(path);
}

static bool remove_content(const char *path)
{
    return nftw(path, remove_entry, WALK_FILES, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0;
}

/* Ours, and no link of somebody else's to somewhere else. */
static bool is_ours(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & OTHERS_ANYTHING) == 0;
}

static enum err lock(const char *path, bool made, int *out)
{
    char name[LOCK_PATH_MAX];

    snprintf(name, sizeof name, "%s/%s", path, LOCK_NAME);
    int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (made ? O_CREAT | O_EXCL : 0), 0600);
    if (fd < 0) {
        say("%s: is there and isn't a lab's", path);
        return ERR_CONFLICT;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        say("%s: a lab runs there", path);
        close(fd);
        return ERR_IN_USE;
    }
    *out = fd;
    return ERR_OK;
}

enum err folder_open(const char *path, int *out_lock)
{
    bool made = mkdir(path, 0700) == 0;

    if (!made && errno != EEXIST) {
        say("%s: %s", path, strerror(errno));
        return ERR_IO;
    }
    if (!is_ours(path)) {
        say("%s: is not a folder that only you have access to", path);
        return ERR_DENIED;
    }
    enum err err = lock(path, made, out_lock);
    if (!err && !remove_content(path)) {
        say("%s: %s", path, strerror(errno));
        close(*out_lock);
        return ERR_IO;
    }
    return err;
}

void folder_close(const char *path, int lock)
{
    char name[LOCK_PATH_MAX];

    snprintf(name, sizeof name, "%s/%s", path, LOCK_NAME);
    if (!remove_content(path) || unlink(name) != 0 || rmdir(path) != 0)
        say("%s: %s", path, strerror(errno));
    close(lock);
}
