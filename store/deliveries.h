/* Deliveries: what became of a message at each endpoint that it was tried at. One that was never
 * tried isn't listed. And how many attempts came to what.
 *
 * The row of a delivery says all of it: DELIVERED is a success, DEAD a failure, and one that is
 * PENDING behind an attempt is SENDING until its next instant.
 *
 * Requests as in store.h. */
#ifndef STORE_DELIVERIES_H
#define STORE_DELIVERIES_H

#include "store/store.h"

struct destination {
    struct endpoint *endpoint; /* a reference; it may be deleted since */
    struct delivery_outcome outcome;
};

/* The endpoints that a message was tried at, by id. A page looks at a bounded number of rows, as
 * those of messages do. */
struct store_list_destinations {
    struct store_req req;
    struct id message;
    struct page page;
    size_t count;                     /* out */
    struct destination *destinations; /* out: references; free() the array */
    struct page_span span;            /* out */
    bool more;                        /* out */
};
void store_list_destinations(struct store *s, struct store_list_destinations *op);

struct tried_message {
    struct message *message; /* a reference */
    struct delivery_outcome outcome;
};

/* The messages that were tried at an endpoint, as store_list_messages() lists them. Of a status:
 * SUCCESS, some attempt was one; FAIL and SENDING, none was, and none or another is planned. */
struct store_list_tried {
    struct store_req req;
    struct id application, endpoint;
    bool has_status;
    enum attempt_status status;
    struct message_filter filter; /* its list is borrowed */
    bool with_content;
    struct page page;
    size_t count;                /* out */
    struct tried_message *tried; /* out: references; free() the array */
    struct page_span span;       /* out */
    bool more;                   /* out */
};
void store_list_tried(struct store *s, struct store_list_tried *op);

#define ATTEMPTS_COUNTED_MAX 20000 /* looked at at once: the reader's thread is shared */

/* Count attempts to an endpoint that were made from one instant to another, both of them included, by
 * status. `more`: there are others behind `reached_key`. */
struct store_count_attempts {
    struct store_req req;
    struct id endpoint;                /* in */
    uint64_t from_ms, until_ms;        /* in */
    int64_t after_key;                 /* in: 0 = from the first */
    uint64_t counts[ATTEMPT_STATUSES]; /* out */
    int64_t reached_key;               /* out */
    bool more;                         /* out */
};
void store_count_attempts(struct store *s, struct store_count_attempts *op);

#endif
