/* Play: acts, one after the other: words for who watches, and commands that are printed as a person
 * would type them, run, and checked: that they end and print as the act says.
 *
 *   play_start ─► act ─► act … ─► done
 *                  └ a step waits for play_key(); a command for its end; a wait for its words
 *
 * Thread: the loop's. */
#ifndef LAB_PLAY_H
#define LAB_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "lab/receiver.h"
#include "lab/shell.h"

#define ACT_WANTS_MAX 3

enum act_kind {
    ACT_STEP,  /* a heading; with keys it waits for one */
    ACT_SAY,   /* a paragraph */
    ACT_RUN,   /* a command */
    ACT_AWAIT, /* a command that is run again until it prints what is wanted */
    ACT_MEET,  /* the same without a word: what takes a moment to get there is there */
};

struct act {
    enum act_kind kind;
    const char *text;
    int exit; /* the command's */
    /* Extended regular expressions, by line: each must be found in what it prints, and this one
     * not. NULL: none. */
    const char *wants[ACT_WANTS_MAX];
    const char *lacks;
    /* The region whose receiver must have verified a delivery meanwhile; NULL: none. */
    const char *receiver;
};

struct play {
    /* Once: all acts are over, or one wasn't true, which has been said. */
    void (*done)(struct play *play, bool is_true);
    const char *dir_option; /* what takes the place of "{dir}" in commands */
    struct receiver *receivers;
    size_t receiver_count;
    bool has_keys; /* somebody presses them */

    /* private */
    const struct act *acts;
    size_t count, index;
    struct shell shell;
    uv_timer_t pause;
    uint64_t deadline_ms; /* of ACT_AWAIT and ACT_MEET */
    size_t verified;      /* when the act began */
    bool waits_for_key, is_stopped;
};

void play_open(struct play *play, uv_loop_t *loop, struct nursery *nursery, const char *dir);

void play_start(struct play *play, const struct act *acts, size_t count);

void play_key(struct play *play);

/* `done` doesn't come any more. */
void play_close(struct play *play);

/* When the loop has ended. */
void play_fini(struct play *play);

#endif
