/* Client: a raw HTTP client for tests, on the loop that the server under test runs on.
 *
 * Sends exactly the bytes it is given, whether they are HTTP or not. Each call runs the loop
 * until it has what it waits for; a test that waits for what never comes is ended by ctest. */
#ifndef TESTS_LIB_CLIENT_H
#define TESTS_LIB_CLIENT_H

#include <stdbool.h>
#include <uv.h>

#include "core/buf.h"
#include "tests/lib/tls_client.h"

struct client {
    uv_loop_t *loop;
    uv_poll_t poll;
    int fd;
    struct tls_client *tls; /* NULL: in clear */
    struct buf said;        /* for TLS, as long as hands are shaken */
    bool eof;               /* the server closed, or reset */
    struct buf in;          /* received and not asked for yet */
    struct buf answer;      /* the last one asked for */
};

void client_open(struct client *c, uv_loop_t *loop, uint16_t port);

/* The same over TLS. Hands are shaken as the loop turns; what is said before waits. */
void client_open_tls(struct client *c, uv_loop_t *loop, uint16_t port,
                     const struct tls_client_options *options);
void client_close(struct client *c);

/* Stops early, without an error, if the server closes meanwhile. */
void client_send(struct client *c, const void *bytes, size_t len);
void client_say(struct client *c, const char *text);

/* The next answer, status line to the last byte of the body; "" if the server closed first.
 * `client_head_answer` is for answers without a body whatever they announce. */
const char *client_answer(struct client *c);
const char *client_head_answer(struct client *c);

/* True if the server closes without sending anything else. */
bool client_is_closed(struct client *c);

/* Until hands are shaken. False: they aren't, for the server has closed; tls_client_error(). */
bool client_shake(struct client *c);

#endif
