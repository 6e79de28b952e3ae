/* Seal: an endpoint's signing secrets and headers, to the bytes that stand at rest and back.
 *
 * The keyring binds them to their endpoint, which must have its id and its application's.
 *
 * Thread: any; the endpoint must not be shared yet where it isn't const. */
#ifndef SIGNER_SEAL_H
#define SIGNER_SEAL_H

#include "signer/keyring.h"
#include "signer/signer.h"

void seal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                 const struct secret *secret, struct bytes *out);

/* One of the endpoint's. ERR_DENIED as keyring_unseal(); ERR_CORRUPT: no secret is that long. */
MUST_USE enum err unseal_secret(const struct keyring *keyring, const struct endpoint *endpoint,
                                const struct bytes *sealed, struct secret *out);

/* Give the endpoint other headers: a JSON object of strings, or NULL for none. */
void seal_headers(const struct keyring *keyring, struct endpoint *endpoint,
                  const char *headers);

/* The endpoint's, NUL-terminated; none: no bytes. Errors and ownership as keyring_unseal(). */
MUST_USE enum err unseal_headers(const struct keyring *keyring, const struct endpoint *endpoint,
                                 struct bytes *out);

/* Seal what isn't sealed under the newest key under it. How many values don't open: these are left
 * as they are. */
size_t seal_again(const struct keyring *keyring, struct endpoint *endpoint);

#endif
