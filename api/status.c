/* Status: GET /api/v1/status, a region at a glance for its operator. */
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "core/operational.h"
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
    json_add_text(w, "endpointUid", endpoint->uid);
    json_name(w, "appId");
    json_put_id(w, ID_APPLICATION, &endpoint->application);
    json_add_text(w, "appUid",
                  application && !operational_is(application) ? application->uid : NULL);
    put_host(w, endpoint->url);
    json_add_bool(w, "disabled", endpoint->disabled);
    json_add_unsigned(w, "pending", lane->deliveries);
    json_add_unsigned(w, "attemptsMost", lane->attempts_most);
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
    json_add_text(w, "appUid", application ? application->uid : NULL);
    json_add_unsigned(w, "requests", item->requests);
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

static void put_retention(struct json_writer *w, const struct retention_status *retention)
{
    json_name(w, "retention");
    json_open_object(w);
    json_add_date(w, "nextAt", retention->next_at_ms);
    json_add_date(w, "oldestMessageAt", retention->oldest_message_at_ms);
    json_add_date(w, "oldestAttemptAt", retention->oldest_attempt_at_ms);
    json_add_unsigned(w, "payloadsRemoved", retention->payloads);
    json_add_unsigned(w, "attemptsRemoved", retention->attempts);
    json_add_unsigned(w, "messagesRemoved", retention->messages);
    json_close_object(w);
}

static void put_status(struct request *r, const struct store_status *s)
{
    const struct topology *topology = r->services->topology;
    struct json_writer *w = reply_begin(r);

    json_open_object(w);
    json_add_text(w, "version", POSTHASTE_VERSION);
    json_add_text(w, "region",
                  topology_is_single(topology) ? NULL : topology_self(topology)->name);
    json_add_unsigned(w, "uptimeSeconds",
                      (r->now.mono_ms - r->services->started_mono_ms) / 1000);
    json_add_unsigned(w, "pending", s->pending);
    json_add_date(w, "oldestDueAt", s->oldest_due_at_ms);
    json_add_unsigned(w, "messages", s->messages);
    json_add_unsigned(w, "attempts", s->attempts);
    json_add_unsigned(w, "globalBytes", s->global_bytes);
    json_add_unsigned(w, "regionalBytes", s->regional_bytes);
    json_add_unsigned(w, "globalSchema", s->global_schema);
    json_add_unsigned(w, "regionalSchema", s->regional_schema);
    put_retention(w, &s->retention);
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
