/* Peer: how another region is, judged from what it answers and what it doesn't.
 *
 *                  ┌────────── answers ◄───────────────┐
 *   UNKNOWN ──► ALIVE ── 2 missed ──► SUSPECT ── 3, and others agree ──► DEAD
 *                  └─ answers what we don't take ──► INCOMPATIBLE (until it answers otherwise)
 *
 * That we can't reach a region may be our own path's fault. So it counts as dead only if no other
 * region that we reach still reaches it; and if we reach none at all, we take ourselves for the one
 * that is cut off, and call none of them dead.
 *
 * Pure: time comes in. Instants of a clock in µs since 1970, or in ms where they say so. */
#ifndef REGION_PEER_H
#define REGION_PEER_H

#include "core/clock.h"
#include "core/region_health.h"

#define PEER_PING_MS       500 /* between two pings */
#define PEER_DOUBT_MS      250 /* after one that was missed */
#define PEER_SUSPECT_AFTER 2   /* pings that were missed in a row */
#define PEER_DEAD_AFTER    3

/* What a ping brought. */
struct pong {
    uint64_t sent_us, got_us;         /* by our clock */
    uint64_t received_us, replied_us; /* by the peer's */
    bool draining;                    /* its operator says so */
    region_set reaches;               /* the regions that it hears itself */
};

struct peer_health {
    bool heard, incompatible;
    unsigned missed; /* in a row */
    bool draining;
    region_set reaches;
    uint32_t rtt_us; /* smoothed: a fifth of each new one */
    int64_t clock_offset_us;
    uint64_t heard_at_ms;
    char reason[REGION_REASON_MAX]; /* why the last ping was missed or not taken */
};

void peer_answered(struct peer_health *p, const struct pong *pong, uint64_t now_ms);
void peer_missed(struct peer_health *p, const char *reason);

/* It answers, and we can't work with it. */
void peer_refused(struct peer_health *p, const char *reason);

/* Whether we hear it ourselves. */
bool peer_is_heard(const struct peer_health *p);

/* Whether it is dead as far as we see, or refused: nothing is lost by asking it less often. */
bool peer_is_given_up(const struct peer_health *p);

/* How all regions are, from the health of each by index; that of `self` isn't read. */
void peers_judge(const struct peer_health peers[], size_t count, size_t self,
                 struct region_condition out[]);

#endif
