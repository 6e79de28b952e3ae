#include "dispatcher/throttle.h"

#include <assert.h>

#define SECOND_US UINT64_C(1000000)
#define SLACK_US  UINT64_C(100000)

uint64_t throttle_next_mono_ms(const struct throttle *t)
{
    if (t->rate == 0 || t->whole_mono_us <= SLACK_US)
        return 0;
    return (t->whole_mono_us - SLACK_US + 999) / 1000;
}

bool throttle_allows(const struct throttle *t, struct now now)
{
    return throttle_next_mono_ms(t) <= now.mono_ms;
}

static uint64_t period_us(const struct throttle *t)
{
    return SECOND_US / t->rate;
}

static uint64_t from_us(const struct throttle *t, struct now now)
{
    uint64_t now_us = now.mono_ms * 1000;

    return t->whole_mono_us > now_us ? t->whole_mono_us : now_us;
}

uint64_t throttle_room(const struct throttle *t, struct now now)
{
    assert(t->rate > 0);
    if (!throttle_allows(t, now))
        return 0;
    return (now.mono_ms * 1000 + SLACK_US - from_us(t, now)) / period_us(t) + 1;
}

void throttle_take(struct throttle *t, struct now now)
{
    if (t->rate > 0)
        t->whole_mono_us = from_us(t, now) + period_us(t);
}
