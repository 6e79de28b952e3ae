/* Hints: the fresh deliveries of a group, for the one who sends them. */
#include "store/private.h"

#include "core/mem.h"

static void on_hint(struct task *task);

void store_watch(struct store *s, struct store_watcher *watcher)
{
    s->watcher = watcher;
}

static void add(struct store *s, struct message *message, const int64_t *endpoint_keys,
                size_t count)
{
    struct store_hint *hint = xcalloc(1, sizeof *hint + count * sizeof *endpoint_keys);
    hint->task.run = on_hint;
    hint->watcher = s->watcher;
    if (message && message->payload.len <= HINT_PAYLOAD_MAX)
        hint->message = message_ref(message);
    hint->due_at_ms = s->now.wall_ms;
    hint->count = count;
    memcpy(hint->endpoint_keys, endpoint_keys, count * sizeof *endpoint_keys);
    list_append(&s->hints, &hint->task.link);
}

void hints_add(struct store *s, struct message *message, const int64_t *endpoint_keys,
               size_t count)
{
    for (size_t at = 0; s->watcher && at < count; at += HINT_KEYS_MAX) {
        size_t left = count - at;
        add(s, message, endpoint_keys + at, left < HINT_KEYS_MAX ? left : HINT_KEYS_MAX);
    }
}

void hints_add_due(struct store *s, int64_t endpoint_key)
{
    if (s->watcher)
        add(s, NULL, &endpoint_key, 1);
}

static struct store_hint *hints_pop(struct store *s)
{
    struct list *link = list_pop(&s->hints);

    return link ? container_of(link, struct store_hint, task.link) : NULL;
}

static void hint_free(struct store_hint *hint)
{
    message_unref(hint->message);
    free(hint);
}

void hints_publish(struct store *s)
{
    struct store_hint *hint;

    while ((hint = hints_pop(s))) {
        hint->lost = s->hints_lost;
        s->hints_lost = !inbox_offer(s->watcher->inbox, &hint->task);
        if (s->hints_lost)
            hint_free(hint);
    }
}

static void on_hint(struct task *task)
{
    struct store_hint *hint = container_of(task, struct store_hint, task);

    hint->watcher->fresh(hint->watcher, hint);
}

void hints_drop(struct store *s)
{
    struct store_hint *hint;

    while ((hint = hints_pop(s)))
        hint_free(hint);
}
