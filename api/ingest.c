#include "api/ingest.h"

#include <stdio.h>
#include <string.h>

#include "api/carry.h"
#include "api/reply.h"

#define RETRY_HOLD   "2" /* seconds: about what it takes to see that a region is up again */
#define DETAIL_MAX   512
#define LOCATION_MAX (REGION_URL_LEN_MAX + 32768) /* bytes; the request's target is shorter */

/* Deciding. */

/* A region that was never heard of, or isn't heard of just now, is tried all the same. */
static region_set alive_regions(const struct services *services)
{
    const struct region_condition *conditions = services->health.health->regions;
    region_set alive = REGION_SET_NONE;

    for (size_t i = 0; i < services->topology->count; i++)
        if (conditions[i].state != REGION_DEAD && conditions[i].state != REGION_INCOMPATIBLE)
            alive |= region_set_of(i);
    return alive;
}

static struct residency_request describe(const struct request *r, enum residency_need need)
{
    return (struct residency_request){
        .need = need,
        .carried = r->services->peers || exchange_header(r->exchange, CARRY_HOPS),
    };
}

/* Answers that ask for the home's own view ask its home. */
static enum residency_need need_of(const struct request *r)
{
    switch (r->match.route->ingest) {
    case INGEST_REPLICA:
    case INGEST_MANAGER_REPLICA:
        return r->session.consistency == CONSISTENCY_HOME ? RESIDENCY_OWNER : RESIDENCY_REPLICA;
    case INGEST_INTAKE:
        return RESIDENCY_INTAKE;
    case INGEST_HERE:
    case INGEST_DIRECTORY:
    case INGEST_OWNER:
    case INGEST_MESSAGE:
    case INGEST_MANAGER:
    case INGEST_TOKEN:
    case INGEST_REGION:
    case INGEST_TASK:
        break;
    }
    return RESIDENCY_OWNER;
}

static struct residency_decision serve_here(const struct request *r, const char *reason)
{
    const struct region *self = topology_self(r->services->topology);

    return (struct residency_decision){ RESIDENCY_SERVE, self, reason };
}

/* A message that another region of the jurisdiction took in lies there: its id says so. NULL: it is
 * about none, or one without an id. */
static struct residency residency_of(const struct topology *topology,
                                     const struct application *application,
                                     const struct id *message)
{
    struct residency residency = application->residency;
    const struct region *maker;

    if (!message)
        return residency;
    maker = topology_by_ordinal(topology, id_ordinal(message));
    if (maker && region_set_has(residency_allowed(topology, &residency),
                                topology_index(topology, maker)))
        residency.home = maker->ordinal;
    return residency;
}

static struct residency_decision decide_for_application(struct request *r)
{
    const struct topology *topology = r->services->topology;
    const struct residency_request request = describe(r, need_of(r));
    const struct application *application = request_look_up_application(r);
    struct id id;

    if (application) {
        bool is_at_message = r->match.route->ingest == INGEST_MESSAGE &&
                             id_parse(ID_MESSAGE, r->match.parts[1], &id) == ERR_OK;
        struct residency residency =
            residency_of(topology, application, is_at_message ? &id : NULL);
        r->home = residency_home(topology, &application->residency);
        return residency_decide(topology, alive_regions(r->services), &residency, &request);
    }
    /* A token for one application has none but that. */
    if (r->token.scope == TOKEN_APPLICATION ||
        id_parse(ID_APPLICATION, r->match.parts[0], &id) != ERR_OK)
        return serve_here(r, "not known here");
    struct residency_decision decision = residency_decide_unknown(
        topology, alive_regions(r->services), id_ordinal(&id), &request);
    r->awaits_application = decision.action == RESIDENCY_REDIRECT;
    return decision;
}

/* The token's own application, which is known wherever the token was let in. */
static struct residency_decision decide_for_token(struct request *r)
{
    const struct topology *topology = r->services->topology;
    const struct residency_request change = describe(r, RESIDENCY_OWNER);
    const struct application *application = request_application_of_token(r);

    if (!application)
        return serve_here(r, "a token of no application");
    r->home = residency_home(topology, &application->residency);
    return residency_decide(topology, alive_regions(r->services), &application->residency,
                            &change);
}

/* A background task runs where it was made: its id says so. NULL: nowhere. */
static const struct region *region_of_task(const struct request *r)
{
    struct id id;

    if (id_parse(ID_TASK, r->match.parts[0], &id))
        return NULL;
    return topology_by_ordinal(r->services->topology, id_ordinal(&id));
}

/* The region that the path names, if there is one. */
static struct residency_decision decide_for_region(const struct request *r,
                                                   const struct region *named)
{
    if (!named || named == topology_self(r->services->topology))
        return serve_here(r, "this is the region");
    if (describe(r, RESIDENCY_OWNER).carried)
        return (struct residency_decision){ RESIDENCY_LOOP, named, "this isn't the region" };
    return (struct residency_decision){ RESIDENCY_CARRY, named, "carried to the region" };
}

static struct residency_decision decide_for_directory(struct request *r)
{
    const struct services *services = r->services;
    const struct residency_request request = describe(r, need_of(r));

    r->home = topology_directory(services->topology);
    return residency_decide_directory(services->topology, alive_regions(services), &request);
}

static struct residency_decision decide(struct request *r)
{
    switch (r->match.route->ingest) {
    case INGEST_HERE:
        break;
    case INGEST_DIRECTORY:
        return decide_for_directory(r);
    case INGEST_MANAGER:
    case INGEST_MANAGER_REPLICA:
        return request_look_up_application(r) ? decide_for_application(r)
                                              : decide_for_directory(r);
    case INGEST_REPLICA:
    case INGEST_OWNER:
    case INGEST_INTAKE:
    case INGEST_MESSAGE:
        return decide_for_application(r);
    case INGEST_TOKEN:
        return decide_for_token(r);
    case INGEST_REGION:
        return decide_for_region(r, topology_by_name(r->services->topology, r->match.parts[0]));
    case INGEST_TASK:
        return decide_for_region(r, region_of_task(r));
    }
    return serve_here(r, "every region answers this");
}

/* Answers that say where else. */

static void reply_elsewhere(struct request *r, unsigned status, const char *code)
{
    const struct region *region = r->decision.region;
    char detail[DETAIL_MAX];

    snprintf(detail, sizeof detail, "%s%s%s%s%s", r->decision.reason, region ? ": " : "",
             region ? region->name : "", region && region->public_url ? ", " : "",
             region && region->public_url ? region->public_url : "");
    reply_error(r, status, code, detail);
}

static void add_location(struct request *r, const struct region *region)
{
    const char *query = exchange_query(r->exchange);
    struct buf url = BUF_INIT(LOCATION_MAX);

    if (buf_printf(&url, "%s%s%s%s", region->public_url, exchange_path(r->exchange),
                   query[0] ? "?" : "", query) == ERR_OK)
        exchange_add_header(r->exchange, "Location", buf_text(&url));
    buf_fini(&url);
}

static void count_misdirected(struct request *r)
{
    static const struct id nobody = { { 0 } };
    const struct application *application = request_look_up_application(r);

    misdirected_add(&r->services->misdirected, &r->token.organization,
                    application ? &application->base.id : &nobody);
}

/* To a region without a public URL nobody can be sent. */
static void redirect(struct request *r)
{
    const struct region *region = r->decision.region;

    count_misdirected(r);
    if (region->public_url) {
        add_location(r, region);
        reply_elsewhere(r, 307, "urn:posthaste:residency-redirect");
    } else {
        reply_elsewhere(r, 421, "urn:posthaste:residency-refused");
    }
}

void ingest_hold(struct request *r)
{
    enum ingest ingest = r->match.route->ingest;
    bool is_region = ingest == INGEST_REGION || ingest == INGEST_TASK;

    exchange_add_header(r->exchange, "Retry-After", RETRY_HOLD);
    reply_elsewhere(r, 503, is_region ? "region_unreachable" : "urn:posthaste:residency-hold");
}

bool ingest_turns_away(struct request *r)
{
    switch (r->decision.action) {
    case RESIDENCY_SERVE:
    case RESIDENCY_CARRY:
        return false;
    case RESIDENCY_REDIRECT:
        redirect(r);
        break;
    case RESIDENCY_REFUSE:
        count_misdirected(r);
        reply_elsewhere(r, 421, "urn:posthaste:residency-refused");
        break;
    case RESIDENCY_HOLD:
        ingest_hold(r);
        break;
    case RESIDENCY_LOOP:
        reply_elsewhere(r, 508, "urn:posthaste:loop");
        break;
    }
    return true;
}

void ingest_decide(struct request *r)
{
    r->awaits_application = false;
    if (!topology_is_single(r->services->topology))
        r->decision = decide(r);
}

void ingest_sign(struct request *r)
{
    const struct topology *topology = r->services->topology;

    if (topology_is_single(topology))
        return;
    if (!r->relayed) {
        exchange_add_header(r->exchange, "Posthaste-Region", topology_self(topology)->name);
        if (r->home)
            exchange_add_header(r->exchange, "Posthaste-Home-Region", r->home->name);
    }
    if (r->decision.reason)
        exchange_add_header(r->exchange, CARRY_REASON, r->decision.reason);
}

/* New applications. */

static bool is_wish(const struct residency_wish *wish)
{
    return wish->jurisdiction || wish->home || wish->mode || wish->failover;
}

void ingest_read(const struct request *r, const struct json *body,
                 const struct application *current, struct application *next,
                 struct faults *faults)
{
    struct residency_wish wish;
    struct residency_fault fault;
    struct residency made;
    char loc[FAULT_LOC_MAX];

    if (topology_is_single(r->services->topology))
        return;
    read_residency(body, &wish, faults);
    if (current && !is_wish(&wish))
        return;
    if (residency_make(r->services->topology, current ? &current->residency : NULL, &wish,
                       &made, &fault)) {
        snprintf(loc, sizeof loc, "body/residency/%s", residency_field_name(fault.field));
        faults_add(faults, FAULT_VALUE, loc, "%s", fault.why);
        return;
    }
    residency_fini(&next->residency);
    next->residency = made;
}

/* Its body was read, and says that this is where it belongs. */
static bool settle(struct request *r, const struct residency *residency)
{
    const struct residency_request request = describe(r, RESIDENCY_OWNER);

    r->decision = residency_decide(r->services->topology, alive_regions(r->services), residency,
                                   &request);
    if (ingest_turns_away(r))
        return false;
    if (r->decision.action == RESIDENCY_SERVE)
        return true;
    carry_request(r);
    return false;
}

bool ingest_new(struct request *r, const struct application *next, bool has_payload)
{
    const struct topology *topology = r->services->topology;
    struct residency residency = next->residency;

    if (topology_is_single(topology))
        return true;
    if (!has_payload)
        residency.mode = RESIDENCY_AT_REST;
    r->home = residency_home(topology, &residency);
    return settle(r, &residency);
}

bool ingest_known(struct request *r, const struct application *application,
                  const struct id *message)
{
    const struct topology *topology = r->services->topology;

    if (topology_is_single(topology))
        return true;
    struct residency residency = residency_of(topology, application, message);
    residency.mode = RESIDENCY_AT_REST;
    r->home = residency_home(topology, &application->residency);
    return settle(r, &residency);
}
