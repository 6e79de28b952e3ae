/* Following: what a group has changed in the configuration, and the loops that share it. */
#include "store/private.h"

#include "core/mem.h"

/* An object that was put in the open transaction. */
struct change {
    struct list link;
    struct object *object; /* a reference */
};

/* A committed object on its way to one follower. */
struct note {
    struct task task;
    struct store_follower *follower;
    struct object *object; /* a reference */
};

static void put_object(struct object *object, void *catalog);
static void on_note(struct task *task);
static void on_leave(struct task *task);

void store_follow(struct store *s, struct store_follower *follower)
{
    list_append(&s->followers, &follower->link);
    catalog_each(s->catalog, put_object, follower->catalog);
}

static void put_object(struct object *object, void *catalog)
{
    catalog_put(catalog, object);
}

void changes_add(struct store *s, struct object *object)
{
    struct change *change = xcalloc(1, sizeof *change);

    change->object = object_ref(object);
    list_append(&s->changes, &change->link);
}

static void change_free(struct change *change)
{
    object_unref(change->object);
    free(change);
}

static void send_note(struct store_follower *follower, struct object *object)
{
    struct note *note = xcalloc(1, sizeof *note);

    note->task.run = on_note;
    note->follower = follower;
    note->object = object_ref(object);
    inbox_post(follower->inbox, &note->task);
}

void changes_publish(struct store *s)
{
    struct list *link;

    while ((link = list_pop(&s->changes))) {
        struct change *change = container_of(link, struct change, link);
        for (struct list *at = s->followers.next; at != &s->followers; at = at->next)
            send_note(container_of(at, struct store_follower, link), change->object);
        change_free(change);
    }
}

static void on_note(struct task *task)
{
    struct note *note = container_of(task, struct note, task);
    struct store_follower *follower = note->follower;

    catalog_put(follower->catalog, note->object);
    if (follower->changed)
        follower->changed(follower, note->object);
    object_unref(note->object);
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
    follower->left = left;
    follower->leave.run = on_leave;
    inbox_post(&s->writer, &follower->leave);
}

/* On the writer's thread, where the list of followers lives. */
static void on_leave(struct task *task)
{
    struct store_follower *follower = container_of(task, struct store_follower, leave);

    list_remove(&follower->link);
    inbox_post(follower->inbox, follower->left);
}
