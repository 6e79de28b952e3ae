/* Attempt: waiting for what becomes of a message, and how attempts are shown. */
#ifndef CLI_ATTEMPT_H
#define CLI_ATTEMPT_H

#include <stdint.h>

#include "cli/client.h"
#include "cli/output.h"

extern const struct column attempt_columns[];

#define WAIT_DEFAULT_S 30

struct wait {
    const char *application, *message; /* id or uid */
    uint64_t timeout_s;
    enum output_form form;
};

/* Wait for the message's first attempt and print it. CLI_OK when it delivered; CLI_FAILED when
 * it failed or none came in time. */
enum cli_exit wait_for_first(struct client *client, const struct wait *wait);

/* Wait until no endpoint that was tried will be tried again, and print the last attempt to each.
 * CLI_OK when all of these delivered. */
enum cli_exit wait_for_last(struct client *client, const struct wait *wait);

#endif
