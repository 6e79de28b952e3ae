/* Regions: /api/v1/regions, who they are and how they are.
 *
 * A region writes of itself alone that it drains: who asks another is carried there. */
#include <assert.h>

#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "wire/noun_out.h"

static void set_draining(struct request *r, bool draining);
static void on_drained(struct store_req *req);

const struct region *regions_find(struct request *r)
{
    const struct region *region = topology_by_name(r->services->topology, r->match.parts[0]);

    if (!region)
        reply_not_found(r);
    return region;
}

static const struct region_condition *condition_of(const struct services *services,
                                                   const struct region *region)
{
    return &services->health.health->regions[topology_index(services->topology, region)];
}

static void put_region(struct request *r, const struct region *region)
{
    const struct services *services = r->services;
    const struct region_condition *condition = condition_of(services, region);
    bool draining = region == topology_self(services->topology)
                        ? catalog_is_draining(services->catalog, region->ordinal)
                        : condition->state == REGION_DRAINING;

    json_put_region(&r->writer, region, condition, draining);
}

void regions_list(struct request *r)
{
    const struct topology *topology = r->services->topology;

    reply_begin_page(r);
    for (size_t i = 0; i < topology->count; i++)
        put_region(r, &topology->regions[i]);
    reply_send_page(r, "", "", false);
}

void regions_get(struct request *r)
{
    const struct region *region = regions_find(r);

    if (!region)
        return;
    reply_begin(r);
    put_region(r, region);
    reply_send(r, 200);
}

void regions_drain(struct request *r)
{
    set_draining(r, true);
}

void regions_undrain(struct request *r)
{
    set_draining(r, false);
}

bool regions_is_operator(struct request *r)
{
    if (id_is_zero(&r->token.organization))
        return true;
    reply_forbidden(r);
    return false;
}

static void set_draining(struct request *r, bool draining)
{
    const struct region *region = regions_find(r);

    if (!region || !regions_is_operator(r))
        return;
    assert(region == topology_self(r->services->topology)); /* else it was carried there */
    json_put_region(reply_begin(r), region, condition_of(r->services, region), draining);
    r->op.drain = (struct store_drain){
        .req = once_write(r, 200, on_drained),
        .ordinal = region->ordinal,
        .draining = draining,
    };
    store_drain(r->services->store, &r->op.drain);
}

static void on_drained(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err)
        reply_err(r, req->err);
    else
        once_reply(r);
}
