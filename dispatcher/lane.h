/* Lane: one endpoint's queue, and how hard we may push that endpoint right now.
 *
 *              failures in a row                    cool-off over
 *   OPEN ──────────────────────────────► SHUT ──────────────────► PROBING
 *    ▲ ▲                                  ▲                          │ │
 *    │ └────────── success ───────────────┼──────────────────────────┘ │
 *    │                                    └───────── failure ──────────┘
 *
 * OPEN admits up to `window` attempts at once; the window grows by one per window of successes and
 * halves on a failure. SHUT admits none, and its cool-off doubles each time a probe fails. PROBING
 * admits exactly one.
 *
 * What a lane has in memory is claimed: queued, or away (in flight or being recorded). All else of
 * its backlog is on disk, and `more` and `next_due_at_ms` say what is known of that.
 *
 * A decision about time takes the instant as a parameter; nothing here asks a clock.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_LANE_H
#define DISPATCHER_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/list.h"
#include "core/model.h"
#include "dispatcher/agenda.h"
#include "dispatcher/tenant.h"

enum lane_state { LANE_OPEN, LANE_SHUT, LANE_PROBING };

struct lane_limits {
    unsigned window_first;
    unsigned window_max;
    unsigned fail_limit; /* failures in a row that shut an open lane */
    uint32_t cool_off_first_ms;
    uint32_t cool_off_max_ms; /* where doubling ends */
    unsigned claimed_max;     /* deliveries in memory */
};

/* A delivery in memory. */
struct claim {
    struct list link; /* in its lane: queue or away */
    struct lane *lane;
    struct delivery delivery;
};

struct lane {
    const struct lane_limits *limits;
    int64_t endpoint_key;

    /* pressure */
    enum lane_state state;
    unsigned window;
    unsigned in_flight;
    unsigned credit;          /* successes towards the next step of the window */
    unsigned failures;        /* in a row */
    unsigned probes_failed;   /* since it was last open */
    bool is_probed;           /* PROBING: the one attempt that it admits is under way */
    uint64_t reopen_mono_ms;  /* meaningful when SHUT */
    struct throttle throttle; /* of its attempts */

    /* what is in memory */
    struct list queue; /* claims to be sent, oldest message first */
    struct list away;  /* claims in flight or being recorded */
    unsigned queue_len, away_len;

    /* what is known of the disk */
    bool more;               /* deliveries may be due there that aren't claimed */
    uint64_t next_due_at_ms; /* and the earliest later one; 0 = none known */

    /* its endpoint */
    bool held;  /* disabled */
    bool ended; /* deleted */

    /* its application's rate; the scheduler's, but lane_leave() */
    struct tenant *tenant; /* NULL: it has none */
    size_t queued;         /* what it adds to the tenant's */
    bool hungry;           /* `wanting` is in the tenant's list */

    /* the scheduler's and the roster's */
    bool loading;        /* a refill is under way */
    struct list ready;   /* link: has something to send and may, but for its tenant */
    struct list wanting; /* link: waits for its turn at the disk, or for its tenant's */
    struct list idle;    /* link: owes nothing */
    struct agenda_item wake;
    UT_hash_handle hh;
};

void lane_init(struct lane *lane, int64_t endpoint_key, const struct lane_limits *limits);

/* Forget what was learnt about the receiver: it is another now. */
void lane_reset(struct lane *lane);

/* SHUT becomes PROBING, and what was due later becomes due, when the time has come. */
void lane_advance(struct lane *lane, struct now now);

/* When advancing or its rate will let it do something it can't do now, monotonic; AGENDA_NEVER:
 * that takes an event. */
uint64_t lane_next_mono_ms(const struct lane *lane, struct now now);

/* Whether the queue's head may be sent now. */
bool lane_may_send(const struct lane *lane, struct now now);

/* Be of no tenant, and in none of its lists, any more. */
void lane_leave(struct lane *lane);

/* Deliveries that it should have in memory: fewer when memory is scarce, and beside those under way
 * no more than its rate, or its share of its tenant's, lets go in a second. */
unsigned lane_depth(const struct lane *lane, bool scarce);

/* Whether it should read from disk: half of its depth is used up, and there may be more. */
bool lane_wants_refill(const struct lane *lane, bool scarce);

/* Whether nothing is claimed and nothing is known to be pending. */
bool lane_is_idle(const struct lane *lane);

/* What the outbox is known to have for it. */
void lane_note_due(struct lane *lane, uint64_t due_at_ms, struct now now);

void lane_queue(struct lane *lane, struct claim *claim);
void lane_unqueue(struct lane *lane, struct claim *claim);
bool lane_has(const struct lane *lane, int64_t message_key);

/* Write the message keys of all claims, ascending; `out` has room for lane_claimed(). */
void lane_keys(const struct lane *lane, int64_t *out);
unsigned lane_claimed(const struct lane *lane);

/* Take the head of the queue to send it. Only when lane_may_send(). */
struct claim *lane_send(struct lane *lane, struct now now);

/* The attempt at a claim that is away is over. `jitter` in [0, 1) spreads the cool-off by a fifth
 * either way. */
void lane_succeeded(struct lane *lane);
void lane_failed(struct lane *lane, struct now now, double jitter);
void lane_aborted(struct lane *lane); /* it says nothing about the receiver */

/* What came of it is on disk, or will be forgotten. */
void lane_settle(struct lane *lane, struct claim *claim);

/* The receiver asked for a pause, or we need one. */
void lane_shut(struct lane *lane, uint64_t until_mono_ms);

#endif
