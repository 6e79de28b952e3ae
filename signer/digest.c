#include "signer/digest.h"

#include <string.h>

#include <openssl/evp.h>

#include "core/mem.h"
#include "core/require.h"

struct digest {
    EVP_MD *sha256; /* fetched once: a look-up by name costs more than the hash */
    EVP_MD_CTX *ctx;
};

struct digest *digest_new(void)
{
    struct digest *digest = xcalloc(1, sizeof *digest);

    digest->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest->ctx = EVP_MD_CTX_new();
    require(digest->sha256 != NULL && digest->ctx != NULL);
    return digest;
}

void digest_free(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->ctx);
    EVP_MD_free(digest->sha256);
    free(digest);
}

void digest_texts(struct digest *digest, const char *const *texts, size_t count,
                  uint8_t out[DIGEST_LEN])
{
    require(EVP_DigestInit_ex2(digest->ctx, digest->sha256, NULL) == 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t len = strlen(texts[i]);
        require(EVP_DigestUpdate(digest->ctx, &len, sizeof len) == 1);
        require(EVP_DigestUpdate(digest->ctx, texts[i], len) == 1);
    }
    require(EVP_DigestFinal_ex(digest->ctx, out, NULL) == 1);
}

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_LEN])
{
    require(EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1);
}
