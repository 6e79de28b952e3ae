/* Digest: SHA-256 (FIPS 180-4) of several texts as one.
 *
 * Each is preceded by its length, so that no two lists give the same bytes.
 *
 * Thread: a digest keeps its hash context, so it belongs to one thread. */
#ifndef SIGNER_DIGEST_H
#define SIGNER_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_LEN 32

struct digest;

struct digest *digest_new(void);
void digest_free(struct digest *digest); /* NULL does nothing */

/* SHA-256 of the bytes as they are. Any thread. */
void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_LEN]);

void digest_texts(struct digest *digest, const char *const *texts, size_t count,
                  uint8_t out[DIGEST_LEN]);

#endif
