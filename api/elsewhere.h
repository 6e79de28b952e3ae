/* Elsewhere: how a request gets to the region that is to answer it, and the answer back.
 *
 * The API decides where a request belongs (core/residency.h) and hands it over as an errand. Who
 * carries it brings it to the API of that region over the link; there it counts as carried, and is
 * never carried on.
 *
 * The contract of every errand:
 *   1. `done` runs exactly once, on the loop behind `reply_to`, never inside `carry`;
 *   2. until then the errand and what it points to belong to the carrier;
 *   3. outputs are valid only when `err` is ERR_OK, and are the caller's from then on.
 *
 * Thread: both are called on the api's loop. */
#ifndef API_ELSEWHERE_H
#define API_ELSEWHERE_H

#include "core/buf.h"
#include "core/err.h"
#include "core/inbox.h"
#include "core/model.h"

struct errand {
    /* in, borrowed until `done` */
    uint8_t region; /* the ordinal of the one that is to answer */
    const char *method;
    const char *path;         /* as sent: not decoded, begins with '/' */
    const char *query;        /* as sent, without '?'; "" = none */
    struct text_list headers; /* "Name: value" lines: all that goes along */
    const void *body;
    size_t body_len;  /* bytes */
    size_t reply_max; /* bytes of the answer's body; beyond: ERR_LIMIT */
    struct inbox *reply_to;
    void (*done)(struct errand *errand);

    /* out */
    /* ERR_OK: an answer came, whatever its status. ERR_UNAVAILABLE: no connection, or it broke;
     * ERR_TIMEOUT; ERR_BUSY: the carrier owes as much as it may; ERR_LIMIT; ERR_CANCELED: it is
     * closing. But for ERR_BUSY the other region may have done what was asked. */
    enum err err;
    unsigned status; /* 200 … 599 */
    /* "Name: value" lines of the answer: those of Posthaste-…, Retry-After and Allow;
     * text_list_fini() them */
    struct text_list reply_headers;
    struct buf reply; /* buf_fini() it */

    /* the carrier's */
    struct task task;
    void *carrying;
};

/* Who carries errands. */
struct elsewhere {
    void (*carry)(struct elsewhere *e, struct errand *errand);

    /* Hasten `done`, with ERR_CANCELED. */
    void (*cancel)(struct elsewhere *e, struct errand *errand);
};

#endif
