/* Header: the name of a header field. Pure. */
#ifndef WIRE_HEADER_H
#define WIRE_HEADER_H

#include <stddef.h>

/* The bytes of the token that `text` begins with (RFC 9110, section 5.6.2), 0 if it doesn't. A
 * name is one token and nothing else. */
size_t header_name_length(const char *text);

#endif
