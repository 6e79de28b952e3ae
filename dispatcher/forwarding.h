/* Forwarding: the transport by way of another region: the same signed POST, made there.
 *
 * An attempt that the other region didn't take, or of which nothing is known, ends as aborted: as if
 * it had never been tried; and the router hears of it.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_FORWARDING_H
#define DISPATCHER_FORWARDING_H

#include "core/inbox.h"
#include "dispatcher/forward.h"
#include "dispatcher/router.h"
#include "dispatcher/transport.h"
#include "signer/keyring.h"

struct forwarding;

struct forwarding_options {
    struct inbox *inbox; /* where the forwarder answers */
    const struct keyring *keyring;
    struct forwarder *forwarder;
    struct router *router;
    uint32_t timeout_ms; /* of one attempt */
};

struct forwarding *forwarding_new(const struct forwarding_options *options);
struct transport *forwarding_transport(struct forwarding *f);

/* Open what is sealed by it from now on; borrows it. */
void forwarding_take_keyring(struct forwarding *f, const struct keyring *keyring);

/* When no attempt is under way; NULL does nothing. */
void forwarding_free(struct forwarding *f);

#endif
