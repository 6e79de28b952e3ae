/* Control: the lab's own socket, at which `posthaste lab cut REGION` and its like are heard.
 *
 *   one line comes in: "cut sin" ─► order ─► an answer: an exit status as a digit, and a text
 *
 * An order that takes its time (kill, start) is answered by control_settle(). The socket lies in
 * the lab's folder, which only its owner has access to.
 *
 * Thread: the loop's. */
#ifndef LAB_CONTROL_H
#define LAB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/list.h"

#define CONTROL_NAME        "control" /* of the socket, in the folder */
#define CONTROL_LINE_MAX    64        /* bytes of an order */
#define CONTROL_ANSWER_MAX  4096
#define CONTROL_CALLERS_MAX 16

struct caller {
    struct list link;
    uv_pipe_t pipe;
    uv_write_t write;
    struct control *control;
    char line[CONTROL_LINE_MAX];
    size_t len;
    const void *waits_for; /* NULL: nothing */
    struct buf answer;
};

struct control {
    /* Carry out an order of one or two words. Append the text of the answer; its exit status. Who
     * sets `*waits_for` leaves the text to control_settle(). */
    int (*order)(void *ctx, const char *verb, const char *region, struct buf *text,
                 const void **waits_for);
    void *ctx;

    /* private */
    uv_pipe_t pipe;
    struct list callers;
    size_t count;
};

/* ERR_IO. Set `order` and `ctx` first. */
MUST_USE enum err control_open(struct control *control, uv_loop_t *loop, const char *folder);
void control_close(struct control *control);

/* What these waited for is over: with this exit status and text. */
void control_settle(struct control *control, const void *waits_for, int exit, const char *text);

#endif
