/* Attempts: /api/v1/app/{app}/attempt/… and …/msg/{msg}/attempt/{attempt}. */
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_out.h"

static void on_message_of_list(struct store_req *req);
static void on_listed(struct store_req *req);
static void on_message_of_attempt(struct store_req *req);
static void on_got(struct store_req *req);

static void list(struct request *r, const struct id *message, const struct endpoint *endpoint)
{
    struct store_list_attempts *op = &r->op.list_attempts;

    *op = (struct store_list_attempts){
        .req = request_waits(r, on_listed),
        .application = r->application->base.id,
        .by_message = message != NULL,
        .by_endpoint = endpoint != NULL,
        .filter = {
            .has_status = r->query.has_status,
            .status = r->query.status,
            .has_status_class = r->query.has_status_class,
            .status_class = r->query.status_class,
            .message = r->query.messages,
        },
        .with_content = r->query.with_content,
        .with_messages = r->query.with_message,
        .page = r->query.page,
    };
    if (message)
        op->message = *message;
    if (endpoint)
        op->endpoint = endpoint->base.id;
    store_list_attempts(r->services->store, op);
}

void attempts_list_by_endpoint(struct request *r)
{
    const struct endpoint *endpoint;

    if (request_find_application(r) && (endpoint = request_find_endpoint(r)))
        list(r, NULL, endpoint);
}

void attempts_list_by_message(struct request *r)
{
    if (request_find_application(r))
        messages_look_up(r, false, on_message_of_list);
}

static void on_message_of_list(struct store_req *req)
{
    struct request *r = request_of(req);
    const struct endpoint *endpoint = NULL;
    struct id message;

    if (!messages_take_id(r, req, &message))
        return;
    if (r->query.endpoint && !(endpoint = request_look_up_endpoint(r, r->query.endpoint)))
        reply_not_found(r);
    else
        list(r, &message, endpoint);
}

static void on_listed(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_attempts *op = &r->op.list_attempts;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    struct json_writer *w = reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++) {
        struct message *message = op->messages ? op->messages[i] : NULL;
        json_put_attempt(w, &op->attempts[i], message, r->services->topology,
                         r->query.with_content);
        attempt_record_fini(&op->attempts[i]);
        message_unref(message);
    }
    free(op->attempts);
    free(op->messages);
    reply_send_span(r, ID_ATTEMPT, &op->span, op->more);
}

void attempts_get(struct request *r)
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
    r->op.get_attempt = (struct store_get_attempt){
        .req = request_waits(r, on_got),
        .application = r->application->base.id,
        .message = message,
        .id = attempt,
    };
    store_get_attempt(r->services->store, &r->op.get_attempt);
}

static void on_got(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    json_put_attempt(reply_begin(r), &r->op.get_attempt.attempt, NULL, r->services->topology,
                     r->query.with_content);
    attempt_record_fini(&r->op.get_attempt.attempt);
    reply_send(r, 200);
}
