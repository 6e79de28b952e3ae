#include "wire/address.h"

#include <arpa/inet.h>
#include <string.h>

bool address_parse(const char *host, union address *out)
{
    char text[ADDRESS_TEXT_MAX];
    size_t len = strlen(host);

    *out = (union address){ 0 };
    if (inet_pton(AF_INET, host, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        return true;
    }
    if (len < 2 || len - 2 >= sizeof text || host[0] != '[' || host[len - 1] != ']')
        return false;
    memcpy(text, host + 1, len - 2);
    text[len - 2] = 0;
    out->v6.sin6_family = AF_INET6;
    return inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1;
}

bool address_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET)
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
    return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof a->v6.sin6_addr) == 0 &&
           a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

void address_format(const union address *address, char out[ADDRESS_TEXT_MAX])
{
    const void *bytes = address->any.sa_family == AF_INET
                            ? (const void *)&address->v4.sin_addr
                            : (const void *)&address->v6.sin6_addr;

    if (!inet_ntop(address->any.sa_family, bytes, out, ADDRESS_TEXT_MAX))
        out[0] = 0;
}
