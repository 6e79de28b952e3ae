#include "core/clock.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

uint64_t clock_wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
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

/* `count` digits as a number, within bounds; advances `*at`. */
static bool take_number(const char **at, int count, int least, int most, int *out)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if ((*at)[i] < '0' || (*at)[i] > '9')
            return false;
        value = value * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *out = value;
    return value >= least && value <= most;
}

static bool take_char(const char **at, const char *any)
{
    if (**at == 0 || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

/* "Z" or "+02:00", as minutes east. */
static bool take_offset(const char **at, int *out_minutes)
{
    int hours, minutes;
    bool west = **at == '-';

    *out_minutes = 0;
    if (take_char(at, "Zz"))
        return true;
    if (!take_char(at, "+-") || !take_number(at, 2, 0, 23, &hours) || !take_char(at, ":") ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *out_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

static bool take_fraction(const char **at, int *out_ms)
{
    int unit = 100;

    *out_ms = 0;
    if (!take_char(at, "."))
        return true;
    if (**at < '0' || **at > '9')
        return false;
    for (; **at >= '0' && **at <= '9'; (*at)++, unit /= 10)
        *out_ms += (**at - '0') * unit;
    return true;
}

/* Days from 1970-01-01 in the Gregorian calendar; a year begins in March here, so that the leap
 * day is its last. */
static int64_t days_since_1970(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return month == 2 && leap ? 29 : days[month - 1];
}

enum err clock_parse(const char *text, uint64_t *out_wall_ms)
{
    int year, month, day, hour, minute, second, ms, east_minutes;

    if (!take_number(&text, 4, 1970, 9999, &year) || !take_char(&text, "-") ||
        !take_number(&text, 2, 1, 12, &month) || !take_char(&text, "-") ||
        !take_number(&text, 2, 1, days_in_month(year, month), &day) ||
        !take_char(&text, "Tt ") || !take_number(&text, 2, 0, 23, &hour) ||
        !take_char(&text, ":") || !take_number(&text, 2, 0, 59, &minute) ||
        !take_char(&text, ":") || !take_number(&text, 2, 0, 60, &second) ||
        !take_fraction(&text, &ms) || !take_offset(&text, &east_minutes) || *text != 0)
        return ERR_INVALID;

    int64_t minutes = (days_since_1970(year, month, day) * 24 + hour) * 60 + minute;
    int64_t seconds = (minutes - east_minutes) * 60 + second;
    if (seconds < 0)
        return ERR_INVALID;
    *out_wall_ms = (uint64_t)seconds * 1000 + (uint64_t)ms;
    return ERR_OK;
}
