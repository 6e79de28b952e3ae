/* Route: which region sends an endpoint's deliveries, and why.
 *
 *   legal ─► explicit ─► alive ─► cost ─► hysteresis ─► a region, or held
 *
 *   legal     of the application's jurisdiction, and holding the endpoint's secrets; never a wider set
 *   explicit  what the endpoint says: auto: all of them; home: that one; pin: those of its list
 *   alive     ready, not draining, with credit on the link, and no open circuit to the receiver; when
 *             none is left: the home, if that is legal
 *   cost      what a message needs from the home's commit to the receiver's answer, in the median;
 *             see route_cost.h. Equal: the home, then the lowest ordinal
 *   pin       the first of the list that is left, whatever the costs
 *
 * A decision is a pure function of its inputs, in whole numbers, and both can be written down
 * (route_code.h): the same inputs give the same decision again, on any machine. It says all that led
 * to it, and what the law costs: the fastest region that isn't permitted.
 *
 * Pure. Thread: any. */
#ifndef REGION_ROUTE_H
#define REGION_ROUTE_H

#include "core/clock.h"
#include "core/dispatch.h"
#include "core/id.h"
#include "core/region_health.h"
#include "region/hysteresis.h"
#include "region/path.h"
#include "region/route_cost.h"

#define ROUTE_VERSION 1 /* of the rules here; a recorded decision says by which it was made */

struct route_region {
    char name[REGION_NAME_LEN_MAX + 1]; /* "": alone */
    uint8_t ordinal;
    bool lawful;   /* of the application's jurisdiction */
    bool entitled; /* it holds the endpoint's secrets */
    enum region_state state;
    bool draining;
    bool has_credit_limit;
    uint32_t credit;       /* rows that it will take; unless !has_credit_limit */
    uint32_t queue_us;     /* what a forward waits before it is sent, in the median */
    struct route_way way;  /* to the receiver */
    struct path_view path; /* on it */
    uint32_t receiver_km;  /* ROUTE_KM_UNKNOWN: nobody says where either is */
    uint32_t home_km;      /* to the home, likewise */
};

struct route_inputs {
    struct id application, endpoint;
    uint64_t application_version, endpoint_version;
    struct now now;
    char jurisdiction[REGION_NAME_LEN_MAX + 1]; /* "": none */
    size_t count;
    struct route_region regions[REGIONS_MAX]; /* by ordinal, lowest first */
    size_t home;                              /* an index; ROUTE_NOWHERE: not known here */
    /* Round trips between regions, both ways alike; 0: not measured. */
    uint32_t link_us[REGIONS_MAX][REGIONS_MAX];
    enum dispatch_mode mode;
    size_t pin_count;
    size_t pins[REGIONS_MAX]; /* indices, the one wished for most first */
    struct hysteresis_rules rules;
    struct route_memory memory; /* instants: now.mono_ms */
    bool damped;                /* too many routes change right now */
};

/* Why a region was left out, by the step that did. */
enum route_exclusion {
    ROUTE_LEFT_IN,
    /* legal */
    ROUTE_UNLAWFUL,
    ROUTE_NOT_ENTITLED,
    /* explicit */
    ROUTE_NOT_HOME,
    ROUTE_NOT_PINNED,
    /* alive */
    ROUTE_UNHEARD,
    ROUTE_DOWN,
    ROUTE_INCOMPATIBLE,
    ROUTE_DRAINING,
    ROUTE_WITHOUT_CREDIT,
    ROUTE_CIRCUIT_OPEN,
    ROUTE_EXCLUSIONS, /* how many there are */
};

const char *
route_exclusion_text(enum route_exclusion exclusion); /* "not in the jurisdiction" */

enum route_held {
    ROUTE_SENT,          /* it isn't */
    ROUTE_HELD_UNLAWFUL, /* no region is permitted */
    ROUTE_HELD_HOMELESS, /* its home isn't known here */
    ROUTE_HELD_DOWN,     /* none is able to, and the home isn't permitted */
    ROUTE_HELDS,         /* how many there are */
};

const char *route_held_text(enum route_held held);

struct route_decision {
    region_set legal, wished, alive; /* what each step left; alive before the last resort */
    enum route_exclusion excluded[REGIONS_MAX];
    bool last_resort;                     /* none was alive: the home, all the same */
    struct route_cost costs[REGIONS_MAX]; /* of all regions, for what the law costs */
    size_t best;                          /* the cheapest that may send, or the first pin */
    enum hysteresis_verdict verdict;
    struct route_memory after; /* what the route remembers from now on */
    enum route_held held;
    size_t region; /* who sends; ROUTE_NOWHERE when held */
    /* The fastest of those that would be able to but aren't permitted, when it is faster than
     * `region` or there is none; ROUTE_NOWHERE otherwise. */
    size_t forbidden;
};

void route_decide(const struct route_inputs *in, struct route_decision *out);

#endif
