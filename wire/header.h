/* Header: the parts of a header field. Pure. */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* The bytes of the token that `text` begins with (RFC 9110, section 5.6.2), 0 if it doesn't. A
 * name is one token and nothing else. */
size_t header_name_length(const char *text);

/* What may stand around a value, and doesn't belong to it. */
static inline bool header_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

#endif
