/* Status: GET /api/v1/status, a region at a glance for its operator. */
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_out.h"

static void on_status(struct store_req *req);

/* Too large to lie in every request. */
struct status {
    struct request *request;
    struct store_status op;
};

void status_get(struct request *r)
{
    struct status *status = xcalloc(1, sizeof *status);

    status->request = r;
    status->op.req = request_waits(r, on_status);
    store_status(r->services->store, &status->op);
}

static void put_number(struct json_writer *w, const char *name, uint64_t number)
{
    json_name(w, name);
    json_put_integer(w, (int64_t)number);
}

/* Only the host and port: a path or query may be a subscriber's secret. */
static void put_host(struct json_writer *w, const char *url)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    json_name(w, "host");
    json_put_bytes(w, host, strcspn(host, "/?#"));
}

static void put_failing(struct request *r, const struct lane_failing *lane)
{
    struct json_writer *w = &r->writer;
    const struct catalog *catalog = r->services->catalog;
    const struct endpoint *endpoint = catalog_endpoint_by_key(catalog, lane->endpoint_key);

    if (!endpoint || !id_equal(&endpoint->base.organization, &r->token.organization))
        return;
    const struct application *application =
        catalog_application(catalog, &r->token.organization, &endpoint->application);
    json_open_object(w);
    json_name(w, "endpointId");
    json_put_id(w, ID_ENDPOINT, &endpoint->base.id);
    json_name(w, "endpointUid");
    json_put_text(w, endpoint->uid);
    json_name(w, "appId");
    json_put_id(w, ID_APPLICATION, &endpoint->application);
    json_name(w, "appUid");
    json_put_text(w, application ? application->uid : NULL);
    put_host(w, endpoint->url);
    json_name(w, "disabled");
    json_put_bool(w, endpoint->disabled);
    put_number(w, "pending", lane->deliveries);
    put_number(w, "attemptsMost", lane->attempts_most);
    json_close_object(w);
}

static void put_misdirected(struct request *r, const struct misdirected_item *item)
{
    struct json_writer *w = &r->writer;
    const struct application *application =
        catalog_application(r->services->catalog, &item->organization, &item->application);

    if (!id_equal(&item->organization, &r->token.organization))
        return;
    json_open_object(w);
    json_name(w, "appId");
    if (id_is_zero(&item->application))
        json_put_null(w);
    else
        json_put_id(w, ID_APPLICATION, &item->application);
    json_name(w, "appUid");
    json_put_text(w, application ? application->uid : NULL);
    put_number(w, "requests", item->requests);
    json_close_object(w);
}

static void put_all_misdirected(struct request *r)
{
    const struct misdirected *misdirected = &r->services->misdirected;
    struct json_writer *w = &r->writer;

    json_name(w, "misdirected");
    json_open_array(w);
    for (size_t i = 0; i < misdirected->count; i++)
        put_misdirected(r, &misdirected->items[i]);
    json_close_array(w);
}

static void put_status(struct request *r, const struct store_status *s)
{
    const struct topology *topology = r->services->topology;
    struct json_writer *w = reply_begin(r);

    json_open_object(w);
    json_name(w, "version");
    json_put_text(w, POSTHASTE_VERSION);
    json_name(w, "region");
    json_put_text(w, topology_is_single(topology) ? NULL : topology_self(topology)->name);
    put_number(w, "uptimeSeconds", (r->now.mono_ms - r->services->started_mono_ms) / 1000);
    put_number(w, "pending", s->pending);
    json_name(w, "oldestDueAt");
    json_put_date(w, s->oldest_due_at_ms);
    put_number(w, "messages", s->messages);
    put_number(w, "attempts", s->attempts);
    put_number(w, "globalBytes", s->global_bytes);
    put_number(w, "regionalBytes", s->regional_bytes);
    put_number(w, "globalSchema", s->global_schema);
    put_number(w, "regionalSchema", s->regional_schema);
    json_name(w, "failing");
    json_open_array(w);
    for (size_t i = 0; i < s->failing_count; i++)
        put_failing(r, &s->failing[i]);
    json_close_array(w);
    if (!topology_is_single(topology))
        put_all_misdirected(r);
    json_close_object(w);
}

static void on_status(struct store_req *req)
{
    struct store_status *op = container_of(req, struct store_status, req);
    struct status *status = container_of(op, struct status, op);
    struct request *r = status->request;

    if (req->err) {
        reply_err(r, req->err);
    } else {
        put_status(r, op);
        reply_send(r, 200);
    }
    free(status);
}
