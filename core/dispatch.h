/* Dispatch: what an endpoint says of how deliveries get to it, where there are several regions.
 *
 *   mode     auto: any lawful region may send, the cheapest does. home: the application's home
 *            alone. pin: the first of `regions` that is able to
 *   targets  other URLs than the endpoint's own, by the name of a jurisdiction or a region: that
 *            of the application's jurisdiction goes before that of the region that sends
 *
 * Which region sends in the end is region/route.h's decision. What a peer has sent may break these
 * rules: a name that means nothing here then has no effect.
 *
 * Pure. Thread: any. */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H

#include "core/residency.h"

#define DISPATCH_TARGETS_MAX 32
#define DISPATCH_DEFAULT     "default" /* the label of the endpoint's own URL */
#define DISPATCH_LOC_MAX     64        /* with NUL */

/* As the API spells it: "auto". */
const char *dispatch_mode_name(enum dispatch_mode mode);
bool dispatch_mode_find(const char *name, enum dispatch_mode *out);

/* One item of `targets`; false: it is none. */
struct dispatch_target {
    char label[REGION_NAME_LEN_MAX + 1];
    const char *url; /* borrowed */
};
bool dispatch_read_target(const char *item, struct dispatch_target *out);
void dispatch_add_target(struct dispatch *dispatch, const char *label, const char *url);

/* Where a delivery goes that `region` sends for an application of `jurisdiction`; either may be
 * NULL. The label is DISPATCH_DEFAULT unless it is one of these two names; the URL is borrowed
 * from the endpoint. */
struct dispatch_target dispatch_choose(const struct endpoint *endpoint,
                                       const char *jurisdiction, const char *region);

/* What is wrong, and by which rule. */
struct dispatch_fault {
    char loc[DISPATCH_LOC_MAX]; /* "dispatch/regions/0" */
    char why[TOPOLOGY_WHY_MAX];
};

/* ERR_INVALID: a label that names neither a region nor a jurisdiction; regions without a pin, or
 * the other way round; a pin that is no region, or that isn't of the application's jurisdiction. */
MUST_USE enum err dispatch_check(const struct topology *t, const struct residency *residency,
                                 const struct dispatch *dispatch, struct dispatch_fault *fault);

#endif
