/* Secret: what an endpoint's deliveries are signed with, and how it is written.
 *
 *   whsec_…  HMAC-SHA256 (v1): the base64 of 24 to 75 bytes, which both sides know
 *   whsk_…   Ed25519 (v1a): the base64 of a seed and its public key, which we keep
 *   whpk_…   and of the public key alone, which is all that a receiver gets
 *
 * Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
 *
 * Pure, but for random numbers. Thread: any. */
#ifndef SIGNER_SECRET_H
#define SIGNER_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "signer/ed25519.h"

#define SECRET_LEN_MIN  24 /* bytes; the specification says 24 to 64, clients send up to 75 */
#define SECRET_LEN_MAX  75
#define SECRET_TEXT_MAX 108 /* "whsec_", base64 and a NUL */
#define SECRET_WANTED                                                                          \
    "whsec_ and the base64 of 24 to 75 bytes, or whsk_ and that of an Ed25519 key pair"

enum secret_scheme {
    SECRET_HMAC,
    SECRET_ED25519,        /* bytes: the seed, the public key */
    SECRET_ED25519_PUBLIC, /* bytes: the public key; it verifies alone */
};

struct secret {
    enum secret_scheme scheme;
    uint8_t bytes[SECRET_LEN_MAX];
    size_t len;
};

/* A new one for HMAC, of 24 random bytes. */
void secret_generate(struct secret *out);

/* ERR_INVALID: none of these, or a seed beside a public key that isn't its own. */
MUST_USE enum err secret_parse(const char *text, struct secret *out);

/* As a receiver gets it: a pair as its public key. */
void secret_format(const struct secret *secret, char out[SECRET_TEXT_MAX]);

/* Whether it can sign, not only verify. */
bool secret_signs(const struct secret *secret);
void secret_wipe(struct secret *secret);

#endif
