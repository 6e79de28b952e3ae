/* Retry: what becomes of a delivery after an attempt. Pure.
 *
 * After attempt n comes step n of the schedule, spread by a fifth either way, so that a healed
 * receiver isn't met by a herd; after the last step the delivery is dead. Retry-After moves it
 * within one and two times the step. A receiver that didn't answer in time is left alone for a
 * minute at least, however short the step. */
#ifndef DISPATCHER_RETRY_H
#define DISPATCHER_RETRY_H

#include "core/model.h"
#include "dispatcher/outcome.h"

#define RETRY_STEPS_MAX      32
#define RETRY_TIMEOUT_MIN_MS 60000

struct retry_policy {
    uint32_t schedule_s[RETRY_STEPS_MAX]; /* seconds before each retry */
    size_t count;                         /* n steps = n + 1 attempts */
};

struct verdict {
    enum delivery_state state;
    uint64_t due_at_ms; /* when PENDING */
};

/* Judge attempt `number` (1 = first), which ended at `wall_ms`; `jitter` in [0, 1). Not for one
 * that was aborted or hindered. */
struct verdict retry_judge(const struct retry_policy *policy, enum outcome outcome,
                           unsigned number, uint32_t retry_after_s, uint64_t wall_ms,
                           double jitter);

/* Judge an attempt that somebody asked for, which isn't retried: a schedule that was to go on at
 * `resume_at_ms` does so (0 = there was none any more). */
struct verdict retry_judge_manual(enum outcome outcome, uint64_t resume_at_ms);

#endif
