/* Derive: a key for one purpose from a key, or a secret, for several: HKDF-SHA256 (RFC 5869)
 * without salt.
 *
 * Thread: any. */
#ifndef SIGNER_DERIVE_H
#define SIGNER_DERIVE_H

#include <stddef.h>
#include <stdint.h>

void derive(const uint8_t *root, size_t root_len, const void *purpose, size_t purpose_len,
            uint8_t *out, size_t len);

#endif
