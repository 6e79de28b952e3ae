#include "signer/sealer.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/require.h"
#include "signer/derive.h"

#define KEY_LEN 32

#define SEAL_FORMAT   1
#define NONCE_LEN     12
#define TAG_LEN       16
#define SEAL_OVERHEAD (1 + NONCE_LEN + TAG_LEN)

/* What a sealed text is bound to. */
#define PLACE_LEN (1 + 2 * ID_BYTES)

#define PURPOSE_LEN_MAX 64

static const char *const SEAL_PURPOSES[] = {
    [SEAL_SECRET] = "posthaste 1 seal endpoint secret",
    [SEAL_HEADERS] = "posthaste 1 seal endpoint headers",
    [SEAL_ANSWER] = "posthaste 1 seal answer",
};

#define SEAL_USES COUNT(SEAL_PURPOSES)

struct sealer {
    uint8_t keys[SEAL_USES][KEY_LEN];
    EVP_CIPHER *cipher; /* fetched once: a look-up by name costs more than a short text */
};

struct sealer *sealer_new(const uint8_t *root, size_t root_len, const void *context,
                          size_t context_len)
{
    struct sealer *sealer = xcalloc(1, sizeof *sealer);

    assert(context_len <= SEALER_CONTEXT_MAX);
    for (size_t use = 0; use < SEAL_USES; use++) {
        uint8_t purpose[PURPOSE_LEN_MAX + SEALER_CONTEXT_MAX];
        size_t len = strlen(SEAL_PURPOSES[use]);

        assert(len <= PURPOSE_LEN_MAX);
        memcpy(purpose, SEAL_PURPOSES[use], len);
        if (context_len > 0)
            memcpy(purpose + len, context, context_len);
        derive(root, root_len, purpose, len + context_len, sealer->keys[use], KEY_LEN);
    }
    sealer->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    require(sealer->cipher != NULL);
    return sealer;
}

struct sealer *sealer_copy(const struct sealer *from)
{
    struct sealer *sealer = xcalloc(1, sizeof *sealer);

    *sealer = *from;
    require(EVP_CIPHER_up_ref(sealer->cipher) == 1);
    return sealer;
}

void sealer_free(struct sealer *sealer)
{
    if (!sealer)
        return;
    EVP_CIPHER_free(sealer->cipher);
    OPENSSL_cleanse(sealer, sizeof *sealer);
    free(sealer);
}

static void make_place(enum seal_use use, const struct id *application,
                       const struct id *endpoint, uint8_t out[PLACE_LEN])
{
    out[0] = (uint8_t)use;
    memcpy(out + 1, application->bytes, ID_BYTES);
    memcpy(out + 1 + ID_BYTES, endpoint->bytes, ID_BYTES);
}

void sealer_seal(const struct sealer *sealer, enum seal_use use, const struct id *application,
                 const struct id *endpoint, const void *plain, size_t len, struct bytes *out)
{
    uint8_t place[PLACE_LEN];
    int done;

    require(len <= INT_MAX - SEAL_OVERHEAD);
    make_place(use, application, endpoint, place);
    struct bytes sealed = { xcalloc(1, len + SEAL_OVERHEAD), len + SEAL_OVERHEAD };
    uint8_t *nonce = sealed.data + 1, *text = nonce + NONCE_LEN, *tag = text + len;
    sealed.data[0] = SEAL_FORMAT;
    require(RAND_bytes(nonce, NONCE_LEN) == 1);

    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    require(ctx != NULL);
    require(EVP_EncryptInit_ex2(ctx, sealer->cipher, sealer->keys[use], nonce, NULL));
    require(EVP_EncryptUpdate(ctx, NULL, &done, place, PLACE_LEN));
    require(EVP_EncryptUpdate(ctx, text, &done, plain, (int)len));
    require(EVP_EncryptFinal_ex(ctx, tag, &done));
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag));
    EVP_CIPHER_CTX_free(ctx);
    *out = sealed;
}

enum err sealer_unseal(const struct sealer *sealer, enum seal_use use,
                       const struct id *application, const struct id *endpoint,
                       const struct bytes *sealed, struct bytes *out)
{
    uint8_t place[PLACE_LEN], tag[TAG_LEN];
    int done;

    if (sealed->len < SEAL_OVERHEAD || sealed->len > INT_MAX || sealed->data[0] != SEAL_FORMAT)
        return ERR_DENIED;
    make_place(use, application, endpoint, place);
    size_t len = sealed->len - SEAL_OVERHEAD;
    const uint8_t *nonce = sealed->data + 1, *text = nonce + NONCE_LEN;
    memcpy(tag, text + len, TAG_LEN);
    struct bytes plain = { xcalloc(1, len + 1), len };

    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    require(ctx != NULL);
    require(EVP_DecryptInit_ex2(ctx, sealer->cipher, sealer->keys[use], nonce, NULL));
    require(EVP_DecryptUpdate(ctx, NULL, &done, place, PLACE_LEN));
    require(EVP_DecryptUpdate(ctx, plain.data, &done, text, (int)len));
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag));
    bool genuine = EVP_DecryptFinal_ex(ctx, plain.data + len, &done) == 1;
    EVP_CIPHER_CTX_free(ctx);

    if (!genuine) {
        keyring_wipe(&plain);
        return ERR_DENIED;
    }
    *out = plain;
    return ERR_OK;
}
