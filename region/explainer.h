/* Explainer: behind api/explainer.h.
 *
 * What would be decided now is gathered as the router does it; what was decided is read from the
 * store and decided again, by the inputs that were recorded: it is the same, or the difference is
 * told. In a region that is alone there is no router, and it is the one that sends.
 *
 * Thread: that of the loop behind `inbox`, the dispatcher's. explainer_new() before the loops run,
 * explainer_free() when nobody asks any more; it outlives all who do, and the router outlives it. */
#ifndef REGION_EXPLAINER_H
#define REGION_EXPLAINER_H

#include "api/explainer.h"
#include "region/router.h"

struct explainer_options {
    struct inbox *inbox;             /* the loop's */
    const struct topology *topology; /* all borrowed while the explainer lives */
    struct store *store;
    struct region_router *router; /* NULL: alone */
    struct now (*clock)(void);    /* clock_now, or a test's */
};

struct region_explainer;

struct region_explainer *explainer_new(const struct explainer_options *options);
void explainer_free(struct region_explainer *explainer); /* NULL does nothing */

struct explainer *explainer_interface(struct region_explainer *explainer);

#endif
