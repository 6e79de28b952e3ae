/* Destination: what sending to an endpoint takes, prepared once: the target of its requests and
 * its secrets in clear.
 *
 * A bounded cache by endpoint. One that was made from another version of its endpoint, or whose
 * next secret has expired, is made anew; secrets are wiped when it goes.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_DESTINATION_H
#define DISPATCHER_DESTINATION_H

#include "core/hash.h"
#include "core/list.h"
#include "signer/keyring.h"
#include "signer/signer.h"
#include "wire/courier.h"

struct destination {
    int64_t endpoint_key;
    uint64_t version;        /* of the endpoint that it was made from */
    uint64_t fresh_until_ms; /* wall: its next secret expires; 0 = none does */
    struct target *target;
    struct text_list lines; /* the target's header lines */
    size_t secret_count;
    struct secret *secrets; /* newest first */
    struct list used;       /* link */
    UT_hash_handle hh;
};

struct destinations {
    const struct keyring *keyring;
    size_t limit;
    struct destination *by_key;
    struct list used; /* least recently first */
};

void destinations_init(struct destinations *all, const struct keyring *keyring, size_t limit);
void destinations_fini(struct destinations *all);

/* The endpoint's at `url`, of which a version of it has only one here; valid until the next call.
 * ERR_SEALED: its secrets or headers don't open by the keys that are here; anything else: it can't
 * be sent to. `*out_why` then says why, a fixed sentence. */
MUST_USE enum err destinations_get(struct destinations *all, const struct endpoint *endpoint,
                                   const char *url, uint64_t wall_ms,
                                   const struct destination **out, const char **out_why);

#endif
