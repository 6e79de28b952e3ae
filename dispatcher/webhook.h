/* Webhook: the transport to a subscriber, a signed POST.
 *
 * The body is the payload's bytes; see signing.h for the headers.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_WEBHOOK_H
#define DISPATCHER_WEBHOOK_H

#include <uv.h>

#include "core/inbox.h"
#include "dispatcher/transport.h"
#include "signer/keyring.h"
#include "wire/egress.h"

struct webhook;

struct webhook_options {
    uv_loop_t *loop;
    struct inbox *inbox; /* for answers that need no request */
    const struct keyring *keyring;
    const struct egress *egress;
    const char *ca_file, *name_servers;
    uint32_t timeout_ms;      /* of one attempt */
    unsigned connections_max; /* kept open while idle */
};

MUST_USE enum err webhook_open(struct webhook **out, const struct webhook_options *options);
struct transport *webhook_transport(struct webhook *w);

/* Open what is sealed by it from now on; borrows it. */
void webhook_take_keyring(struct webhook *w, const struct keyring *keyring);

/* When no attempt is under way. */
void webhook_close(struct webhook *w, void (*closed)(void *ctx), void *ctx);

#endif
