#include "signer/keyring.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/big_endian.h"
#include "core/mem.h"
#include "core/require.h"
#include "core/sealed.h"
#include "signer/derive.h"
#include "signer/sealer.h"

#define MASTER_PREFIX "phmk_"
#define TOKEN_PREFIX  "phtk_"
#define PREFIX_LEN    (sizeof MASTER_PREFIX - 1) /* of either */
#define KEY_LEN       32
#define HELD_MAX      (2 * KEYRING_KEYS_MAX) /* by a keyring that was joined of two */

#define TOKEN_PURPOSE "posthaste 1 sign tokens"
#define ID_PURPOSE    "posthaste 1 name master key"

struct master {
    uint32_t id;
    struct sealer *sealer;
};

struct keyring {
    size_t master_count, sealing; /* the index of the one that seals */
    struct master masters[HELD_MAX];
    size_t token_count, signing;
    uint8_t token_keys[HELD_MAX][TOKEN_KEY_LEN];
    bool has_own_tokens; /* these don't follow from the master keys */
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

static enum err parse_key(const char *prefix, const char *text, size_t len,
                          uint8_t out[KEY_LEN])
{
    size_t key_len;

    if (len <= PREFIX_LEN || memcmp(text, prefix, PREFIX_LEN) != 0)
        return ERR_INVALID;
    enum err err = base64_decode(text + PREFIX_LEN, len - PREFIX_LEN, out, KEY_LEN, &key_len);
    if (!err && key_len != KEY_LEN)
        err = ERR_INVALID;
    return err;
}

/* The next word of a text, and how long it is; 0 at its end. */
static size_t next_word(const char **text)
{
    size_t len = 0;

    while (isspace((unsigned char)**text))
        ++*text;
    while ((*text)[len] && !isspace((unsigned char)(*text)[len]))
        len++;
    return len;
}

/* The key it begins with is uniformly random: no salt is wanted. */
static void derive_token_key(const uint8_t root[KEY_LEN], uint8_t out[TOKEN_KEY_LEN])
{
    derive(root, KEY_LEN, TOKEN_PURPOSE, sizeof TOKEN_PURPOSE - 1, out, TOKEN_KEY_LEN);
}

/* 0 is the id of none. */
static uint32_t derive_id(const uint8_t root[KEY_LEN])
{
    uint8_t id[SEALED_KEY_LEN];

    derive(root, KEY_LEN, ID_PURPOSE, sizeof ID_PURPOSE - 1, id, sizeof id);
    uint32_t number = (uint32_t)big_endian_get(id, sizeof id);
    return number > 0 ? number : 1;
}

static const struct master *find_master(const struct keyring *keyring, uint32_t id)
{
    for (size_t i = 0; i < keyring->master_count; i++)
        if (keyring->masters[i].id == id)
            return &keyring->masters[i];
    return NULL;
}

static enum err add_master(struct keyring *keyring, const uint8_t root[KEY_LEN])
{
    uint32_t id = derive_id(root);

    if (find_master(keyring, id))
        return ERR_CONFLICT;
    if (keyring->master_count == KEYRING_KEYS_MAX)
        return ERR_LIMIT;
    keyring->sealing = keyring->master_count++;
    keyring->masters[keyring->sealing] =
        (struct master){ .id = id, .sealer = sealer_new(root, KEY_LEN, NULL, 0) };
    if (!keyring->has_own_tokens) {
        keyring->signing = keyring->token_count++;
        derive_token_key(root, keyring->token_keys[keyring->signing]);
    }
    return ERR_OK;
}

enum err keyring_add(struct keyring *keyring, const char *master_key)
{
    uint8_t root[KEY_LEN];
    size_t len = next_word(&master_key);
    const char *rest = master_key + len;
    enum err err = parse_key(MASTER_PREFIX, master_key, len, root);

    if (!err && next_word(&rest) > 0)
        err = ERR_INVALID;
    if (!err)
        err = add_master(keyring, root);
    OPENSSL_cleanse(root, sizeof root);
    return err;
}

enum err keyring_new(const char *master_key, struct keyring **out)
{
    struct keyring *keyring = xcalloc(1, sizeof *keyring);
    enum err err = keyring_add(keyring, master_key);

    if (err)
        keyring_free(keyring);
    else
        *out = keyring;
    return err;
}

enum err keyring_take_token_key(struct keyring *keyring, const char *token_keys)
{
    uint8_t keys[KEYRING_KEYS_MAX][TOKEN_KEY_LEN], root[KEY_LEN];
    size_t count = 0, len;
    enum err err = ERR_OK;

    while (!err && (len = next_word(&token_keys)) > 0) {
        err = count < KEYRING_KEYS_MAX ? parse_key(TOKEN_PREFIX, token_keys, len, root)
                                       : ERR_LIMIT;
        if (!err)
            derive_token_key(root, keys[count++]);
        token_keys += len;
    }
    if (!err && count == 0)
        err = ERR_INVALID;
    if (!err) {
        memcpy(keyring->token_keys, keys, count * TOKEN_KEY_LEN);
        keyring->token_count = count;
        keyring->signing = count - 1;
        keyring->has_own_tokens = true;
    }
    OPENSSL_cleanse(root, sizeof root);
    OPENSSL_cleanse(keys, sizeof keys);
    return err;
}

/* Joining. */

static void join_token_key(struct keyring *to, const uint8_t key[TOKEN_KEY_LEN])
{
    for (size_t i = 0; i < to->token_count; i++)
        if (memcmp(to->token_keys[i], key, TOKEN_KEY_LEN) == 0)
            return;
    memcpy(to->token_keys[to->token_count++], key, TOKEN_KEY_LEN);
}

static void join_master(struct keyring *to, const struct master *master)
{
    if (!find_master(to, master->id))
        to->masters[to->master_count++] =
            (struct master){ .id = master->id, .sealer = sealer_copy(master->sealer) };
}

struct keyring *keyring_join(const struct keyring *now, const struct keyring *next)
{
    struct keyring *both = xcalloc(1, sizeof *both);

    for (size_t i = 0; i < now->master_count; i++)
        join_master(both, &now->masters[i]);
    for (size_t i = 0; i < now->token_count; i++)
        join_token_key(both, now->token_keys[i]);
    both->sealing = now->sealing;
    both->signing = now->signing;
    both->has_own_tokens = now->has_own_tokens;
    for (size_t i = 0; i < next->master_count; i++)
        join_master(both, &next->masters[i]);
    for (size_t i = 0; i < next->token_count; i++)
        join_token_key(both, next->token_keys[i]);
    return both;
}

void keyring_free(struct keyring *keyring)
{
    if (!keyring)
        return;
    for (size_t i = 0; i < keyring->master_count; i++)
        sealer_free(keyring->masters[i].sealer);
    OPENSSL_cleanse(keyring, sizeof *keyring);
    free(keyring);
}

size_t keyring_count(const struct keyring *keyring)
{
    return keyring->master_count;
}

uint32_t keyring_id(const struct keyring *keyring, size_t index)
{
    return keyring->masters[index].id;
}

bool keyring_has(const struct keyring *keyring, uint32_t id)
{
    return find_master(keyring, id) != NULL;
}

uint32_t keyring_newest(const struct keyring *keyring)
{
    return keyring->masters[keyring->sealing].id;
}

void keyring_id_text(uint32_t id, char out[KEY_ID_TEXT_MAX])
{
    snprintf(out, KEY_ID_TEXT_MAX, "%08x", id);
}

/* Sealing. */

void keyring_seal(const struct keyring *keyring, enum seal_use use,
                  const struct id *application, const struct id *endpoint, const void *plain,
                  size_t len, struct bytes *out)
{
    const struct master *master = &keyring->masters[keyring->sealing];
    struct bytes text;

    sealer_seal(master->sealer, use, application, endpoint, plain, len, &text);
    struct bytes sealed = { xcalloc(1, SEALED_HEAD_LEN + text.len),
                            SEALED_HEAD_LEN + text.len };
    sealed.data[0] = SEALED_NAMED;
    big_endian_put(sealed.data + 1, master->id, SEALED_KEY_LEN);
    memcpy(sealed.data + SEALED_HEAD_LEN, text.data, text.len);
    bytes_fini(&text);
    *out = sealed;
}

/* By the first version, which had one key: it may be any. */
static enum err unseal_nameless(const struct keyring *keyring, enum seal_use use,
                                const struct id *application, const struct id *endpoint,
                                const struct bytes *sealed, struct bytes *out)
{
    enum err err = ERR_DENIED;

    for (size_t i = 0; err && i < keyring->master_count; i++)
        err =
            sealer_unseal(keyring->masters[i].sealer, use, application, endpoint, sealed, out);
    return err;
}

enum err keyring_unseal(const struct keyring *keyring, enum seal_use use,
                        const struct id *application, const struct id *endpoint,
                        const struct bytes *sealed, struct bytes *out)
{
    uint32_t id = sealed_key(sealed);
    const struct master *master = find_master(keyring, id);

    if (id == 0)
        return unseal_nameless(keyring, use, application, endpoint, sealed, out);
    if (!master)
        return ERR_DENIED;
    const struct bytes text = { sealed->data + SEALED_HEAD_LEN, sealed->len - SEALED_HEAD_LEN };
    return sealer_unseal(master->sealer, use, application, endpoint, &text, out);
}

void keyring_wipe(struct bytes *plain)
{
    if (plain->data)
        OPENSSL_cleanse(plain->data, plain->len);
    bytes_fini(plain);
}

/* Tokens. */

const uint8_t *keyring_token_key(const struct keyring *keyring)
{
    return keyring->token_keys[keyring->signing];
}

size_t keyring_token_key_count(const struct keyring *keyring)
{
    return keyring->token_count;
}

const uint8_t *keyring_token_key_at(const struct keyring *keyring, size_t index)
{
    return keyring->token_keys[index];
}
