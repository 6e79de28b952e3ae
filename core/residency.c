#include "core/residency.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>

#include "core/count.h"
#include "core/explain.h"
#include "core/mem.h"

static const char *const FIELDS[] = { "jurisdiction", "home", "mode", "failover" };
static const char *const MODES[] = { "at_rest", "processing", "transit" };
static const char *const FAILOVERS[] = { "none", "jurisdiction" };

static_assert(COUNT(FIELDS) == RESIDENCY_FIELDS, "FIELDS follows residency_field");
static_assert(COUNT(MODES) == RESIDENCY_TRANSIT + 1, "MODES follows residency_mode");
static_assert(COUNT(FAILOVERS) == FAILOVER_JURISDICTION + 1, "FAILOVERS follows its enum");

const char *residency_field_name(enum residency_field field)
{
    return FIELDS[field];
}

const char *residency_mode_name(enum residency_mode mode)
{
    return MODES[mode];
}

const char *residency_failover_name(enum residency_failover failover)
{
    return FAILOVERS[failover];
}

static enum err find_fault(struct residency_fault *fault, enum residency_field field,
                           const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum err find_fault(struct residency_fault *fault, enum residency_field field,
                           const char *format, ...)
{
    va_list args;

    va_start(args, format);
    explain_list(fault->why, sizeof fault->why, format, args);
    va_end(args);
    fault->field = field;
    return ERR_INVALID;
}

region_set residency_allowed(const struct topology *t, const struct residency *residency)
{
    const char *jurisdiction = residency->jurisdiction;

    return jurisdiction ? topology_jurisdiction(t, jurisdiction) : REGION_SET_NONE;
}

const struct region *residency_home(const struct topology *t, const struct residency *residency)
{
    return topology_by_ordinal(t, residency->home);
}

enum err residency_check(const struct topology *t, const struct residency *residency,
                         struct residency_fault *fault)
{
    const struct region *home = residency_home(t, residency);
    region_set allowed = residency_allowed(t, residency);

    if (allowed == REGION_SET_NONE)
        return find_fault(fault, RESIDENCY_FIELD_JURISDICTION,
                          "no region is of the jurisdiction \"%.64s\"",
                          residency->jurisdiction ? residency->jurisdiction : "");
    if (!home)
        return find_fault(fault, RESIDENCY_FIELD_HOME, "no region has the ordinal %u",
                          residency->home);
    if (!region_set_has(allowed, topology_index(t, home)))
        return find_fault(fault, RESIDENCY_FIELD_HOME,
                          "must be in its jurisdiction: %s isn't a region of %s", home->name,
                          residency->jurisdiction);
    if ((unsigned)residency->mode >= COUNT(MODES))
        return find_fault(fault, RESIDENCY_FIELD_MODE, "%u is no mode",
                          (unsigned)residency->mode);
    if ((unsigned)residency->failover >= COUNT(FAILOVERS))
        return find_fault(fault, RESIDENCY_FIELD_FAILOVER, "%u is no failover",
                          (unsigned)residency->failover);
    return ERR_OK;
}

/* Wishes. */

/* An application stays where its data is. */
static enum err keep_place(const struct topology *t, const struct residency *current,
                           const struct residency_wish *wish, struct residency *next,
                           struct residency_fault *fault)
{
    const struct region *home = residency_home(t, current);

    if (wish->jurisdiction &&
        (!current->jurisdiction || strcmp(wish->jurisdiction, current->jurisdiction) != 0))
        return find_fault(fault, RESIDENCY_FIELD_JURISDICTION,
                          "an application can't be moved: it is in %s",
                          current->jurisdiction ? current->jurisdiction : "none");
    if (wish->home && (!home || strcmp(wish->home, home->name) != 0))
        return find_fault(fault, RESIDENCY_FIELD_HOME,
                          "an application can't be moved: its home is %s",
                          home ? home->name : "unknown here");
    *next = residency_copy(current);
    return ERR_OK;
}

static const struct region *first_of(const struct topology *t, region_set set)
{
    for (size_t i = 0; i < t->count; i++)
        if (region_set_has(set, i))
            return &t->regions[i];
    return NULL;
}

/* The home that isn't said: here if that is lawful. */
static const struct region *usual_home(const struct topology *t, const char *jurisdiction)
{
    region_set allowed = topology_jurisdiction(t, jurisdiction);

    return region_set_has(allowed, t->self) ? topology_self(t) : first_of(t, allowed);
}

static enum err find_place(const struct topology *t, const struct residency_wish *wish,
                           struct residency *next, struct residency_fault *fault)
{
    const struct region *home = topology_self(t);
    const char *jurisdiction = wish->jurisdiction;

    if (wish->home)
        home = topology_by_name(t, wish->home);
    else if (jurisdiction)
        home = usual_home(t, jurisdiction);
    if (!home && wish->home)
        return find_fault(fault, RESIDENCY_FIELD_HOME, "no region is called \"%.64s\"",
                          wish->home);
    if (!home)
        return find_fault(fault, RESIDENCY_FIELD_JURISDICTION,
                          "no region is of the jurisdiction \"%.64s\"", jurisdiction);
    if (!jurisdiction)
        jurisdiction = home->jurisdictions.items[0];
    *next = (struct residency){
        .jurisdiction = xstrdup(jurisdiction),
        .home = home->ordinal,
        .home_epoch = 1,
    };
    return ERR_OK;
}

static bool find_name(const char *const *names, size_t count, const char *name, size_t *out)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static enum err apply_words(const struct residency_wish *wish, struct residency *next,
                            struct residency_fault *fault)
{
    size_t mode = next->mode, failover = next->failover;

    if (wish->mode && !find_name(MODES, COUNT(MODES), wish->mode, &mode))
        return find_fault(fault, RESIDENCY_FIELD_MODE,
                          "expected at_rest, processing or transit");
    if (wish->failover && !find_name(FAILOVERS, COUNT(FAILOVERS), wish->failover, &failover))
        return find_fault(fault, RESIDENCY_FIELD_FAILOVER, "expected none or jurisdiction");
    next->mode = (enum residency_mode)mode;
    next->failover = (enum residency_failover)failover;
    return ERR_OK;
}

enum err residency_make(const struct topology *t, const struct residency *current,
                        const struct residency_wish *wish, struct residency *out,
                        struct residency_fault *fault)
{
    struct residency next = { 0 };
    enum err err = current ? keep_place(t, current, wish, &next, fault)
                           : find_place(t, wish, &next, fault);

    if (!err)
        err = apply_words(wish, &next, fault);
    if (!err)
        err = residency_check(t, &next, fault);
    if (err)
        residency_fini(&next);
    else
        *out = next;
    return err;
}

/* Decisions. */

#define AT_HOME "this is its home"

static struct residency_decision decide(enum residency_action action,
                                        const struct region *region, const char *reason)
{
    return (struct residency_decision){ action, region, reason };
}

static bool is_self(const struct topology *t, const struct region *region)
{
    return region == topology_self(t);
}

static bool is_in(const struct topology *t, region_set set, const struct region *region)
{
    return region_set_has(set, topology_index(t, region));
}

/* To a region that isn't this one, by what may be seen here. */
static struct residency_decision go_to(const struct region *region, enum residency_mode mode,
                                       bool inside, const struct residency_request *request,
                                       const char *reason)
{
    if (request->carried)
        return decide(RESIDENCY_LOOP, region,
                      "carried here, and this is not its region either");
    if (inside || mode == RESIDENCY_AT_REST)
        return decide(RESIDENCY_CARRY, region, reason);
    if (mode == RESIDENCY_PROCESSING)
        return decide(RESIDENCY_REDIRECT, region,
                      "may not be read outside its jurisdiction; ask its region");
    return decide(RESIDENCY_REFUSE, region,
                  "may not pass outside its jurisdiction; ask its region");
}

static bool stands_in(const struct residency *residency, const struct residency_request *r)
{
    return r->need == RESIDENCY_INTAKE && residency->failover == FAILOVER_JURISDICTION;
}

/* The same region from wherever it is asked, so that a repeated request meets itself; but what
 * was carried to this one isn't sent on. */
static struct residency_decision stand_in(const struct topology *t, region_set candidates,
                                          const struct residency *residency, bool inside,
                                          const struct residency_request *request)
{
    const struct region *region = first_of(t, candidates);
    const char *reason = "the home is down; this region of its jurisdiction stands in";

    if (!region)
        return decide(RESIDENCY_HOLD, NULL, "no region of its jurisdiction is up");
    if (is_self(t, region) || (request->carried && region_set_has(candidates, t->self)))
        return decide(RESIDENCY_SERVE, topology_self(t), reason);
    return go_to(region, residency->mode, inside, request, reason);
}

struct residency_decision residency_decide(const struct topology *t, region_set alive,
                                           const struct residency *residency,
                                           const struct residency_request *request)
{
    const struct region *home = residency_home(t, residency);
    region_set allowed = residency_allowed(t, residency);
    bool inside = region_set_has(allowed, t->self);

    alive |= region_set_of(t->self);
    if (request->need == RESIDENCY_REPLICA)
        return decide(RESIDENCY_SERVE, topology_self(t),
                      home && is_self(t, home) ? AT_HOME : "a replica is here");
    if (!home || !is_in(t, allowed, home))
        return decide(RESIDENCY_HOLD, NULL, "its home or jurisdiction isn't known here");
    if (is_self(t, home))
        return decide(RESIDENCY_SERVE, home, AT_HOME);
    if (is_in(t, alive, home))
        return go_to(home, residency->mode, inside, request, "carried to its home");
    if (stands_in(residency, request))
        return stand_in(t, allowed & alive, residency, inside, request);
    return decide(RESIDENCY_HOLD, NULL, "its home is down");
}

/* Whether this region is of every jurisdiction that one is of. */
static bool is_as_lawful(const struct region *self, const struct region *other)
{
    for (size_t i = 0; i < other->jurisdictions.count; i++)
        if (!text_list_has(&self->jurisdictions, other->jurisdictions.items[i]))
            return false;
    return true;
}

struct residency_decision residency_decide_unknown(const struct topology *t, region_set alive,
                                                   uint8_t ordinal,
                                                   const struct residency_request *request)
{
    const struct region *maker = topology_by_ordinal(t, ordinal);
    const struct region *self = topology_self(t);

    if (!maker || maker == self)
        return decide(RESIDENCY_SERVE, self, "not known here");
    if (!is_in(t, alive, maker))
        return decide(RESIDENCY_HOLD, NULL, "the region that made it is down");

    bool inside = request->need == RESIDENCY_REPLICA || is_as_lawful(self, maker);
    return go_to(maker, RESIDENCY_PROCESSING, inside, request,
                 "not known here; carried to the region that made it");
}

struct residency_decision residency_decide_directory(const struct topology *t, region_set alive,
                                                     const struct residency_request *request)
{
    const struct region *directory = topology_directory(t), *self = topology_self(t);

    if (request->need == RESIDENCY_REPLICA)
        return decide(RESIDENCY_SERVE, self, "a replica is here");
    if (directory == self)
        return decide(RESIDENCY_SERVE, self, "this is the directory's region");
    if (!is_in(t, alive, directory))
        return decide(RESIDENCY_HOLD, NULL, "the directory's region is down");
    return go_to(directory, RESIDENCY_AT_REST, true, request,
                 "carried to the directory's region");
}
