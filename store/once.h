/* Once: what a client asks for again under its idempotency key is done once.
 *
 * A request that writes brings the hash of the key, and the answer that its client gets if all goes
 * well. Both are kept in the transaction of what it writes, for IDEMPOTENCY_MS; a later request
 * with that hash writes nothing and gets what was kept. As there is one writer, a request that
 * comes while the first is on its way stands behind it, and gets its answer with it.
 *
 * An answer is bytes, which the store doesn't read. A message is its own answer: store_append has
 * the hash in itself. Nothing of this goes to other regions. */
#ifndef STORE_ONCE_H
#define STORE_ONCE_H

#include "store/store.h"

/* For the `once` of a request that writes. */
struct store_once {
    const uint8_t *hash; /* in: IDEMPOTENCY_HASH_LEN bytes, borrowed */
    struct bytes answer; /* in: borrowed; not empty */
    bool repeated;       /* out: nothing was written, and the other outputs mean nothing */
    struct bytes first;  /* out, when repeated: the answer that was kept; bytes_fini() */
};

/* Look for what was kept under a hash, by whatever request. Where there is nothing, `once->answer`
 * is kept, unless it is empty: of what writes nothing itself, or not in one transaction. */
struct store_recall {
    struct store_req req;
    struct store_once *once; /* in, out */
    struct message
        *message; /* out, when repeated: a reference, and there is no `first`; or NULL */
};
void store_recall(struct store *s, struct store_recall *op);

#endif
