/* Loading: a keyring from the files that a configuration names. */
#include "signer/keyring.h"

#include <stdio.h>

#include <openssl/crypto.h>

#define KEY_FILE_MAX 4096 /* bytes, white space included */

static void wipe(struct buf *text)
{
    if (text->bytes)
        OPENSSL_cleanse(text->bytes, text->len);
    buf_fini(text);
}

static enum err refuse(enum err err, const char *source, const char *kind,
                       char why[CONFIG_WHY_MAX])
{
    if (err == ERR_CONFLICT)
        snprintf(why, CONFIG_WHY_MAX, "%s: the same %s as in another file", source, kind);
    else if (err == ERR_LIMIT)
        snprintf(why, CONFIG_WHY_MAX, "%s: more than %d of a %s", source, KEYRING_KEYS_MAX,
                 kind);
    else
        snprintf(why, CONFIG_WHY_MAX, "%s: not a %s", source, kind);
    return err;
}

static enum err load_first(const struct config *config, struct keyring **out,
                           char why[CONFIG_WHY_MAX])
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    enum err err = config_read_master_key(config, &text, why);

    if (!err) {
        err = keyring_new(buf_text(&text), out);
        if (err)
            refuse(err, config_master_key_source(config), "master key", why);
    }
    wipe(&text);
    return err;
}

static enum err load_newer(const struct config *config, const char *path,
                           struct keyring *keyring, char why[CONFIG_WHY_MAX])
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    enum err err = config_read_newer_master_key(config, path, &text, why);

    if (!err) {
        err = keyring_add(keyring, buf_text(&text));
        if (err)
            refuse(err, path, "master key", why);
    }
    wipe(&text);
    return err;
}

static enum err load_all_newer(const struct config *config, struct keyring *keyring,
                               char why[CONFIG_WHY_MAX])
{
    struct text_list paths = { 0 };
    enum err err = ERR_OK;

    config_newer_master_keys(config, &paths);
    for (size_t i = 0; !err && i < paths.count; i++)
        err = load_newer(config, paths.items[i], keyring, why);
    text_list_fini(&paths);
    return err;
}

static enum err load_token_key(const struct config *config, struct keyring *keyring,
                               char why[CONFIG_WHY_MAX])
{
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    enum err err = config_read_token_key(config, &text, why);

    if (!err) {
        err = keyring_take_token_key(keyring, buf_text(&text));
        if (err)
            refuse(err, config->token_key_file, "key for tokens", why);
    }
    wipe(&text);
    return err;
}

enum err keyring_load(const struct config *config, struct keyring **out,
                      char why[CONFIG_WHY_MAX])
{
    struct keyring *keyring = NULL;
    enum err err = load_first(config, &keyring, why);

    if (!err)
        err = load_all_newer(config, keyring, why);
    if (!err && config->token_key_file)
        err = load_token_key(config, keyring, why);
    if (err)
        keyring_free(keyring);
    else
        *out = keyring;
    return err;
}
