/* Receiver: a subscriber in a region of the lab. It verifies each delivery, answers 204, and prints
 * what it got.
 *
 * Thread: the loop's. */
#ifndef LAB_RECEIVER_H
#define LAB_RECEIVER_H

#include <stddef.h>
#include <uv.h>

#include "core/err.h"
#include "signer/signer.h"
#include "wire/server.h"

struct receiver {
    const char *region;          /* where it is; borrowed */
    const struct secret *secret; /* borrowed */
    size_t verified;             /* deliveries, so far */

    /* private */
    struct server *server;
    struct signer *signer;
};

/* Errors as server_open(). */
MUST_USE enum err receiver_open(struct receiver *receiver, uv_loop_t *loop, const char *address,
                                uint16_t port, const char *region, const struct secret *secret);
void receiver_close(struct receiver *receiver);

/* When the loop has ended. */
void receiver_fini(struct receiver *receiver);

#endif
