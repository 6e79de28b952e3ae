/* Identity: a new key and certificate for a region's link, as PEM. */
#ifndef CLI_IDENTITY_H
#define CLI_IDENTITY_H

#include "core/buf.h"

struct identity {
    struct buf certificate, key;
};

struct identity identity_new(const char *region);

/* Wipes the key. */
void identity_fini(struct identity *identity);

#endif
