/* Roster: the lanes in memory, and what all their claims together may take of it.
 *
 * A lane is here while it owes something; the most recently used of the idle ones stay, for what
 * they have learnt of their receivers. So memory follows what is pending, never what is configured,
 * and claims have a bound of their own, whatever is pending.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_ROSTER_H
#define DISPATCHER_ROSTER_H

#include "dispatcher/lane.h"

struct roster_limits {
    struct lane_limits lane;
    size_t claims_max;
    /* of claimed payloads; passed by one payload at most, for each refill under way */
    size_t bytes_max;
    size_t idle_max; /* lanes kept though they owe nothing */
};

struct roster {
    struct roster_limits limits;
    struct lane *by_key;
    struct list idle; /* least recently used first */
    size_t idle_count;
    size_t claims, bytes; /* in use, or promised to a refill */
    struct list spare;    /* claims */
};

void roster_init(struct roster *r, const struct roster_limits *limits);
void roster_fini(struct roster *r); /* no claim may be left */

struct lane *roster_find(const struct roster *r, int64_t endpoint_key);
struct lane *roster_add(struct roster *r, int64_t endpoint_key);
void roster_remove(struct roster *r, struct lane *lane); /* frees it */

/* The lane owes nothing; another may have to go for it, never this one. */
void roster_rest(struct roster *r, struct lane *lane);
void roster_unrest(struct roster *r, struct lane *lane); /* it may, or may not, be resting */

/* Half of the room is taken: lanes should be modest. */
bool roster_is_scarce(const struct roster *r);
bool roster_is_full(const struct roster *r);

/* Claim a delivery for the lane; takes over the reference to its message. */
void roster_claim(struct roster *r, struct lane *lane, const struct delivery *delivery);

/* Forget a claim that is in no list of its lane any more. */
void roster_release(struct roster *r, struct claim *claim);

/* Set room aside for what a refill will bring, and give it back. */
void roster_promise(struct roster *r, size_t claims, size_t bytes);
void roster_redeem(struct roster *r, size_t claims, size_t bytes);

#endif
