#include "signer/keyring.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/mem.h"
#include "core/require.h"
#include "signer/derive.h"
#include "signer/sealer.h"

#define MASTER_PREFIX "phmk_"
#define TOKEN_PREFIX  "phtk_"
#define PREFIX_LEN    (sizeof MASTER_PREFIX - 1) /* of either */
#define KEY_LEN       32
#define KEY_FILE_MAX  4096 /* bytes, white space included */

#define TOKEN_PURPOSE "posthaste 1 sign tokens"

struct keyring {
    struct sealer *sealer;
    uint8_t token_key[TOKEN_KEY_LEN];
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

/* The key it begins with is uniformly random: no salt is wanted. */
static void derive_token_key(const uint8_t root[KEY_LEN], uint8_t out[TOKEN_KEY_LEN])
{
    derive(root, KEY_LEN, TOKEN_PURPOSE, sizeof TOKEN_PURPOSE - 1, out, TOKEN_KEY_LEN);
}

enum err keyring_new(const char *master_key, struct keyring **out)
{
    uint8_t master[KEY_LEN];
    enum err err = parse_key(MASTER_PREFIX, master_key, master);

    if (!err) {
        struct keyring *keyring = xcalloc(1, sizeof *keyring);
        keyring->sealer = sealer_new(master, KEY_LEN, NULL, 0);
        derive_token_key(master, keyring->token_key);
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
        derive_token_key(key, keyring->token_key);
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
    sealer_free(keyring->sealer);
    OPENSSL_cleanse(keyring, sizeof *keyring);
    free(keyring);
}

void keyring_seal(const struct keyring *keyring, enum seal_use use,
                  const struct id *application, const struct id *endpoint, const void *plain,
                  size_t len, struct bytes *out)
{
    sealer_seal(keyring->sealer, use, application, endpoint, plain, len, out);
}

enum err keyring_unseal(const struct keyring *keyring, enum seal_use use,
                        const struct id *application, const struct id *endpoint,
                        const struct bytes *sealed, struct bytes *out)
{
    return sealer_unseal(keyring->sealer, use, application, endpoint, sealed, out);
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
