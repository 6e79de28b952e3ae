#include "region/peer.h"

#include <stdio.h>

#define SMOOTHING 5

static uint32_t round_trip(const struct pong *pong)
{
    uint64_t whole = pong->got_us - pong->sent_us;
    uint64_t there = pong->replied_us - pong->received_us;

    if (pong->got_us < pong->sent_us || whole > UINT32_MAX)
        return 0; /* our clock was set meanwhile */
    if (pong->replied_us < pong->received_us || there > whole)
        return (uint32_t)whole; /* theirs was */
    return (uint32_t)(whole - there);
}

/* RFC 5905, section 8; each halved, for the peer may say any two instants. */
static int64_t clock_offset(const struct pong *pong)
{
    int64_t there = (int64_t)(pong->received_us - pong->sent_us);
    int64_t back = (int64_t)(pong->replied_us - pong->got_us);

    return there / 2 + back / 2 + (there % 2 + back % 2) / 2;
}

void peer_answered(struct peer_health *p, const struct pong *pong, uint64_t now_ms)
{
    uint32_t rtt_us = round_trip(pong);

    if (rtt_us > 0) {
        int64_t step = ((int64_t)rtt_us - (int64_t)p->rtt_us) / SMOOTHING;
        p->rtt_us = p->rtt_us == 0 ? rtt_us : (uint32_t)((int64_t)p->rtt_us + step);
        p->clock_offset_us = clock_offset(pong);
    }
    p->heard = true;
    p->incompatible = false;
    p->missed = 0;
    p->draining = pong->draining;
    p->reaches = pong->reaches;
    p->heard_at_ms = now_ms;
    p->reason[0] = '\0';
}

void peer_missed(struct peer_health *p, const char *reason)
{
    p->missed += p->missed < PEER_DEAD_AFTER;
    snprintf(p->reason, sizeof p->reason, "%s", reason);
}

void peer_refused(struct peer_health *p, const char *reason)
{
    p->heard = true;
    p->incompatible = true;
    p->missed = 0;
    p->reaches = REGION_SET_NONE;
    snprintf(p->reason, sizeof p->reason, "%s", reason);
}

bool peer_is_heard(const struct peer_health *p)
{
    return p->heard && !p->incompatible && p->missed < PEER_SUSPECT_AFTER;
}

bool peer_is_given_up(const struct peer_health *p)
{
    return p->incompatible || p->missed >= PEER_DEAD_AFTER;
}

/* By itself, not asking the others. */
static enum region_state state_of(const struct peer_health *p)
{
    if (p->missed >= PEER_DEAD_AFTER)
        return REGION_DEAD;
    if (p->incompatible)
        return REGION_INCOMPATIBLE;
    if (!p->heard)
        return REGION_UNKNOWN;
    if (p->missed >= PEER_SUSPECT_AFTER)
        return REGION_SUSPECT;
    return p->draining ? REGION_DRAINING : REGION_ALIVE;
}

static void doubt(struct region_condition *condition, const char *why)
{
    condition->state = REGION_SUSPECT;
    snprintf(condition->reason, sizeof condition->reason, "%s", why);
}

void peers_judge(const struct peer_health peers[], size_t count, size_t self,
                 struct region_condition out[])
{
    region_set heard = REGION_SET_NONE, reached = REGION_SET_NONE;

    for (size_t i = 0; i < count; i++)
        if (i != self && peer_is_heard(&peers[i])) {
            heard |= region_set_of(i);
            reached |= peers[i].reaches;
        }
    for (size_t i = 0; i < count; i++) {
        struct region_condition *c = &out[i];

        if (i == self) {
            *c = (struct region_condition){ .state = REGION_SELF };
            continue;
        }
        *c = (struct region_condition){ .state = state_of(&peers[i]),
                                        .rtt_us = peers[i].rtt_us,
                                        .clock_offset_us = peers[i].clock_offset_us,
                                        .heard_at_ms = peers[i].heard_at_ms };
        snprintf(c->reason, sizeof c->reason, "%s", peers[i].reason);
        if (c->state != REGION_DEAD)
            continue;
        if (region_set_has(reached, i))
            doubt(c, "others reach it, we don't");
        else if (heard == REGION_SET_NONE && count > 2)
            doubt(c, "no other region answers: this one may be cut off");
    }
}
