/* Region health: how this region sees each of the regions, at one instant.
 *
 * Whoever watches the peers makes a new one whenever something has changed and posts it to those
 * who decide or show by it (health_board.h). Decisions that are recorded record what they were
 * made by, so nothing here is ever changed.
 *
 * Thread: immutable once posted; a counted reference, from any thread. */
#ifndef CORE_REGION_HEALTH_H
#define CORE_REGION_HEALTH_H

#include <stdatomic.h>

#include "core/topology.h"

#define REGION_REASON_MAX 128 /* bytes, with NUL */

enum region_state {
    REGION_UNKNOWN,      /* nothing was heard of it yet */
    REGION_SELF,         /* this one */
    REGION_ALIVE,        /* it answers */
    REGION_SUSPECT,      /* it has missed a few answers, or only others hear it */
    REGION_DEAD,         /* it has missed too many */
    REGION_DRAINING,     /* it answers, and its operator wants no new work there */
    REGION_INCOMPATIBLE, /* it answers what we don't understand or believe; see the reason */
    REGION_STATES,       /* how many there are */
};

struct region_condition {
    enum region_state state;
    bool draining;           /* of this region: its operator wants no new work here */
    uint32_t rtt_us;         /* of the link, smoothed; 0 = not measured */
    int64_t clock_offset_us; /* its clock minus ours; when rtt_us isn't 0 */
    uint64_t heard_at_ms;    /* its last answer, by our clock; 0 = never */
    uint64_t compared_at_ms; /* what is here of its objects with what it has; 0 = never */
    bool differs;            /* and they weren't the same */
    char reason[REGION_REASON_MAX]; /* for people: what is wrong; "" = nothing */
};

struct region_health {
    _Atomic unsigned refs;
    struct region_condition regions[REGIONS_MAX]; /* by index */
};

/* The first one: all but this region unknown. */
struct region_health *region_health_new(const struct topology *t);

/* To be changed and posted. */
struct region_health *region_health_copy(const struct region_health *from);

struct region_health *region_health_ref(struct region_health *health);
void region_health_unref(struct region_health *health); /* NULL does nothing */

const char *region_state_name(enum region_state state); /* "alive" */

#endif
