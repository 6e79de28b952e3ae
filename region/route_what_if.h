/* What if: inputs that differ from what they are, by words such as
 *
 *   region=sin:down,rtt.sin=20
 *
 *   region=NAME:up|down|draining   how a region is
 *   circuit=NAME:open|closed       whether its deliveries get there
 *   rtt.NAME=MS                    from there to the receiver; what is known of the server stays
 *   link.NAME=MS                   a round trip between the home and it
 *   queue.NAME=MS                  what a forward to it waits
 *
 * separated by commas. A time has at most three digits behind the point.
 *
 * Pure. Thread: any. */
#ifndef REGION_ROUTE_WHAT_IF_H
#define REGION_ROUTE_WHAT_IF_H

#include "region/route_code.h"

#define ROUTE_WHAT_IF_MAX 1024 /* bytes */

/* ERR_INVALID: `why` says what is wrong, and nothing was changed. */
MUST_USE enum err route_what_if(const char *text, struct route_inputs *in,
                                char why[ROUTE_WHY_MAX]);

#endif
