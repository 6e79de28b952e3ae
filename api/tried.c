/* Tried: …/msg/{msg}/endpoint, where a message was tried, and …/endpoint/{endpoint}/msg, what was
 * tried there. */
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_out.h"

static void on_message(struct store_req *req);
static void on_destinations(struct store_req *req);
static void on_tried(struct store_req *req);

void destinations_list(struct request *r)
{
    if (request_find_application(r))
        messages_look_up(r, false, on_message);
}

static void on_message(struct store_req *req)
{
    struct request *r = request_of(req);
    struct id message;

    if (!messages_take_id(r, req, &message))
        return;
    r->op.list_destinations = (struct store_list_destinations){
        .req = request_waits(r, on_destinations),
        .message = message,
        .page = r->query.page,
    };
    store_list_destinations(r->services->store, &r->op.list_destinations);
}

static void on_destinations(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_destinations *op = &r->op.list_destinations;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    struct json_writer *w = reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++) {
        const struct destination *d = &op->destinations[i];
        json_put_destination(w, d->endpoint, &d->outcome, r->services->topology);
        object_unref(&d->endpoint->base);
    }
    free(op->destinations);
    reply_send_span(r, ID_ENDPOINT, &op->span, op->more);
}

void tried_list(struct request *r)
{
    const struct endpoint *endpoint;

    if (!request_find_application(r) || !(endpoint = request_find_endpoint(r)))
        return;
    r->op.list_tried = (struct store_list_tried){
        .req = request_waits(r, on_tried),
        .application = r->application->base.id,
        .endpoint = endpoint->base.id,
        .has_status = r->query.has_status,
        .status = r->query.status,
        .filter = r->query.messages,
        .with_content = r->query.with_content,
        .page = r->query.page,
    };
    store_list_tried(r->services->store, &r->op.list_tried);
}

static void on_tried(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_tried *op = &r->op.list_tried;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    struct json_writer *w = reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++) {
        const struct tried_message *tried = &op->tried[i];
        json_put_tried_message(w, tried->message, &tried->outcome, messages_view(r));
        message_unref(tried->message);
    }
    free(op->tried);
    reply_send_span(r, ID_MESSAGE, &op->span, op->more);
}
