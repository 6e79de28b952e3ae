/* Applications: /api/v1/app. */
#include "api/objects.h"
#include "api/ingest.h"
#include "api/reply.h"
#include "api/routes.h"

static bool next_created(struct request *r);
static bool next_replaced(struct request *r);
static bool next_patched(struct request *r);
static bool next_deleted(struct request *r);

void applications_list(struct request *r)
{
    objects_list(r, OBJECT_APPLICATION);
}

void applications_get(struct request *r)
{
    if (request_find_application(r))
        reply_object(r, 200, &r->application->base);
}

void applications_create(struct request *r)
{
    if (request_read_body(r, true))
        objects_edit(r, next_created, 201);
}

void applications_replace(struct request *r)
{
    if (request_read_body(r, true))
        objects_edit(r, next_replaced, 200);
}

void applications_patch(struct request *r)
{
    if (request_find_application(r) && request_read_body(r, true))
        objects_edit(r, next_patched, 200);
}

void applications_delete(struct request *r)
{
    objects_edit(r, next_deleted, 204);
}

/* `current`, NULL if it is new, changed as the body says. */
static bool make_next(struct request *r, const struct application *current, enum read_mode mode)
{
    struct application *next = current ? application_copy(current) : application_new();
    struct faults faults = { .count = 0 };

    if (current)
        edit_old(r, &next->base);
    else
        edit_new(r, &next->base);
    read_application(r->body, mode, next, &faults);
    ingest_read(r, r->body, current, next, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return false;
    }

    struct application *holder = catalog_application_by_uid(
        r->services->catalog, &r->token.organization, next->uid ? next->uid : "");
    if (!holder || id_equal(&holder->base.id, &next->base.id))
        return current || ingest_new(r, next, false);
    if (r->query.get_if_exists)
        reply_object(r, 200, &holder->base);
    else
        reply_error(r, 409, "conflict", "An application with that id or uid already exists");
    return false;
}

static bool next_created(struct request *r)
{
    return make_next(r, NULL, READ_REPLACE);
}

static bool next_replaced(struct request *r)
{
    return make_next(r, request_look_up_application(r), READ_REPLACE);
}

static bool next_patched(struct request *r)
{
    const struct application *current = request_look_up_application(r);

    if (current)
        return make_next(r, current, READ_PATCH);
    reply_not_found(r);
    return false;
}

static bool next_deleted(struct request *r)
{
    const struct application *current = request_look_up_application(r);

    if (!current) {
        reply_not_found(r);
        return false;
    }
    struct application *next = application_copy(current);
    edit_old(r, &next->base);
    next->base.deleted = true;
    return true;
}
