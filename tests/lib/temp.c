#include "tests/lib/temp.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int remove_entry(const char *path, const struct stat *status, int kind,
                        struct FTW *position)
{
    (void)status, (void)kind, (void)position;
    return remove(path);
}

void temp_make(char out[TEMP_PATH_MAX])
{
    const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    snprintf(out, TEMP_PATH_MAX, "%s/posthaste-test-XXXXXX", base);
    if (!mkdtemp(out)) {
        perror(out);
        abort();
    }
}

void temp_remove(const char *path)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0) {
        perror(path);
        abort();
    }
}
