/* Daemon: `posthaste serve`, the dispatcher of a region.
 *
 * Reads the configuration, starts the loops in order, and stops them in reverse on SIGTERM or
 * SIGINT: what is under way is finished within DAEMON_STOP_MS, the rest stays in the outbox. A
 * second signal ends the process at once, which is as safe.
 *
 *     thread     owns
 *     main       signals, the order of starting and stopping
 *     api        the HTTP interface
 *     dispatch   lanes and attempts
 *     writer     the store's transactions
 *     reader     the store's lists */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "core/config.h"

#define DAEMON_STOP_MS 9500 /* container engines kill after ten seconds */

enum daemon_exit {
    DAEMON_OK = 0,
    DAEMON_FAILED = 1,        /* the port, the data or the machine refused */
    DAEMON_MISCONFIGURED = 2, /* said on stderr before any socket opened */
};

/* Serve until told to stop; the exit status, an enum daemon_exit. It is an int for the command line,
 * which knows no daemon. */
int daemon_serve(const struct config_sources *sources);

#endif
