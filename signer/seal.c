#include "signer/seal.h"

#include <string.h>

void seal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                 const struct secret *secret, struct bytes *out)
{
    keyring_seal(keyring, SEAL_SECRET, &endpoint->application, &endpoint->base.id,
                 secret->bytes, secret->len, out);
}

enum err unseal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                       const struct bytes *sealed, struct secret *out)
{
    struct bytes plain;
    enum err err = keyring_unseal(keyring, SEAL_SECRET, &endpoint->application,
                                  &endpoint->base.id, sealed, &plain);

    if (err)
        return err;
    if (plain.len == 0 || plain.len > SECRET_LEN_MAX) {
        err = ERR_CORRUPT;
    } else {
        memcpy(out->bytes, plain.data, plain.len);
        out->len = plain.len;
    }
    keyring_wipe(&plain);
    return err;
}

void seal_headers(const struct keyring *keyring, struct endpoint *endpoint, const char *headers)
{
    bytes_fini(&endpoint->sealed_headers);
    if (headers)
        keyring_seal(keyring, SEAL_HEADERS, &endpoint->application, &endpoint->base.id, headers,
                     strlen(headers), &endpoint->sealed_headers);
}

enum err unseal_headers(const struct keyring *keyring, const struct endpoint *endpoint,
                        struct bytes *out)
{
    if (endpoint->sealed_headers.len == 0) {
        *out = (struct bytes){ 0 };
        return ERR_OK;
    }
    return keyring_unseal(keyring, SEAL_HEADERS, &endpoint->application, &endpoint->base.id,
                          &endpoint->sealed_headers, out);
}
