#include "core/loop.h"

#include <assert.h>

static void thread_main(void *arg);
static void on_stop(struct task *task);

enum err loop_open(struct loop *l, const char *name)
{
    *l = (struct loop){ .name = name };
    if (uv_loop_init(&l->uv) != 0)
        return ERR_UNAVAILABLE;

    enum err err = inbox_open(&l->inbox, &l->uv);
    if (err)
        uv_loop_close(&l->uv);
    return err;
}

enum err loop_start(struct loop *l)
{
    return uv_thread_create(&l->thread, thread_main, l) == 0 ? ERR_OK : ERR_UNAVAILABLE;
}

static void thread_main(void *arg)
{
    struct loop *l = arg;

    pthread_setname_np(pthread_self(), l->name);
    uv_run(&l->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *l)
{
    l->stop.run = on_stop;
    inbox_post(&l->inbox, &l->stop);
    uv_thread_join(&l->thread);
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    (void)rc;
}

/* The inbox is the last handle of the loop: closing it lets uv_run() return. */
static void on_stop(struct task *task)
{
    struct loop *l = container_of(task, struct loop, stop);

    inbox_close(&l->inbox, NULL);
}

void loop_close(struct loop *l)
{
    inbox_close(&l->inbox, NULL);
    uv_run(&l->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(&l->uv);
    assert(rc == 0);
    (void)rc;
}
