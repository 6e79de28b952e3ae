/* Event types: /api/v1/event-type. */
#include "api/objects.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/match.h"
#include "core/mem.h"

static bool next_created(struct request *r);
static bool next_replaced(struct request *r);
static bool next_patched(struct request *r);
static bool next_deleted(struct request *r);

static struct event_type *look_up(const struct request *r)
{
    return catalog_event_type(r->services->catalog, &r->token.organization, r->match.parts[0]);
}

void event_types_list(struct request *r)
{
    objects_list(r, OBJECT_EVENT_TYPE);
}

void event_types_get(struct request *r)
{
    struct event_type *type = look_up(r);
    bool shows_all = r->token.scope == TOKEN_ORGANIZATION;

    if (type && (shows_all || match_shows(type, r->token.feature_flags)))
        reply_object(r, 200, &type->base);
    else
        reply_not_found(r);
}

void event_types_create(struct request *r)
{
    if (request_read_body(r, true))
        objects_edit(r, next_created, 201);
}

void event_types_replace(struct request *r)
{
    if (request_read_body(r, true))
        objects_edit(r, next_replaced, 200);
}

void event_types_patch(struct request *r)
{
    if (request_read_body(r, true))
        objects_edit(r, next_patched, 200);
}

void event_types_delete(struct request *r)
{
    objects_edit(r, next_deleted, 204);
}

/* The next state, begun: a copy of `current`, or without one a new event type called `name`. */
static struct event_type *begin_next(struct request *r, const struct event_type *current,
                                     const char *name)
{
    struct event_type *next = current ? event_type_copy(current) : event_type_new();

    if (current) {
        edit_old(r, &next->base);
    } else {
        edit_new(r, &next->base);
        next->name = xstrdup(name);
    }
    return next;
}

static bool read_into(struct request *r, enum read_mode mode, struct event_type *next)
{
    struct faults faults = { .count = 0 };

    if (!name_is_valid(next->name ? next->name : "x", NAME_LEN_MAX))
        faults_add(&faults, FAULT_VALUE, "path/event_type_name", "isn't an event type's name");
    read_event_type(r->body, mode, next, &faults);
    if (faults.count == 0)
        return true;
    reply_faults(r, &faults);
    return false;
}

/* An archived one of that name comes back with the new content. */
static bool next_created(struct request *r)
{
    const char *name = json_text(json_member(r->body, "name"));
    const struct event_type *holder =
        catalog_event_type(r->services->catalog, &r->token.organization, name ? name : "");
    struct event_type *next = begin_next(r, holder, NULL);

    if (!read_into(r, READ_REPLACE, next))
        return false;
    if (!holder || holder->archived)
        return true;
    reply_error(r, 409, "event_type_exists", "An event type with that name already exists");
    return false;
}

static bool next_replaced(struct request *r)
{
    return read_into(r, READ_REPLACE, begin_next(r, look_up(r), r->match.parts[0]));
}

static bool next_patched(struct request *r)
{
    const struct event_type *current = look_up(r);

    /* What is wrong with the body is said first, even where there is nothing to patch. */
    if (!read_into(r, READ_PATCH, begin_next(r, current, r->match.parts[0])))
        return false;
    if (!current)
        reply_not_found(r);
    return current != NULL;
}

/* Gone from lists and from new filters only, unless it is to be gone altogether. */
static bool next_deleted(struct request *r)
{
    const struct event_type *current = look_up(r);

    if (!current) {
        reply_not_found(r);
        return false;
    }
    struct event_type *next = begin_next(r, current, NULL);
    if (r->query.expunge)
        next->base.deleted = true;
    else
        next->archived = true;
    return true;
}
