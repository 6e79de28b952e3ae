/* Expiry: a word in time before the certificate of a region's link ends, for then the others take no
 * other for it (docs/link-security.md).
 *
 * Pure but for the log: time comes in. Thread: the link's loop. */
#ifndef REGION_EXPIRY_H
#define REGION_EXPIRY_H

#include "core/clock.h"
#include "core/region_health.h"

#define EXPIRY_DAYS 30 /* before the end */

struct expiry {
    uint64_t ends_s[REGIONS_MAX]; /* by index; 0 = it has no certificate */
    uint64_t told_mono_ms;        /* the next line in the log, not before */
};

void expiry_init(struct expiry *e, const struct topology *t);

/* The reason of a region that has none otherwise. */
void expiry_condition(const struct expiry *e, size_t index, uint64_t wall_ms,
                      struct region_condition *c);

/* A line for each of them, once a day. */
void expiry_poke(struct expiry *e, const struct topology *t, struct now now);

#endif
