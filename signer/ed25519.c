#include "signer/ed25519.h"

#include <string.h>

#include <openssl/evp.h>

#include "core/require.h"

static EVP_PKEY *private_key(const uint8_t *seed)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_SEED_LEN);

    require(key != NULL);
    return key;
}

bool ed25519_pair_is_one(const uint8_t pair[ED25519_PAIR_LEN])
{
    uint8_t public_key[ED25519_PUBLIC_LEN];
    size_t len = sizeof public_key;
    EVP_PKEY *key = private_key(pair);

    require(EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1);
    EVP_PKEY_free(key);
    return memcmp(public_key, pair + ED25519_SEED_LEN, sizeof public_key) == 0;
}

void ed25519_sign(const uint8_t pair[ED25519_PAIR_LEN], const void *text, size_t len,
                  uint8_t out[ED25519_SIGNATURE_LEN])
{
    EVP_PKEY *key = private_key(pair);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t signature_len = ED25519_SIGNATURE_LEN;

    require(ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1);
    require(EVP_DigestSign(ctx, out, &signature_len, text, len) == 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
}

bool ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_LEN], const void *text, size_t len,
                    const uint8_t signature[ED25519_SIGNATURE_LEN])
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_PUBLIC_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    require(key && ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1);
    bool fits = EVP_DigestVerify(ctx, signature, ED25519_SIGNATURE_LEN, text, len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return fits;
}
