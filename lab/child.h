/* Child: a process of the lab's, that ends when the lab does, even by kill -9.
 *
 * In a process group of its own, so that Ctrl-C is the lab's business.
 *
 * Thread: the loop's; the program has no other. */
#ifndef LAB_CHILD_H
#define LAB_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

#include "core/list.h"

struct child {
    pid_t pid; /* of the group too; 0: it isn't there */
    struct list link;
    /* Once, on the loop, when it has ended: the status of waitpid(2). */
    void (*ended)(struct child *child, int status);
};

struct child_options {
    const char *const *argv;     /* argv[0] is looked for in PATH; ends with NULL */
    const char *const *settings; /* "NAME=VALUE", added to the environment; NULL: none */
    const char *dir;             /* where it runs */
    int output;                  /* a descriptor for stdout and stderr; borrowed */
};

/* Those that run; watches for their end. */
struct nursery {
    void (*emptied)(struct nursery *nursery); /* the last one has ended */
    uv_signal_t signal;
    struct list children;
};

/* Set `emptied` first. */
void nursery_open(struct nursery *nursery, uv_loop_t *loop);
void nursery_close(struct nursery *nursery); /* when none is left */

/* False: no process could be made. */
bool child_start(struct nursery *nursery, struct child *child,
                 const struct child_options *options);

/* To its whole group. */
void child_signal(const struct child *child, int number);

/* Run one to its end, before there is a loop; true when it ended with 0. */
bool child_run(const struct child_options *options);

#endif
