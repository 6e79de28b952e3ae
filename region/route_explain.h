/* Route explain: a decision as a person reads it, step by step.
 *
 *   application acme (eu, home fra)   endpoint ep_… https://hooks.shop.example/in
 *    1 legal       {fra, dub}   iad, sin, gru: not in the jurisdiction
 *    2 explicit    auto
 *    3 alive       {fra, dub}
 *    4 cost        fra 171 ms = setup 0 (98 % reused) + ttfb 171 (p50 of 42 deliveries) - way back 0.5
 *                  dub 186 ms = link 11 + queue 3 + 2 + setup 4 (90 % reused) + ttfb 176 (…) - …
 *    5 hysteresis  current fra since 3 d; no challenger
 *    → fra.   sin would be 14 ms faster, but isn't permitted: not in the jurisdiction.
 *
 * Times are milliseconds. Where nothing was measured it says what stands in.
 *
 * Pure. Thread: any. */
#ifndef REGION_ROUTE_EXPLAIN_H
#define REGION_ROUTE_EXPLAIN_H

#include "core/buf.h"
#include "region/route.h"

/* What the inputs don't have; each may be NULL. Borrowed. */
struct route_subject {
    const char *application; /* a name for it */
    const char *url;         /* that of the endpoint */
};

/* Append the text. ERR_LIMIT. */
MUST_USE enum err route_explain(const struct route_subject *subject,
                                const struct route_inputs *in, const struct route_decision *d,
                                struct buf *out);

#endif
