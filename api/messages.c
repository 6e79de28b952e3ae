/* Messages: /api/v1/app/{app}/msg.
 *
 *   messages_create ─► messages_append ────────────────────────────────► on_appended
 *          └─► (no such application) create_application ─► bring_make ─► append_brought */
#include <string.h>

#include "api/bring.h"
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_out.h"

static void create_application(struct request *r);
static void on_appended(struct store_req *req);
static void on_got(struct store_req *req);
static void on_listed(struct store_req *req);

void messages_create(struct request *r)
{
    struct faults faults = { .count = 0 };
    size_t len;

    if (!request_take_application(r)) {
        create_application(r);
        return;
    }
    const void *body = exchange_body(r->exchange, &len);
    read_message(body, len, &r->message, &faults);
    if (faults.count > 0)
        reply_faults(r, &faults);
    else
        messages_append(r, NULL);
}

void messages_append(struct request *r, const struct id *only)
{
    const struct message_in *in = &r->message;

    r->op.append = (struct store_append){
        .req = request_waits(r, on_appended),
        .application = r->application->base.id,
        .event_type = in->event_type,
        .event_id = in->event_id,
        .channels = &in->channels,
        .tags = &in->tags,
        .only = only,
        .payload = in->payload,
        .payload_len = in->payload_len,
        .retention_hours = in->retention_hours,
        .idempotency_hash = once_hash(r),
    };
    store_append(r->services->store, &r->op.append);
}

static void append_brought(struct request *r)
{
    messages_append(r, NULL);
}

/* A producer may bring the application along that its first message is for. */
static void create_application(struct request *r)
{
    struct faults faults = { .count = 0 };
    size_t len;
    const void *body = exchange_body(r->exchange, &len);

    if (!bring_take(r)) {
        reply_error(r, 404, "not_found", "Application not found");
        return;
    }
    bring_read(r, r->body, &faults);
    read_message(body, len, &r->message, &faults);
    if (faults.count > 0)
        reply_faults(r, &faults);
    else
        bring_make(r, true, append_brought);
}

enum payload_view messages_view(const struct request *r)
{
    return r->query.with_content ? PAYLOAD_SHOWN : PAYLOAD_LEFT_OUT;
}

static void reply_message(struct request *r, unsigned status, struct message *message,
                          enum payload_view view)
{
    json_put_message(reply_begin(r), message, view);
    message_unref(message);
    reply_send(r, status);
}

/* The first answer of this request that says so: it is on disk. The contract has another status
 * where it is an example. */
static void reply_made(struct request *r, struct message *message, enum payload_view view)
{
    bool is_example = r->match.route->handle == examples_send;

    once_settle(r);
    reply_message(r, is_example ? 200 : 202, message, view);
}

void messages_repeat(struct request *r, struct message *message)
{
    reply_made(r, message, messages_view(r));
}

/* A payload that was just read is an object, unless it was a raw one; that of an earlier request
 * may be anything. */
static void on_appended(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_append *op = &r->op.append;
    bool is_ours = !op->repeated && !r->message.raw_payload.data;

    if (req->err)
        reply_err(r, req->err);
    else
        reply_made(r, op->message,
                   is_ours && r->query.with_content ? PAYLOAD_TRUSTED : messages_view(r));
}

void messages_get(struct request *r)
{
    if (request_find_application(r))
        messages_look_up(r, r->query.with_content, on_got);
}

void messages_look_up(struct request *r, bool with_content, store_done *done)
{
    struct store_get_message *op = &r->op.get_message;

    *op = (struct store_get_message){
        .req = request_waits(r, done),
        .application = r->application->base.id,
        .with_content = with_content,
    };
    if (id_parse(ID_MESSAGE, r->match.parts[1], &op->id))
        op->event_id = r->match.parts[1];
    store_get_message(r->services->store, op);
}

bool messages_take_id(struct request *r, const struct store_req *req, struct id *out)
{
    if (req->err) {
        reply_err(r, req->err);
        return false;
    }
    *out = r->op.get_message.message->id;
    message_unref(r->op.get_message.message);
    return true;
}

static void on_got(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err)
        reply_err(r, req->err);
    else
        reply_message(r, 200, r->op.get_message.message, messages_view(r));
}

void messages_list(struct request *r)
{
    if (!request_find_application(r))
        return;
    r->op.list_messages = (struct store_list_messages){
        .req = request_waits(r, on_listed),
        .application = r->application->base.id,
        .filter = r->query.messages,
        .with_content = r->query.with_content,
        .page = r->query.page,
    };
    store_list_messages(r->services->store, &r->op.list_messages);
}

static void on_listed(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_messages *op = &r->op.list_messages;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    struct json_writer *w = reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++) {
        json_put_message(w, op->messages[i], messages_view(r));
        message_unref(op->messages[i]);
    }
    free(op->messages);
    reply_send_span(r, ID_MESSAGE, &op->span, op->more);
}
