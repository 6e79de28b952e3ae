/* Deliveries: /api/v1/app/{app}/msg/{msg}/endpoint/{endpoint}/….
 *
 *   deliveries_resend ─► on_message ─► on_asked */
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"

static void on_message(struct store_req *req);
static void on_asked(struct store_req *req);

void deliveries_resend(struct request *r)
{
    if (request_find_application(r))
        messages_look_up(r, false, on_message);
}

static void on_message(struct store_req *req)
{
    struct request *r = request_of(req);
    const struct endpoint *endpoint;
    struct id message;

    if (!messages_take_id(r, req, &message))
        return;
    endpoint = request_look_up_endpoint(r, r->match.parts[2]);
    if (!endpoint) {
        reply_not_found(r);
        return;
    }
    json_open_object(reply_begin(r));
    json_close_object(&r->writer);
    r->op.resend = (struct store_resend){
        .req = once_write(r, 202, on_asked),
        .application = r->application->base.id,
        .message = message,
        .endpoint = endpoint->base.id,
    };
    store_resend(r->services->store, &r->op.resend);
}

static void on_asked(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err == ERR_UNAVAILABLE)
        reply_error(r, 400, "missing_payload", "The payload of this message is gone");
    else if (req->err)
        reply_err(r, req->err);
    else
        once_reply(r);
}
