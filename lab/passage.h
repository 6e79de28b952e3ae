/* Passage: one connection through a cable. Private to it.
 *
 *   passage_start ─► half a round trip ─► on_connected
 *     bytes: on_read ─► delay line ─► passage_poke ─► on_written ─► passage_poke
 *     the end of one direction: on_read ─► delay line ─► on_shut
 *   both directions at their end, or one broken ─► passage_end ─► on_closed: freed */
#ifndef LAB_PASSAGE_H
#define LAB_PASSAGE_H

#include "lab/cable.h"
#include "lab/delay_line.h"

struct passage;

/* One direction. */
struct way {
    struct passage *passage;
    uv_tcp_t *from, *to;
    struct delay_line line;
    struct piece *under_way; /* being written */
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool is_reading;
    bool is_read;  /* nothing more comes */
    bool is_ended; /* nothing more goes */
};

enum passage_state {
    PASSAGE_OPENING, /* what connects hasn't come to the other end */
    PASSAGE_CONNECTING,
    PASSAGE_OPEN,
    PASSAGE_ENDED,
};

struct passage {
    struct list link; /* in the cable's */
    struct cable *cable;
    enum passage_state state;
    uint64_t opened_ms; /* the loop's clock */
    uv_tcp_t near, far;
    uv_timer_t timer;
    uv_connect_t connect;
    struct way forth, back;
    unsigned open_handles;
};

/* A connection that has come in; `fd` is the passage's. */
void passage_start(struct cable *cable, int fd);

/* Let out what may come out now. */
void passage_poke(struct passage *passage);

/* Break it. */
void passage_end(struct passage *passage);

#endif
