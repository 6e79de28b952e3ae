/* Link: this region among the others. HTTPS with mutual TLS 1.3, each side known by the pinned
 * certificate of its card (docs/link.md).
 *
 *   callers ─ hello, ping ─► health ─► health board
 *      └───── changes, snapshot ─► store          (what the peers write, applied here)
 *   answers ◄─ hello, ping, changes, snapshot     (what we write, for the peers)
 *
 * A peer is hostile input as anyone else: what it sends has limits and is checked; what it may see
 * goes by the jurisdictions.
 *
 * Thread: the loop's. */
#ifndef REGION_LINK_H
#define REGION_LINK_H

#include <uv.h>

#include "core/health_board.h"
#include "signer/keyring.h"
#include "store/store.h"

struct link;
struct egress;
struct elsewhere;
struct exchange;
struct forwarder;

/* Who answers the requests that other regions carry here: an API without a server of its own, on
 * the link's loop. */
struct peers_api {
    void (*on_headers)(struct exchange *x, void *ctx);
    void (*on_request)(struct exchange *x, void *ctx);
    void (*on_abandoned)(struct exchange *x, void *ctx);
    void *ctx;
};

struct link_options {
    uv_loop_t *loop;
    const struct topology *topology; /* with peers */
    struct store *store;
    const struct keyring *keyring;
    struct health_board *board;
    const char *certificate, *key; /* this region's, PEM; borrowed for the call */
    const char *address;           /* to listen on; NULL = this region isn't reached */
    uint16_t port;                 /* 0 = any */
    uint32_t audit_ms;             /* between comparisons with a peer; 0 = 60 s */
    struct peers_api api;
    /* for attempts that are made for peers, as for our own */
    const struct egress *egress;
    const char *ca_file, *name_servers; /* NULL = the system's */
};

/* Before the loops run: follows the store and opens the port. Errors as server_open(), and
 * ERR_INVALID: a certificate or the key isn't good, which has been logged. `*out` is to be closed
 * even then, if it isn't NULL. */
MUST_USE enum err link_open(struct link **out, const struct link_options *options);

uint16_t link_port(const struct link *link); /* 0: it doesn't listen */

/* Carries requests to the peers' APIs; for another loop. Whoever uses it has ended before the link
 * is closed. */
struct elsewhere *link_elsewhere(struct link *link);

/* Has peers make attempts; for the dispatcher, as link_elsewhere(). */
struct forwarder *link_forwarder(struct link *link);

/* From the loop: seal and open by this keyring from now on; borrows it. */
void link_take_keyring(struct link *link, const struct keyring *keyring);

/* From the loop: take nothing more to send for peers; they hear that it drains. What is under way for
 * them goes on until link_close(). */
void link_retire(struct link *link);

/* From the loop: wait up to `timeout_ms` until peers have what came of their attempts, then stop asking
 * and answering. */
void link_close(struct link *link, uint32_t timeout_ms, void (*closed)(void *ctx), void *ctx);

#endif
