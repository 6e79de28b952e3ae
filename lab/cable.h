/* Cable: the way from one region to a port of another one: what connects to its one end comes out
 * at the other, delayed.
 *
 * It takes connections at once, which a wide area network doesn't: the round trip that a connection
 * costs there is paid by its first bytes instead. While it is cut nothing comes out; what went in
 * stays on its way, as what TCP sends again does, and goes on when the cut ends. Further connections
 * wait in the kernel's queue once CABLE_PASSAGES_MAX are open.
 *
 * Thread: the loop's. */
#ifndef LAB_CABLE_H
#define LAB_CABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/err.h"
#include "core/list.h"
#include "wire/listener.h"

#define CABLE_PASSAGES_MAX 128
#define CABLE_READ_MAX     (16u << 10) /* bytes at once */

struct cable {
    uv_loop_t *loop;
    struct sockaddr_in to;
    uint32_t rtt_ms;
    bool is_cut;

    /* private to the cable and its passages */
    struct listener listener;
    struct list passages;
    size_t count;
    bool is_closed;
    char room[CABLE_READ_MAX]; /* of the read under way; none lasts beyond its callback */
};

/* From `from` to `to`, both at this port. Errors as server_open(). */
MUST_USE enum err cable_open(struct cable *cable, uv_loop_t *loop, const char *from,
                             const char *to, uint16_t port, uint32_t rtt_ms);

void cable_cut(struct cable *cable, bool is_cut);

/* Its connections break. The loop must turn until nothing is left on it. */
void cable_close(struct cable *cable);

#endif
