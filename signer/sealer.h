/* Sealer: AES-256-GCM (NIST SP 800-38D) with a key for each use: private to keyring, pair and envelope.
 *
 * A sealed text is the format, a byte; a random nonce of 12; as many bytes as the plain text has;
 * the tag of 16. It is bound to its use, application and endpoint. Nonces being random, a sealer
 * may seal 2^32 texts of each use.
 *
 * Thread: immutable; any. */
#ifndef SIGNER_SEALER_H
#define SIGNER_SEALER_H

#include "signer/keyring.h"

#define SEALER_CONTEXT_MAX 64 /* bytes */

struct sealer;

/* Its keys are derived (derive.h) from the root for each use, in this context, which may be
 * empty: another root or context, other keys. */
struct sealer *sealer_new(const uint8_t *root, size_t root_len, const void *context,
                          size_t context_len);
struct sealer *sealer_copy(const struct sealer *from);
void sealer_free(struct sealer *sealer); /* wipes; NULL does nothing */

/* As keyring_seal() and keyring_unseal(). */
void sealer_seal(const struct sealer *sealer, enum seal_use use, const struct id *application,
                 const struct id *endpoint, const void *plain, size_t len, struct bytes *out);
MUST_USE enum err sealer_unseal(const struct sealer *sealer, enum seal_use use,
                                const struct id *application, const struct id *endpoint,
                                const struct bytes *sealed, struct bytes *out);

#endif
