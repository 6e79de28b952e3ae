#include "wire/visitors.h"

#include <netinet/in.h>
#include <string.h>

#include "core/hash.h"
#include "core/mem.h"

struct visitor {
    struct in6_addr address; /* IPv4 as IPv6 maps it */
    unsigned connections;
    UT_hash_handle hh;
};

static struct in6_addr address_of(const struct sockaddr *address)
{
    struct in6_addr out = { .s6_addr = { [10] = 0xff, [11] = 0xff } };

    if (address->sa_family == AF_INET6)
        return ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
    memcpy(&out.s6_addr[12], &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    return out;
}

struct visitor *visitors_enter(struct visitors *v, const struct sockaddr *address)
{
    struct in6_addr key = address_of(address);
    struct visitor *visitor;

    HASH_FIND(hh, v->by_address, &key, sizeof key, visitor);
    if (!visitor) {
        visitor = xcalloc(1, sizeof *visitor);
        visitor->address = key;
        HASH_ADD(hh, v->by_address, address, sizeof key, visitor);
    }
    if (visitor->connections == v->most)
        return NULL;

    visitor->connections++;
    return visitor;
}

void visitors_leave(struct visitors *v, struct visitor *visitor)
{
    if (--visitor->connections > 0)
        return;

    HASH_DEL(v->by_address, visitor);
    free(visitor);
}
