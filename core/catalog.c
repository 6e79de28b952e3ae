#include "core/catalog.h"

#include <stdlib.h>
#include <string.h>

#include "core/hash.h"
#include "core/list.h"
#include "core/mem.h"

/* A name is unique among its kind in its scope: an organization, or the application of an
 * endpoint. */
struct name_key {
    uint8_t bytes[1 + ID_BYTES + NAME_LEN_MAX];
    size_t len; /* 0: no name */
};

struct entry {
    struct object *object; /* a reference */
    int64_t key;
    uint8_t *name; /* the bytes of a name_key, NULL when there is none: most names are short */
    size_t name_len;
    struct list sibling;  /* in its group, when an endpoint */
    struct list namesake; /* the others with this name */
    UT_hash_handle by_key, by_name;
};

/* The endpoints of one application, oldest first; the application may come later. */
struct group {
    int64_t application_key;
    struct list endpoints;
    UT_hash_handle hh;
};

struct catalog {
    struct entry *by_key, *by_name;
    struct group *groups;
    bool draining[UINT8_MAX + 1]; /* by ordinal */
};

static bool make_name_key(enum object_kind kind, const struct id *scope, const char *name,
                          struct name_key *out)
{
    size_t len = name ? strlen(name) : 0;

    out->len = 0;
    if (len == 0 || len > NAME_LEN_MAX)
        return false;
    out->bytes[0] = (uint8_t)kind;
    memcpy(out->bytes + 1, scope->bytes, ID_BYTES);
    memcpy(out->bytes + 1 + ID_BYTES, name, len);
    out->len = 1 + ID_BYTES + len;
    return true;
}

static void name_of(struct object *object, struct name_key *out)
{
    switch (object->kind) {
    case OBJECT_APPLICATION:
        make_name_key(object->kind, &object->organization, as_application(object)->uid, out);
        break;
    case OBJECT_ENDPOINT:
        make_name_key(object->kind, &as_endpoint(object)->application, as_endpoint(object)->uid,
                      out);
        break;
    case OBJECT_EVENT_TYPE:
        make_name_key(object->kind, &object->organization, as_event_type(object)->name, out);
        break;
    }
}

static struct entry *find_key(const struct catalog *c, int64_t key)
{
    struct entry *entry;

    HASH_FIND(by_key, c->by_key, &key, sizeof key, entry);
    return entry;
}

static struct entry *find_name(const struct catalog *c, enum object_kind kind,
                               const struct id *scope, const char *name)
{
    struct name_key key;
    struct entry *entry;

    if (!make_name_key(kind, scope, name, &key))
        return NULL;
    HASH_FIND(by_name, c->by_name, key.bytes, key.len, entry);
    return entry;
}

static struct group *find_group(const struct catalog *c, int64_t application_key)
{
    struct group *group;

    HASH_FIND(hh, c->groups, &application_key, sizeof application_key, group);
    return group;
}

static struct group *group_for(struct catalog *c, const struct endpoint *endpoint)
{
    int64_t key = id_key(&endpoint->application);
    struct group *group = find_group(c, key);

    if (!group) {
        group = xcalloc(1, sizeof *group);
        group->application_key = key;
        list_init(&group->endpoints);
        HASH_ADD(hh, c->groups, application_key, sizeof group->application_key, group);
    }
    return group;
}

/* Of several with one name the oldest is in the table, and the others wait in its list. */
static void take_name(struct catalog *c, struct entry *entry, struct entry *holder)
{
    HASH_DELETE(by_name, c->by_name, holder);
    HASH_ADD_KEYPTR(by_name, c->by_name, entry->name, entry->name_len, entry);
}

static void add_name(struct catalog *c, struct entry *entry)
{
    struct entry *holder;
    struct name_key name;

    name_of(entry->object, &name);
    if (name.len == 0)
        return;
    entry->name = (uint8_t *)xmemdup(name.bytes, name.len);
    entry->name_len = name.len;
    HASH_FIND(by_name, c->by_name, name.bytes, name.len, holder);
    if (!holder)
        HASH_ADD_KEYPTR(by_name, c->by_name, entry->name, entry->name_len, entry);
    else
        list_append(&holder->namesake, &entry->namesake);
    if (holder && id_compare(&entry->object->id, &holder->object->id) < 0)
        take_name(c, entry, holder);
}

/* The oldest that waits; NULL when none does. */
static struct entry *next_namesake(struct entry *entry)
{
    struct entry *oldest = NULL;

    for (struct list *link = entry->namesake.next; link != &entry->namesake;
         link = link->next) {
        struct entry *other = container_of(link, struct entry, namesake);
        if (!oldest || id_compare(&other->object->id, &oldest->object->id) < 0)
            oldest = other;
    }
    return oldest;
}

static void remove_name(struct catalog *c, struct entry *entry)
{
    struct entry *holder, *next = next_namesake(entry);

    if (!entry->name)
        return;
    HASH_FIND(by_name, c->by_name, entry->name, entry->name_len, holder);
    if (holder == entry && next)
        take_name(c, next, entry);
    else if (holder == entry)
        HASH_DELETE(by_name, c->by_name, entry);
    list_remove(&entry->namesake);
    free(entry->name);
    entry->name = NULL;
}

static void remove_entry(struct catalog *c, struct entry *entry)
{
    HASH_DELETE(by_key, c->by_key, entry);
    remove_name(c, entry);
    list_remove(&entry->sibling);
    object_unref(entry->object);
    free(entry);
}

static void remove_group(struct catalog *c, int64_t application_key)
{
    struct group *group = find_group(c, application_key);

    if (!group)
        return;
    while (!list_is_empty(&group->endpoints))
        remove_entry(c, container_of(group->endpoints.next, struct entry, sibling));
    HASH_DEL(c->groups, group);
    free(group);
}

static void add_entry(struct catalog *c, struct object *object)
{
    struct entry *entry = xcalloc(1, sizeof *entry);

    entry->object = object_ref(object);
    entry->key = id_key(&object->id);
    list_init(&entry->sibling);
    list_init(&entry->namesake);
    HASH_ADD(by_key, c->by_key, key, sizeof entry->key, entry);
    add_name(c, entry);
    if (object->kind == OBJECT_ENDPOINT)
        list_append(&group_for(c, as_endpoint(object))->endpoints, &entry->sibling);
}

/* An edit keeps the entry, and so an endpoint's place among its siblings. */
static void replace_object(struct catalog *c, struct entry *entry, struct object *object)
{
    remove_name(c, entry);
    object_ref(object);
    object_unref(entry->object);
    entry->object = object;
    add_name(c, entry);
}

struct catalog *catalog_new(void)
{
    return xcalloc(1, sizeof(struct catalog));
}

void catalog_free(struct catalog *c)
{
    struct entry *entry, *next;
    struct group *group, *next_group;

    if (!c)
        return;
    HASH_ITER (by_key, c->by_key, entry, next)
        remove_entry(c, entry);
    HASH_ITER (hh, c->groups, group, next_group) {
        HASH_DEL(c->groups, group);
        free(group);
    }
    free(c);
}

void catalog_put(struct catalog *c, struct object *object)
{
    struct entry *entry = find_key(c, id_key(&object->id));

    if (object->deleted) {
        if (object->kind == OBJECT_APPLICATION)
            remove_group(c, id_key(&object->id));
        if (entry)
            remove_entry(c, entry);
    } else if (entry) {
        replace_object(c, entry, object);
    } else {
        add_entry(c, object);
    }
}

/* The object with this key and id, if it is of this kind. */
static struct object *find_object(const struct catalog *c, enum object_kind kind,
                                  const struct id *id)
{
    struct entry *entry = find_key(c, id_key(id));

    if (!entry || entry->object->kind != kind || !id_equal(&entry->object->id, id))
        return NULL;
    return entry->object;
}

struct application *catalog_application(const struct catalog *c, const struct id *organization,
                                        const struct id *id)
{
    struct object *object = find_object(c, OBJECT_APPLICATION, id);

    if (!object || !id_equal(&object->organization, organization))
        return NULL;
    return as_application(object);
}

struct application *catalog_application_by_uid(const struct catalog *c,
                                               const struct id *organization, const char *uid)
{
    struct entry *entry = find_name(c, OBJECT_APPLICATION, organization, uid);

    return entry ? as_application(entry->object) : NULL;
}

struct endpoint *catalog_endpoint(const struct catalog *c, const struct id *application,
                                  const struct id *id)
{
    struct object *object = find_object(c, OBJECT_ENDPOINT, id);

    if (!object || !id_equal(&as_endpoint(object)->application, application))
        return NULL;
    return as_endpoint(object);
}

struct endpoint *catalog_endpoint_by_uid(const struct catalog *c, const struct id *application,
                                         const char *uid)
{
    struct entry *entry = find_name(c, OBJECT_ENDPOINT, application, uid);

    return entry ? as_endpoint(entry->object) : NULL;
}

struct event_type *catalog_event_type(const struct catalog *c, const struct id *organization,
                                      const char *name)
{
    struct entry *entry = find_name(c, OBJECT_EVENT_TYPE, organization, name);

    return entry ? as_event_type(entry->object) : NULL;
}

struct object *catalog_by_key(const struct catalog *c, int64_t key)
{
    struct entry *entry = find_key(c, key);

    return entry ? entry->object : NULL;
}

struct application *catalog_application_by_key(const struct catalog *c, int64_t key)
{
    struct entry *entry = find_key(c, key);

    if (!entry || entry->object->kind != OBJECT_APPLICATION)
        return NULL;
    return as_application(entry->object);
}

struct endpoint *catalog_endpoint_by_key(const struct catalog *c, int64_t key)
{
    struct entry *entry = find_key(c, key);

    if (!entry || entry->object->kind != OBJECT_ENDPOINT)
        return NULL;
    return as_endpoint(entry->object);
}

void catalog_each_endpoint(const struct catalog *c, const struct id *application,
                           void (*visit)(struct endpoint *endpoint, void *ctx), void *ctx)
{
    struct group *group = find_group(c, id_key(application));

    if (!group)
        return;
    for (struct list *link = group->endpoints.next; link != &group->endpoints;
         link = link->next)
        visit(as_endpoint(container_of(link, struct entry, sibling)->object), ctx);
}

void catalog_each(const struct catalog *c, void (*visit)(struct object *object, void *ctx),
                  void *ctx)
{
    struct entry *entry, *next;

    HASH_ITER (by_key, c->by_key, entry, next)
        visit(entry->object, ctx);
}

void catalog_each_conflict(const struct catalog *c,
                           bool (*visit)(struct object *object, struct object *holder,
                                         void *ctx),
                           void *ctx)
{
    struct entry *holder, *next;

    HASH_ITER (by_name, c->by_name, holder, next)
        for (struct list *link = holder->namesake.next; link != &holder->namesake;
             link = link->next)
            if (!visit(container_of(link, struct entry, namesake)->object, holder->object, ctx))
                return;
}

size_t catalog_count(const struct catalog *c)
{
    return HASH_CNT(by_key, c->by_key);
}

void catalog_set_draining(struct catalog *c, uint8_t ordinal, bool draining)
{
    c->draining[ordinal] = draining;
}

bool catalog_is_draining(const struct catalog *c, uint8_t ordinal)
{
    return c->draining[ordinal];
}
