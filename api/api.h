/* Api: the HTTP interface of a region. Knows requests, rules and the store; never lanes.
 *
 * Thread: the loop's. */
#ifndef API_API_H
#define API_API_H

#include <uv.h>

#include "core/health_board.h"
#include "core/topology.h"
#include "signer/keyring.h"
#include "store/store.h"
#include "wire/server.h"

struct api;

struct api_options {
    uv_loop_t *loop;
    struct store *store;
    const struct keyring *keyring;
    struct id_source *ids;
    const struct topology *topology;
    struct health_board *health;
    const char *address;
    uint16_t port; /* 0 = any */
    const struct server_limits *limits;
};

/* Before the loops run: follows the store's configuration and the health of the regions, and opens
 * the port; errors as server_open(). */
MUST_USE enum err api_open(struct api **out, const struct api_options *options);

uint16_t api_port(const struct api *api);

/* From the loop: stop listening, finish the requests owed, at most `timeout_ms`. */
void api_close(struct api *api, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx);

#endif
