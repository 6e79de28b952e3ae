#include "core/number.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WHOLE_DIGITS_MAX    3
#define FRACTION_DIGITS_MAX 9
#define MILLIONTHS          1000000 /* of a degree */

bool number_parse(const char *text, uint32_t least, uint32_t most, uint32_t *out)
{
    uint64_t value = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value > most)
            return false;
    }
    if (value < least)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* The digits that `*text` begins with, taken off it; `scale` is what one more digit multiplies. */
static size_t take_digits(const char **text, double *value, double *scale)
{
    size_t count = 0;

    for (; isdigit((unsigned char)**text); (*text)++, count++) {
        *value = *value * 10 + (**text - '0');
        *scale *= 10;
    }
    return count;
}

bool number_parse_degrees(const char *text, double most, double *out)
{
    bool negative = *text == '-';
    double value = 0, scale = 1;

    text += negative;
    size_t whole = take_digits(&text, &value, &scale);
    if (whole == 0 || whole > WHOLE_DIGITS_MAX)
        return false;
    scale = 1;
    if (*text == '.') {
        text++;
        size_t fraction = take_digits(&text, &value, &scale);
        if (fraction == 0 || fraction > FRACTION_DIGITS_MAX)
            return false;
    }
    value /= scale;
    if (*text || value > most)
        return false;
    *out = negative ? -value : value;
    return true;
}

void number_format_degrees(double degrees, char out[NUMBER_DEGREES_MAX])
{
    int64_t millionths = llround(fabs(degrees) * MILLIONTHS);
    int len = snprintf(out, NUMBER_DEGREES_MAX, "%s%" PRId64 ".%06" PRId64,
                       degrees < 0 && millionths > 0 ? "-" : "", millionths / MILLIONTHS,
                       millionths % MILLIONTHS);

    while (out[len - 1] == '0')
        out[--len] = '\0';
    if (out[len - 1] == '.')
        out[--len] = '\0';
}
