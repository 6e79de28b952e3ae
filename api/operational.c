/* Operational webhooks: /api/v1/operational-webhook/endpoint.
 *
 * The organization's own endpoints are those of its management application (core/operational.h), so the
 * functions of endpoints.c and endpoint_secrets.c answer for them. Here is what they don't know:
 * that there may be no such application yet. */
#include "api/objects.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "core/operational.h"

static void make_manager(struct request *r);
static void on_made(struct store_req *req);

void operational_list(struct request *r)
{
    if (request_look_up_application(r)) {
        endpoints_list(r);
        return;
    }
    reply_begin_page(r);
    reply_send_page(r, "", "", false);
}

void operational_create(struct request *r)
{
    if (request_look_up_application(r))
        endpoints_create(r);
    else
        make_manager(r);
}

void operational_replace(struct request *r)
{
    if (request_look_up_application(r))
        endpoints_replace(r);
    else
        make_manager(r);
}

/* Its home is this region: the directory's, or whoever has come first. */
static struct residency residency_here(const struct request *r)
{
    static const struct residency_wish nothing = { 0 };
    struct residency residency = { 0 };
    struct residency_fault fault;

    if (topology_is_single(r->services->topology) ||
        residency_make(r->services->topology, NULL, &nothing, &residency, &fault) != ERR_OK)
        return (struct residency){ 0 };
    return residency;
}

static void make_manager(struct request *r)
{
    struct application *manager = application_new();

    edit_new(r, &manager->base);
    manager->uid = xstrdup(OPERATIONAL_UID);
    manager->name = xstrdup(OPERATIONAL_NAME);
    manager->residency = residency_here(r);
    edit_store(r, request_waits(r, on_made));
}

/* By now there is one, for another request may have come first; then the route is taken again. */
static void on_made(struct store_req *req)
{
    struct request *r = request_of(req);
    bool is_there = request_look_up_application(r) != NULL;

    object_unref(r->edit.object);
    r->edit.object = NULL;
    if (is_there)
        r->match.route->handle(r);
    else
        reply_err(r, req->err);
}
