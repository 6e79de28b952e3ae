/* Inbox: the only way one thread hands work to another.
 *
 * Every thread of the program is an event loop with one inbox for each module that lives
 * there. A sender fills in a task and posts it; the owner runs the tasks, oldest first, all
 * that wait in one batch.
 *
 * Threads:   inbox_post() and inbox_offer() from any thread; all else on the loop's own.
 * Ownership: a posted task belongs to the inbox until its `run` is called, and to
 *            the receiver from then on. The inbox neither copies nor frees it.
 * Order:     tasks from one sender run in the order they were posted.
 * Bound:     inbox_offer() refuses when `limit` tasks wait. inbox_post() never refuses: it
 *            is for answers, whose number the requests already bound. */
#ifndef CORE_INBOX_H
#define CORE_INBOX_H

#include <uv.h>

#include "core/err.h"
#include "core/list.h"

struct task {
    struct list link;
    void (*run)(struct task *);
};

struct inbox {
    uv_async_t wake;
    void (*before_batch)(struct inbox *); /* optional */
    void (*after_batch)(struct inbox *);  /* optional */
    size_t limit;                         /* tasks that may wait; 0 = no offers */

    /* private */
    void (*closed)(struct inbox *);

    /* shared, under `lock` */
    uv_mutex_t lock;
    struct list tasks;
    size_t waiting;
};

/* Zeroes `in`; set the hooks and the limit afterwards, before the first post. */
MUST_USE enum err inbox_open(struct inbox *in, uv_loop_t *loop);

/* Never fails and never blocks beyond the lock. */
void inbox_post(struct inbox *in, struct task *task);

/* As inbox_post(), or false, and nothing happened, when `limit` tasks wait already. */
MUST_USE bool inbox_offer(struct inbox *in, struct task *task);

/* Stop waking the loop. No task may be waiting. `closed` runs on a later turn of the
 * loop; only then may the memory of `in` go. */
void inbox_close(struct inbox *in, void (*closed)(struct inbox *));

#endif
