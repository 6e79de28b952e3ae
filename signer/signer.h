/* Signer: proves to a receiver that a body is ours and fresh.
 *
 * Standard Webhooks, symmetric scheme v1: "v1," and the base64 of HMAC-SHA256 over
 * "<id>.<seconds>.<body>". While an endpoint has several secrets each gives a signature, newest
 * first, separated by spaces.
 * Source: https://github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
 *
 * Thread: a signer keeps its MAC context, so it belongs to one thread. */
#ifndef SIGNER_SIGNER_H
#define SIGNER_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/model.h"

#define SECRET_LEN_MIN        24 /* bytes; the specification says 24 to 64, clients send up to 75 */
#define SECRET_LEN_MAX        75
#define SECRET_TEXT_MAX       108                /* "whsec_", base64 and a NUL */
#define SIGNATURE_HEADER_MAX  (SECRETS_MAX * 48) /* "v1," + 44 characters + a space or NUL */
#define SIGNATURE_TOLERANCE_S 300 /* what the published verifiers allow either way */

struct secret {
    uint8_t bytes[SECRET_LEN_MAX];
    size_t len;
};

/* A new secret of 24 random bytes. */
void secret_generate(struct secret *out);

/* "whsec_" and standard base64 of 24 to 75 bytes; ERR_INVALID otherwise. */
MUST_USE enum err secret_parse(const char *text, struct secret *out);
void secret_format(const struct secret *secret, char out[SECRET_TEXT_MAX]);
void secret_wipe(struct secret *secret);

struct signed_text {
    const char *id;
    uint64_t at_s; /* of this attempt, seconds since 1970 */
    const void *body;
    size_t body_len; /* bytes */
};

struct signer;

struct signer *signer_new(void);
void signer_free(struct signer *signer);

/* Write the header value for `text` under `count` (1 … SECRETS_MAX) secrets, newest first. */
void signer_sign(struct signer *signer, const struct secret *secrets, size_t count,
                 const struct signed_text *text, char out_header[SIGNATURE_HEADER_MAX]);

/* ERR_OK when any v1 signature in `header` fits any secret; ERR_DENIED when none does;
 * ERR_TIMEOUT when one does but `text` is further than `tolerance_s` from `now_s`; ERR_INVALID
 * when `header` holds no v1 signature. Compares in constant time. */
MUST_USE enum err signer_verify(struct signer *signer, const struct secret *secrets,
                                size_t count, const struct signed_text *text,
                                const char *header, uint64_t now_s, uint64_t tolerance_s);

#endif
