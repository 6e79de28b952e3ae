#include "api/objects.h"

#include <stdlib.h>

#include "api/once.h"
#include "api/reply.h"

#define EDIT_TRIES 5

static void on_listed(struct store_req *req);
static void on_put(struct store_req *req);

void objects_list(struct request *r, enum object_kind kind)
{
    struct store_list_objects *op = &r->op.list_objects;

    *op = (struct store_list_objects){
        .req = request_waits(r, on_listed),
        .kind = kind,
        .organization = r->token.organization,
        .with_archived = r->query.with_archived,
        .feature_flags = r->token.scope == TOKEN_APPLICATION ? r->token.feature_flags : NULL,
        .page = r->query.page,
    };
    if (kind == OBJECT_ENDPOINT)
        op->application = r->application->base.id;
    store_list_objects(r->services->store, op);
}

/* What a list's iterator calls the object. */
static const char *iterator_of(struct object *object, char room[ID_TEXT_MAX])
{
    if (object->kind == OBJECT_EVENT_TYPE)
        return as_event_type(object)->name;
    id_format(object->kind == OBJECT_APPLICATION ? ID_APPLICATION : ID_ENDPOINT, &object->id,
              room);
    return room;
}

static void on_listed(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_objects *op = &r->op.list_objects;
    char first[ID_TEXT_MAX], last[ID_TEXT_MAX];

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++)
        reply_put_object(r, op->objects[i]);

    struct object **objects = op->objects;
    size_t count = op->count;
    reply_send_page(r, count > 0 ? iterator_of(objects[0], first) : "",
                    count > 0 ? iterator_of(objects[count - 1], last) : "", op->more);
    for (size_t i = 0; i < count; i++)
        object_unref(objects[i]);
    free(objects);
}

void edit_store(struct request *r, struct store_req req)
{
    r->op.put = (struct store_put){ .req = req, .object = r->edit.object };
    store_put(r->services->store, &r->op.put);
}

static void edit_try(struct request *r)
{
    if (!r->edit.next(r))
        return;

    unsigned status = r->edit.is_new ? 201 : r->edit.status;
    if (status != 204) {
        reply_begin(r);
        reply_put_object(r, r->edit.object);
    }
    edit_store(r, once_write(r, status, on_put));
}

void objects_edit(struct request *r, bool (*next)(struct request *r), unsigned status)
{
    r->edit = (struct edit){ .next = next, .status = status };
    edit_try(r);
}

void edit_new(struct request *r, struct object *object)
{
    object_unref(r->edit.object);
    r->edit.object = object;
    r->edit.is_new = true;
    object->version = 1;
    object->id = id_new(r->services->ids, r->now.wall_ms);
    object->organization = r->token.organization;
    object->created_at_ms = object->updated_at_ms = r->now.wall_ms;
}

void edit_old(struct request *r, struct object *copy)
{
    object_unref(r->edit.object);
    r->edit.object = copy;
    r->edit.is_new = false;
    copy->version++;
    copy->updated_at_ms = r->now.wall_ms;
}

/* A conflict is tried again as well: by now the catalog has the object that took the name, and
 * the edit says so in its own words. */
static void on_put(struct store_req *req)
{
    struct request *r = request_of(req);
    bool came_second = req->err == ERR_STALE || req->err == ERR_CONFLICT;

    if (came_second && ++r->edit.tries < EDIT_TRIES)
        edit_try(r);
    else if (req->err)
        reply_err(r, req->err);
    else
        once_reply(r);
}
