/* Receiver: a scripted HTTP server for tests, on a loop, on 127.0.0.1.
 *
 * It reads whole requests (header, Content-Length) and reacts to each in the same way. */
#ifndef TESTS_LIB_RECEIVER_H
#define TESTS_LIB_RECEIVER_H

#include <uv.h>

#include "core/buf.h"
#include "core/list.h"

enum reaction {
    REACT_ANSWER, /* write `answer`, keep the connection */
    REACT_ANSWER_AND_CLOSE,
    REACT_ANSWER_FOREVER, /* write `answer`, then `more` again and again */
    REACT_NOTHING,
    REACT_CLOSE,
    REACT_RESET,
};

struct receiver {
    /* may be changed at any time */
    enum reaction reaction;
    const char *answer;
    const char *more;

    unsigned connections; /* accepted so far */
    unsigned open;        /* of them */
    unsigned requests;
    struct buf last; /* the latest request, its header and body */
    uint16_t port;

    /* private */
    uv_tcp_t listener;
    struct list streams;
};

void receiver_open(struct receiver *r, uv_loop_t *loop);

/* Close the connections, as a server does that has waited long enough. */
void receiver_hang_up(struct receiver *r);

/* All handles are closed once the loop has run. */
void receiver_close(struct receiver *r);

/* A port of 127.0.0.1 on which nobody listens. */
uint16_t unused_port(void);

#endif
