#include "dispatcher/outcome.h"

static enum outcome outcome_of_status(unsigned status, uint32_t retry_after_s)
{
    if (status >= 200 && status < 300)
        return OUTCOME_DELIVERED;

    switch (status) {
    case 410:
        return OUTCOME_GONE;
    case 429:
    case 502:
    case 503:
    case 504:
        return retry_after_s > 0 ? OUTCOME_OVERLOADED : OUTCOME_FAILED;
    default:
        return OUTCOME_FAILED;
    }
}

bool outcome_is_void(enum outcome outcome)
{
    return outcome == OUTCOME_ABORTED || outcome == OUTCOME_HINDERED ||
           outcome == OUTCOME_SEALED;
}

enum outcome outcome_of(enum err err, unsigned status, uint32_t retry_after_s)
{
    if (err == ERR_OK)
        return outcome_of_status(status, retry_after_s);
    if (err == ERR_CANCELED)
        return OUTCOME_ABORTED;
    if (err == ERR_BUSY)
        return OUTCOME_HINDERED;
    if (err == ERR_SEALED)
        return OUTCOME_SEALED;
    return err == ERR_TIMEOUT ? OUTCOME_TIMED_OUT : OUTCOME_FAILED;
}
