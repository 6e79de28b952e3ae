/* Operational: what an organization is told of its own endpoints and messages, and in which words.
 *
 * What is told is an ordinary message of a hidden application of the organization, the management
 * application, whose endpoints are the operational ones; so it is matched, signed, sent and retried
 * as any message is. The management application is known by a uid that no client can give. The body
 * is {"type": ..., "data": {...}} and holds ids alone, nothing of a payload.
 *
 * Nothing is told of operational endpoints and of what is sent to them.
 *
 * Pure. Thread: any. */
#ifndef CORE_OPERATIONAL_H
#define CORE_OPERATIONAL_H

#include "core/buf.h"
#include "core/model.h"

#define OPERATIONAL_UID  "~operational" /* of the management application */
#define OPERATIONAL_NAME "Operational webhooks"

/* A failed attempt that many by the schedule is told of, unless it is the last. */
#define OPERATIONAL_FAILING_AT 4

enum operational_type {
    OPERATIONAL_ENDPOINT_CREATED,
    OPERATIONAL_ENDPOINT_DELETED,
    OPERATIONAL_ENDPOINT_DISABLED, /* by us: its receiver is gone, or has failed for too long */
    OPERATIONAL_ENDPOINT_UPDATED,
    OPERATIONAL_MESSAGE_EXHAUSTED, /* its last attempt by the schedule has failed */
    OPERATIONAL_MESSAGE_FAILING,
    OPERATIONAL_MESSAGE_RECOVERED, /* delivered after one of these two was told */
};
#define OPERATIONAL_TYPES 7

const char *operational_type_name(enum operational_type type); /* "endpoint.created" */
bool operational_type_is_known(const char *name);

/* Whether it is the management application. */
bool operational_is(const struct application *application);

struct operational_fact {
    enum operational_type type;
    const struct application *application;
    struct id endpoint;
    const char *endpoint_uid;             /* of an endpoint's; NULL = none */
    uint64_t fail_since_ms;               /* of DISABLED */
    const struct attempt_record *attempt; /* of a message's: its last */
    const char *event_id;                 /* likewise; NULL = none */
};

#define OPERATIONAL_BODY_MAX 8192 /* bytes */

/* Append the body. ERR_LIMIT. */
MUST_USE enum err operational_write(const struct operational_fact *fact, struct buf *out);

#endif
