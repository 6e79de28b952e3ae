/* Secrets: what an endpoint signs with, made, replaced and rotated.
 *
 * Thread: any; the endpoint must not be shared yet where it isn't const. */
#ifndef API_SECRETS_H
#define API_SECRETS_H

#include "signer/keyring.h"
#include "signer/signer.h"

#define SECRETS_WANTED "must be " SECRET_WANTED

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

#endif
