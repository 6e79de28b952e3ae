/* Residency: where an application's data may be, and which region answers a request for it.
 *
 * An application has one home, a region of its jurisdiction: that takes its messages in, keeps
 * them, and alone writes the application and its endpoints. Every region has a replica of those
 * two. What reaches a region outside the jurisdiction goes by the mode:
 *
 *     at_rest     it is carried to the home: read here, stored there
 *     processing  its sender is told to go there, before the body is read
 *     transit     it is refused: the connection itself is where it mustn't be
 *
 * A region of the jurisdiction carries, whatever the mode. While the home is down another region
 * of the jurisdiction takes messages in if the application says so, the same one whoever asks;
 * all else waits. Nothing ever goes to a region outside it, nor to one that isn't known.
 *
 * Pure: who is alive comes in as a set. Thread: any. */
#ifndef CORE_RESIDENCY_H
#define CORE_RESIDENCY_H

#include "core/topology.h"

enum residency_field {
    RESIDENCY_FIELD_JURISDICTION,
    RESIDENCY_FIELD_HOME,
    RESIDENCY_FIELD_MODE,
    RESIDENCY_FIELD_FAILOVER,
    RESIDENCY_FIELDS, /* how many there are */
};

const char *residency_field_name(enum residency_field field); /* "home" */

/* As the API spells them: "at_rest", "jurisdiction". */
const char *residency_mode_name(enum residency_mode mode);
const char *residency_failover_name(enum residency_failover failover);

/* What is wrong, and by which rule. */
struct residency_fault {
    enum residency_field field;
    char why[TOPOLOGY_WHY_MAX];
};

/* What a client says of it, name by name; NULL: nothing. */
struct residency_wish {
    const char *jurisdiction;
    const char *home;
    const char *mode;
    const char *failover;
};

/* ERR_INVALID: an unknown jurisdiction or region, a home outside its jurisdiction, or a value that
 * is none. */
MUST_USE enum err residency_check(const struct topology *t, const struct residency *residency,
                                  struct residency_fault *fault);

/* The residency that `wish` makes of `current`, checked; residency_fini() it. Without a current
 * one it is new: what isn't said is at_rest and none, a home in this region, or in the first of a
 * jurisdiction that this region isn't of. A current one keeps its jurisdiction and home.
 * ERR_INVALID. */
MUST_USE enum err residency_make(const struct topology *t, const struct residency *current,
                                 const struct residency_wish *wish, struct residency *out,
                                 struct residency_fault *fault);

/* The regions that may store and send for it: its jurisdiction. */
region_set residency_allowed(const struct topology *t, const struct residency *residency);

/* NULL: it isn't known here. */
const struct region *residency_home(const struct topology *t,
                                    const struct residency *residency);

/* What a request needs. */
enum residency_need {
    RESIDENCY_REPLICA, /* a look at configuration: any region has it */
    RESIDENCY_OWNER,   /* a change of configuration, or a look at what only the home has */
    RESIDENCY_INTAKE,  /* somewhere for a message to lie: the home, or who stands in for it */
};

struct residency_request {
    enum residency_need need;
    bool carried; /* from another region, or sent on by one: that was its one hop */
};

enum residency_action {
    RESIDENCY_SERVE,    /* here */
    RESIDENCY_CARRY,    /* to `region`, body and all */
    RESIDENCY_REDIRECT, /* tell its sender of `region`; the body isn't read */
    RESIDENCY_REFUSE,   /* not here: only `region` may see it come in */
    RESIDENCY_HOLD,     /* whoever may answer is down or unknown */
    RESIDENCY_LOOP,     /* it would have to be carried a second time */
};

struct residency_decision {
    enum residency_action action;
    const struct region *region; /* who is to answer; NULL with HOLD */
    const char *reason;          /* words; a constant */
};

/* This region counts as alive. */
struct residency_decision residency_decide(const struct topology *t, region_set alive,
                                           const struct residency *residency,
                                           const struct residency_request *request);

/* For an application that isn't here, by the region whose ordinal its id holds: it may be too new
 * to have arrived. Its mode isn't known either, so what it may be is taken for the strictest that
 * has an answer. SERVE: if there is such an application this region would know. */
struct residency_decision residency_decide_unknown(const struct topology *t, region_set alive,
                                                   uint8_t ordinal,
                                                   const struct residency_request *request);

/* For what belongs to the whole organization: event types. */
struct residency_decision residency_decide_directory(const struct topology *t, region_set alive,
                                                     const struct residency_request *request);

#endif
