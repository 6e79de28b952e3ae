/* Regions: topologies for tests, made from words. */
#ifndef TESTS_LIB_REGIONS_H
#define TESTS_LIB_REGIONS_H

#include "core/topology.h"

/* "NAME ORDINAL JURISDICTION[,JURISDICTION…]" each, such as "fra 1 eu,gdpr"; the public URL is
 * http://NAME.test. This one is `self`, a name. topology_free() it. */
struct topology *regions_topology(const char *const *regions, size_t count, const char *self);

/* fra 1 eu, iad 2 us, sin 3 sg, gru 4 br and dub 7 eu: two regions of one jurisdiction. */
struct topology *regions_five(const char *self);

/* The set of these names, between spaces. */
region_set regions_set(const struct topology *t, const char *names);

#endif
