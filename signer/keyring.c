#include "signer/keyring.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/count.h"
#include "core/mem.h"
#include "signer/require.h"

#define MASTER_PREFIX "phmk_"
#define TOKEN_PREFIX  "phtk_"
#define PREFIX_LEN    (sizeof MASTER_PREFIX - 1) /* of either */
#define KEY_LEN       32
#define KEY_FILE_MAX  4096 /* bytes, white space included */

/* A sealed text: the format, the nonce, as many bytes as the plain text has, the tag. */
#define SEAL_FORMAT   1
#define NONCE_LEN     12
#define TAG_LEN       16
#define SEAL_OVERHEAD (1 + NONCE_LEN + TAG_LEN)

/* What a sealed text is bound to. */
#define PLACE_LEN (1 + 2 * ID_BYTES)

static const char *const SEAL_PURPOSES[] = {
    [SEAL_SECRET] = "posthaste 1 seal endpoint secret",
    [SEAL_HEADERS] = "posthaste 1 seal endpoint headers",
};

#define SEAL_USES     COUNT(SEAL_PURPOSES)
#define TOKEN_PURPOSE "posthaste 1 sign tokens"

struct keyring {
    uint8_t seal_keys[SEAL_USES][KEY_LEN];
    uint8_t token_key[TOKEN_KEY_LEN];
    EVP_CIPHER *cipher;
};

static void generate(const char *prefix, char out[MASTER_KEY_TEXT_MAX])
{
    uint8_t key[KEY_LEN];

    require(RAND_priv_bytes(key, KEY_LEN) == 1);
    memcpy(out, prefix, PREFIX_LEN);
    base64_encode(key, KEY_LEN, out + PREFIX_LEN);
    OPENSSL_cleanse(key, sizeof key);
}

void keyring_generate(char out[MASTER_KEY_TEXT_MAX])
{
    generate(MASTER_PREFIX, out);
}

void keyring_generate_token_key(char out[MASTER_KEY_TEXT_MAX])
{
    generate(TOKEN_PREFIX, out);
}

static enum err parse_key(const char *prefix, const char *text, uint8_t out[KEY_LEN])
{
    size_t key_len;

    while (isspace((unsigned char)*text))
        text++;
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[len - 1]))
        len--;
    if (len <= PREFIX_LEN || memcmp(text, prefix, PREFIX_LEN) != 0)
        return ERR_INVALID;
    text += PREFIX_LEN;
    len -= PREFIX_LEN;

    enum err err = base64_decode(text, len, out, KEY_LEN, &key_len);
    if (!err && key_len != KEY_LEN)
        err = ERR_INVALID;
    return err;
}

/* HKDF-SHA256 without salt: the key it begins with is uniformly random already. */
static void derive(const uint8_t root[KEY_LEN], const char *purpose, uint8_t *out, size_t len)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)root, KEY_LEN),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)purpose,
                                strlen(purpose)),
        OSSL_PARAM_END,
    };
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);

    require(hkdf != NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf);
    require(ctx != NULL && EVP_KDF_derive(ctx, out, len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(hkdf);
}

enum err keyring_new(const char *master_key, struct keyring **out)
{
    uint8_t master[KEY_LEN];
    enum err err = parse_key(MASTER_PREFIX, master_key, master);

    if (!err) {
        struct keyring *keyring = xcalloc(1, sizeof *keyring);
        for (size_t use = 0; use < SEAL_USES; use++)
            derive(master, SEAL_PURPOSES[use], keyring->seal_keys[use], KEY_LEN);
        derive(master, TOKEN_PURPOSE, keyring->token_key, TOKEN_KEY_LEN);
        keyring->cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        require(keyring->cipher != NULL);
        *out = keyring;
    }
    OPENSSL_cleanse(master, sizeof master);
    return err;
}

enum err keyring_take_token_key(struct keyring *keyring, const char *token_key)
{
    uint8_t key[KEY_LEN];
    enum err err = parse_key(TOKEN_PREFIX, token_key, key);

    if (!err)
        derive(key, TOKEN_PURPOSE, keyring->token_key, TOKEN_KEY_LEN);
    OPENSSL_cleanse(key, sizeof key);
    return err;
}

static void wipe(struct buf *text)
{
    if (text->bytes)
        OPENSSL_cleanse(text->bytes, text->len);
    buf_fini(text);
}

static enum err load_token_key(const struct config *config, struct keyring *keyring,
                               char why[CONFIG_WHY_MAX])
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    enum err err = config_read_token_key(config, &text, why);

    if (!err) {
        err = keyring_take_token_key(keyring, buf_text(&text));
        if (err)
            snprintf(why, CONFIG_WHY_MAX, "%s: not a key for tokens", config->token_key_file);
    }
    wipe(&text);
    return err;
}

enum err keyring_load(const struct config *config, struct keyring **out,
                      char why[CONFIG_WHY_MAX])
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    struct keyring *keyring = NULL;
    enum err err = config_read_master_key(config, &text, why);

    if (!err) {
        err = keyring_new(buf_text(&text), &keyring);
        if (err)
            snprintf(why, CONFIG_WHY_MAX, "%s: not a master key",
                     config_master_key_source(config));
    }
    wipe(&text);
    if (!err && config->token_key_file)
        err = load_token_key(config, keyring, why);
    if (err)
        keyring_free(keyring);
    else
        *out = keyring;
    return err;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    EVP_CIPHER_free(keyring->cipher);
    OPENSSL_cleanse(keyring, sizeof *keyring);
    free(keyring);
}

static void make_place(enum seal_use use, const struct id *application,
                       const struct id *endpoint, uint8_t out[PLACE_LEN])
{
    out[0] = (uint8_t)use;
    memcpy(out + 1, application->bytes, ID_BYTES);
    memcpy(out + 1 + ID_BYTES, endpoint->bytes, ID_BYTES);
}

void keyring_seal(const struct keyring *keyring, enum seal_use use,
                  const struct id *application, const struct id *endpoint, const void *plain,
                  size_t len, struct bytes *out)
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
    require(EVP_EncryptInit_ex2(ctx, keyring->cipher, keyring->seal_keys[use], nonce, NULL));
    require(EVP_EncryptUpdate(ctx, NULL, &done, place, PLACE_LEN));
    require(EVP_EncryptUpdate(ctx, text, &done, plain, (int)len));
    require(EVP_EncryptFinal_ex(ctx, tag, &done));
    require(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag));
    EVP_CIPHER_CTX_free(ctx);
    *out = sealed;
}

enum err keyring_unseal(const struct keyring *keyring, enum seal_use use,
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
    require(EVP_DecryptInit_ex2(ctx, keyring->cipher, keyring->seal_keys[use], nonce, NULL));
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

void keyring_wipe(struct bytes *plain)
{
    if (plain->data)
        OPENSSL_cleanse(plain->data, plain->len);
    bytes_fini(plain);
}

const uint8_t *keyring_token_key(const struct keyring *keyring)
{
    return keyring->token_key;
}
