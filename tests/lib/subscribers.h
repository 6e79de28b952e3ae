/* Subscribers: scripted subscribers in virtual time, behind a transport without a network.
 *
 * They remember every delivery that reached them and check what must hold whatever happens: one
 * attempt at a time for each delivery, none before it is due, none to an endpoint that is disabled
 * or deleted, windows and rates kept, attempts counted, payloads unchanged.
 *
 * A payload is the number of its message, in decimal. */
#ifndef TESTS_LIB_SUBSCRIBERS_H
#define TESTS_LIB_SUBSCRIBERS_H

#include "core/clock.h"
#include "core/list.h"
#include "dispatcher/attempt.h"
#include "tests/lib/dice.h"

#define SUBSCRIBERS_MAX 8
#define MESSAGES_MAX    4096

enum manner {
    MANNER_PROMPT,      /* 200 in some milliseconds */
    MANNER_SLOW,        /* 200 in up to 25 s */
    MANNER_BROKEN,      /* 500 */
    MANNER_MOODY,       /* any status */
    MANNER_OVERLOADED,  /* 429 and 503 with Retry-After */
    MANNER_HANGING,     /* no answer in time */
    MANNER_UNREACHABLE, /* refused, or by egress */
    MANNER_GONE,        /* 410 */
    MANNER_BEYOND_US,   /* we have no socket to spare */
    MANNER_SEALED,      /* we have no key to its secret */
    MANNERS,
};

/* What is known of one delivery. */
struct parcel {
    bool owed;     /* the message was accepted for this endpoint */
    bool forgiven; /* its endpoint was deleted */
    bool unwanted; /* 410 */
    bool in_flight;
    bool unclear;       /* a crash: an attempt may have gone unrecorded */
    unsigned attempts;  /* recorded */
    unsigned accepted;  /* answered 2xx */
    uint64_t due_at_ms; /* of the next attempt, by the last verdict */
};

struct subscriber {
    struct id endpoint;
    enum manner manner;
    uint32_t retry_after_s; /* of an overloaded one; 0 = as the dice say */
    bool closed;            /* disabled or deleted: nothing may come */
    uint32_t throttle_rate;
    uint64_t throttle_mono_us;
    unsigned in_flight;
    struct parcel parcels[MESSAGES_MAX];
};

struct subscribers {
    struct transport transport;
    struct dice *dice;
    const struct retry_policy *policy;
    unsigned in_flight_max, in_flight_lane_max;

    uint64_t newest_wall_ms; /* that the wall clock has shown; what was due once stays due */
    size_t count;
    struct subscriber *items[SUBSCRIBERS_MAX];
    struct list flights;
    unsigned in_flight;
    unsigned attempts; /* in all */
    unsigned repeats;  /* answered 2xx again after a crash */
};

void subscribers_init(struct subscribers *r, struct dice *dice,
                      const struct retry_policy *policy, unsigned in_flight_max,
                      unsigned in_flight_lane_max);
void subscribers_fini(struct subscribers *r);

struct subscriber *subscribers_add(struct subscribers *r, const struct id *endpoint);

/* When the next answer comes; AGENDA_NEVER. */
uint64_t subscribers_next(const struct subscribers *r);

/* Give the answers whose time has come. */
void subscribers_answer(struct subscribers *r, struct now now);

/* The sender dies: some attempts had arrived, none is answered. */
void subscribers_crash(struct subscribers *r);

/* Attempts have gone unrecorded, nobody knows which. */
void subscribers_doubt_all(struct subscribers *r);

/* Every owed delivery was accepted, or its schedule ended, or nobody wants it. */
void subscribers_check_all_settled(const struct subscribers *r);

#endif
