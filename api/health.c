/* Health: whether this region works, for load balancers and people; no token.
 *
 * The store is asked for something that doesn't exist: that it says so is enough. While a
 * question has been open for PROBE_PATIENCE_MS, others are answered with 500 at once: whoever
 * asks mustn't wait for what hangs. */
#include "api/reply.h"
#include "api/routes.h"

#define PROBE_PATIENCE_MS 2000

static void on_probed(struct store_req *req);

void health_get(struct request *r)
{
    struct services *services = r->services;

    if (services->probed_mono_ms != 0 &&
        r->now.mono_ms - services->probed_mono_ms > PROBE_PATIENCE_MS) {
        reply_err(r, ERR_TIMEOUT);
        return;
    }
    if (services->probed_mono_ms == 0)
        services->probed_mono_ms = r->now.mono_ms;
    r->op.get_message = (struct store_get_message){ .req = request_waits(r, on_probed) };
    store_get_message(services->store, &r->op.get_message);
}

static void on_probed(struct store_req *req)
{
    struct request *r = request_of(req);

    r->services->probed_mono_ms = 0;
    if (req->err && req->err != ERR_NOT_FOUND) {
        reply_err(r, req->err);
        return;
    }
    if (!req->err)
        message_unref(r->op.get_message.message);
    reply_empty(r);
}

void health_ping(struct request *r)
{
    reply_empty(r);
}
