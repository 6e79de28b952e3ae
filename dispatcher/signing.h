/* Signing: what the request of an attempt says beyond its body: to whom, and the three headers by
 * which the receiver knows that it is ours.
 *
 * webhook-id is the same in every attempt, webhook-timestamp is this attempt's, and
 * webhook-signature covers exactly these two and the body.
 * Source: Standard Webhooks, https://github.com/standard-webhooks/standard-webhooks.
 *
 * Thread: dispatch. */
#ifndef DISPATCHER_SIGNING_H
#define DISPATCHER_SIGNING_H

#include "core/id.h"
#include "dispatcher/destination.h"

struct attempt;

#define SIGNING_ID        "webhook-id: "
#define SIGNING_TIMESTAMP "webhook-timestamp: "
#define SIGNING_SIGNATURE "webhook-signature: "

struct signing {
    struct signer *signer;
    struct destinations destinations;
};

/* Header lines. */
struct signed_lines {
    char id[sizeof SIGNING_ID + ID_TEXT_MAX];
    char timestamp[sizeof SIGNING_TIMESTAMP + 20];
    char signature[sizeof SIGNING_SIGNATURE + SIGNATURE_HEADER_MAX];
};

void signing_init(struct signing *s, const struct keyring *keyring);
void signing_take_keyring(struct signing *s, const struct keyring *keyring); /* borrows it */
void signing_fini(struct signing *s);

/* The destination is valid until the next call. Errors as destinations_get(). */
MUST_USE enum err signing_prepare(struct signing *s, const struct attempt *attempt,
                                  struct signed_lines *out, const struct destination **out_to,
                                  const char **out_why);

#endif
