/* Client: requests to the server, one after the other, each waited for. */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include <stdint.h>

#include "cli/answer.h"
#include "cli/cli.h"
#include "cli/line.h"
#include "core/buf.h"

struct client;

/* Find the server as where.h says. Anything but CLI_OK has been said. */
enum cli_exit client_open(const struct line *line, struct client **out);
void client_close(struct client *client); /* NULL does nothing */

struct client_request {
    const char *method;
    const char *path;            /* "/api/v1/app", escaped */
    const char *query;           /* without '?'; "" = none */
    const struct buf *body;      /* JSON; NULL = none */
    const char *idempotency_key; /* NULL = none */
    enum answer_shape shape;     /* of its answer */
};

/* CLI_OK when the server answered with 2xx: `out` then holds its body, which has the shape. Anything
 * else has been said, but for a signal that was caught. `out` is cleared first. */
enum cli_exit client_send(struct client *client, const struct client_request *request,
                          struct buf *out);

/* Say that what came from there, for all its shape, isn't an answer of posthaste. CLI_FAILED. */
enum cli_exit client_distrust(const struct client *client);

/* From now on SIGINT and SIGTERM end a request, and not the program, unless they were ignored. Which of
 * them came: 0 = none. */
void client_catch_signals(struct client *client);
int client_caught(const struct client *client);

/* Let time pass. */
void client_wait(struct client *client, uint32_t ms);

#define CLIENT_ANSWER_MAX (64u << 20) /* bytes of an answer */

#endif
