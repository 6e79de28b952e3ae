/* Pair: what this region and one other can seal for each other.
 *
 * Secrets are at rest under their region's own master key, which no other has. To reach a peer
 * they are sealed under keys that only the two can make: ECDH (NIST SP 800-56A, 6.2.2) of the key
 * of one's link certificate and the other's certificate, then HKDF-SHA256. The keys are bound to
 * both certificates and to the direction, a sealed text to its use, application and endpoint as in
 * the keyring: what goes astray opens nowhere else.
 *
 * The keys last as long as the certificates: who has one's key can open what was sealed for it
 * before. The link's TLS, whose keys don't last, is around it.
 *
 * Thread: immutable; any. */
#ifndef SIGNER_PAIR_H
#define SIGNER_PAIR_H

#include "signer/keyring.h"

struct pair;

/* From this region's certificate and key and the peer's certificate, as PEM (certificate.h).
 * ERR_INVALID: one of them isn't such; ERR_CONFLICT: the key isn't that of the certificate, or
 * the peer has the same one. `*out_why` is then a fixed text. */
MUST_USE enum err pair_new(const char *certificate, const char *key, const char *peer,
                           struct pair **out, const char **out_why);
void pair_free(struct pair *pair); /* wipes; NULL does nothing */

/* What the keyring has sealed, for the peer. Errors as keyring_unseal(). */
MUST_USE enum err pair_seal(const struct pair *pair, const struct keyring *keyring,
                            enum seal_use use, const struct id *application,
                            const struct id *endpoint, const struct bytes *sealed,
                            struct bytes *out);

/* What the peer has sealed for us, for the keyring to open. Errors as keyring_unseal(). */
MUST_USE enum err pair_unseal(const struct pair *pair, const struct keyring *keyring,
                              enum seal_use use, const struct id *application,
                              const struct id *endpoint, const struct bytes *sealed,
                              struct bytes *out);

#endif
