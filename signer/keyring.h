/* Keyring: the master key of a region, and what is derived from it.
 *
 * Endpoint secrets and custom header values are at rest only as AES-256-GCM, each with a random
 * nonce, bound to their use, application and endpoint: bytes copied to another row don't open.
 * Keys are derived from the master key by HKDF-SHA256 (RFC 5869), one for each purpose, and
 * stand nowhere on disk.
 *
 * The master key's file holds one line: "phmk_" and the base64 of 32 bytes. Regions have master
 * keys of their own, but may share the key for tokens: a file of its own, with "phtk_".
 *
 * Thread: immutable; any. */
#ifndef SIGNER_KEYRING_H
#define SIGNER_KEYRING_H

#include <stddef.h>
#include <stdint.h>

#include "core/config.h"
#include "core/err.h"
#include "core/id.h"
#include "core/model.h"

#define MASTER_KEY_TEXT_MAX 64 /* of a key for tokens, too */
#define TOKEN_KEY_LEN       32

struct keyring;

enum seal_use {
    SEAL_SECRET,  /* the bytes of a struct secret */
    SEAL_HEADERS, /* a JSON object of strings, as text */
};

/* A new random master key, or key for tokens, as its file's line, without the line feed. */
void keyring_generate(char out[MASTER_KEY_TEXT_MAX]);
void keyring_generate_token_key(char out[MASTER_KEY_TEXT_MAX]);

/* From the text of a master key; surrounding white space is ignored. ERR_INVALID. */
MUST_USE enum err keyring_new(const char *master_key, struct keyring **out);

/* Before the keyring is shared: sign tokens by the key in this text instead of one derived from
 * the master key. ERR_INVALID. */
MUST_USE enum err keyring_take_token_key(struct keyring *keyring, const char *token_key);

/* The one that a configuration names, with its key for tokens. Errors as
 * config_read_master_key(), and ERR_INVALID when it read something else; `why` then says it in one
 * line. */
MUST_USE enum err keyring_load(const struct config *config, struct keyring **out,
                               char why[CONFIG_WHY_MAX]);

void keyring_free(struct keyring *keyring); /* wipes; NULL does nothing */

void keyring_seal(const struct keyring *keyring, enum seal_use use,
                  const struct id *application, const struct id *endpoint, const void *plain,
                  size_t len, struct bytes *out);

/* ERR_DENIED: sealed under another key, for another use or place, or damaged. The plain bytes
 * are the caller's, followed by a NUL; give them back with keyring_wipe(). */
MUST_USE enum err keyring_unseal(const struct keyring *keyring, enum seal_use use,
                                 const struct id *application, const struct id *endpoint,
                                 const struct bytes *sealed, struct bytes *out);

void keyring_wipe(struct bytes *plain);

/* The key that signs API tokens; see token.h. */
const uint8_t *keyring_token_key(const struct keyring *keyring);

#endif
