/* Bites: long work of the store's own, done bit by bit between the groups of others.
 *
 *   bites_wake ─► (pause) ─► on_pause_over ─► run_bite ─► on_bitten ─┐
 *                    ▲                                               │
 *                    └────── more to do, or later perhaps ───────────┘
 *
 * A bite is a request in a group like any other's, but never refused: what it did and how far it came are
 * in one transaction.
 *
 * Thread: the writer's. */
#ifndef STORE_BITES_H
#define STORE_BITES_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "store/store.h"

struct bites {
    /* Do some, in the open transaction; `more`: there was something to do. */
    enum err (*bite)(struct store *s);
    bool more;
    uint64_t rest_ms; /* without more: in so long it looks again; 0 = not before bites_wake() */
    bool failed;      /* what the last one did was rolled back */

    /* private to bites.c */
    struct store *store;
    const struct store_verb *verb;
    uv_timer_t pause;
    struct store_req req;
    bool biting;        /* one is under way */
    uint64_t took_ms;   /* the last one */
    uv_close_cb closed; /* once it closes */
};

/* Of the global or the regional file. Begins at once if there is more, or after a rest; `closed`, later, gets the
 * timer, whose data is the store. */
void bites_open(struct bites *b, struct store *s, uv_loop_t *loop, bool global);
void bites_wake(struct bites *b);
void bites_close(struct bites *b, uv_close_cb closed);

#endif
