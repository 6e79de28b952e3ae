#include "region/expiry.h"

#include <stdio.h>

#include "core/log.h"
#include "signer/certificate.h"

#define DAY_S  UINT64_C(86400)
#define DAY_MS (DAY_S * 1000)

void expiry_init(struct expiry *e, const struct topology *t)
{
    struct certificate certificate;
    const char *why;

    *e = (struct expiry){ .told_mono_ms = 0 };
    for (size_t i = 0; i < t->count; i++)
        if (t->regions[i].certificate_pem &&
            certificate_read(t->regions[i].certificate_pem, &certificate, &why) == ERR_OK)
            e->ends_s[i] = certificate.not_after_s;
}

/* False: there is time. */
static bool tell(uint64_t ends_s, uint64_t wall_ms, char out[REGION_REASON_MAX])
{
    uint64_t now_s = wall_ms / 1000;
    char end[CLOCK_TEXT_MAX];

    if (ends_s == 0 || ends_s > now_s + EXPIRY_DAYS * DAY_S)
        return false;
    clock_format(ends_s * 1000, end);
    snprintf(out, REGION_REASON_MAX, "its certificate %s at %s",
             ends_s <= now_s ? "has ended" : "ends", end);
    return true;
}

void expiry_condition(const struct expiry *e, size_t index, uint64_t wall_ms,
                      struct region_condition *c)
{
    if (c->reason[0] == '\0')
        tell(e->ends_s[index], wall_ms, c->reason);
}

void expiry_poke(struct expiry *e, const struct topology *t, struct now now)
{
    char reason[REGION_REASON_MAX];

    if (now.mono_ms < e->told_mono_ms)
        return;
    e->told_mono_ms = now.mono_ms + DAY_MS;
    for (size_t i = 0; i < t->count; i++)
        if (tell(e->ends_s[i], now.wall_ms, reason))
            log_event(LOG_WARN, "certificate_ends", LOG_STR("region", t->regions[i].name),
                      LOG_STR("reason", reason));
}
