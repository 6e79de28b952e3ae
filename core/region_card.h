/* Region card: what other regions know of one, a YAML file.
 *
 *     name: fra
 *     ordinal: 1
 *     jurisdictions: [eu]
 *     latitude: 50.11
 *     longitude: 8.68
 *     public_url: https://fra.example.com
 *     link_url: https://fra.example.com:8443
 *     certificate: |
 *       -----BEGIN CERTIFICATE-----
 *       MIIB…
 *       -----END CERTIFICATE-----
 *
 * `posthaste region certificate show` prints it in one region, `posthaste region add` puts it
 * into another's peers_dir. Place and URLs may be missing. What kind of text the certificate is,
 * and its digest, are the reader's affair. */
#ifndef CORE_REGION_CARD_H
#define CORE_REGION_CARD_H

#include "core/buf.h"
#include "core/topology.h"

#define REGION_CARD_LEN_MAX 16384 /* bytes */
#define REGION_CARD_WHY_MAX 1024

struct region_card {
    struct region region;
    size_t lines[REGION_FIELDS]; /* where each field is; 0 = missing */
};

/* Read what `source` (a path, or another name) holds. ERR_INVALID and ERR_LIMIT: it is no card, or
 * no region by region_check(); `why` says so in one line, "peers/fra.yaml:2: ordinal: …". */
MUST_USE enum err region_card_read(const char *source, const char *text, size_t len,
                                   struct region_card *out, char why[REGION_CARD_WHY_MAX]);

/* A fault of the card's region in the same words. */
void region_card_explain(const char *source, const struct region_card *card,
                         const struct topology_fault *fault, char why[REGION_CARD_WHY_MAX]);

/* Append the card of a checked region with a certificate. */
MUST_USE enum err region_card_write(const struct region *region, struct buf *out);

#endif
