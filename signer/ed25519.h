/* Ed25519: signatures by a key pair (RFC 8032), as bytes.
 *
 * Pure. Thread: any. */
#ifndef SIGNER_ED25519_H
#define SIGNER_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_SEED_LEN      32
#define ED25519_PUBLIC_LEN    32
#define ED25519_PAIR_LEN      (ED25519_SEED_LEN + ED25519_PUBLIC_LEN) /* the seed first */
#define ED25519_SIGNATURE_LEN 64

/* Whether the public key is that of the seed. */
bool ed25519_pair_is_one(const uint8_t pair[ED25519_PAIR_LEN]);

void ed25519_sign(const uint8_t pair[ED25519_PAIR_LEN], const void *text, size_t len,
                  uint8_t out[ED25519_SIGNATURE_LEN]);
bool ed25519_verify(const uint8_t public_key[ED25519_PUBLIC_LEN], const void *text, size_t len,
                    const uint8_t signature[ED25519_SIGNATURE_LEN]);

#endif
