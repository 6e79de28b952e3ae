/* Tour: what the four regions do, in five steps. */
#ifndef LAB_TOUR_H
#define LAB_TOUR_H

#include <stdbool.h>

#include "lab/plan.h"
#include "lab/play.h"

extern const struct act tour[];
extern const size_t tour_count;

/* Whether the regions that it speaks of are there. */
bool tour_fits(const struct plan *plan);

#endif
