/* Resolver: addresses of names, on a loop.
 *
 * c-ares on uv_poll: the hosts file first, then DNS, A and AAAA; names are absolute (no search
 * domains). The order is RFC 6724's, so an address without a route comes last. Answers are kept
 * for their TTL, within bounds, failures for a moment; everyone who asks for the same name
 * meanwhile shares one question. How many names are asked and kept at once is bounded.
 *
 * Thread: the loop's. */
#ifndef WIRE_RESOLVER_H
#define WIRE_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "core/err.h"
#include "core/list.h"
#include "wire/address.h"

#define ADDRESSES_MAX 8    /* kept of one answer */
#define LOOKUP_MAX_MS 2000 /* most that a look-up takes */

struct addresses {
    size_t count;
    union address items[ADDRESSES_MAX]; /* their ports are 0 */
};

struct resolver;

struct resolver_options {
    uv_loop_t *loop;
    const char *name_servers; /* "127.0.0.1:5353,…"; NULL = the system's */
};

/* ERR_INVALID: `name_servers` isn't a list of addresses. */
MUST_USE enum err resolver_open(struct resolver **out, const struct resolver_options *options);

/* Whether `name_servers` is such a list. */
bool resolver_takes(const char *name_servers);

/* No look-up may be under way, nor its `done` be due. `closed` runs on a later turn. */
void resolver_close(struct resolver *r, void (*closed)(void *ctx), void *ctx);

struct lookup {
    /* in */
    const char *host;    /* lower case; borrowed until `done` */
    uint32_t timeout_ms; /* LOOKUP_MAX_MS at most is waited */
    void (*done)(struct lookup *lookup);

    /* out */
    /* ERR_NOT_FOUND: no such name, or no address; ERR_TIMEOUT; ERR_BUSY: too many names are asked
     * for; ERR_UNAVAILABLE: the name servers fail; ERR_CANCELED. */
    enum err err;
    struct addresses addresses; /* one at least when ERR_OK */

    /* private to the resolver */
    struct list link;
    uint64_t deadline_ms;
};

/* Ask, or wait with those who ask already. */
void resolver_ask(struct resolver *r, struct lookup *lookup);

/* Hasten `done`, with ERR_CANCELED. */
void resolver_cancel(struct resolver *r, struct lookup *lookup);

/* What is known without asking: true, and the answer, while one is kept. */
bool resolver_known(struct resolver *r, const char *host, struct addresses *out);

/* This address of `host` didn't work: name it last while the answer is kept. */
void resolver_demote(struct resolver *r, const char *host, const union address *address);

#endif
