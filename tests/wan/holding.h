/* Holding: packets on their way, the next one due first, those of one instant as they came.
 *
 * At most HOLDING_MAX of them, which bounds the memory: 96 MiB of full packets. */
#ifndef TESTS_WAN_HOLDING_H
#define TESTS_WAN_HOLDING_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define HOLDING_MAX 65536

struct packet {
    uint64_t due_ns;
    uint64_t number; /* given by the holding */
    size_t from, to; /* sites */
    size_t len;
    uint8_t bytes[];
};

struct holding {
    struct packet **heap; /* [0] is the next; each is due no later than its two children */
    size_t count, room;
    uint64_t taken; /* packets so far */
};

void holding_fini(struct holding *h);

/* The packet, from xcalloc(), is the holding's. ERR_LIMIT: it is full, and the packet still yours. */
MUST_USE enum err holding_put(struct holding *h, struct packet *packet);

const struct packet *holding_next(const struct holding *h); /* NULL when empty */

/* The next one, removed; free() it. NULL when empty. */
struct packet *holding_take(struct holding *h);

#endif
