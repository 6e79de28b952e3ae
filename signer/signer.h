/* Signer: proves to a receiver that a body is ours and fresh.
 *
 * Standard Webhooks: "v1," and the base64 of HMAC-SHA256 over "<id>.<seconds>.<body>", or "v1a," and
 * that of an Ed25519 signature of the same. While an endpoint has several secrets each gives a
 * signature, newest first, separated by spaces.
 * Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
 *
 * Thread: a signer keeps its MAC context, so it belongs to one thread. */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"
#include "signer/secret.h"

#define SIGNATURE_HEADER_MAX  (SECRETS_MAX * 96) /* "v1a," + 88 characters + a space or NUL */
#define SIGNATURE_TOLERANCE_S 300 /* what the published verifiers allow either way */

struct signed_text {
    const char *id;
    uint64_t at_s; /* of this attempt, seconds since 1970 */
    const void *body;
    size_t body_len; /* bytes */
};

struct signer;

struct signer *signer_new(void);
void signer_free(struct signer *signer);

/* Write the header value for `text` under `count` (1 … SECRETS_MAX) secrets that sign, newest
 * first. */
void signer_sign(struct signer *signer, const struct secret *secrets, size_t count,
                 const struct signed_text *text, char out_header[SIGNATURE_HEADER_MAX]);

/* ERR_OK when any signature in `header` fits any secret; ERR_DENIED when none does;
 * ERR_TIMEOUT when one does but `text` is further than `tolerance_s` from `now_s`; ERR_INVALID
 * when `header` holds no v1 or v1a signature. Compares in constant time. */
MUST_USE enum err signer_verify(struct signer *signer, const struct secret *secrets,
                                size_t count, const struct signed_text *text,
                                const char *header, uint64_t now_s, uint64_t tolerance_s);

#endif
