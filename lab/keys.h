/* Keys: each press of one, without Enter; and what else comes in on stdin when that isn't a
 * terminal.
 *
 * Thread: the loop's. */
#ifndef LAB_KEYS_H
#define LAB_KEYS_H

#include <stdbool.h>
#include <termios.h>
#include <uv.h>

struct keys {
    void (*pressed)(struct keys *keys);

    /* private */
    uv_poll_t poll;
    bool is_open, is_terminal;
    struct termios before; /* the terminal's */
};

/* False: nobody can press any. */
bool keys_open(struct keys *keys, uv_loop_t *loop);

/* The terminal is as it was before. Does nothing where none were opened. */
void keys_close(struct keys *keys);

#endif
