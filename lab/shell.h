/* Shell: one command line at a time, run in the lab's folder as a person would type it there.
 *
 * Thread: the loop's. */
#ifndef LAB_SHELL_H
#define LAB_SHELL_H

#include <stdbool.h>
#include <uv.h>

#include "core/buf.h"
#include "lab/child.h"

#define SHELL_OUTPUT_MAX (256u << 10) /* bytes; what is beyond is dropped */

struct shell {
    struct nursery *nursery;
    const char *dir; /* borrowed */
    /* It has ended: what it printed, on stdout and stderr, until the next one starts. */
    void (*done)(struct shell *shell, int exit);
    struct buf output;

    /* private */
    uv_loop_t *loop;
    struct child child;
    uv_pipe_t pipe;
    char room[4096];
    bool is_running, is_read;
    int exit;
};

void shell_init(struct shell *shell, uv_loop_t *loop, struct nursery *nursery, const char *dir);
void shell_fini(struct shell *shell);

/* When none runs. False: no process could be made. */
bool shell_start(struct shell *shell, const char *command);

/* End the one that runs, if one does; `done` still comes. */
void shell_kill(struct shell *shell);

#endif
