/* Dispatch fixture: a dispatcher on a loop with a real store, and a receiver to deliver to. */
#ifndef TESTS_LIB_DISPATCH_FIXTURE_H
#define TESTS_LIB_DISPATCH_FIXTURE_H

#include "dispatcher/dispatcher.h"
#include "signer/signer.h"
#include "tests/lib/receiver.h"
#include "tests/lib/store_fixture.h"

#define DISPATCH_PAYLOAD    "{\"amount\": 1.10, \"id\":  9007199254740993}"
#define DISPATCH_TIMEOUT_MS 5000

struct dispatch_fixture {
    struct store_fixture store;
    struct receiver receiver;
    struct keyring *keyring;
    struct egress *egress;
    struct dispatcher *dispatcher;
    bool gives_up; /* one attempt, no retry; from the next opening on, as the next */
    uint64_t disable_after_ms;
    struct router *router;       /* NULL: there is one region */
    struct forwarder *forwarder; /* likewise */
    struct id application;
    struct id message; /* the latest */
    struct secret secret;
    bool dispatcher_closed;
};

/* For cmocka: `*state` is the fixture. Takes over `egress`; without a router there is one
 * region. */
int dispatch_fixture_start(void **state, struct router *router, struct forwarder *forwarder,
                           struct egress *egress);
int dispatch_fixture_stop(void **state);

/* The dispatcher alone, again. */
void dispatch_fixture_open(struct dispatch_fixture *f);
void dispatch_fixture_close(struct dispatch_fixture *f, uint32_t timeout_ms);

/* Not in the store yet, with one secret. */
struct endpoint *dispatch_fixture_endpoint(struct dispatch_fixture *f, const char *path);

/* A message of DISPATCH_PAYLOAD. */
void dispatch_fixture_send(struct dispatch_fixture *f);

/* The attempts at the latest message, oldest first, once there are so many: no more are expected.
 * attempt_record_fini() each. */
void dispatch_fixture_attempts(struct dispatch_fixture *f, struct attempt_record out[],
                               size_t count);

#endif
