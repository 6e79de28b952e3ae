/*   route ─► is it stale? ─► decide: gather, route_decide ─► the table, the recorder ─► detour?
 *   learn ─► the way ─► its circuit opened? all routes are stale
 *   router_close ─► on_left ─► on_recorded, the last ─► closed */
#include "region/router.h"

#include <assert.h>
#include <stdio.h>

#include "core/mem.h"
#include "region/damper.h"
#include "region/path.h"
#include "region/probes.h"
#include "region/recorder.h"
#include "region/route_gather.h"
#include "region/route_table.h"

#define DECIDE_MS      1000 /* what was decided holds, unless something is known better */
#define PROBES_AT_ONCE 16
#define REFUSE_MS      1000 /* no forwards to a region that refused one */

struct region_router {
    struct router router;
    const struct topology *topology;
    struct health_follower follower;
    struct task left; /* the follower has */
    struct paths *paths;
    struct route_table *table;
    struct damper damper;
    struct recorder recorder;
    struct link *link;
    struct inbox *inbox;
    size_t probes;                         /* under way */
    uint64_t refused_mono_ms[REGIONS_MAX]; /* until then; by index */

    /* What the health said last of whether regions may send. */
    enum region_state states[REGIONS_MAX];
    bool draining[REGIONS_MAX];
    uint64_t knowledge; /* adds one with all that makes routes stale; 1 = at first */

    bool has_left;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* One question, on its way to an answer. */
struct question {
    struct region_router *router;
    const struct application *application;
    const struct endpoint *endpoint;
    struct now now;
};

static void on_changed(struct health_follower *follower);
static struct routing on_route(struct router *router, const struct application *application,
                               const struct endpoint *endpoint, bool again, struct now now);
static bool on_sighting(struct router *router, const struct sighting *sighting, struct now now);
static void on_refused(struct router *router, uint8_t region, struct now now);
static void on_probed(struct path_probe *probe);
static void on_recorded(struct recorder *recorder, int64_t endpoint_key, enum err err);
static void on_left(struct task *left);
static void end_if_idle(struct region_router *r);

struct region_router *router_open(const struct router_options *options)
{
    struct region_router *r = xcalloc(1, sizeof *r);

    r->router = (struct router){ on_route, on_sighting, on_refused };
    r->topology = options->topology;
    r->inbox = options->inbox;
    r->paths = paths_new(PATHS_MAX);
    r->table = route_table_new(options->routes_max ? options->routes_max : ROUTE_TABLE_MAX);
    r->recorder = (struct recorder){ .store = options->store,
                                     .inbox = options->inbox,
                                     .recorded = on_recorded };
    r->knowledge = 1;
    r->follower = (struct health_follower){ .inbox = options->inbox, .changed = on_changed };
    health_follow(options->board, &r->follower);
    on_changed(&r->follower);
    return r;
}

void router_probe_by(struct region_router *router, struct link *link)
{
    router->link = link;
}

struct router *router_interface(struct region_router *router)
{
    return &router->router;
}

/* Round trips change with every ping; they wait for the next decision. */
static void on_changed(struct health_follower *follower)
{
    struct region_router *r = container_of(follower, struct region_router, follower);
    bool is_other = false;

    for (size_t i = 0; i < r->topology->count; i++) {
        const struct region_condition *c = &follower->health->regions[i];

        is_other = is_other || c->state != r->states[i] || c->draining != r->draining[i];
        r->states[i] = c->state;
        r->draining[i] = c->draining;
    }
    r->knowledge += is_other;
}

/* Deciding. */

static void gather(const struct question *q, const struct route_memory *memory,
                   struct route_inputs *out)
{
    struct region_router *r = q->router;

    route_gather(
        &(struct route_facts){
            .topology = r->topology,
            .health = r->follower.health,
            .application = q->application,
            .endpoint = q->endpoint,
            .paths = r->paths,
            .memory = memory,
            .now = q->now,
        },
        out);
    for (size_t i = 0; i < out->count; i++)
        out->regions[i].has_credit_limit = q->now.mono_ms < r->refused_mono_ms[i];
    out->damped = !damper_admits(&r->damper, route_table_count(r->table), q->now.mono_ms);
}

void router_gather(struct region_router *router, const struct application *application,
                   const struct endpoint *endpoint, struct now now, struct route_inputs *out)
{
    const struct question q = { router, application, endpoint, now };
    const struct route_entry *entry =
        route_table_find(router->table, id_key(&endpoint->base.id));

    gather(&q, entry ? &entry->memory : NULL, out);
}

static bool is_stale(const struct question *q, const struct route_entry *entry)
{
    return entry->knowledge != q->router->knowledge ||
           entry->application_version != q->application->base.version ||
           entry->endpoint_version != q->endpoint->base.version ||
           q->now.mono_ms - entry->decided_mono_ms >= DECIDE_MS;
}

/* What can't be recorded now is recorded with the next decision. */
static void record(struct region_router *r, struct route_entry *entry,
                   const struct route_inputs *in, const struct route_decision *d)
{
    bool is_news = !entry->recorded || d->region != entry->region;

    if (r->recorder.store && is_news)
        entry->recorded = recorder_keep(&r->recorder, in, d);
}

/* Where deliveries go that a region sends; by nobody: the one for the jurisdiction. */
static const char *url_from(const struct question *q, size_t region)
{
    const struct region *from =
        region == ROUTE_NOWHERE ? NULL : &q->router->topology->regions[region];

    return dispatch_choose(q->endpoint, q->application->residency.jurisdiction,
                           from ? from->name : NULL)
        .url;
}

/* Probing: what could matter and isn't known. */

struct way_probe {
    struct path_probe probe;
    struct region_router *router;
};

static void start_probe(const struct question *q, size_t region, const char *url)
{
    struct way_probe *p = xcalloc(1, sizeof *p);

    p->router = q->router;
    p->probe.region = q->router->topology->regions[region].ordinal;
    snprintf(p->probe.url, sizeof p->probe.url, "%s", url);
    p->probe.reply_to = q->router->inbox;
    p->probe.done = on_probed;
    q->router->probes++;
    link_probe(q->router->link, &p->probe);
}

/* Whether it would send if its way were as good as it can be. */
static bool could_win(const struct route_inputs *in, const struct route_decision *d,
                      size_t region)
{
    if (!region_set_has(d->wished, region))
        return false;
    if (in->regions[region].path.open)
        return true;
    if (in->mode != DISPATCH_AUTO)
        return false;
    const struct route_cost best = route_cost_at_best(in, region);
    return best.known && d->costs[d->region].known &&
           best.total_us < d->costs[d->region].total_us;
}

static void probe_ways(const struct question *q, const struct route_inputs *in,
                       const struct route_decision *d)
{
    struct region_router *r = q->router;

    if (!r->link || d->region == ROUTE_NOWHERE)
        return;
    for (size_t i = 0; i < in->count && r->probes < PROBES_AT_ONCE; i++) {
        if (i == d->region || !could_win(in, d, i))
            continue;
        const char *url = url_from(q, i);
        struct path *path = paths_take(r->paths, r->topology->regions[i].ordinal, url);
        if (!path_wants_probe(path, q->now))
            continue;
        path_asked(path, q->now);
        start_probe(q, i, url);
    }
}

static void on_probed(struct path_probe *probe)
{
    struct way_probe *p = container_of(probe, struct way_probe, probe);
    struct region_router *r = p->router;
    struct path *path = paths_take(r->paths, probe->region, probe->url);
    struct now now = clock_now();

    if (probe->err == ERR_OK)
        path_probed(path, probe->rtt_us, now);
    else if (path_is_failure(probe->err) && path_view(path, now).open)
        path_failed(path, now);
    r->probes--;
    free(p);
    end_if_idle(r);
}

static void decide(const struct question *q, struct route_entry *entry)
{
    struct region_router *r = q->router;
    struct route_inputs in;
    struct route_decision d;

    gather(q, &entry->memory, &in);
    route_decide(&in, &d);
    if (d.verdict == HYSTERESIS_MOVED)
        damper_count(&r->damper, q->now.mono_ms);
    record(r, entry, &in, &d);
    probe_ways(q, &in, &d);
    entry->memory = d.after;
    entry->region = d.region;
    entry->decided_mono_ms = q->now.mono_ms;
    entry->application_version = q->application->base.version;
    entry->endpoint_version = q->endpoint->base.version;
    entry->knowledge = r->knowledge;
}

static bool has_failed(const struct question *q, size_t region)
{
    const struct region_router *r = q->router;
    const struct path *path =
        paths_find(r->paths, r->topology->regions[region].ordinal, url_from(q, region));

    return path_view(path, q->now).failures > 0;
}

/* A region whose way hasn't failed; ROUTE_NOWHERE when there is none. */
static size_t find_detour(const struct question *q, const struct route_memory *memory)
{
    struct route_inputs in;
    struct route_decision d;

    gather(q, memory, &in);
    for (size_t i = 0; i < in.count; i++)
        in.regions[i].path.open = in.regions[i].path.open || in.regions[i].path.failures > 0;
    route_decide(&in, &d);
    return d.last_resort ? ROUTE_NOWHERE : d.region;
}

static struct routing on_route(struct router *router, const struct application *application,
                               const struct endpoint *endpoint, bool again, struct now now)
{
    struct region_router *r = container_of(router, struct region_router, router);
    const struct question q = { r, application, endpoint, now };
    struct route_entry *entry = route_table_take(r->table, id_key(&endpoint->base.id));
    struct routing routing = { 0 };

    if (is_stale(&q, entry))
        decide(&q, entry);
    size_t region = entry->region;
    if (again && region != ROUTE_NOWHERE && has_failed(&q, region)) {
        size_t detour = find_detour(&q, &entry->memory);
        region = detour == ROUTE_NOWHERE ? region : detour;
    }
    if (region != ROUTE_NOWHERE)
        routing.region = r->topology->regions[region].ordinal;
    routing.url = url_from(&q, region);
    return routing;
}

/* Learning. */

/* The least of a connection's: the smoothed one has the server's time in it, wherever the
 * acknowledgement waited for the answer. */
static uint32_t rtt_of(const struct call_times *times)
{
    if (times->rtt.least_us > 0)
        return times->rtt.least_us;
    return times->rtt.smoothed_us > 0 ? times->rtt.smoothed_us : times->connect_us;
}

static bool on_sighting(struct router *router, const struct sighting *sighting, struct now now)
{
    struct region_router *r = container_of(router, struct region_router, router);
    const struct question q = { r, sighting->application, sighting->endpoint, now };
    bool is_failure = path_is_failure(sighting->err);

    if (sighting->err != ERR_OK && !is_failure)
        return false;
    struct path *path = paths_take(r->paths, sighting->region, sighting->url);
    if (!is_failure) {
        path_delivered(path,
                       &(struct path_sample){
                           .rtt_us = rtt_of(sighting->times),
                           .first_byte_us = sighting->times->first_byte_us,
                           .reused = sighting->times->connect_us == 0,
                       },
                       now);
        return false;
    }
    bool was_open = path_view(path, now).open;
    path_failed(path, now);
    r->knowledge += !was_open && path_view(path, now).open;
    const struct route_entry *entry =
        route_table_find(r->table, id_key(&sighting->endpoint->base.id));
    return find_detour(&q, entry ? &entry->memory : NULL) != ROUTE_NOWHERE;
}

static void on_refused(struct router *router, uint8_t region, struct now now)
{
    struct region_router *r = container_of(router, struct region_router, router);
    const struct region *who = topology_by_ordinal(r->topology, region);

    assert(who);
    uint64_t *until_mono_ms = &r->refused_mono_ms[topology_index(r->topology, who)];
    r->knowledge += now.mono_ms >= *until_mono_ms;
    *until_mono_ms = now.mono_ms + REFUSE_MS;
}

static void on_recorded(struct recorder *recorder, int64_t endpoint_key, enum err err)
{
    struct region_router *r = container_of(recorder, struct region_router, recorder);
    struct route_entry *entry = route_table_find(r->table, endpoint_key);

    if (err && entry)
        entry->recorded = false;
    end_if_idle(r);
}

/* Closing. */

void router_close(struct region_router *router, void (*closed)(void *ctx), void *ctx)
{
    router->closed = closed;
    router->closed_ctx = ctx;
    router->left.run = on_left;
    health_unfollow(&router->follower, &router->left);
}

static void on_left(struct task *left)
{
    struct region_router *r = container_of(left, struct region_router, left);

    r->has_left = true;
    end_if_idle(r);
}

static void end_if_idle(struct region_router *r)
{
    void (*closed)(void *) = r->closed;
    void *ctx = r->closed_ctx;

    if (!r->has_left || r->recorder.owed > 0 || r->probes > 0)
        return;
    region_health_unref(r->follower.health);
    route_table_free(r->table);
    paths_free(r->paths);
    free(r);
    closed(ctx);
}
