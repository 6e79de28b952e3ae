/* Orders: what a person at another terminal may have done to a lab: regions cut off and joined
 * again, killed and started.
 *
 * Thread: the loop's. */
#ifndef LAB_ORDERS_H
#define LAB_ORDERS_H

#include "lab/control.h"
#include "lab/network.h"
#include "lab/site.h"

struct orders {
    struct network *network;
    struct site *sites; /* as many as the plan has regions */

    /* private */
    struct control control;
};

/* Listen for them. ERR_IO. Set the rest first. */
MUST_USE enum err orders_open(struct orders *orders, uv_loop_t *loop, const char *folder);
void orders_close(struct orders *orders);

/* A site's state has changed: tell who waits for that. */
void orders_settle(struct orders *orders, const struct site *site);

#endif
