/* Explain: /api/v1/route/explain, which region sends an endpoint's deliveries, or sent a message.
 *
 *   endpoint  ─► ask ─► on_explained ─► answer
 *   message   ─► on_message ─► on_attempts ─► ask ─► on_explained ─► ask … ─► answer
 *   recorded  ─► ask ─► on_explained ─► answer */
#include <string.h>

#include "api/ingest.h"
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "core/operational.h"

#define RECORDED_MAX (1u << 18) /* bytes of a decision that a client has kept */

/* What is asked about; borrowed from the body, NULL where it isn't said. */
struct subject {
    const char *application, *endpoint, *message;
    const struct json *recorded;
    const char *what_if; /* "" = nothing */
};

/* An endpoint that a message went to, and when last. */
struct visit {
    struct id endpoint;
    uint64_t started_at_ms; /* 0: that is about now */
    uint8_t region;         /* the ordinal of the one that it went from */
};

/* Explanations for one request, one after the other; the answer has begun. */
struct inquiry {
    struct request *request;
    const char *what_if;
    struct explanation explanation; /* of the one that is asked for */
    struct endpoint *endpoint;      /* a reference; NULL = gone */
    struct buf recorded;
    size_t visit_count, visited;
    struct visit visits[PAGE_LIMIT_MAX];
    bool more;
};

static void on_message(struct store_req *req);
static void on_attempts(struct store_req *req);
static void on_explained(struct explanation *explanation);

/* The body. */

static const char *read_text(const struct json *body, const char *name, struct faults *faults)
{
    const struct json *value = json_member(body, name);
    char loc[FAULT_LOC_MAX];

    if (!value || json_type_of(value) == SCAN_NULL || json_text(value))
        return json_text(value);
    snprintf(loc, sizeof loc, "body/%s", name);
    faults_add(faults, FAULT_JSON, loc, "a string is expected");
    return NULL;
}

static const struct json *read_recorded(const struct json *body, struct faults *faults)
{
    const struct json *value = json_member(body, "recorded");

    if (!value || json_type_of(value) == SCAN_NULL)
        return NULL;
    if (json_type_of(value) != SCAN_OBJECT)
        faults_add(faults, FAULT_JSON, "body/recorded", "an object is expected");
    return value;
}

/* Only an endpoint's id says by itself what it belongs to. */
static bool needs_application(const struct request *r, const struct subject *s)
{
    struct id id;

    if (s->application || s->recorded || r->token.scope == TOKEN_APPLICATION)
        return false;
    return s->message || (s->endpoint && id_parse(ID_ENDPOINT, s->endpoint, &id) != ERR_OK);
}

static void read_subject(const struct request *r, struct subject *out, struct faults *faults)
{
    *out = (struct subject){
        .application = read_text(r->body, "appId", faults),
        .endpoint = read_text(r->body, "endpointId", faults),
        .message = read_text(r->body, "messageId", faults),
        .recorded = read_recorded(r->body, faults),
        .what_if = read_text(r->body, "whatIf", faults),
    };
    if (!out->what_if)
        out->what_if = "";
    if (faults->count > 0)
        return;
    if (!!out->endpoint + !!out->message + !!out->recorded != 1)
        faults_add(faults, FAULT_VALUE, "body",
                   "one of endpointId, messageId and recorded is expected");
    else if (needs_application(r, out))
        faults_add(faults, FAULT_VALUE, "body/appId", "is expected with %s",
                   out->message ? "a messageId" : "an endpoint's uid");
}

/* By an endpoint's id; NULL: there is none that the token may see. */
static struct application *application_of_endpoint(const struct request *r, const char *name)
{
    const struct catalog *catalog = r->services->catalog;
    const struct endpoint *endpoint;
    struct id id;

    if (id_parse(ID_ENDPOINT, name, &id))
        return NULL;
    endpoint = catalog_endpoint_by_key(catalog, id_key(&id));
    if (!endpoint || !id_equal(&endpoint->base.id, &id))
        return NULL;
    struct application *found =
        catalog_application(catalog, &r->token.organization, &endpoint->application);
    return found && !operational_is(found) ? found : NULL;
}

static struct application *look_up_application(const struct request *r, const struct subject *s)
{
    const struct token *token = &r->token;

    if (s->application)
        return request_application_named(r, s->application);
    if (token->scope == TOKEN_APPLICATION)
        return catalog_application(r->services->catalog, &token->organization,
                                   &token->application);
    return application_of_endpoint(r, s->endpoint);
}

/* False: answered with 404. */
static bool find_application(struct request *r, const struct subject *s)
{
    struct application *found = look_up_application(r, s);

    if (!found) {
        reply_not_found(r);
        return false;
    }
    object_ref(&found->base);
    r->application = found;
    return true;
}

/* Asking. */

static struct inquiry *begin(struct request *r, const struct subject *s)
{
    struct inquiry *inquiry = xcalloc(1, sizeof *inquiry);

    inquiry->request = r;
    inquiry->what_if = s->what_if;
    inquiry->recorded = BUF_INIT(RECORDED_MAX);
    reply_begin_page(r);
    return inquiry;
}

static struct request *end(struct inquiry *inquiry)
{
    struct request *r = inquiry->request;

    object_unref(inquiry->endpoint ? &inquiry->endpoint->base : NULL);
    buf_fini(&inquiry->recorded);
    free(inquiry);
    return r;
}

static void ask(struct inquiry *inquiry, const struct visit *visit)
{
    const struct request *r = inquiry->request;
    struct endpoint *known =
        r->application
            ? catalog_endpoint(r->services->catalog, &r->application->base.id, &visit->endpoint)
            : NULL;

    object_unref(inquiry->endpoint ? &inquiry->endpoint->base : NULL);
    if (known)
        object_ref(&known->base);
    inquiry->endpoint = known;
    inquiry->explanation = (struct explanation){
        .application = r->application,
        .endpoint_id = visit->endpoint,
        .endpoint = known,
        .at_ms = visit->started_at_ms,
        .sent_from = visit->region,
        .recorded = inquiry->recorded.len > 0 ? buf_text(&inquiry->recorded) : NULL,
        .recorded_len = inquiry->recorded.len,
        .what_if = inquiry->what_if,
        .reply_to = &r->services->inbox,
        .done = on_explained,
    };
    r->services->explainer->ask(r->services->explainer, &inquiry->explanation);
}

static void ask_next(struct inquiry *inquiry)
{
    bool more = inquiry->more;

    if (inquiry->visited < inquiry->visit_count)
        ask(inquiry, &inquiry->visits[inquiry->visited++]);
    else
        reply_send_page(end(inquiry), "", "", more);
}

static void refuse(struct inquiry *inquiry, const char *field, const char *why)
{
    struct faults faults = { .count = 0 };
    char loc[FAULT_LOC_MAX];

    snprintf(loc, sizeof loc, "body/%s", field);
    faults_add(&faults, FAULT_VALUE, loc, "%s", why);
    reply_faults(end(inquiry), &faults);
}

static void fail(struct inquiry *inquiry, enum err err)
{
    reply_err(end(inquiry), err);
}

static void on_explained(struct explanation *x)
{
    struct inquiry *inquiry = container_of(x, struct inquiry, explanation);

    if (x->err == ERR_INVALID) {
        refuse(inquiry, x->field, x->why);
        return;
    }
    if (x->err) {
        fail(inquiry, x->err);
        return;
    }
    json_put_raw(&inquiry->request->writer, x->item.bytes, x->item.len);
    buf_fini(&x->item);
    ask_next(inquiry);
}

/* What there is to explain. */

static void explain_endpoint(struct request *r, const struct subject *s)
{
    const struct endpoint *endpoint;

    if (!ingest_known(r, r->application, NULL))
        return;
    endpoint = request_look_up_endpoint(r, s->endpoint);
    if (endpoint)
        ask(begin(r, s), &(struct visit){ .endpoint = endpoint->base.id });
    else
        reply_not_found(r);
}

static void explain_recorded(struct request *r, const struct subject *s)
{
    static const struct visit NONE = { 0 };
    struct inquiry *inquiry = begin(r, s);

    if (json_dump(s->recorded, false, &inquiry->recorded))
        refuse(inquiry, "recorded", "is too long");
    else
        ask(inquiry, &NONE);
}

static void explain_message(struct request *r, const struct subject *s)
{
    struct store_get_message op = { .application = r->application->base.id };
    bool has_id = id_parse(ID_MESSAGE, s->message, &op.id) == ERR_OK;

    if (!ingest_known(r, r->application, has_id ? &op.id : NULL))
        return;
    if (!has_id)
        op.event_id = s->message;
    op.req = request_waits(r, on_message);
    r->op.get_message = op;
    store_get_message(r->services->store, &r->op.get_message);
}

static void on_message(struct store_req *req)
{
    struct request *r = request_of(req);
    struct id message;

    if (!messages_take_id(r, req, &message))
        return;
    r->op.list_attempts = (struct store_list_attempts){
        .req = request_waits(r, on_attempts),
        .application = r->application->base.id,
        .by_message = true,
        .message = message,
        .page = { .limit = PAGE_LIMIT_MAX },
    };
    store_list_attempts(r->services->store, &r->op.list_attempts);
}

/* Newest first: the first of an endpoint's is its last. */
static void add_visit(struct inquiry *inquiry, const struct attempt_record *attempt)
{
    for (size_t i = 0; i < inquiry->visit_count; i++)
        if (id_equal(&inquiry->visits[i].endpoint, &attempt->endpoint))
            return;
    inquiry->visits[inquiry->visit_count++] =
        (struct visit){ attempt->endpoint, attempt->started_at_ms, attempt->way.region };
}

static void on_attempts(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_attempts *op = &r->op.list_attempts;
    struct subject s;
    struct faults faults = { .count = 0 };

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    read_subject(r, &s, &faults);
    struct inquiry *inquiry = begin(r, &s);
    for (size_t i = 0; i < op->count; i++) {
        add_visit(inquiry, &op->attempts[i]);
        attempt_record_fini(&op->attempts[i]);
    }
    inquiry->more = op->more;
    free(op->attempts);
    ask_next(inquiry);
}

void routes_explain(struct request *r)
{
    struct faults faults = { .count = 0 };
    struct subject s;

    once_needless(r);
    if (!request_read_body(r, true))
        return;
    read_subject(r, &s, &faults);
    if (faults.count > 0)
        reply_faults(r, &faults);
    else if (s.recorded)
        explain_recorded(r, &s);
    else if (!find_application(r, &s))
        return;
    else if (s.message)
        explain_message(r, &s);
    else
        explain_endpoint(r, &s);
}
