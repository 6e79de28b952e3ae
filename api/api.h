/* Api: the HTTP interface of a region. Knows requests, rules and the store; never lanes.
 *
 * Thread: the loop's. */
#ifndef API_API_H
#define API_API_H

#include <uv.h>

#include "api/elsewhere.h"
#include "api/explainer.h"
#include "api/rekeyer.h"
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
    struct elsewhere *elsewhere; /* carries requests to other regions; NULL: nobody does */
    struct explainer *explainer; /* says why a region sends; outlives the api */
    struct rekeyer *rekeyer;     /* reads master keys anew; likewise */
    bool peers;                  /* for requests that other regions have carried here */
    const char *portal_url;      /* where applications' users go; NULL: not said; outlives it */
    const char *address;         /* NULL: no server of its own; see api_on_headers() */
    uint16_t port;               /* 0 = any */
    const struct server_limits *limits;
};

/* Before the loops run: follows the store's configuration and the health of the regions, and opens
 * the port; errors as server_open(). */
MUST_USE enum err api_open(struct api **out, const struct api_options *options);

/* With a server of its own. */
uint16_t api_port(const struct api *api);

/* For a server on the same loop that hands exchanges over to an api without one, as its callbacks
 * of these names; `api` is the api. */
void api_on_headers(struct exchange *x, void *api);
void api_on_request(struct exchange *x, void *api);
void api_on_abandoned(struct exchange *x, void *api);

/* From the loop: work with this keyring from now on; borrows it. */
void api_take_keyring(struct api *api, const struct keyring *keyring);

/* From the loop: stop listening, finish the requests owed, at most `timeout_ms`. Without a server
 * of its own: once the other one is closed. */
void api_close(struct api *api, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx);

#endif
