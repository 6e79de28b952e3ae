#include "core/model.h"

#include <assert.h>
#include <string.h>

#include "core/list.h"
#include "core/mem.h"

static void object_init(struct object *object, enum object_kind kind)
{
    atomic_init(&object->refs, 1);
    object->kind = kind;
}

/* What a copy keeps of its origin: all but the references. */
static void object_copy(struct object *to, const struct object *from)
{
    to->deleted = from->deleted;
    to->version = from->version;
    to->id = from->id;
    to->organization = from->organization;
    to->created_at_ms = from->created_at_ms;
    to->updated_at_ms = from->updated_at_ms;
}

const char *attempt_status_text(enum attempt_status status)
{
    switch (status) {
    case ATTEMPT_SUCCESS:
        return "success";
    case ATTEMPT_PENDING:
        return "pending";
    case ATTEMPT_FAIL:
        return "fail";
    case ATTEMPT_SENDING:
        return "sending";
    case ATTEMPT_CANCELED:
        return "canceled";
    }
    return "fail";
}

struct application *application_new(void)
{
    struct application *a = xcalloc(1, sizeof *a);

    object_init(&a->base, OBJECT_APPLICATION);
    return a;
}

struct residency residency_copy(const struct residency *from)
{
    struct residency to = *from;

    to.jurisdiction = xstrdup(from->jurisdiction);
    return to;
}

void residency_fini(struct residency *residency)
{
    free(residency->jurisdiction);
    *residency = (struct residency){ 0 };
}

struct application *application_copy(const struct application *from)
{
    struct application *to = application_new();

    object_copy(&to->base, &from->base);
    to->uid = xstrdup(from->uid);
    to->name = xstrdup(from->name);
    to->metadata = xstrdup(from->metadata);
    to->throttle_rate = from->throttle_rate;
    to->residency = residency_copy(&from->residency);
    to->revocations = text_list_copy(&from->revocations);
    return to;
}

struct dispatch dispatch_copy(const struct dispatch *from)
{
    struct dispatch to = *from;

    to.regions = text_list_copy(&from->regions);
    to.targets = text_list_copy(&from->targets);
    return to;
}

void dispatch_fini(struct dispatch *dispatch)
{
    text_list_fini(&dispatch->regions);
    text_list_fini(&dispatch->targets);
    *dispatch = (struct dispatch){ .mode = DISPATCH_AUTO };
}

struct endpoint *endpoint_new(void)
{
    struct endpoint *e = xcalloc(1, sizeof *e);

    object_init(&e->base, OBJECT_ENDPOINT);
    return e;
}

struct endpoint *endpoint_copy(const struct endpoint *from)
{
    struct endpoint *to = endpoint_new();

    object_copy(&to->base, &from->base);
    to->application = from->application;
    to->uid = xstrdup(from->uid);
    to->url = xstrdup(from->url);
    to->description = xstrdup(from->description);
    to->metadata = xstrdup(from->metadata);
    to->disabled = from->disabled;
    to->throttle_rate = from->throttle_rate;
    to->event_types = text_list_copy(&from->event_types);
    to->channels = text_list_copy(&from->channels);
    to->dispatch = dispatch_copy(&from->dispatch);
    to->sealed_headers = bytes_copy(from->sealed_headers.data, from->sealed_headers.len);
    to->secret_count = from->secret_count;
    for (size_t i = 0; i < from->secret_count; i++) {
        const struct sealed_secret *secret = &from->secrets[i];
        to->secrets[i].sealed = bytes_copy(secret->sealed.data, secret->sealed.len);
        to->secrets[i].expires_at_ms = secret->expires_at_ms;
    }
    return to;
}

struct event_type *event_type_new(void)
{
    struct event_type *t = xcalloc(1, sizeof *t);

    object_init(&t->base, OBJECT_EVENT_TYPE);
    return t;
}

struct event_type *event_type_copy(const struct event_type *from)
{
    struct event_type *to = event_type_new();

    object_copy(&to->base, &from->base);
    to->name = xstrdup(from->name);
    to->description = xstrdup(from->description);
    to->schemas = xstrdup(from->schemas);
    to->feature_flags = text_list_copy(&from->feature_flags);
    to->group_name = xstrdup(from->group_name);
    to->archived = from->archived;
    to->deprecated = from->deprecated;
    return to;
}

static void application_fini(struct application *a)
{
    free(a->uid);
    free(a->name);
    free(a->metadata);
    residency_fini(&a->residency);
    text_list_fini(&a->revocations);
}

static void endpoint_fini(struct endpoint *e)
{
    free(e->uid);
    free(e->url);
    free(e->description);
    free(e->metadata);
    text_list_fini(&e->event_types);
    text_list_fini(&e->channels);
    dispatch_fini(&e->dispatch);
    bytes_fini(&e->sealed_headers);
    for (size_t i = 0; i < e->secret_count; i++)
        bytes_fini(&e->secrets[i].sealed);
}

static void event_type_fini(struct event_type *t)
{
    free(t->name);
    free(t->description);
    free(t->schemas);
    text_list_fini(&t->feature_flags);
    free(t->group_name);
}

static void count_up(_Atomic unsigned *refs)
{
    atomic_fetch_add_explicit(refs, 1, memory_order_relaxed);
}

/* True for whoever gave back the last one. */
static bool count_down(_Atomic unsigned *refs)
{
    unsigned before = atomic_fetch_sub_explicit(refs, 1, memory_order_acq_rel);

    assert(before > 0);
    return before == 1;
}

struct object *object_ref(struct object *object)
{
    count_up(&object->refs);
    return object;
}

void object_unref(struct object *object)
{
    if (!object || !count_down(&object->refs))
        return;

    switch (object->kind) {
    case OBJECT_APPLICATION:
        application_fini(as_application(object));
        break;
    case OBJECT_ENDPOINT:
        endpoint_fini(as_endpoint(object));
        break;
    case OBJECT_EVENT_TYPE:
        event_type_fini(as_event_type(object));
        break;
    }
    free(object);
}

struct message *message_new(void)
{
    struct message *m = xcalloc(1, sizeof *m);

    atomic_init(&m->refs, 1);
    return m;
}

struct message *message_ref(struct message *message)
{
    count_up(&message->refs);
    return message;
}

void message_unref(struct message *message)
{
    if (!message || !count_down(&message->refs))
        return;

    free(message->event_type);
    free(message->event_id);
    text_list_fini(&message->channels);
    text_list_fini(&message->tags);
    bytes_fini(&message->payload);
    free(message);
}

void attempt_record_fini(struct attempt_record *record)
{
    free(record->url);
    record->url = NULL;
    bytes_fini(&record->response);
}

void text_list_add(struct text_list *list, const char *text, size_t len)
{
    char **items = xcalloc(list->count + 1, sizeof *items);

    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    free(list->items);
    items[list->count++] = xmemdup(text, len);
    list->items = items;
}

struct text_list text_list_copy(const struct text_list *from)
{
    struct text_list to = { 0 };

    if (from->count == 0)
        return to;
    to.items = xcalloc(from->count, sizeof *to.items);
    for (size_t i = 0; i < from->count; i++)
        to.items[to.count++] = xstrdup(from->items[i]);
    return to;
}

bool text_list_has(const struct text_list *list, const char *text)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

void text_list_fini(struct text_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct text_list){ 0 };
}

struct bytes bytes_copy(const void *data, size_t len)
{
    struct bytes copy = { .len = len };

    if (len > 0)
        copy.data = (uint8_t *)xmemdup(data, len);
    return copy;
}

void bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){ 0 };
}

struct application *as_application(struct object *object)
{
    assert(object->kind == OBJECT_APPLICATION);
    return container_of(object, struct application, base);
}

struct endpoint *as_endpoint(struct object *object)
{
    assert(object->kind == OBJECT_ENDPOINT);
    return container_of(object, struct endpoint, base);
}

struct event_type *as_event_type(struct object *object)
{
    assert(object->kind == OBJECT_EVENT_TYPE);
    return container_of(object, struct event_type, base);
}
