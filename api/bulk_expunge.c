/* Bulk expunge: POST …/msg/bulk-expunge, messages one after the other.
 *
 *   messages_expunge_some ─► look_up ─► on_found ─► on_expunged ─► (next) look_up … ─► reply
 *
 * Each is gone, as if it had been asked for alone, before the next begins. */
#include "api/reply.h"
#include "api/routes.h"

static void look_up(struct request *r);
static void on_found(struct store_req *req);
static void on_expunged(struct store_req *req);
static void note(struct request *r, bool expunged);

void messages_expunge_some(struct request *r)
{
    struct faults faults = { .count = 0 };

    if (!request_find_application(r) || !request_read_body(r, true))
        return;
    read_bulk_expunge(r->body, &r->bulk_expunge.ids, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return;
    }
    struct json_writer *w = reply_begin(r);
    json_open_object(w);
    json_name(w, "results");
    json_open_object(w);
    look_up(r);
}

static const char *current(const struct request *r)
{
    return r->bulk_expunge.ids.items[r->bulk_expunge.at];
}

static void look_up(struct request *r)
{
    struct store_get_message *op = &r->op.get_message;

    *op = (struct store_get_message){
        .req = request_waits(r, on_found),
        .application = r->application->base.id,
    };
    if (id_parse(ID_MESSAGE, current(r), &op->id))
        op->event_id = current(r);
    store_get_message(r->services->store, op);
}

/* What is gone so far stays gone; the same request does the rest. */
static void fail(struct request *r, enum err err)
{
    buf_clear(&r->reply);
    reply_err(r, err);
}

static void on_found(struct store_req *req)
{
    struct request *r = request_of(req);
    struct id message;

    if (req->err == ERR_NOT_FOUND) {
        note(r, false);
        return;
    }
    if (req->err) {
        fail(r, req->err);
        return;
    }
    message = r->op.get_message.message->id;
    message_unref(r->op.get_message.message);
    r->op.expunge_message = (struct store_expunge_message){
        .req = request_waits(r, on_expunged),
        .application = r->application->base.id,
        .message = message,
    };
    store_expunge_message(r->services->store, &r->op.expunge_message);
}

static void on_expunged(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err && req->err != ERR_NOT_FOUND)
        fail(r, req->err);
    else
        note(r, req->err == ERR_OK);
}

static void note(struct request *r, bool expunged)
{
    struct json_writer *w = &r->writer;

    json_add_text(w, current(r), expunged ? "expunged" : "not-found");
    if (++r->bulk_expunge.at < r->bulk_expunge.ids.count) {
        look_up(r);
        return;
    }
    json_close_object(w);
    json_close_object(w);
    reply_send(r, 200);
}
