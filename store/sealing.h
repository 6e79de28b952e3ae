/* Sealing: under which master keys the sealed values at rest are, and the way to the newest one.
 *
 * Each region seals for itself, whoever is the home: that a value is sealed anew is no edit, changes
 * no version, and is told to no other region. What is written is sealed under the newest key; what
 * was written before a key is sealed anew in bites, which begin at each start and with each new key,
 * and go on where rows say that there is something left.
 *
 * Requests as in store.h. */
#ifndef STORE_SEALING_H
#define STORE_SEALING_H

#include "store/store.h"

#define SEALED_KEYS_MAX 32 /* that are counted */

enum sealed_place { SEALED_ENDPOINTS, SEALED_JOURNAL, SEALED_PLACES };

/* How many endpoints and entries of the journal hold values under each key, by its id. */
struct store_count_sealed {
    struct store_req req;
    size_t count; /* out */
    struct sealed_count {
        uint32_t key; /* 0: not looked at yet */
        uint64_t values[SEALED_PLACES];
    } keys[SEALED_KEYS_MAX];      /* out */
    uint64_t lost[SEALED_PLACES]; /* out: that open by no key that was here */
};
void store_count_sealed(struct store *s, struct store_count_sealed *op);

/* Seal by another one from now on. On the writer's loop, or before it runs. */
void store_take_sealer(struct store *s, const struct store_sealer *sealer);

#endif
