/* Wait: until it is known what becomes of a message; its attempts are what is shown. */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <stdint.h>

#include "cli/client.h"
#include "cli/output.h"

/* How attempts are shown, here and in lists. */
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

/* The same of the message that an answer shows; `wait` needn't name it. */
enum cli_exit wait_for_first_of(struct client *client, const struct buf *message,
                                const struct wait *wait);

/* Wait until no endpoint that was tried will be tried again, and print the last attempt to each.
 * CLI_OK when all of these delivered. */
enum cli_exit wait_for_last(struct client *client, const struct wait *wait);

#endif
