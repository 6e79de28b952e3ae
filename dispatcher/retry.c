#include "dispatcher/retry.h"

#include <assert.h>

#define JITTER 0.2

static uint64_t scale(uint64_t ms, double factor)
{
    return (uint64_t)((double)ms * factor);
}

static uint64_t delay_ms(uint64_t step_ms, enum outcome outcome, uint32_t retry_after_s,
                         double jitter)
{
    uint64_t asked_ms = (uint64_t)retry_after_s * 1000;
    uint64_t delay;

    if (asked_ms > 0) {
        delay = scale(asked_ms, 1 + JITTER * jitter);
        delay = delay < step_ms ? step_ms : delay;
        delay = delay > 2 * step_ms ? 2 * step_ms : delay;
    } else {
        delay = scale(step_ms, 1 - JITTER + 2 * JITTER * jitter);
    }
    if (outcome == OUTCOME_TIMED_OUT && delay < RETRY_TIMEOUT_MIN_MS)
        delay = RETRY_TIMEOUT_MIN_MS;
    return delay;
}

struct verdict retry_judge(const struct retry_policy *policy, enum outcome outcome,
                           unsigned number, uint32_t retry_after_s, uint64_t wall_ms,
                           double jitter)
{
    assert(number > 0 && !outcome_is_void(outcome));

    if (outcome == OUTCOME_DELIVERED)
        return (struct verdict){ .state = DELIVERY_DELIVERED };
    if (outcome == OUTCOME_GONE || number > policy->count)
        return (struct verdict){ .state = DELIVERY_DEAD };

    uint64_t step_ms = (uint64_t)policy->schedule_s[number - 1] * 1000;
    return (struct verdict){
        .state = DELIVERY_PENDING,
        .due_at_ms = wall_ms + delay_ms(step_ms, outcome, retry_after_s, jitter),
    };
}

struct verdict retry_judge_manual(enum outcome outcome, uint64_t resume_at_ms)
{
    assert(!outcome_is_void(outcome));

    if (outcome == OUTCOME_DELIVERED)
        return (struct verdict){ .state = DELIVERY_DELIVERED };
    if (outcome == OUTCOME_GONE || resume_at_ms == 0)
        return (struct verdict){ .state = DELIVERY_DEAD };
    return (struct verdict){ .state = DELIVERY_PENDING, .due_at_ms = resume_at_ms };
}
