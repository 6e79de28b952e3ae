#include "core/sealed.h"

#include <string.h>

#include "core/big_endian.h"

uint32_t sealed_key(const struct bytes *sealed)
{
    if (sealed->len < SEALED_HEAD_LEN || sealed->data[0] != SEALED_NAMED)
        return 0;
    return (uint32_t)big_endian_get(sealed->data + 1, SEALED_KEY_LEN);
}

bool sealed_key_of(const struct endpoint *endpoint, uint32_t *out_key)
{
    bool has_headers = endpoint->sealed_headers.len > 0;
    const struct bytes *first =
        has_headers ? &endpoint->sealed_headers : &endpoint->secrets[0].sealed;

    if (!has_headers && endpoint->secret_count == 0)
        return false;
    *out_key = sealed_key(first);
    for (size_t i = 0; i < endpoint->secret_count; i++)
        if (sealed_key(&endpoint->secrets[i].sealed) != *out_key)
            *out_key = 0;
    return true;
}

void sealed_drop(struct endpoint *endpoint)
{
    bytes_fini(&endpoint->sealed_headers);
    for (size_t i = 0; i < endpoint->secret_count; i++)
        bytes_fini(&endpoint->secrets[i].sealed);
    memset(endpoint->secrets, 0, sizeof endpoint->secrets);
    endpoint->secret_count = 0;
}
