/* Listener: a listening TCP socket on a loop.
 *
 * When the process is out of descriptors or memory it stops accepting and tries again a moment
 * later: the clients wait in the kernel's queue instead of a loop that spins. It says so once a
 * minute at most.
 *
 * Thread: the loop's. */
#ifndef WIRE_LISTENER_H
#define WIRE_LISTENER_H

#include <stdbool.h>
#include <sys/socket.h>
#include <uv.h>

#include "core/err.h"

struct listener {
    /* A new connection, non-blocking; the descriptor is the receiver's. */
    void (*on_accepted)(struct listener *l, int fd, const struct sockaddr *address,
                        socklen_t address_len);
    void (*closed)(struct listener *l);

    uv_poll_t poll;
    uv_timer_t retry;
    int fd;
    bool paused;
    uint64_t next_notice_ms; /* the loop's time: no shortage is logged before */
    unsigned closing;        /* handles that aren't closed yet */
};

/* Zeroes `l` and listens, paused: set `on_accepted`, then listener_resume(). `address` is an
 * IPv4 or IPv6 literal; "::" takes both. Errors as server_open(). */
MUST_USE enum err listener_open(struct listener *l, uv_loop_t *loop, const char *address,
                                uint16_t port);

uint16_t listener_port(const struct listener *l);

/* Both may be repeated. New connections wait in the kernel meanwhile; a pause that was asked for
 * ends by listener_resume() alone. */
void listener_pause(struct listener *l);
void listener_resume(struct listener *l);

/* Nobody is accepted any more; those who wait are refused. `closed` runs on a later turn. */
void listener_close(struct listener *l, void (*closed)(struct listener *l));

#endif
