/* Router: which region sends a delivery, where there are several; region/ stands behind it. In a
 * region that is alone there is none.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_ROUTER_H
#define DISPATCHER_ROUTER_H

#include "core/clock.h"
#include "core/model.h"
#include "wire/courier.h"

struct routing {
    uint8_t region;  /* the ordinal of the one that sends; 0: none may, for now */
    const char *url; /* where that one sends to; borrowed from the endpoint */
};

/* What came of an attempt. */
struct sighting {
    const struct application *application;
    const struct endpoint *endpoint;
    uint8_t region;                 /* that sent it */
    const char *url;                /* to here */
    enum err err;                   /* as in struct answer: ERR_OK: an answer came */
    const struct call_times *times; /* all 0: not known */
};

struct router {
    /* Who sends to this endpoint now. `again`: the delivery was tried before, so the way from the
     * usual region may be what is wrong; one whose way hasn't failed goes first then. */
    struct routing (*route)(struct router *r, const struct application *application,
                            const struct endpoint *endpoint, bool again, struct now now);

    /* True: it failed on its way, and from another region that may send the way hasn't failed:
     * that one is to have a look before this counts against the endpoint. */
    bool (*learn)(struct router *r, const struct sighting *sighting, struct now now);

    /* This region doesn't take more forwards right now, or can't be reached. */
    void (*refused)(struct router *r, uint8_t region, struct now now);
};

#endif
