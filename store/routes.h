/* Routes: which region sends an endpoint's deliveries, as it was decided; what is kept of a decision
 * is its maker's business.
 *
 * Requests as in store.h. */
#ifndef STORE_ROUTES_H
#define STORE_ROUTES_H

#include "store/store.h"

#define ROUTES_KEPT     16    /* of an endpoint, the newest */
#define ROUTES_KEPT_ALL 16384 /* of all endpoints together */

/* Write a decision, and drop what is too many. */
struct store_keep_route {
    struct store_req req;
    int64_t endpoint_key;   /* in */
    uint64_t decided_at_ms; /* in */
    const void *code;       /* in, borrowed */
    size_t code_len;        /* bytes */
};
void store_keep_route(struct store *s, struct store_keep_route *op);

/* The decision that was in force at an instant. ERR_NOT_FOUND: none of that time is kept. */
struct store_get_route {
    struct store_req req;
    int64_t endpoint_key;   /* in */
    uint64_t at_ms;         /* in */
    uint64_t decided_at_ms; /* out */
    struct bytes code;      /* out: bytes_fini() it */
};
void store_get_route(struct store *s, struct store_get_route *op);

#endif
