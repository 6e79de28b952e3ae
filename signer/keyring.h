/* Keyring: the master keys of a region, and what is derived from them.
 *
 * Endpoint secrets and custom header values are at rest only as AES-256-GCM, each with a random
 * nonce, bound to their use, application and endpoint: bytes copied to another row don't open.
 * Keys are derived from a master key by HKDF-SHA256 (RFC 5869), one for each purpose, and
 * stand nowhere on disk.
 *
 * A region has one master key, or for a while several: the newest seals and signs tokens, and what
 * an older one has sealed or signed is good as well. A sealed value names its key by the key's id,
 * 32 bits that are derived from it.
 *
 * A master key's file holds one line: "phmk_" and the base64 of 32 bytes. Regions have master
 * keys of their own, but may share the key for tokens: a file of its own, with "phtk_".
 *
 * Thread: immutable; any. */
#ifndef SIGNER_KEYRING_H
#define SIGNER_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/id.h"
#include "core/model.h"

#define MASTER_KEY_TEXT_MAX 64 /* of a key for tokens, too */
#define TOKEN_KEY_LEN       32
#define KEYRING_KEYS_MAX    8 /* master keys, or keys for tokens */
#define KEY_ID_TEXT_MAX     9 /* eight hex digits and a NUL */

struct keyring;

enum seal_use {
    SEAL_SECRET,  /* the bytes of a struct secret */
    SEAL_HEADERS, /* a JSON object of strings, as text */
    SEAL_ANSWER,  /* of envelope.h, not a keyring's */
};

/* A new random master key, or key for tokens, as its file's line, without the line feed. */
void keyring_generate(char out[MASTER_KEY_TEXT_MAX]);
void keyring_generate_token_key(char out[MASTER_KEY_TEXT_MAX]);

/* From the text of a master key; surrounding white space is ignored. ERR_INVALID. */
MUST_USE enum err keyring_new(const char *master_key, struct keyring **out);

/* The rest of it before the keyring is shared. */

/* One that is newer than those it has. ERR_INVALID; ERR_CONFLICT: it has the id of one of them;
 * ERR_LIMIT. */
MUST_USE enum err keyring_add(struct keyring *keyring, const char *master_key);

/* Sign tokens by keys of their own instead of those derived from the master keys: some, separated
 * by white space; the last one signs, all are good. ERR_INVALID, ERR_LIMIT. */
MUST_USE enum err keyring_take_token_key(struct keyring *keyring, const char *token_keys);

/* The one that a configuration names, with its keys for tokens. Errors as
 * config_read_master_key(), and those above when it read something else; `why` then says it in one
 * line. */
MUST_USE enum err keyring_load(const struct config *config, struct keyring **out,
                               char why[CONFIG_WHY_MAX]);

/* With the keys of both, which seals and signs as `now` does. */
struct keyring *keyring_join(const struct keyring *now, const struct keyring *next);

void keyring_free(struct keyring *keyring); /* wipes; NULL does nothing */

/* The ids of the master keys, oldest first. */
size_t keyring_count(const struct keyring *keyring);
uint32_t keyring_id(const struct keyring *keyring, size_t index);
bool keyring_has(const struct keyring *keyring, uint32_t id);
uint32_t keyring_newest(const struct keyring *keyring); /* of the one that seals */
void keyring_id_text(uint32_t id, char out[KEY_ID_TEXT_MAX]);

void keyring_seal(const struct keyring *keyring, enum seal_use use,
                  const struct id *application, const struct id *endpoint, const void *plain,
                  size_t len, struct bytes *out);

/* ERR_DENIED: sealed under a key that isn't here, for another use or place, or damaged. The plain bytes
 * are the caller's, followed by a NUL; give them back with keyring_wipe(). */
MUST_USE enum err keyring_unseal(const struct keyring *keyring, enum seal_use use,
                                 const struct id *application, const struct id *endpoint,
                                 const struct bytes *sealed, struct bytes *out);

void keyring_wipe(struct bytes *plain);

/* The key that signs API tokens, see token.h; and those that one may be signed by, oldest first. */
const uint8_t *keyring_token_key(const struct keyring *keyring);
size_t keyring_token_key_count(const struct keyring *keyring);
const uint8_t *keyring_token_key_at(const struct keyring *keyring, size_t index);

#endif
