/* Put: the next state of a configuration object, checked against the writer's catalog. */
#include "store/journal.h"

#include <string.h>

#include "core/mem.h"
#include "core/sealed.h"

#define ORPHANS_FIRST 16 /* endpoints to begin with */

/* The endpoints that go with their application. */
struct orphans {
    size_t count, room;
    struct endpoint **tombstones; /* a reference each */
};

static enum err run_put(struct store *s, struct store_req *req);
static enum err run_put_event_types(struct store *s, struct store_req *req);
static bool is_ours(const struct store *s, struct object *next);
static enum err check_application(struct store *s, struct application *next);
static enum err check_endpoint(struct store *s, struct endpoint *next);
static enum err check_event_type(struct store *s, struct event_type *next);
static enum err check_version(const struct object *next, const struct object *current);
static enum err put_orphans(struct store *s, const struct object *application);
static void add_orphan(struct endpoint *endpoint, void *ctx);
static enum err put_object(struct store *s, struct object *object, uint64_t fail_since_ms);

static const struct store_verb PUT = { .side = VERB_WRITES_GLOBAL, .run = run_put };

static const struct store_verb PUT_EVENT_TYPES = { .side = VERB_WRITES_GLOBAL,
                                                   .run = run_put_event_types };

void store_put(struct store *s, struct store_put *op)
{
    store_submit(s, &op->req, &PUT);
}

void store_put_event_types(struct store *s, struct store_put_event_types *op)
{
    store_submit(s, &op->req, &PUT_EVENT_TYPES);
}

static enum err run_put(struct store *s, struct store_req *req)
{
    const struct store_put *op = container_of(req, struct store_put, req);
    struct object *next = op->object;
    enum err err = ERR_OK;

    if (!is_ours(s, next))
        return ERR_INVALID;
    if (!sealing_renew(s, next))
        return ERR_STALE;
    switch (next->kind) {
    case OBJECT_APPLICATION:
        err = check_application(s, as_application(next));
        if (!err && next->deleted)
            err = put_orphans(s, next);
        break;
    case OBJECT_ENDPOINT:
        err = check_endpoint(s, as_endpoint(next));
        break;
    case OBJECT_EVENT_TYPE:
        err = check_event_type(s, as_event_type(next));
        break;
    }
    return err ? err : put_object(s, next, op->fail_since_ms);
}

static enum err run_put_event_types(struct store *s, struct store_req *req)
{
    const struct store_put_event_types *op =
        container_of(req, struct store_put_event_types, req);
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < op->count; i++)
        err = check_event_type(s, op->types[i]);
    for (size_t i = 0; !err && i < op->count; i++)
        err = put_object(s, &op->types[i]->base, 0);
    return err;
}

/* Whether no other region is its home. Who owns what is the organization's the store isn't told. */
static bool is_ours(const struct store *s, struct object *next)
{
    const struct application *owner = NULL;

    if (next->kind == OBJECT_APPLICATION)
        owner = as_application(next);
    else if (next->kind == OBJECT_ENDPOINT)
        owner = catalog_application_by_key(s->catalog, id_key(&as_endpoint(next)->application));
    return !owner || owner->residency.home == 0 || owner->residency.home == s->ids->ordinal;
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What two regions gave one uid keeps it. */
static enum err check_application(struct store *s, struct application *next)
{
    const struct id *organization = &next->base.organization;
    struct application *current = catalog_application(s->catalog, organization, &next->base.id);
    struct application *namesake =
        catalog_application_by_uid(s->catalog, organization, next->uid);
    enum err err = check_version(&next->base, current ? &current->base : NULL);

    if (!err && namesake && namesake != current && !next->base.deleted &&
        !(current && is_same_text(current->uid, next->uid)))
        err = ERR_CONFLICT;
    return err;
}

static enum err check_endpoint(struct store *s, struct endpoint *next)
{
    const struct id *application = &next->application;
    struct endpoint *current = catalog_endpoint(s->catalog, application, &next->base.id);
    struct endpoint *namesake = catalog_endpoint_by_uid(s->catalog, application, next->uid);
    enum err err = check_version(&next->base, current ? &current->base : NULL);

    if (!catalog_application(s->catalog, &next->base.organization, application))
        return ERR_NOT_FOUND;
    if (!err && namesake && namesake != current && !next->base.deleted)
        err = ERR_CONFLICT;
    return err;
}

/* An event type is known by its name; another id with that name is another event type. */
static enum err check_event_type(struct store *s, struct event_type *next)
{
    struct event_type *current =
        catalog_event_type(s->catalog, &next->base.organization, next->name);

    if (current && !id_equal(&current->base.id, &next->base.id))
        return ERR_CONFLICT;
    return check_version(&next->base, current ? &current->base : NULL);
}

static enum err check_version(const struct object *next, const struct object *current)
{
    return next->version == (current ? current->version : 0) + 1 ? ERR_OK : ERR_STALE;
}

static enum err put_orphans(struct store *s, const struct object *application)
{
    struct orphans orphans = { 0 };
    enum err err = ERR_OK;

    catalog_each_endpoint(s->catalog, &application->id, add_orphan, &orphans);
    for (size_t i = 0; i < orphans.count; i++) {
        struct object *tombstone = &orphans.tombstones[i]->base;
        tombstone->deleted = true;
        sealed_drop(orphans.tombstones[i]);
        tombstone->version++;
        tombstone->updated_at_ms = application->updated_at_ms;
        if (!err)
            err = put_object(s, tombstone, 0);
        object_unref(tombstone);
    }
    free(orphans.tombstones);
    return err;
}

static void add_orphan(struct endpoint *endpoint, void *ctx)
{
    struct orphans *orphans = ctx;

    if (orphans->count == orphans->room)
        orphans->tombstones = xgrow(orphans->tombstones, &orphans->room, ORPHANS_FIRST,
                                    sizeof(struct endpoint *));
    orphans->tombstones[orphans->count++] = endpoint_copy(endpoint);
}

static enum err put_object(struct store *s, struct object *object, uint64_t fail_since_ms)
{
    enum err err = s->journal.end.origin != 0 ? journal_add(s, object) : ERR_OK;

    if (!err)
        err = operational_tell_change(s, object, fail_since_ms);

    return err ? err : put_unchecked(s, object);
}

enum err put_unchecked(struct store *s, struct object *object)
{
    enum err err = s->ops->put(s->backend, object);

    if (err)
        return err;
    catalog_put(s->catalog, object);
    changes_add(s, object);
    return ERR_OK;
}
