/* Secrets: what an endpoint keeps sealed, changed and read: signing secrets and header values.
 *
 * Thread: any; the endpoint must not be shared yet where it isn't const. */
#ifndef API_SECRETS_H
#define API_SECRETS_H

#include "signer/keyring.h"
#include "signer/signer.h"

#define SECRETS_WANTED "must be whsec_ and the base64 of 24 to 75 bytes"

/* The secret behind `text`, or a new one when it is NULL; false: it isn't one. */
MUST_USE bool secrets_read(const char *text, struct secret *out);

/* `secret` takes the place of the current one. */
void secrets_replace(const struct keyring *keyring, struct endpoint *endpoint,
                     const struct secret *secret);

/* `secret` becomes the current one, and the one until now signs along until `expires_at_ms`
 * unless that is over. ERR_LIMIT: too many sign along already. */
MUST_USE enum err secrets_rotate(const struct keyring *keyring, struct endpoint *endpoint,
                                 const struct secret *secret, uint64_t expires_at_ms,
                                 uint64_t now_ms);

/* `headers`: a JSON object of strings, or NULL for none. */
void secrets_seal_headers(const struct keyring *keyring, struct endpoint *endpoint,
                          const char *headers);

/* Errors as keyring_unseal(); the bytes are NUL-terminated, none if there are no headers. */
MUST_USE enum err secrets_unseal_headers(const struct keyring *keyring,
                                         const struct endpoint *endpoint, struct bytes *out);

#endif
