/* Event type import: /api/v1/event-type/import/openapi, event types from a document's webhooks.
 *
 *   event_types_import ─► plan ─► on_put ─► reply
 *                          ▲        │
 *                          └────────┘ another edit came first
 *
 * What the document describes as it is already isn't written again. All that is written is in one
 * transaction. */
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define CHANGES_MAX  1000 /* event types that are written */
#define IMPORT_TRIES 5

static void plan(struct request *r);
static void plan_type(struct request *r, struct event_type *described);
static void plan_archived(struct request *r);
static void put(struct request *r);
static void on_put(struct store_req *req);
static void write_import(struct request *r);
static void reply_import(struct request *r);

void event_types_import(struct request *r)
{
    struct faults faults = { .count = 0 };

    if (!request_read_body(r, true))
        return;
    if (read_openapi(r->body, &r->import.in, &faults))
        reply_error(r, 400, "generic_error", "One of spec and specRaw is expected");
    else if (faults.count > 0)
        reply_faults(r, &faults);
    else
        plan(r);
}

static void drop_plan(struct event_type_import *import)
{
    for (size_t i = 0; i < import->count; i++)
        object_unref(&import->types[i]->base);
    free(import->types);
    import->types = NULL;
    import->count = 0;
}

void event_types_drop_import(struct event_type_import *import)
{
    drop_plan(import);
    openapi_in_fini(&import->in);
}

static void plan(struct request *r)
{
    struct event_type_import *import = &r->import;

    drop_plan(import);
    import->types = xcalloc(CHANGES_MAX + 1, sizeof(struct event_type *));
    for (size_t i = 0; i < import->in.count; i++)
        plan_type(r, import->in.types[i]);
    import->modified = import->count;
    if (import->in.replace_all)
        plan_archived(r);
    if (import->count > CHANGES_MAX)
        reply_error(r, 400, "limit_reached",
                    "More than 1000 event types would be changed or archived at once");
    else if (import->in.dry_run || import->count == 0)
        reply_import(r);
    else
        put(r);
}

static bool is_same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool is_same_list(const struct text_list *a, const struct text_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->items[i], b->items[i]) != 0)
            return false;
    return true;
}

static bool is_as_described(const struct event_type *current,
                            const struct event_type *described)
{
    return !current->archived && current->deprecated == described->deprecated &&
           is_same_text(current->description, described->description) &&
           is_same_text(current->schemas, described->schemas) &&
           is_same_text(current->group_name, described->group_name) &&
           is_same_list(&current->feature_flags, &described->feature_flags);
}

static void add_next(struct request *r, struct event_type *next)
{
    next->base.version++;
    next->base.updated_at_ms = r->now.wall_ms;
    r->import.types[r->import.count++] = next;
}

static void plan_type(struct request *r, struct event_type *described)
{
    const struct id *organization = &r->token.organization;
    const struct event_type *current =
        catalog_event_type(r->services->catalog, organization, described->name);
    struct event_type *next;

    if (current && is_as_described(current, described))
        return;
    next = event_type_copy(described);
    next->base.id = current ? current->base.id : id_new(r->services->ids, r->now.wall_ms);
    next->base.organization = *organization;
    next->base.version = current ? current->base.version : 0;
    next->base.created_at_ms = current ? current->base.created_at_ms : r->now.wall_ms;
    add_next(r, next);
}

static int compare_name(const void *name, const void *type)
{
    return strcmp(name, (*(struct event_type *const *)type)->name);
}

static void archive(struct object *object, void *ctx)
{
    struct request *r = ctx;
    const struct openapi_in *in = &r->import.in;

    if (object->kind != OBJECT_EVENT_TYPE || r->import.count > CHANGES_MAX ||
        !id_equal(&object->organization, &r->token.organization))
        return;
    const struct event_type *current = as_event_type(object);
    if (current->archived ||
        bsearch(current->name, in->types, in->count, sizeof(struct event_type *), compare_name))
        return;
    struct event_type *next = event_type_copy(current);
    next->archived = true;
    add_next(r, next);
}

static int compare_types(const void *a, const void *b)
{
    return strcmp((*(struct event_type *const *)a)->name,
                  (*(struct event_type *const *)b)->name);
}

static void plan_archived(struct request *r)
{
    struct event_type_import *import = &r->import;

    catalog_each(r->services->catalog, archive, r);
    qsort(import->types + import->modified, import->count - import->modified,
          sizeof(struct event_type *), compare_types);
}

static void put(struct request *r)
{
    write_import(r);
    r->op.put_event_types = (struct store_put_event_types){
        .req = once_write(r, 200, on_put),
        .types = r->import.types,
        .count = r->import.count,
    };
    store_put_event_types(r->services->store, &r->op.put_event_types);
}

static void on_put(struct store_req *req)
{
    struct request *r = request_of(req);
    bool came_second = req->err == ERR_STALE || req->err == ERR_CONFLICT;

    if (came_second && ++r->import.tries < IMPORT_TRIES)
        plan(r);
    else if (req->err)
        reply_err(r, req->err);
    else
        once_reply(r);
}

static void put_names(struct json_writer *w, const char *name, struct event_type *const *types,
                      size_t count)
{
    json_name(w, name);
    json_open_array(w);
    for (size_t i = 0; i < count; i++)
        json_put_text(w, types[i]->name);
    json_close_array(w);
}

static void write_import(struct request *r)
{
    const struct event_type_import *import = &r->import;
    struct json_writer *w = reply_begin(r);

    json_open_object(w);
    json_name(w, "data");
    json_open_object(w);
    put_names(w, "modified", import->types, import->modified);
    put_names(w, "archived", import->types + import->modified,
              import->count - import->modified);
    json_name(w, "to_modify");
    if (import->in.dry_run) {
        json_open_array(w);
        for (size_t i = 0; i < import->modified; i++)
            json_put_planned_event_type(w, import->types[i]);
        json_close_array(w);
    } else {
        json_put_null(w);
    }
    json_close_object(w);
    json_close_object(w);
}

static void reply_import(struct request *r)
{
    write_import(r);
    reply_send(r, 200);
}
