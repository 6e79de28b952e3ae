#include "cli/duration.h"

#include <errno.h>
#include <stdlib.h>

/* 0 for what isn't a unit. */
static uint64_t unit_seconds(const char *unit)
{
    if (unit[0] == '\0')
        return 1;
    if (unit[1] != '\0')
        return 0;
    switch (unit[0]) {
    case 's':
        return 1;
    case 'm':
        return 60;
    case 'h':
        return 3600;
    case 'd':
        return 86400;
    case 'w':
        return 7 * 86400;
    default:
        return 0;
    }
}

bool duration_parse(const char *text, uint64_t *out_s)
{
    char *unit;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    unsigned long long count = strtoull(text, &unit, 10);
    uint64_t seconds = unit_seconds(unit);
    if (errno != 0 || seconds == 0 || count == 0 || count > DURATION_MAX_S / seconds)
        return false;
    *out_s = count * seconds;
    return true;
}
