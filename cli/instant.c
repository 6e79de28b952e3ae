#include "cli/instant.h"

#include "cli/duration.h"
#include "core/clock.h"

bool instant_parse(const char *text, uint64_t now_ms, uint64_t *out_ms)
{
    uint64_t ago_s;

    if (!duration_parse(text, &ago_s))
        return clock_parse(text, out_ms) == ERR_OK;
    if (ago_s > now_ms / 1000)
        return false;
    *out_ms = now_ms - ago_s * 1000;
    return true;
}
