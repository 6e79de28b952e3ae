/* Plan: which regions a lab has, the addresses they and what reaches them have, and how far apart
 * they are. Pure.
 *
 * All of it lies in one network of the loopback, 127.N.0.0/16: region A reaches region B at
 * 127.N.A.B, counted from 1, and itself at 127.N.A.A. So a region is where it is for itself, and a
 * delay away for each other one. */
#ifndef LAB_PLAN_H
#define LAB_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "cli/place.h"
#include "core/err.h"

#define PLAN_REGIONS_MIN 2
#define PLAN_REGIONS_MAX 8
#define PLAN_WHY_MAX     160
#define PLAN_ADDRESS_MAX 16

#define PLAN_API_PORT  8071
#define PLAN_LINK_PORT 8443
#define PLAN_HOOK_PORT 9000 /* of the receiver */
#define PLAN_NAME_PORT 5300 /* of the name server */

/* Networks that are tried, one after the other: another lab may have the first. */
#define PLAN_NETWORK_FIRST 71
#define PLAN_NETWORK_LAST  86

struct plan {
    unsigned network; /* N */
    size_t count;
    const struct known_place *places[PLAN_REGIONS_MAX];
};

/* "fra,iad": names of places that we know, each once. ERR_INVALID: `why` says what isn't right. */
MUST_USE enum err plan_read(const char *regions, struct plan *out, char why[PLAN_WHY_MAX]);

/* Where region `from` reaches region `to`. */
void plan_address(const struct plan *plan, size_t from, size_t to, char out[PLAN_ADDRESS_MAX]);

/* Of its receiver: "hooks.fra.lab". */
#define PLAN_HOOK_NAME_MAX 32
void plan_hook_name(const struct plan *plan, size_t index, char out[PLAN_HOOK_NAME_MAX]);

/* The round trip between two: measured, or else estimated from the distance. */
uint32_t plan_rtt_ms(const struct plan *plan, size_t a, size_t b);

/* `plan->count` when there is none of that name. */
size_t plan_find(const struct plan *plan, const char *name);

/* The number in a region's ids: its usual one, or one that is free. */
unsigned plan_ordinal(const struct plan *plan, size_t index);

#endif
