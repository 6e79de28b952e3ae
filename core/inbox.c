#include "core/inbox.h"

#include <assert.h>

static void run_batch(uv_async_t *wake);
static void on_wake_closed(uv_handle_t *wake);

enum err inbox_open(struct inbox *in, uv_loop_t *loop)
{
    *in = (struct inbox){ 0 };
    list_init(&in->tasks);
    if (uv_mutex_init(&in->lock) != 0)
        return ERR_UNAVAILABLE;

    if (uv_async_init(loop, &in->wake, run_batch) != 0) {
        uv_mutex_destroy(&in->lock);
        return ERR_UNAVAILABLE;
    }
    return ERR_OK;
}

void inbox_post(struct inbox *in, struct task *task)
{
    uv_mutex_lock(&in->lock);
    list_append(&in->tasks, &task->link);
    bool first = in->waiting++ == 0;
    uv_mutex_unlock(&in->lock);
    if (first)
        uv_async_send(&in->wake);
}

bool inbox_offer(struct inbox *in, struct task *task)
{
    uv_mutex_lock(&in->lock);
    bool room = in->waiting < in->limit;
    bool first = room && in->waiting == 0;
    if (room) {
        list_append(&in->tasks, &task->link);
        in->waiting++;
    }
    uv_mutex_unlock(&in->lock);
    if (first)
        uv_async_send(&in->wake);
    return room;
}

/* One wake stands for all that was posted since the last: whoever finds the inbox empty
 * sends it, so take everything. */
static void run_batch(uv_async_t *wake)
{
    struct inbox *in = container_of(wake, struct inbox, wake);
    struct list batch, *link;

    uv_mutex_lock(&in->lock);
    list_move_all(&in->tasks, &batch);
    in->waiting = 0;
    uv_mutex_unlock(&in->lock);

    if (list_is_empty(&batch))
        return;

    if (in->before_batch)
        in->before_batch(in);
    while ((link = list_pop(&batch))) {
        struct task *task = container_of(link, struct task, link);
        task->run(task);
    }
    if (in->after_batch)
        in->after_batch(in);
}

void inbox_close(struct inbox *in, void (*closed)(struct inbox *))
{
    uv_mutex_lock(&in->lock);
    assert(list_is_empty(&in->tasks));
    uv_mutex_unlock(&in->lock);

    in->closed = closed;
    uv_close((uv_handle_t *)&in->wake, on_wake_closed);
}

static void on_wake_closed(uv_handle_t *wake)
{
    struct inbox *in = container_of(wake, struct inbox, wake);

    uv_mutex_destroy(&in->lock);
    if (in->closed)
        in->closed(in);
}
