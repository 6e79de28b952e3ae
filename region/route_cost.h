/* Route cost: microseconds from a message's commit at home until its receiver has answered, in the
 * median, when this region sends it. The answer's way back doesn't count: it differs by region, and
 * nobody at the receiver waits for it.
 *
 *   cost       = [not home] (link / 2 + queue + 2 ms) + setup + first byte - back
 *   link       = its round trip, else estimated from the distance
 *   setup      = share of requests that find no connection · round trips of a new one · rtt
 *   first byte = the median of real deliveries, if there are 20 within an hour;
 *                else rtt + the server's own time, the median over the regions that know it
 *   back       = rtt / 2, at most the first byte
 *   rtt        = measured, else estimated
 *   estimate   = 1.7 · km / 100 ms, within |a − b| … a + b for each region that has measured its own
 *                round trip a and has a link of b; without a distance that upper bound
 *
 * Round trips on the Internet are 1.4 to 2.1 times what light in fibre takes, 1.7 in the mean: an
 * estimate puts regions in order only where their distances differ by more than a half. What a region
 * knows is of the URL that it would send to; regions that would send to another aren't asked.
 *
 * Without reuse seen by any region all requests are taken to need a new connection.
 *
 * Pure, in whole numbers; divisions round down. Thread: any. */
#ifndef REGION_ROUTE_COST_H
#define REGION_ROUTE_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/topology.h"
#include "region/path.h"

#define ROUTE_KM_UNKNOWN      UINT32_MAX
#define ROUTE_HANDLING_US     2000 /* to take a forward in and commit it */
#define ROUTE_FIRST_BYTES_MIN 20   /* samples that make a median good enough */
#define ROUTE_US_PER_KM       17   /* 1.7 / 100 ms */
#define ROUTE_PERMILLE        1000

/* How a region gets to a receiver. */
struct route_way {
    char label[REGION_NAME_LEN_MAX + 1]; /* of the URL that it would send to: see dispatch.h */
    uint8_t
        trips; /* round trips of a new connection before the request: 1 TCP, 2 with TLS 1.3 */
};

struct route_cost {
    bool known;       /* all terms are; otherwise the total says nothing */
    bool remote;      /* it isn't the home: link, queue and handling count */
    uint64_t link_us; /* half of the round trip */
    enum path_source link_source;
    uint64_t queue_us, handling_us;
    uint64_t rtt_us; /* to the receiver */
    enum path_source rtt_source;
    uint32_t cold_permille; /* of requests that need a new connection */
    uint32_t trips;
    uint64_t setup_us;
    bool first_byte_measured; /* by deliveries from there: */
    uint32_t first_byte_count;
    bool server_known; /* or else by the round trip and this: */
    uint64_t server_us;
    uint64_t first_byte_us;
    uint64_t back_us; /* of it: the answer's way, which doesn't count */
    uint64_t total_us;
};

struct route_inputs;

/* Of the region of this index. */
struct route_cost route_cost(const struct route_inputs *in, size_t region);

/* The same, if its round trip to the receiver were as short as what others have measured allows. */
struct route_cost route_cost_at_best(const struct route_inputs *in, size_t region);

#endif
