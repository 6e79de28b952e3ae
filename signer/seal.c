#include "signer/seal.h"

#include <assert.h>
#include <string.h>

#include "core/sealed.h"

/* Before a key pair: together they are longer than any secret for HMAC, which stands alone. */
#define PAIR_TAG     "ed25519 key pair"
#define PAIR_TAG_LEN (sizeof PAIR_TAG - 1)
static_assert(PAIR_TAG_LEN + ED25519_PAIR_LEN > SECRET_LEN_MAX, "a pair is told by its length");

void seal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                 const struct secret *secret, struct bytes *out)
{
    uint8_t plain[PAIR_TAG_LEN + ED25519_PAIR_LEN];
    bool is_pair = secret->scheme == SECRET_ED25519;
    size_t tag_len = is_pair ? PAIR_TAG_LEN : 0;

    assert(secret_signs(secret));
    memcpy(plain, PAIR_TAG, tag_len);
    memcpy(plain + tag_len, secret->bytes, secret->len);
    keyring_seal(keyring, SEAL_SECRET, &endpoint->application, &endpoint->base.id, plain,
                 tag_len + secret->len, out);
    explicit_bzero(plain, sizeof plain);
}

static enum err read_plain(const struct bytes *plain, struct secret *out)
{
    bool is_pair = plain->len == PAIR_TAG_LEN + ED25519_PAIR_LEN &&
                   memcmp(plain->data, PAIR_TAG, PAIR_TAG_LEN) == 0;
    size_t tag_len = is_pair ? PAIR_TAG_LEN : 0;

    if (plain->len == 0 || plain->len - tag_len > SECRET_LEN_MAX)
        return ERR_CORRUPT;
    out->scheme = is_pair ? SECRET_ED25519 : SECRET_HMAC;
    out->len = plain->len - tag_len;
    memcpy(out->bytes, plain->data + tag_len, out->len);
    return ERR_OK;
}

enum err unseal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                       const struct bytes *sealed, struct secret *out)
{
    struct bytes plain;
    enum err err = keyring_unseal(keyring, SEAL_SECRET, &endpoint->application,
                                  &endpoint->base.id, sealed, &plain);

    if (err)
        return err;
    err = read_plain(&plain, out);
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

/* False: it doesn't open. */
static bool seal_value_again(const struct keyring *keyring, enum seal_use use,
                             const struct endpoint *endpoint, struct bytes *sealed)
{
    struct bytes plain;

    if (sealed_key(sealed) == keyring_newest(keyring))
        return true;
    if (keyring_unseal(keyring, use, &endpoint->application, &endpoint->base.id, sealed,
                       &plain) != ERR_OK)
        return false;
    bytes_fini(sealed);
    keyring_seal(keyring, use, &endpoint->application, &endpoint->base.id, plain.data,
                 plain.len, sealed);
    keyring_wipe(&plain);
    return true;
}

size_t seal_again(const struct keyring *keyring, struct endpoint *endpoint)
{
    size_t failed = 0;

    for (size_t i = 0; i < endpoint->secret_count; i++)
        failed +=
            !seal_value_again(keyring, SEAL_SECRET, endpoint, &endpoint->secrets[i].sealed);
    if (endpoint->sealed_headers.len > 0)
        failed += !seal_value_again(keyring, SEAL_HEADERS, endpoint, &endpoint->sealed_headers);
    return failed;
}
