/* Site: a region of the lab: its folder, its `posthaste serve`, and whether that runs.
 *
 *            start               it says that it is ready
 *   DOWN ─────────────► STARTING ─────────────► UP
 *    ▲                     │ it ends, or kill   │ kill, or it ends
 *    └─────────────────────┴────────────────────┘
 *
 * Thread: the loop's. */
#ifndef LAB_SITE_H
#define LAB_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "core/err.h"
#include "lab/child.h"
#include "lab/folder.h"
#include "lab/plan.h"

#define SITE_PATH_MAX (FOLDER_PATH_MAX + 32)

enum site_state { SITE_DOWN, SITE_STARTING, SITE_UP };

struct site {
    const struct plan *plan;
    size_t index;
    enum site_state state;
    bool is_ending; /* it was told to */
    struct child child;
    void (*changed)(struct site *site, void *ctx); /* its state */
    void *ctx;

    /* private */
    const char *folder; /* the lab's; borrowed */
    struct nursery *nursery;
    uv_poll_t notice;
    int notice_fd;
    char notice_setting[SITE_PATH_MAX];
};

const char *site_name(const struct site *site);

/* Make its folder with `posthaste init`, in the lab's. Before there is a loop. False, and it has been
 * said: it can't be made. */
bool site_make(const struct plan *plan, size_t index, const char *folder);

/* Let it know all others, each by a card that leads to the cable between them. */
bool site_introduce(const struct plan *plan, size_t index, const char *folder);

/* Where a new process says that it is ready. ERR_IO. */
MUST_USE enum err site_open(struct site *site, uv_loop_t *loop, const struct plan *plan,
                            size_t index, const char *folder, struct nursery *nursery);
void site_close(struct site *site);

/* When it is down. False: no process. */
bool site_start(struct site *site);

/* When it isn't. */
void site_end(struct site *site, int signal);

/* What it logged last, for who wants to know why it ended. */
void site_print_log(const struct site *site);

#endif
