#include "api/request.h"

#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/session.h"
#include "core/mem.h"
#include "core/operational.h"

struct request *request_new(struct services *services, struct exchange *exchange)
{
    struct request *r = xcalloc(1, sizeof *r);

    r->services = services;
    r->exchange = exchange;
    r->now = clock_now();
    r->reply.limit = REPLY_LEN_MAX;
    list_init(&r->carried);
    list_init(&r->session.waiting);
    services->requests++;
    return r;
}

void request_free(struct request *r)
{
    struct services *services = r->services;

    session_leave(r);
    free(r->session.seen);
    once_fini(&r->once);
    query_fini(&r->query);
    if (r->application)
        object_unref(&r->application->base);
    json_free(r->body);
    buf_fini(&r->reply);
    object_unref(r->edit.object);
    event_types_drop_import(&r->import);
    message_in_fini(&r->message);
    background_task_fini(&r->background);
    text_list_fini(&r->bulk_expunge.ids);
    free(r->new_token);
    usage_drop(&r->usage);
    free(r);

    services->requests--;
    services->ended(services);
}

struct request *request_of(struct store_req *req)
{
    return container_of(req, struct request, op);
}

struct store_req request_waits(struct request *r, store_done *done)
{
    return (struct store_req){ .done = done, .reply_to = &r->services->inbox };
}

struct application *request_application_named(const struct request *r, const char *name)
{
    const struct catalog *catalog = r->services->catalog;
    const struct id *organization = &r->token.organization;
    struct application *found;
    struct id id;

    if (id_parse(ID_APPLICATION, name, &id) == ERR_OK)
        found = catalog_application(catalog, organization, &id);
    else
        found = catalog_application_by_uid(catalog, organization, name);
    if (found && operational_is(found))
        return NULL;
    if (found && r->token.scope == TOKEN_APPLICATION &&
        !id_equal(&found->base.id, &r->token.application))
        return NULL;
    return found;
}

static bool is_operational(const struct request *r)
{
    enum ingest ingest = r->match.route->ingest;

    return ingest == INGEST_MANAGER || ingest == INGEST_MANAGER_REPLICA;
}

struct application *request_application_of_token(const struct request *r)
{
    const struct token *token = &r->token;

    if (token->scope != TOKEN_APPLICATION)
        return NULL;
    return catalog_application(r->services->catalog, &token->organization, &token->application);
}

struct application *request_look_up_application(const struct request *r)
{
    if (is_operational(r))
        return catalog_application_by_uid(r->services->catalog, &r->token.organization,
                                          OPERATIONAL_UID);
    return request_application_named(r, r->match.parts[0]);
}

bool request_take_application(struct request *r)
{
    r->application = request_look_up_application(r);
    if (!r->application)
        return false;
    object_ref(&r->application->base);
    return true;
}

bool request_find_application(struct request *r)
{
    bool found = request_take_application(r);

    if (!found)
        reply_not_found(r);
    return found;
}

struct endpoint *request_look_up_endpoint(const struct request *r, const char *name)
{
    const struct id *application = &r->application->base.id;
    struct id id;

    if (id_parse(ID_ENDPOINT, name, &id) == ERR_OK)
        return catalog_endpoint(r->services->catalog, application, &id);
    return catalog_endpoint_by_uid(r->services->catalog, application, name);
}

struct endpoint *request_look_up_path_endpoint(const struct request *r)
{
    return request_look_up_endpoint(r, r->match.parts[is_operational(r) ? 0 : 1]);
}

struct endpoint *request_find_endpoint(struct request *r)
{
    struct endpoint *found = request_look_up_path_endpoint(r);

    if (!found)
        reply_not_found(r);
    return found;
}

bool request_read_body(struct request *r, bool needed)
{
    struct scan_fault fault;
    struct faults faults = { .count = 0 };
    size_t len;
    const void *text = exchange_body(r->exchange, &len);

    if (len == 0 && !needed)
        return true;
    if (json_parse(text, len, &r->body, &fault))
        faults_add(&faults, FAULT_JSON, "body", "%s at byte %zu", fault.why, fault.offset);
    else if (json_type_of(r->body) != SCAN_OBJECT)
        faults_add(&faults, FAULT_JSON, "body", "must be an object");
    if (faults.count == 0)
        return true;
    reply_faults(r, &faults);
    return false;
}
