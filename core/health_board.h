/* Health board: where the newest region health is posted, for whoever follows it.
 *
 * One loop posts; each follower gets what is posted on its own loop, the newest last. Where
 * nobody posts, in a region without a link, followers keep what they began with.
 *
 * Thread: the poster's, but for health_board_open(), health_board_close() and health_follow(),
 * which are called while no loop runs, and health_unfollow(), which is the follower's. */
#ifndef CORE_HEALTH_BOARD_H
#define CORE_HEALTH_BOARD_H

#include "core/inbox.h"
#include "core/region_health.h"

struct health_follower {
    struct inbox *inbox;
    struct region_health
        *health; /* a reference of its own, to be given back once it has left */
    /* Optional; after another one took its place. */
    void (*changed)(struct health_follower *);

    /* private */
    struct list link;
    struct health_board *board;
    struct task leave;
    struct task *left;
};

struct health_board {
    struct inbox *inbox; /* the poster's; NULL: nobody posts. Set before the loops run */

    /* private */
    struct list followers;
    struct region_health *newest; /* a reference */
};

void health_board_open(struct health_board *board, const struct topology *t);
void health_board_close(struct health_board *board); /* once all have left */

void health_follow(struct health_board *board, struct health_follower *follower);

/* Before the follower's inbox may be closed: `left` is posted to it behind the last news. The
 * poster's inbox stays open until all have left. */
void health_unfollow(struct health_follower *follower, struct task *left);

/* Takes the reference. */
void health_post(struct health_board *board, struct region_health *health);

#endif
