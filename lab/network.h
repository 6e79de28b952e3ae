/* Network: what lies between and around the regions of a lab: the cables, and for each region a
 * receiver that lies there and a name server that says how to reach those.
 *
 * Thread: the loop's. */
#ifndef LAB_NETWORK_H
#define LAB_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "core/err.h"
#include "lab/cable.h"
#include "lab/name_server.h"
#include "lab/plan.h"
#include "lab/receiver.h"

/* From each region to each other one, to its link and to its receiver. */
#define NETWORK_CABLES_MAX (PLAN_REGIONS_MAX * (PLAN_REGIONS_MAX - 1) * 2)

struct network_cable {
    struct cable cable;
    size_t from, to;
};

struct network {
    const struct plan *plan;
    bool is_cut[PLAN_REGIONS_MAX]; /* off from the others */
    size_t receiver_count;
    struct receiver receivers[PLAN_REGIONS_MAX];

    /* private */
    size_t name_server_count, cable_count; /* that are open */
    struct name_server name_servers[PLAN_REGIONS_MAX];
    struct network_cable cables[NETWORK_CABLES_MAX];
};

/* In the first of the plan's networks that no other lab has, which is written into the plan. The
 * receivers verify by `secret`. ERR_IN_USE and ERR_UNAVAILABLE have been said; network_close() what
 * is open then. */
MUST_USE enum err network_open(struct network *network, uv_loop_t *loop, struct plan *plan,
                               const struct secret *secret);

/* Cut a region off from the others, or join it again with those that aren't. */
void network_cut(struct network *network, size_t region, bool is_cut);

void network_close(struct network *network);

/* When the loop has ended. */
void network_fini(struct network *network);

#endif
