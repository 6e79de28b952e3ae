/* Router: the dispatcher's word for which region sends, by what the ways have shown and who is alive.
 *
 * A route is decided (route.h) at most once a second for an endpoint, and at once when the endpoint or
 * its application is another, a region's state is, a region refused, or a way's circuit opened. In
 * between, the one there is holds.
 *
 * A delivery that was tried before takes a detour where its endpoint's way has just failed: it goes
 * as if the circuits of all ways with failures in a row were open. The route itself stays until
 * they are. When every way that is left has failed, it is the receiver: no detour, and the failure
 * counts against the endpoint.
 *
 * A decision that another region is to send, and all that led to it, is recorded in the store, beside
 * the way of what is sent.
 *
 * A region that refuses is taken to have no credit for a second.
 *
 * Thread: that of the loop behind `inbox`, the dispatcher's; router_open() before the loops run. */
#ifndef REGION_ROUTER_H
#define REGION_ROUTER_H

#include "core/health_board.h"
#include "dispatcher/router.h"
#include "region/link.h"
#include "region/route.h"

struct router_options {
    struct inbox *inbox;             /* the loop's; open until `closed` has run */
    struct store *store;             /* for decisions; NULL = they aren't recorded */
    const struct topology *topology; /* of several regions; borrowed while the router lives */
    struct health_board *board;      /* likewise */
    size_t routes_max;               /* that are remembered; 0 = ROUTE_TABLE_MAX */
};

struct region_router;

struct region_router *router_open(const struct router_options *options);

/* Before the loops run: probes go by this link, which closes after the dispatcher. Without one
 * there are none. */
void router_probe_by(struct region_router *router, struct link *link);

/* When the dispatcher has closed: leaves the board and waits for what is being recorded; `closed`
 * runs on a later turn. */
void router_close(struct region_router *router, void (*closed)(void *ctx), void *ctx);

/* For the dispatcher, while the router is open. */
struct router *router_interface(struct region_router *router);

/* What a decision would be made of right now. */
void router_gather(struct region_router *router, const struct application *application,
                   const struct endpoint *endpoint, struct now now, struct route_inputs *out);

#endif
