/* Messages: /api/v1/app/{app}/msg.
 *
 *   messages_create ─► messages_append ────────────────────────────────► on_appended
 *          └─► (no such application) create_application ─► on_created ─► messages_append */
#include <string.h>

#include "api/objects.h"
#include "api/ingest.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/count.h"
#include "core/mem.h"
#include "wire/noun_out.h"

static void create_application(struct request *r);
static void on_created(struct store_req *req);
static void on_appended(struct store_req *req);
static void on_got(struct store_req *req);
static void on_listed(struct store_req *req);

/* The repetition of a request is known by who asks, the key and where it goes; not by its body.
 */
static const uint8_t *hash_idempotency(struct request *r)
{
    struct exchange *x = r->exchange;
    const char *key = exchange_header(x, "idempotency-key");

    if (!key)
        return NULL;
    const char *const texts[] = {
        exchange_header(x, "authorization"),
        key,
        exchange_path(x),
        exchange_query(x),
    };
    digest_texts(r->services->digest, texts, COUNT(texts), r->idempotency_hash);
    return r->idempotency_hash;
}

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
        messages_append(r, NULL, on_appended);
}

void messages_append(struct request *r, const struct id *only, store_done *done)
{
    const struct message_in *in = &r->message;

    r->op.append = (struct store_append){
        .req = request_waits(r, done),
        .application = r->application->base.id,
        .event_type = in->event_type,
        .event_id = in->event_id,
        .channels = &in->channels,
        .tags = &in->tags,
        .only = only,
        .payload = in->payload,
        .payload_len = in->payload_len,
        .retention_hours = in->retention_hours,
        .idempotency_hash = hash_idempotency(r),
    };
    store_append(r->services->store, &r->op.append);
}

/* The body's "application" into r->body; false: there is none. */
static bool take_application(struct request *r)
{
    struct scan_member member = { .name = "application" };
    struct scan_fault fault;
    enum scan_type type;
    size_t len;
    const void *body = exchange_body(r->exchange, &len);

    return scan_json(body, len, &member, 1, &type, &fault) == ERR_OK &&
           member.type != SCAN_NONE && member.type != SCAN_NULL &&
           json_parse(member.at, member.len, &r->body, &fault) == ERR_OK;
}

/* The application that r->body describes, which must be the one of the path. */
static void read_into(struct request *r, struct application *next, struct faults *faults)
{
    read_application(r->body, READ_REPLACE, next, faults);
    ingest_read(r, r->body, NULL, next, faults);
    for (size_t i = 0; i < faults->count; i++) {
        char loc[FAULT_LOC_MAX];
        snprintf(loc, sizeof loc, "body/application%s", faults->items[i].loc + strlen("body"));
        memcpy(faults->items[i].loc, loc, sizeof loc);
    }
    if (faults->count == 0 && (!next->uid || strcmp(next->uid, r->match.parts[0]) != 0))
        faults_add(faults, FAULT_VALUE, "body/application/uid",
                   "must be the application in the path");
}

/* A producer may bring the application along that its first message is for. */
static void create_application(struct request *r)
{
    struct faults faults = { .count = 0 };
    size_t len;
    const void *body = exchange_body(r->exchange, &len);

    if (!take_application(r)) {
        reply_error(r, 404, "not_found", "Application not found");
        return;
    }
    struct application *next = application_new();
    edit_new(r, &next->base);
    read_into(r, next, &faults);
    read_message(body, len, &r->message, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return;
    }
    if (!ingest_new(r, next, true))
        return;
    r->op.put = (struct store_put){
        .req = request_waits(r, on_created),
        .object = r->edit.object,
    };
    store_put(r->services->store, &r->op.put);
}

/* A conflict: another message was faster, and what it made will do. */
static void on_created(struct store_req *req)
{
    struct request *r = request_of(req);

    if ((req->err == ERR_OK || req->err == ERR_CONFLICT) && request_take_application(r))
        messages_append(r, NULL, on_appended);
    else
        reply_err(r, req->err);
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

/* The first answer of this request that says 202: it is on disk. A payload that was just read
 * is an object, unless it was a raw one; that of an earlier request may be anything. */
static void on_appended(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_append *op = &r->op.append;
    bool is_ours = !op->repeated && !r->message.raw_payload.data;

    if (req->err)
        reply_err(r, req->err);
    else
        reply_message(r, 202, op->message,
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
