/* Address: of a host, IPv4 or IPv6.
 *
 * Pure. */
#ifndef WIRE_ADDRESS_H
#define WIRE_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>

#include "core/err.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* True, and the address, if `host` is one: "10.0.0.1" or "[::1]". */
MUST_USE bool address_parse(const char *host, union address *out);

bool address_equal(const union address *a, const union address *b);

#define ADDRESS_TEXT_MAX 46
void address_format(const union address *address, char out[ADDRESS_TEXT_MAX]);

#endif
