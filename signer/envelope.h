/* Envelope: an answer that is kept for whoever repeats a request, and opens for nobody else.
 *
 * It is AES-256-GCM (sealer.h) with a key that is derived from the secret words of the request, which
 * stand nowhere on disk. So neither the files nor the master key show what was answered, and a
 * change of the master key doesn't concern it.
 *
 * Thread: any. */
#ifndef SIGNER_ENVELOPE_H
#define SIGNER_ENVELOPE_H

#include "core/model.h"
#include "signer/digest.h"

void envelope_seal(const uint8_t secret[DIGEST_LEN], const void *plain, size_t len,
                   struct bytes *out);

/* ERR_DENIED: of another request, or damaged. The plain bytes are given back with keyring_wipe(). */
MUST_USE enum err envelope_open(const uint8_t secret[DIGEST_LEN], const struct bytes *sealed,
                                struct bytes *out);

#endif
