/* Outcome: what an attempt's answer says. Pure.
 *
 *   2xx                                  DELIVERED
 *   410                                  GONE: the receiver wants nothing more
 *   429, 502, 503, 504 with Retry-After  OVERLOADED: nothing more for a while
 *   any other status, redirects included FAILED
 *   no answer within the timeout         TIMED_OUT
 *   no answer, or egress refused         FAILED
 *   canceled by us                       ABORTED: as if it had never been tried
 *   no descriptor or memory here         HINDERED: the same, but not again at once
 *   its secret doesn't open here         SEALED: the same, until the key to it is back */
#ifndef DISPATCHER_OUTCOME_H
#define DISPATCHER_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

enum outcome {
    OUTCOME_DELIVERED,
    OUTCOME_GONE,
    OUTCOME_OVERLOADED,
    OUTCOME_FAILED,
    OUTCOME_TIMED_OUT,
    OUTCOME_ABORTED,
    OUTCOME_HINDERED,
    OUTCOME_SEALED,
};

/* Whether it is as if it had never been tried: nothing is recorded. */
bool outcome_is_void(enum outcome outcome);

/* `status` counts when `err` is ERR_OK; `retry_after_s` is 0 when the answer had none. */
enum outcome outcome_of(enum err err, unsigned status, uint32_t retry_after_s);

#endif
