/* Certificate: what a region shows the others on a link, and how they know it.
 *
 * Self-signed, with a key on the curve P-256 and one subject alternative name: the URI
 * "region:NAME". Nobody vouches for it: each region keeps the others' certificates, with their
 * cards, and takes no other for them. They are told apart by the SHA-256 of their DER. Sources:
 * RFC 5280, RFC 7468 (PEM), RFC 5480 (EC keys).
 *
 * Thread: any; no state but the randomness of certificate_create(). */
#ifndef SIGNER_CERTIFICATE_H
#define SIGNER_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/topology.h"

#define CERTIFICATE_PEM_MAX  8192 /* bytes of one, or of a key, that we read */
#define CERTIFICATE_DAYS     3650 /* of life, unless said otherwise */
#define CERTIFICATE_DAYS_MAX 36500

struct certificate {
    char name[REGION_NAME_LEN_MAX + 1]; /* the region's */
    uint8_t sha256[REGION_DIGEST_LEN];
    uint64_t not_before_s, not_after_s; /* since 1970 */
};

/* A new key and the certificate for it, as PEM; the key is not encrypted, wipe it after use. It is
 * valid from a day before now, for others' clocks may be behind, until `days` after now. `region`
 * is valid as a name. ERR_LIMIT: more than the bufs may hold. */
MUST_USE enum err certificate_create(const char *region, uint64_t now_s, uint32_t days,
                                     struct buf *out_certificate, struct buf *out_key);

/* What a PEM block says. ERR_INVALID: it isn't one certificate such as the above, whoever made it;
 * `*out_why` is then a fixed phrase that goes on from "the certificate ". Whether it is valid now
 * is not asked. */
MUST_USE enum err certificate_read(const char *pem, struct certificate *out,
                                   const char **out_why);

/* Whether the private key in the second PEM belongs to the certificate in the first. */
bool certificate_has_key(const char *pem, const char *key_pem);

#endif
