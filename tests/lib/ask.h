/* Ask: HTTP/1.1 requests to a server of ours on 127.0.0.1, byte by byte as a test says.
 *
 * It runs the loop that both live on. One connection for each request: the server has to close
 * it, so send "Connection: close". */
#ifndef TESTS_LIB_ASK_H
#define TESTS_LIB_ASK_H

#include <stdbool.h>
#include <uv.h>

#include "core/buf.h"
#include "wire/json.h"

struct answer {
    unsigned status;
    struct buf bytes; /* all that came */
    const char *body; /* what follows the header; in `bytes` */
    size_t body_len;
    struct json *json; /* the body, parsed; NULL if it is empty */
};

struct ask {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    struct buf received;
    char room[4096];
    bool closed;
};

void ask_start(struct ask *c, uv_loop_t *loop, uint16_t port, const void *request, size_t len);

/* Run the loop until the server has closed; the test fails if what came isn't an answer, or if its
 * body isn't empty and isn't JSON. */
struct answer ask_finish(struct ask *c);

/* Run the loop until something has arrived. */
void ask_wait(struct ask *c, const char *text);

/* Close without reading on, and run the loop until that is done. */
void ask_leave(struct ask *c);

void answer_fini(struct answer *a);

/* The value of a header line, up to the line's end; NULL if there is none. */
const char *answer_header(const struct answer *a, const char *name);

/* A value inside the body: "data/0/id". NULL if absent. */
const struct json *answer_at(const struct answer *a, const char *path);
const char *answer_text(const struct answer *a, const char *path);

#endif
