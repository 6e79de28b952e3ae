/* Endpoints: /api/v1/app/{app}/endpoint. */
#include "api/objects.h"
#include "api/reply.h"
#include "api/routes.h"
#include "api/secrets.h"
#include "core/dispatch.h"
#include "core/mem.h"
#include "core/operational.h"
#include "signer/seal.h"
#include "wire/courier.h"

static bool next_created(struct request *r);
static bool next_replaced(struct request *r);
static bool next_patched(struct request *r);
static bool next_deleted(struct request *r);

void endpoints_list(struct request *r)
{
    if (request_find_application(r))
        objects_list(r, OBJECT_ENDPOINT);
}

void endpoints_get(struct request *r)
{
    struct endpoint *endpoint;

    if (request_find_application(r) && (endpoint = request_find_endpoint(r)))
        reply_object(r, 200, &endpoint->base);
}

void endpoints_create(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_created, 201);
}

void endpoints_replace(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_replaced, 200);
}

void endpoints_patch(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_patched, 200);
}

void endpoints_delete(struct request *r)
{
    if (request_find_application(r))
        objects_edit(r, next_deleted, 204);
}

/* The URL in normal form, or a fault. */
static void normalize_url(struct endpoint *e, struct faults *faults)
{
    struct buf normal = BUF_INIT(URL_LEN_MAX);
    const char *why = "is too long";

    if (courier_url(e->url, &normal, &why)) {
        faults_add(faults, FAULT_VALUE, "body/url", "%s", why);
    } else {
        free(e->url);
        e->url = xstrdup(buf_text(&normal));
    }
    buf_fini(&normal);
}

/* Of what an organization is told the types are fixed. */
static bool event_type_exists(const struct request *r, const char *name)
{
    const struct event_type *type;

    if (operational_is(r->application))
        return operational_type_is_known(name);
    type = catalog_event_type(r->services->catalog, &r->token.organization, name);
    return type && !type->archived;
}

/* Only what the body asks for is looked up: an old filter may name a type that is gone by now.
 */
static void check_event_types(const struct request *r, const struct endpoint *e,
                              struct faults *faults)
{
    char loc[FAULT_LOC_MAX];

    if (!json_member(r->body, "eventTypes") && !json_member(r->body, "filterTypes"))
        return;
    for (size_t i = 0; i < e->event_types.count; i++) {
        if (event_type_exists(r, e->event_types.items[i]))
            continue;
        snprintf(loc, sizeof loc, "body/eventTypes/%zu", i);
        faults_add(faults, FAULT_VALUE, loc, "is no event type that exists");
    }
}

/* How deliveries get to it: nothing in a region that is alone. As with event types, what the body
 * doesn't touch isn't looked up. */
static void take_dispatch(const struct request *r, enum read_mode mode, struct endpoint *e,
                          struct faults *faults)
{
    const struct topology *topology = r->services->topology;
    struct dispatch_fault fault;
    char loc[FAULT_LOC_MAX];

    if (topology_is_single(topology) || operational_is(r->application))
        return;
    read_dispatch(r->body, mode, e, faults);
    if (faults->count > 0 ||
        (!json_member(r->body, "targets") && !json_member(r->body, "dispatch")))
        return;
    if (dispatch_check(topology, &r->application->residency, &e->dispatch, &fault) != ERR_OK) {
        snprintf(loc, sizeof loc, "body/%s", fault.loc);
        faults_add(faults, FAULT_VALUE, loc, "%s", fault.why);
    }
}

/* A new endpoint signs with the secret it brings or one that we make, and so does one whose
 * secret is patched; a replaced one keeps what it has. */
static void take_secret(const struct request *r, struct endpoint *e, const char *text,
                        struct faults *faults)
{
    struct secret secret;

    if (!secrets_read(text, &secret)) {
        faults_add(faults, FAULT_VALUE, "body/secret", SECRETS_WANTED);
        return;
    }
    secrets_replace(r->services->keyring, e, &secret);
    secret_wipe(&secret);
}

static void read_into(struct request *r, enum read_mode mode, bool is_new,
                      struct endpoint *next, struct faults *faults)
{
    struct endpoint_extras extras = { 0 };

    read_endpoint(r->body, mode, next, &extras, faults);
    if (operational_is(r->application)) /* nothing is told in a channel */
        text_list_fini(&next->channels);
    if (faults->count == 0) {
        normalize_url(next, faults);
        check_event_types(r, next, faults);
        take_dispatch(r, mode, next, faults);
        if (is_new || (mode == READ_PATCH && extras.secret))
            take_secret(r, next, extras.secret, faults);
        if (extras.has_headers)
            seal_headers(r->services->keyring, next, extras.headers);
    }
    endpoint_extras_fini(&extras);
}

/* `current`, NULL if it is new, changed as the body says. */
static bool make_next(struct request *r, const struct endpoint *current, enum read_mode mode)
{
    struct endpoint *next = current ? endpoint_copy(current) : endpoint_new();
    struct faults faults = { .count = 0 };

    if (current) {
        edit_old(r, &next->base);
    } else {
        edit_new(r, &next->base);
        next->application = r->application->base.id;
    }
    read_into(r, mode, !current, next, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return false;
    }

    const struct endpoint *holder = catalog_endpoint_by_uid(
        r->services->catalog, &next->application, next->uid ? next->uid : "");
    if (!holder || id_equal(&holder->base.id, &next->base.id))
        return true;
    reply_error(r, 409, "conflict", "An endpoint with that id or uid already exists");
    return false;
}

static bool next_created(struct request *r)
{
    return make_next(r, NULL, READ_REPLACE);
}

static bool next_replaced(struct request *r)
{
    return make_next(r, request_look_up_path_endpoint(r), READ_REPLACE);
}

/* What is wrong with the body is said first, even where there is nothing to patch. */
static void refuse_patch(struct request *r)
{
    struct endpoint *nothing = endpoint_new();
    struct endpoint_extras extras = { 0 };
    struct faults faults = { .count = 0 };

    read_endpoint(r->body, READ_PATCH, nothing, &extras, &faults);
    if (faults.count > 0)
        reply_faults(r, &faults);
    else
        reply_not_found(r);
    endpoint_extras_fini(&extras);
    object_unref(&nothing->base);
}

static bool next_patched(struct request *r)
{
    const struct endpoint *current = request_look_up_path_endpoint(r);

    if (current)
        return make_next(r, current, READ_PATCH);
    refuse_patch(r);
    return false;
}

static bool next_deleted(struct request *r)
{
    const struct endpoint *current = request_find_endpoint(r);

    if (!current)
        return false;
    struct endpoint *next = endpoint_copy(current);
    edit_old(r, &next->base);
    next->base.deleted = true;
    return true;
}
