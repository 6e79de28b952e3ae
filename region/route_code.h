/* Route code: what a decision was made of, and what it was, as JSON, so that it can be kept, shown
 * and made again.
 *
 *   {"inputs": {"version": 1, …}, "decision": {…}}
 *
 * Regions are called by their names. What is read may be anyone's: sizes, ranges and names are
 * checked, so that whatever was read can be decided on.
 *
 * Pure. Thread: any. */
#ifndef REGION_ROUTE_CODE_H
#define REGION_ROUTE_CODE_H

#include "region/route.h"
#include "wire/json.h"

#define ROUTE_WHY_MAX  256
#define ROUTE_CODE_MAX (1u << 16) /* bytes: more than any decision has, inputs and all */

/* Each writes one object: both together, as a decision is recorded, or one of them. */
void route_put(struct json_writer *w, const struct route_inputs *in,
               const struct route_decision *d);
void route_put_inputs(struct json_writer *w, const struct route_inputs *in);
void route_put_decision(struct json_writer *w, const struct route_inputs *in,
                        const struct route_decision *d);

/* ERR_INVALID: `why` says which member; ERR_VERSION: of rules that aren't these. */
MUST_USE enum err route_read_inputs(const struct json *j, struct route_inputs *out,
                                    char why[ROUTE_WHY_MAX]);

/* Make a recorded decision again. ERR_OK: it is the same; ERR_CONFLICT: it isn't, and `why` says
 * where the first difference is; `in` and `d` are filled in with either. Errors as
 * route_read_inputs(). */
MUST_USE enum err route_recompute(const struct json *recorded, struct route_inputs *in,
                                  struct route_decision *d, char why[ROUTE_WHY_MAX]);

#endif
