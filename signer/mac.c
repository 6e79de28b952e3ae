#include "signer/mac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "core/mem.h"
#include "core/require.h"

struct mac {
    EVP_MAC_CTX *ctx;
};

struct mac *mac_new(void)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, sizeof digest - 1),
        OSSL_PARAM_END,
    };
    struct mac *mac = xcalloc(1, sizeof *mac);
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    require(hmac != NULL);
    mac->ctx = EVP_MAC_CTX_new(hmac);
    require(mac->ctx != NULL && EVP_MAC_CTX_set_params(mac->ctx, params) == 1);
    EVP_MAC_free(hmac);
    return mac;
}

void mac_free(struct mac *mac)
{
    if (!mac)
        return;
    EVP_MAC_CTX_free(mac->ctx);
    free(mac);
}

void mac_start(struct mac *mac, const uint8_t *key, size_t key_len)
{
    require(EVP_MAC_init(mac->ctx, key, key_len, NULL) == 1);
}

void mac_add(struct mac *mac, const void *bytes, size_t len)
{
    require(EVP_MAC_update(mac->ctx, bytes, len) == 1);
}

void mac_finish(struct mac *mac, uint8_t out[MAC_LEN])
{
    size_t len = 0;

    require(EVP_MAC_final(mac->ctx, out, &len, MAC_LEN) == 1 && len == MAC_LEN);
}

bool mac_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}
