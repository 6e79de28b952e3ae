/* Routes: inputs of decisions for tests. */
#ifndef TESTS_LIB_ROUTES_H
#define TESTS_LIB_ROUTES_H

#include "region/route.h"

/* The indices of routes_five(), which are by ordinal. */
enum { FRA, IAD, SIN, GRU, DUB };

/* fra, iad, sin, gru and dub, all of them lawful, entitled and alive; home and self is fra. Links as
 * the WAN of the tests has them, and 22 ms to dub; nothing is known of the ways to the receiver. */
struct route_inputs routes_five(void);

/* What a region knows: a round trip by deliveries, all of which found a connection. */
void routes_measure(struct route_inputs *in, size_t region, uint32_t rtt_ms);

/* And the median of `count` deliveries to the first byte. */
void routes_first_byte(struct route_inputs *in, size_t region, uint32_t first_byte_ms,
                       uint32_t count);

/* How a set is written: "fra dub". */
const char *routes_names(const struct route_inputs *in, region_set set);

#endif
