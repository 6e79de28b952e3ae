/* Noun in: objects from what a client sent, each wrong field a fault.
 *
 * READ_REPLACE: absent = default (POST, PUT); READ_PATCH: absent = keep, null = unset. Unknown
 * members are ignored. Types, lengths, patterns and ranges of the contract are checked here;
 * what needs a look at other objects (uids taken, event types that exist) is the caller's.
 *
 * The object must not be shared yet. After a fault its content is unspecified but freeable. */
#ifndef WIRE_NOUN_IN_H
#define WIRE_NOUN_IN_H

#include "core/background_task.h"
#include "core/model.h"
#include "core/residency.h"
#include "wire/faults.h"
#include "wire/json.h"

enum read_mode { READ_REPLACE, READ_PATCH };

void read_application(const struct json *body, enum read_mode mode, struct application *into,
                      struct faults *faults);

/* Its "residency", absent or null being no wish at all; see residency_make(). Borrowed from the
 * body. */
void read_residency(const struct json *body, struct residency_wish *into,
                    struct faults *faults);

/* A name that `into` has already stays, and the body's isn't looked at: it came with the path. */
void read_event_type(const struct json *body, enum read_mode mode, struct event_type *into,
                     struct faults *faults);

/* The body of POST …/event-type/import/openapi: an event type for each webhook of an OpenAPI document,
 * the given one or, as text, one in JSON or YAML. The schema and an example of the webhook's body
 * become version 1 of its schemas, with what it refers to in the document. */
#define OPENAPI_WEBHOOKS_MAX 1000
#define OPENAPI_SCHEMAS_MAX  ((size_t)4 << 20) /* bytes, of all */

struct openapi_in {
    bool dry_run, replace_all;
    size_t count;
    /* Owned, a reference each, without ids or dates; by name, no two of one. */
    struct event_type **types;
};

/* ERR_INVALID: not one of `spec` and `specRaw`. What is wrong in the document is a fault. */
MUST_USE enum err read_openapi(const struct json *body, struct openapi_in *into,
                               struct faults *faults);
void openapi_in_fini(struct openapi_in *o);

/* What an endpoint's body carries beside the endpoint: the caller seals it. */
struct endpoint_extras {
    const char *secret; /* as sent, unchecked ("whsec_…"); NULL if absent; borrowed */
    bool has_headers;
    char *headers; /* checked, a compact JSON object of strings; owned */
};

/* The URL isn't parsed here beyond being a string: see courier_url(). */
void read_endpoint(const struct json *body, enum read_mode mode, struct endpoint *into,
                   struct endpoint_extras *extras, struct faults *faults);
void endpoint_extras_fini(struct endpoint_extras *extras);

/* Its "targets", "dispatch" and "location", for where there are several regions. `into` has its
 * URL, in normal form, and the targets get theirs; whether names mean something is
 * dispatch_check()'s to say. */
void read_dispatch(const struct json *body, enum read_mode mode, struct endpoint *into,
                   struct faults *faults);

/* The body of PUT and PATCH …/headers. `current` is the stored object, NULL if there is none;
 * READ_PATCH edits it: null and `deleteHeaders` remove, whatever the case of the name.
 * `*out_headers`: the next object, owned; NULL when nothing is left. */
void read_endpoint_headers(const struct json *body, enum read_mode mode, const char *current,
                           char **out_headers, struct faults *faults);

/* The body of POST …/secret/rotate; `body` may be NULL. */
struct rotation_in {
    const char *key;  /* as sent, unchecked; NULL = make one; borrowed */
    uint32_t grace_s; /* how long the old secret signs along */
};
void read_rotation(const struct json *body, struct rotation_in *into, struct faults *faults);

/* The body of POST …/recover, …/replay-missing and …/bulk-replay, as the kind of `into` says. Nothing
 * that is yet to come is looked at: the window ends now at the latest. */
void read_background(const struct json *body, uint64_t now_ms, struct background_task *into,
                     struct faults *faults);

/* The body of POST /stats/usage/app: when, and which applications by id or uid; none = all. */
#define USAGE_IDS_MAX 1000
void read_usage(const struct json *body, uint64_t now_ms, struct background_task *into,
                struct text_list *out_ids, struct faults *faults);

/* The body of POST …/msg/bulk-expunge: ids or event ids. */
#define BULK_EXPUNGE_MAX 250
void read_bulk_expunge(const struct json *body, struct text_list *into, struct faults *faults);

/* The body of POST /auth/app-portal-access; `body` may be NULL. */
struct portal_in {
    uint32_t expiry_s; /* 28 days at most, and unless given */
    bool is_read_only;
    bool has_capabilities;
    struct text_list capabilities;  /* names, unchecked; owned */
    struct text_list feature_flags; /* owned */
    char *session;                  /* owned; NULL if absent */
};
void read_portal(const struct json *body, struct portal_in *into, struct faults *faults);
void portal_in_fini(struct portal_in *p);

/* The body of POST /auth/app/{app}/expire-all; `body` may be NULL. */
struct expiry_in {
    uint32_t grace_s;          /* for which the tokens are still good */
    struct text_list sessions; /* of these alone; none = all tokens; owned */
};
void read_expiry(const struct json *body, struct expiry_in *into, struct faults *faults);
void expiry_in_fini(struct expiry_in *e);

/* A new message, without a tree of its payload. */
struct message_in {
    char *event_type, *event_id; /* owned; event_id NULL if absent */
    struct text_list channels;   /* owned */
    struct text_list tags;       /* owned */
    uint32_t retention_hours;    /* 1 to PAYLOAD_HOURS_MAX, which it is unless given */
    const uint8_t *payload;      /* borrowed from the body: the exact bytes */
    size_t payload_len;          /* bytes */
    struct bytes raw_payload;    /* owned: transformationsParams.rawPayload decoded; payload
                                  * points here when it was given */
};
void read_message(const void *body, size_t len, struct message_in *into, struct faults *faults);
void message_in_fini(struct message_in *m);

/* The body of POST …/msg/precheck/active: a message without its payload. */
struct precheck_in {
    char *event_type;          /* owned */
    struct text_list channels; /* owned */
};
void read_precheck(const struct json *body, struct precheck_in *into, struct faults *faults);
void precheck_in_fini(struct precheck_in *p);

/* The body of POST …/send-example: the event type of a message whose payload isn't in it, but one of
 * that type's examples; the first is 0. */
#define EXAMPLE_INDEX_MAX 1000
void read_example(const struct json *body, struct message_in *into, uint32_t *out_index,
                  struct faults *faults);

/* Custom headers as stored, an object of strings, to "Name: value" lines. ERR_INVALID. */
MUST_USE enum err read_header_lines(const void *json, size_t len, struct text_list *out_lines);

/* Whether `text` may be a uid, event id, event type or channel: 1 to `max` of [a-zA-Z0-9-_.].
 */
bool name_is_valid(const char *text, size_t max);

#endif
