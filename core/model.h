/* The nouns. Plain data, made by one thread and read by many.
 *
 * Configuration (application, endpoint, event type) is replicated between regions and starts
 * with a `struct object`. An object is filled in by whoever made it and never changes once
 * another thread has seen it: an edit is a new object with the same id and the next version.
 * Messages never change either. Both are counted references: take one with …_ref(), give it
 * back with …_unref(), from any thread; the last one frees the object and what it points to.
 *
 * Strings are owned by their struct. Instants end in `_at_ms`: wall-clock milliseconds since
 * 1970, 0 for "never". Optional strings are NULL when absent. */
#ifndef CORE_MODEL_H
#define CORE_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/id.h"

/* A name of the subscriber's choosing: uid, event id, event type, channel. Bytes. */
#define NAME_LEN_MAX      256
#define CHANNEL_LEN_MAX   128
#define SECRETS_MAX       11    /* the current secret and ten that still sign along */
#define RESPONSE_KEPT_MAX 16384 /* bytes of a receiver's answer that are stored */
#define PAYLOAD_HOURS_MAX 2160  /* for which a payload is kept at most, and usually: 90 days */

struct text_list {
    size_t count;
    char **items; /* NULL when count is 0 */
};

struct bytes {
    uint8_t *data; /* NULL when len is 0 */
    size_t len;
};

enum object_kind { OBJECT_APPLICATION, OBJECT_ENDPOINT, OBJECT_EVENT_TYPE };

struct object {
    _Atomic unsigned refs;
    enum object_kind kind;
    bool deleted;     /* a tombstone: says that the id is gone */
    uint64_t version; /* 1 for a new object; each edit adds one */
    struct id id;
    struct id organization;
    uint64_t created_at_ms;
    uint64_t updated_at_ms;
};

/* What may happen outside the jurisdiction; see residency.h. */
enum residency_mode {
    RESIDENCY_AT_REST,    /* nothing is stored there */
    RESIDENCY_PROCESSING, /* nor read: a region there sends the client away */
    RESIDENCY_TRANSIT,    /* nor passed through: it is refused there */
};

/* Who takes messages in while the home region is down. */
enum residency_failover { FAILOVER_NONE, FAILOVER_JURISDICTION };

/* Where an application's data lives. */
struct residency {
    char *jurisdiction;  /* its name; NULL: none, for a region made it that was alone */
    uint8_t home;        /* the ordinal of the region that owns it; 0: the one alone */
    uint64_t home_epoch; /* adds one with each move of the home; 1 = its first; 0: alone */
    enum residency_mode mode;
    enum residency_failover failover;
};

struct application {
    struct object base;
    char *uid; /* optional; unique in the organization */
    char *name;
    char *metadata;         /* a JSON object of strings, compact */
    uint32_t throttle_rate; /* deliveries a second; 0 = no limit */
    struct residency residency;
    struct text_list revocations; /* of its tokens; see revocation.h */
};

/* Which region sends an endpoint's deliveries; see dispatch.h. */
enum dispatch_mode { DISPATCH_AUTO, DISPATCH_HOME, DISPATCH_PIN };

/* Where a receiver is, as its owner says. Millionths of a degree; north and east are positive. */
struct location {
    bool known;
    int32_t latitude;  /* at most LOCATION_LATITUDE_MAX either way */
    int32_t longitude; /* LOCATION_LONGITUDE_MAX */
};

#define LOCATION_DEGREE        1000000
#define LOCATION_LATITUDE_MAX  (90 * LOCATION_DEGREE)
#define LOCATION_LONGITUDE_MAX (180 * LOCATION_DEGREE)

/* How deliveries get to an endpoint where there are several regions; see dispatch.h. */
struct dispatch {
    enum dispatch_mode mode;
    struct text_list regions; /* with DISPATCH_PIN: names, the one wished for most first */
    struct text_list targets; /* other URLs than the endpoint's: "LABEL URL" each */
    struct location location;
};

/* A signing secret, sealed by the keyring for this application and endpoint. */
struct sealed_secret {
    struct bytes sealed;
    uint64_t expires_at_ms; /* 0 = current */
};

struct endpoint {
    struct object base;
    struct id application;
    char *uid; /* optional; unique in the application */
    char *url;
    char *description; /* "" when none */
    char *metadata;
    bool disabled;
    uint32_t throttle_rate;
    struct text_list event_types; /* none = all */
    struct text_list channels;    /* none = all */
    struct dispatch dispatch;
    struct bytes sealed_headers; /* a JSON object of strings, sealed; none = no headers */
    size_t secret_count;
    struct sealed_secret secrets[SECRETS_MAX]; /* newest first */
};

struct event_type {
    struct object base;
    char *name; /* unique in the organization */
    char *description;
    char *schemas;                  /* a JSON object by version, or NULL */
    struct text_list feature_flags; /* who has one of them may see it; none = everybody */
    char *group_name;               /* optional: what it is shown with */
    bool archived;
    bool deprecated;
};

struct message {
    _Atomic unsigned refs;
    struct id id;
    struct id application;
    char *event_type;
    char *event_id; /* optional; unique in the application */
    struct text_list channels;
    struct text_list tags; /* of the sender's; only lists look at them */
    struct bytes payload;  /* the accepted bytes, to be delivered as they are */
    uint64_t created_at_ms;
    uint64_t expires_at_ms; /* of the payload */
};

enum delivery_state {
    DELIVERY_PENDING = 0,   /* waits for due_at_ms, or is being sent right now */
    DELIVERY_DELIVERED = 1, /* final, unless it is asked for again */
    DELIVERY_DEAD = 2,      /* likewise: the schedule ended, or its endpoint was deleted */
};

enum attempt_trigger { TRIGGER_SCHEDULED = 0, TRIGGER_MANUAL = 1 };

/* The duty to bring one message to one endpoint. */
struct delivery {
    struct message *message; /* a reference */
    int64_t endpoint_key;    /* its lane */
    unsigned attempts;       /* made so far by the schedule */
    uint64_t due_at_ms;
    enum attempt_trigger trigger; /* of the next attempt */
    uint64_t resume_at_ms;        /* when MANUAL: where its schedule goes on; 0 = nowhere */
};

/* As the API shows it. */
enum attempt_status {
    ATTEMPT_SUCCESS = 0,
    ATTEMPT_PENDING = 1,
    ATTEMPT_FAIL = 2,
    ATTEMPT_SENDING = 3,
    ATTEMPT_CANCELED = 4 /* none of ours is; others' clients may ask for them */
};
#define ATTEMPT_STATUSES 5

/* As the API words it: "success". */
const char *attempt_status_text(enum attempt_status status);

/* What became of a delivery that was tried. */
struct delivery_outcome {
    enum attempt_status status;  /* of the last attempt; SENDING while another is planned */
    uint64_t next_attempt_at_ms; /* 0 = none is */
};

/* From where an attempt was made, and how long the steps on its way took. */
struct attempt_way {
    uint8_t region;         /* the ordinal; 0 = there is only this one */
    uint32_t connect_us;    /* 0 = the connection was there */
    uint32_t tls_us;        /* likewise */
    uint32_t first_byte_us; /* from then on to the answer's first byte */
};

/* One try; never changes once recorded. */
struct attempt_record {
    struct id id;
    struct id message;
    struct id endpoint;
    struct id application;
    unsigned number; /* 1 = first; a manual one has that of the next by the schedule */
    enum attempt_status status;
    enum attempt_trigger trigger;
    char *url;                /* as used, without user info */
    unsigned response_status; /* HTTP status; 0 = no answer */
    struct bytes response;    /* the answer's first bytes, or why there was none */
    uint32_t duration_ms;
    uint64_t started_at_ms;      /* id_instant_ms() */
    uint64_t next_attempt_at_ms; /* 0 = none is planned */
    struct attempt_way way;
};

struct application *application_new(void);
struct endpoint *endpoint_new(void);
struct event_type *event_type_new(void);

/* A deep copy to edit: version, id and dates as in `from`, one reference, not shared yet. */
struct application *application_copy(const struct application *from);
struct endpoint *endpoint_copy(const struct endpoint *from);
struct event_type *event_type_copy(const struct event_type *from);

struct residency residency_copy(const struct residency *from);
void residency_fini(struct residency *residency);

struct dispatch dispatch_copy(const struct dispatch *from);
void dispatch_fini(struct dispatch *dispatch);

struct object *object_ref(struct object *object);
void object_unref(struct object *object); /* NULL does nothing */

struct message *message_new(void);
struct message *message_ref(struct message *message);
void message_unref(struct message *message); /* NULL does nothing */

/* Frees what a record points to, not the record. */
void attempt_record_fini(struct attempt_record *record);

void text_list_add(struct text_list *list, const char *text, size_t len);
struct text_list text_list_copy(const struct text_list *from);
bool text_list_has(const struct text_list *list, const char *text);
void text_list_fini(struct text_list *list);

struct bytes bytes_copy(const void *data, size_t len);
void bytes_fini(struct bytes *bytes);

/* The object as what it is; the kind is asserted. */
struct application *as_application(struct object *object);
struct endpoint *as_endpoint(struct object *object);
struct event_type *as_event_type(struct object *object);

#endif
