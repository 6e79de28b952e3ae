/* Loop: an event loop on a thread of its own.
 *
 * Modules open their handles on `uv` before loop_start() or from a task on the loop, and
 * must have closed them before loop_stop(). Tests use `uv` without a thread and run several
 * modules on it. */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <uv.h>

#include "core/inbox.h"

struct loop {
    uv_loop_t uv;
    struct inbox inbox; /* for tasks that belong to no module, such as opening one */
    const char *name;   /* of the thread; at most 15 bytes, borrowed */
    uv_thread_t thread;
    struct task stop;
};

MUST_USE enum err loop_open(struct loop *l, const char *name);

MUST_USE enum err loop_start(struct loop *l);

/* From another thread: run what was posted, wait for the thread's end, and close. */
void loop_stop(struct loop *l);

/* For a loop that was opened but never started, or that a test runs by hand. */
void loop_close(struct loop *l);

#endif
