/* Prober: how far a host is, by a TCP connection that is closed again without a byte.
 *
 * The name is resolved by a resolver of its own, the address judged by the egress policy, and the
 * round trip is the kernel's, of the handshake. How many probes are under way at once is bounded.
 *
 * Thread: the loop's. */
#ifndef WIRE_PROBER_H
#define WIRE_PROBER_H

#include <uv.h>

#include "wire/egress.h"
#include "wire/resolver.h"

#define PROBES_MAX     64
#define PROBE_HOST_MAX 256 /* bytes, with NUL */

struct prober;

struct prober_options {
    uv_loop_t *loop;
    const struct egress *egress; /* borrowed while the prober lives */
    const char *name_servers;    /* NULL = the system's */
};

/* Errors as resolver_open(). */
MUST_USE enum err prober_open(struct prober **out, const struct prober_options *options);

/* Cancels what is under way; `closed` runs after the last `done`. */
void prober_close(struct prober *p, void (*closed)(void *ctx), void *ctx);

struct probe {
    /* in */
    const char *url; /* as a receiver's, in normal form: its host and port count */
    uint32_t timeout_ms;
    void (*done)(struct probe *probe);

    /* out */
    /* ERR_OK; ERR_INVALID: not a URL; ERR_DENIED: egress; ERR_UNAVAILABLE: no such name, no connection;
     * ERR_TIMEOUT; ERR_BUSY: too many at once; ERR_CANCELED. */
    enum err err;
    uint32_t rtt_us; /* not 0 when ERR_OK */

    /* private */
    struct prober *prober;
    struct list link;
    char host[PROBE_HOST_MAX];
    uint16_t port;
    bool looking, connecting; /* a look-up or a connection is under way */
    unsigned open;            /* handles */
    struct lookup lookup;
    uv_timer_t timer;
    uv_tcp_t tcp;
    uv_connect_t connect;
};

/* `done` runs exactly once, never inside this call. */
void prober_start(struct prober *p, struct probe *probe);

#endif
