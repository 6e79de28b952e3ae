/* Probes: round trips from any region to a receiver, asked for on the link.
 *
 *   path_probe ─► link ─┬─► (this region) a connection
 *                       └─► (a peer) POST /link/v1/probe ─► a connection there
 *
 * Thread: link_probe() is called on the asker's loop, `done` runs there. */
#ifndef REGION_PROBES_H
#define REGION_PROBES_H

#include "core/inbox.h"
#include "wire/courier.h"

struct link;

struct path_probe {
    /* in */
    uint8_t region;            /* the ordinal of the one that is to measure */
    char url[URL_LEN_MAX + 1]; /* the receiver's, in normal form */
    struct inbox *reply_to;
    void (*done)(struct path_probe *probe);

    /* out */
    /* ERR_OK; ERR_TIMEOUT or ERR_UNAVAILABLE: that region gets no connection; anything else says
     * nothing about the way. */
    enum err err;
    uint32_t rtt_us;

    /* the link's */
    struct task task;
    void *carrying;
};

/* `done` runs exactly once, never inside this call. */
void link_probe(struct link *link, struct path_probe *probe);

#endif
