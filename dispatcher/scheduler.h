/* Scheduler: which lanes have something due and room for it.
 *
 *   hint ──► claimed ─┐                          ┌──► answered ──► recorded ──┐
 *                     ├──► ready ──► attempt ────┤                            ├──► settle
 *   disk ──► refill ──┘    (round robin)         └──► lane: window, cool-off ─┘
 *
 * Callbacks record facts and settle their lane; scheduler_poke() starts what may start and says
 * when to come back. It must be called after every event on its loop and at the instant that it
 * returned. The outbox is the truth: hints only spare a read, and a survey of the lanes at the
 * start, after lost hints, and every few seconds finds what they didn't tell.
 *
 * Time, randomness and the transport come in as parameters, so that a test runs hours in seconds.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_SCHEDULER_H
#define DISPATCHER_SCHEDULER_H

#include "dispatcher/attempt.h"
#include "dispatcher/roster.h"

struct scheduler;

struct scheduler_options {
    struct store *store;
    struct inbox *inbox; /* where the store answers */
    const struct catalog *catalog;
    struct transport *transport; /* of what is sent here */
    struct transport *abroad;    /* of what another region sends; NULL as the router */
    struct router *router;       /* NULL: there is one region */
    uint8_t region;              /* the ordinal of this one */
    struct id_source *ids;
    struct retry_policy retry;
    uint64_t disable_after_ms; /* as the dispatcher's option */
    struct roster_limits limits;
    unsigned in_flight_max; /* of all lanes */
    struct now (*clock)(void);
    double (*random)(void); /* in [0, 1) */
};

struct scheduler *scheduler_new(const struct scheduler_options *options);

/* Only when it is done. */
void scheduler_free(struct scheduler *s);

/* Owns the hint. */
void scheduler_take_hint(struct scheduler *s, struct store_hint *hint);

/* The catalog has a newer object. */
void scheduler_object_changed(struct scheduler *s, struct object *object);

/* Start what may start. Returns the monotonic instant to call again at the latest;
 * AGENDA_NEVER: that takes an event. */
uint64_t scheduler_poke(struct scheduler *s, struct now now);

/* Another limit for the attempts in flight; those above it may end. */
void scheduler_set_in_flight_max(struct scheduler *s, unsigned in_flight_max);

/* Start nothing more, and forget what is queued; it is on disk. Records that the store refuses are
 * asked for again by scheduler_poke(), as before. */
void scheduler_stop(struct scheduler *s);

/* Hasten the end of the attempts under way; a record that is refused now is given up, and the
 * next start makes that attempt again. */
void scheduler_cancel(struct scheduler *s);

/* After stopping: nothing is under way, with the store or outside. */
bool scheduler_is_done(const struct scheduler *s);

/* What it has in memory now. */
struct scheduler_load {
    size_t lanes, claims, bytes; /* claims and bytes with what refills may still bring */
    unsigned in_flight, refills;
    size_t unanswered; /* requests that the store has */
};
struct scheduler_load scheduler_load(const struct scheduler *s);

#endif
