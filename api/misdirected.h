/* Misdirected: how many requests came to a region that may not take them in, by application, so
 * that its operator sees who is to be told.
 *
 * Since the start, in memory. At most MISDIRECTED_MAX applications: beyond, the one with the fewest
 * requests gives way.
 *
 * Thread: one. */
#ifndef API_MISDIRECTED_H
#define API_MISDIRECTED_H

#include <stddef.h>
#include <stdint.h>

#include "core/id.h"

#define MISDIRECTED_MAX 256

struct misdirected {
    size_t count;
    struct misdirected_item {
        struct id organization;
        struct id application; /* zero: one that isn't known here */
        uint64_t requests;
    } items[MISDIRECTED_MAX];
};

void misdirected_add(struct misdirected *m, const struct id *organization,
                     const struct id *application);

#endif
