/* Following: what a group has changed in the configuration, and the loops that share it. */
#include "store/private.h"

#include "core/mem.h"

/* An object that was put, or what became of a region. */
struct what {
    struct object *object; /* a reference; NULL: it is about a region */
    bool quiet;            /* it says the same as before */
    uint8_t ordinal;
    bool draining;
};

/* What happened in the open transaction. */
struct change {
    struct list link;
    struct what what;
};

/* What was committed, on its way to one follower. */
struct note {
    struct task task;
    struct store_follower *follower;
    struct what what;
};

static void put_object(struct object *object, void *catalog);
static void on_note(struct task *task);
static void on_leave(struct task *task);

void store_follow(struct store *s, struct store_follower *follower)
{
    list_append(&s->followers, &follower->link);
    catalog_each(s->catalog, put_object, follower->catalog);
    for (unsigned origin = 1; follower->applied && origin <= UINT8_MAX; origin++)
        if (s->reached[origin].seq > 0)
            follower->applied(follower, &s->reached[origin]);
    for (unsigned i = 0; i <= UINT8_MAX; i++)
        catalog_set_draining(follower->catalog, (uint8_t)i,
                             catalog_is_draining(s->catalog, (uint8_t)i));
}

static void put_object(struct object *object, void *catalog)
{
    catalog_put(catalog, object);
}

static void add_change(struct store *s, struct what what)
{
    struct change *change = xcalloc(1, sizeof *change);

    change->what = what;
    list_append(&s->changes, &change->link);
}

void changes_add(struct store *s, struct object *object)
{
    add_change(s, (struct what){ .object = object_ref(object) });
}

void changes_add_quietly(struct store *s, struct object *object)
{
    add_change(s, (struct what){ .object = object_ref(object), .quiet = true });
}

void changes_add_drain(struct store *s, uint8_t ordinal, bool draining)
{
    add_change(s, (struct what){ .ordinal = ordinal, .draining = draining });
}

static void change_free(struct change *change)
{
    object_unref(change->what.object);
    free(change);
}

static void send_note(struct store_follower *follower, const struct what *what)
{
    struct note *note = xcalloc(1, sizeof *note);

    note->task.run = on_note;
    note->follower = follower;
    note->what = *what;
    if (what->object)
        object_ref(what->object);
    inbox_post(follower->inbox, &note->task);
}

void changes_publish(struct store *s)
{
    struct list *link;

    while ((link = list_pop(&s->changes))) {
        struct change *change = container_of(link, struct change, link);
        for (struct list *at = s->followers.next; at != &s->followers; at = at->next)
            send_note(container_of(at, struct store_follower, link), &change->what);
        change_free(change);
    }
}

static void tell_object(struct store_follower *follower, const struct what *what)
{
    catalog_put(follower->catalog, what->object);
    if (follower->changed && !what->quiet)
        follower->changed(follower, what->object);
    object_unref(what->object);
}

static void tell_drain(struct store_follower *follower, uint8_t ordinal, bool draining)
{
    catalog_set_draining(follower->catalog, ordinal, draining);
    if (follower->drained)
        follower->drained(follower, ordinal);
}

static void on_note(struct task *task)
{
    struct note *note = container_of(task, struct note, task);

    if (note->what.object)
        tell_object(note->follower, &note->what);
    else
        tell_drain(note->follower, note->what.ordinal, note->what.draining);
    free(note);
}

bool changes_drop(struct store *s)
{
    bool any = !list_is_empty(&s->changes);
    struct list *link;

    while ((link = list_pop(&s->changes)))
        change_free(container_of(link, struct change, link));
    return any;
}

void store_unfollow(struct store *s, struct store_follower *follower, struct task *left)
{
    follower->store = s;
    follower->left = left;
    follower->leave.run = on_leave;
    inbox_post(&s->writer, &follower->leave);
}

/* On the writer's thread, where the list of followers lives. */
static void on_leave(struct task *task)
{
    struct store_follower *follower = container_of(task, struct store_follower, leave);
    struct store *s = follower->store;

    list_remove(&follower->link);
    if (s->watcher && s->watcher->inbox == follower->inbox)
        s->watcher = NULL;
    inbox_post(follower->inbox, follower->left);
}
