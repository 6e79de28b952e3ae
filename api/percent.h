/* Percent: %XX in paths and query strings (RFC 3986, section 2.1), decoded. Pure. */
#ifndef API_PERCENT_H
#define API_PERCENT_H

#include <stddef.h>

#include "core/err.h"

enum percent_place {
    PERCENT_PATH,
    PERCENT_QUERY, /* '+' is a space, as forms write it */
};

/* Write the text behind `len` bytes and a NUL into `out`. ERR_INVALID: a % without two hex
 * digits, or a NUL; ERR_LIMIT: more than `room` bytes with the NUL. */
MUST_USE enum err percent_decode(const char *text, size_t len, enum percent_place place,
                                 char *out, size_t room);

#endif
