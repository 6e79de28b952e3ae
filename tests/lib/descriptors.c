#include "tests/lib/descriptors.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit usual;

unsigned descriptors_open(void)
{
    DIR *directory = opendir("/proc/self/fd");
    unsigned count = 0;

    if (!directory)
        abort();
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

void descriptors_withhold(void)
{
    int lowest = dup(STDIN_FILENO);

    close(lowest);
    getrlimit(RLIMIT_NOFILE, &usual);
    struct rlimit none = { .rlim_cur = (rlim_t)lowest, .rlim_max = usual.rlim_max };
    if (lowest < 0 || setrlimit(RLIMIT_NOFILE, &none) != 0)
        abort();
}

void descriptors_give_back(void)
{
    if (setrlimit(RLIMIT_NOFILE, &usual) != 0)
        abort();
}
