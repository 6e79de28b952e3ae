#include "core/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ms(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct now clock_now(void)
{
    return (struct now){
        .mono_ms = read_ms(CLOCK_MONOTONIC),
        .wall_ms = read_ms(CLOCK_REALTIME),
    };
}

void clock_format(uint64_t wall_ms, char out[CLOCK_TEXT_MAX])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    char whole[CLOCK_TEXT_MAX - 6];

    gmtime_r(&seconds, &tm);
    strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out, CLOCK_TEXT_MAX, "%s.%03uZ", whole, (unsigned)(wall_ms % 1000));
}
