#include "signer/derive.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "core/require.h"

void derive(const uint8_t *root, size_t root_len, const void *purpose, size_t purpose_len,
            uint8_t *out, size_t len)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)root, root_len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)purpose, purpose_len),
        OSSL_PARAM_END,
    };
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);

    require(hkdf != NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf);
    require(ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(hkdf);
}
