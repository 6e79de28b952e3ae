/* Expunge: DELETE …/msg/{msg}/content and …/msg/{msg}/attempt/{attempt}/content.
 *
 *   messages_expunge ─► on_message ─► on_expunged
 *   attempts_expunge ─► on_message_of_attempt ─► on_expunged */
#include "api/reply.h"
#include "api/routes.h"

static void on_message(struct store_req *req);
static void on_message_of_attempt(struct store_req *req);
static void on_expunged(struct store_req *req);

void messages_expunge(struct request *r)
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
    r->op.expunge_message = (struct store_expunge_message){
        .req = request_waits(r, on_expunged),
        .application = r->application->base.id,
        .message = message,
    };
    store_expunge_message(r->services->store, &r->op.expunge_message);
}

void attempts_expunge(struct request *r)
{
    if (request_find_application(r))
        messages_look_up(r, false, on_message_of_attempt);
}

static void on_message_of_attempt(struct store_req *req)
{
    struct request *r = request_of(req);
    struct id message, attempt;

    if (!messages_take_id(r, req, &message))
        return;
    if (id_parse(ID_ATTEMPT, r->match.parts[2], &attempt)) {
        reply_not_found(r);
        return;
    }
    r->op.expunge_attempt = (struct store_expunge_attempt){
        .req = request_waits(r, on_expunged),
        .message = message,
        .attempt = attempt,
    };
    store_expunge_attempt(r->services->store, &r->op.expunge_attempt);
}

static void on_expunged(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err)
        reply_err(r, req->err);
    else
        reply_empty(r);
}
