/* Number: decimal text as a number and back, alike in every locale. Pure. */
#ifndef CORE_NUMBER_H
#define CORE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Digits only: no sign, no unit, no other base. False: not that, or not from `least` to `most`. */
bool number_parse(const char *text, uint32_t least, uint32_t most, uint32_t *out);

/* Degrees: "-77.45"; at most nine digits behind the point. False: not that, or beyond `most` in
 * either direction. */
bool number_parse_degrees(const char *text, double most, double *out);

/* With at most six digits behind the point, which is a decimetre. */
#define NUMBER_DEGREES_MAX 16
void number_format_degrees(double degrees, char out[NUMBER_DEGREES_MAX]);

#endif
