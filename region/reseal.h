/* Reseal: an object's code with its secrets sealed for whom it goes to.
 *
 * At rest secrets are sealed under this region's master key. To a peer that may send for the
 * endpoint's application they go sealed for the pair; to any other the code goes without them.
 *
 * Thread: that of the catalog. */
#ifndef REGION_RESEAL_H
#define REGION_RESEAL_H

#include "core/catalog.h"
#include "core/residency.h"
#include "signer/pair.h"

struct reseal {
    const struct topology *topology;
    const struct catalog *catalog;
    const struct keyring *keyring;
    const struct pair *pair; /* with the peer */
    size_t peer;             /* its index */
};

/* What goes to the peer in place of `code`, which is ours. A secret that doesn't open any more
 * doesn't go. */
MUST_USE enum err reseal_for_peer(const struct reseal *r, const struct bytes *code,
                                  struct bytes *out);

/* What is kept here in place of `code`, which is the peer's: what isn't an endpoint, as it came;
 * secrets that don't open are left out. */
MUST_USE enum err reseal_from_peer(const struct reseal *r, const struct bytes *code,
                                   struct bytes *out);

#endif
