#include "lab/environment.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/say.h"
#include "core/buf.h"
#include "core/mem.h"
#include "lab/folder.h"

#define PREFIX       "POSTHASTE_"
#define VARIABLE_MAX (64u << 10) /* bytes of PATH */
#define BIN          "/bin"
#define PROGRAM      BIN "/posthaste"
#define PROGRAM_MAX  (FOLDER_PATH_MAX + sizeof PROGRAM)

/* What is left moves up, so the same place is looked at again. */
static void forget_settings(void)
{
    char **variable = environ;

    while (variable && *variable) {
        if (strncmp(*variable, PREFIX, strlen(PREFIX)) != 0) {
            variable++;
            continue;
        }
        char *name = xmemdup(*variable, strcspn(*variable, "="));
        unsetenv(name);
        free(name);
    }
}

static bool link_program(const char *folder)
{
    char self[PATH_MAX], path[PROGRAM_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    if (len < 0)
        return false;
    self[len] = '\0';
    snprintf(path, sizeof path, "%s" BIN, folder);
    if (mkdir(path, 0700) != 0)
        return false;
    snprintf(path, sizeof path, "%s" PROGRAM, folder);
    return symlink(self, path) == 0;
}

static bool set_path(const char *folder)
{
    struct buf path = BUF_INIT(VARIABLE_MAX);
    const char *before = getenv("PATH");
    bool set = buf_printf(&path, "%s" BIN "%s%s", folder, before ? ":" : "",
                          before ? before : "") == ERR_OK &&
               setenv("PATH", buf_text(&path), 1) == 0;

    buf_fini(&path);
    return set;
}

bool environment_set(const char *folder)
{
    forget_settings();
    if (link_program(folder) && set_path(folder))
        return true;
    say("%s" PROGRAM ": %s", folder, strerror(errno));
    return false;
}
