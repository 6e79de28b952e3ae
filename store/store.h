/* Store: the outbox and the configuration; the only durable state of a region.
 *
 * Two files in one directory: `global.db` holds what may be replicated to other regions
 * (applications, endpoints, event types), `regional.db` what never leaves its jurisdiction
 * (messages, payloads, deliveries, attempts). Idempotency keys are in both, see once.h, and go
 * nowhere. No transaction spans both.
 *
 * All operations are requests: the caller fills in a request, submits it, and gets it back
 * through `done`. Writes run on the writer loop, everything that waits in one transaction, and
 * are answered only after its commit: `done` with ERR_OK means "on disk, fsynced". Reads run
 * on the reader loop and see every commit that was answered before they were submitted. Those
 * of the dispatcher, store_due() and store_lanes(), wait for at most one of the others.
 *
 * The contract of every request:
 *   1. `done` runs exactly once, on the loop behind `reply_to`, never inside submit;
 *   2. until then the request and what it points to belong to the store;
 *   3. outputs are valid only when `err` is ERR_OK, and are the caller's from then on;
 *   4. what was submitted before store_close() is finished; nothing may be submitted behind it.
 *
 * Errors of any request: ERR_BUSY, too many requests wait, nothing was done; ERR_FULL, the disk
 * is full, nothing was written. An i/o error or damage is never answered: the store logs it and
 * ends the process, and the next start reads the outbox.
 *
 * Thread: submit from any thread. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>

#include "core/catalog.h"
#include "core/clock.h"
#include "core/inbox.h"
#include "core/model.h"

struct store;
struct store_req;
struct store_once;
struct backend_ops;

typedef void store_done(struct store_req *req);

struct store_req {
    enum err err; /* out */
    store_done *done;
    struct inbox *reply_to;
    struct store_once
        *once; /* in: of a write, see once.h; borrowed; NULL = it runs in any case */

    /* private to store/ */
    struct task task;
    struct store *store;
    const struct store_verb *verb;
};

/* How long what never leaves its jurisdiction stays; 0 = for ever. A message takes its attempts along,
 * and its payload goes when it says. */
struct retention {
    uint64_t messages_ms, attempts_ms;
};

/* SHA-256 of `len` bytes. */
typedef void store_sha256(const void *data, size_t len, uint8_t out[32]);

/* Who seals secrets and headers of endpoints at rest; see sealing.h. */
struct store_sealer {
    uint32_t key; /* the id of the newest master key */
    /* Seal what is under another key under that one; how many values don't open and stay as they
     * are. */
    size_t (*again)(const void *ctx, struct endpoint *endpoint);
    bool (*has)(const void *ctx, uint32_t key);
    const void *ctx;
};

struct store_options {
    const char *dir;            /* made if it is missing, mode 0700 */
    uv_loop_t *writer, *reader; /* may be one and the same, as in tests */
    struct id_source *ids; /* seeded by store_open() above every key it made; outlives it */
    store_sha256 *sha256;  /* for the journal of replicate.h; may be NULL without an ordinal */
    uint64_t journal_kept; /* entries, none for longer than 7 days; 0 = a million */
    /* What applications get that were made when this region was alone, once it has an ordinal; NULL
     * = they stay without a home. Borrowed for store_open(). */
    const struct residency *residency;
    struct retention retention;        /* see docs/retention.md */
    size_t requests_max;               /* writes that may wait; the same again for reads */
    struct now (*clock)(void);         /* clock_now, or a test's */
    const struct backend_ops *backend; /* NULL = SQLite */
};

/* Open or create both files, migrate them, and read the configuration. Before the loops run.
 * ERR_IN_USE: another process has the directory; ERR_VERSION: a newer schema; ERR_CORRUPT;
 * ERR_CONFLICT: it is the directory of another region, going by the ordinal of `ids`; ERR_DENIED, ERR_FULL and ERR_IO: the directory can't be made or written. The log says which
 * file. */
MUST_USE enum err store_open(struct store **out, const struct store_options *options);

/* From any thread while both loops run, when nobody submits any more: finishes what was
 * submitted, then closes, then runs `closed` on the loop behind `reply_to`, after the answers
 * that go there. */
void store_close(struct store *s, struct inbox *reply_to, struct task *closed);

/* Following. */

#define INCARNATION_LEN 16 /* bytes: random, of the life of a data directory */

/* How far the journal of a region, this one or another, is applied here; see replicate.h. */
struct journal_reach {
    uint8_t origin; /* the region's ordinal */
    uint8_t incarnation[INCARNATION_LEN];
    uint64_t seq;
};

/* A loop's share in the configuration. The catalog is the follower's and is filled at once by
 * store_follow(), before the loops run; from then on every committed object is put into it on
 * the loop of `inbox`, in the order of commits, and before the answer to the request that wrote
 * it if that goes to the same inbox. */
struct store_follower {
    struct inbox *inbox;
    struct catalog *catalog;
    /* Optional; after the put, but not when a secret was only sealed anew. */
    void (*changed)(struct store_follower *, struct object *object);
    /* Optional; after the catalog was told that a region drains, or does no more. */
    void (*drained)(struct store_follower *, uint8_t ordinal);
    /* Optional; behind all that came with it. What is reached at the start is told by
     * store_follow(). */
    void (*applied)(struct store_follower *, const struct journal_reach *reach);

    /* private */
    struct list link;
    struct store *store;
    struct task leave;
    struct task *left;
};
void store_follow(struct store *s, struct store_follower *follower);

/* Before the follower's inbox may be closed: `left` is posted to it behind the last change, and behind
 * the last hint. */
void store_unfollow(struct store *s, struct store_follower *follower, struct task *left);

/* What a hint holds at most, beside the names and channels of its message: 24 KiB. */
#define HINT_PAYLOAD_MAX (16 * 1024)
#define HINT_KEYS_MAX    1024

/* Fresh deliveries of one committed message: a hint, so that the normal path needs no read. A
 * message whose payload is longer than HINT_PAYLOAD_MAX doesn't come with it, and must be read;
 * one that goes to more than HINT_KEYS_MAX endpoints has several hints. */
struct store_hint {
    struct task task; /* private */
    struct store_watcher *watcher;
    struct message *message; /* a reference, the receiver's; or NULL */
    uint64_t due_at_ms;
    bool lost; /* hints before this one were dropped: ask for all lanes */
    size_t count;
    int64_t endpoint_keys[];
};

/* Who wants hints. `fresh` runs on the loop of `inbox` and owns the hint: free() it, and give
 * back its message. At most `inbox->limit` hints wait, so that many times what one may hold;
 * more are dropped, and `lost` says so in the next. The outbox is the truth; whoever is told must still ask for what it may have
 * missed. */
struct store_watcher {
    struct inbox *inbox;
    void (*fresh)(struct store_watcher *, struct store_hint *hint);
};

/* One, before the loops run, and until a follower with the same inbox has left. */
void store_watch(struct store *s, struct store_watcher *watcher);

/* Configuration. */

/* Write the next state of an object: new, edited, or deleted (`deleted` set). The object is
 * shared from now on: don't change it. Its version must be that of the state it was made from
 * plus one (1 = it is new).
 *   ERR_STALE     the stored version is another: make the edit again from the newer object
 *   ERR_CONFLICT  its uid or name is taken
 *   ERR_NOT_FOUND the application of an endpoint is gone
 *   ERR_INVALID   its home is another region, which alone writes it
 * Deleting an application deletes its endpoints in the same transaction. */
struct store_put {
    struct store_req req;
    struct object *object; /* in: borrowed; the store takes references of its own */
    /* in: an endpoint that its receiver's failures disable: since when it fails; 0 = it isn't that */
    uint64_t fail_since_ms;
};
void store_put(struct store *s, struct store_put *op);

/* Several event types in one transaction, no two of one name: all of them or, with the error of one,
 * none. As store_put() otherwise. */
struct store_put_event_types {
    struct store_req req;
    struct event_type *const *types; /* in: borrowed */
    size_t count;
};
void store_put_event_types(struct store *s, struct store_put_event_types *op);

/* Write that a region drains, or does no more; as with a put, every follower's catalog is told. */
struct store_drain {
    struct store_req req;
    uint8_t ordinal; /* in */
    bool draining;   /* in */
};
void store_drain(struct store *s, struct store_drain *op);

/* A page of a list that is sorted by id, or event types by name. */
struct page {
    unsigned limit; /* 1 … PAGE_LIMIT_MAX */
    bool ascending; /* the order of the list */
    bool before;    /* the page that ends just before the cursor, not after it */
    bool has_cursor;
    struct id cursor;        /* need not exist any more */
    const char *name_cursor; /* for event types instead; borrowed */
};

#define PAGE_LIMIT_MAX 250

/* The page in the list's order. `more`: something lies beyond it in the direction asked. */
struct store_list_objects {
    struct store_req req;
    enum object_kind kind;
    struct id organization;    /* of applications and event types */
    struct id application;     /* of endpoints */
    bool with_archived;        /* event types */
    const char *feature_flags; /* event types: what shows with these, see match.h; NULL: all */
    struct page page;
    size_t count;            /* out */
    struct object **objects; /* out: references; free() the array */
    bool more;               /* out */
};
void store_list_objects(struct store *s, struct store_list_objects *op);

/* Messages. */

#define IDEMPOTENCY_HASH_LEN 32
#define IDEMPOTENCY_MS       (UINT64_C(12) * 60 * 60 * 1000) /* a key is remembered for so long */

/* Write a message and one pending delivery for each endpoint of the application that wants it
 * (core/match.h), in one transaction.
 *   ERR_NOT_FOUND  the application is gone
 *   ERR_CONFLICT   the event id is taken
 * A request with the hash of an earlier one writes nothing and gets that one's message, with
 * `repeated` set, whatever else it asks for. */
struct store_append {
    struct store_req req;
    struct id application;            /* in */
    const char *event_type;           /* in, borrowed */
    const char *event_id;             /* in, borrowed; NULL = none */
    const struct text_list *channels; /* in, borrowed */
    const struct text_list *tags;     /* in, borrowed; NULL = none */
    /* in, borrowed: to this endpoint, whatever it wants; NULL = to all that want it */
    const struct id *only;
    const void *payload;             /* in, borrowed */
    size_t payload_len;              /* bytes */
    uint32_t retention_hours;        /* of the payload; at most PAYLOAD_HOURS_MAX */
    const uint8_t *idempotency_hash; /* IDEMPOTENCY_HASH_LEN bytes, borrowed; NULL = none */
    struct message *message;         /* out: a reference */
    bool repeated;                   /* out */
    unsigned deliveries;             /* out: written now */
};
void store_append(struct store *s, struct store_append *op);

/* One message, by id or (when `event_id` isn't NULL) by event id. ERR_NOT_FOUND. */
struct store_get_message {
    struct store_req req;
    struct id application;
    struct id id;
    const char *event_id;    /* borrowed */
    bool with_content;       /* in: read the payload too */
    struct message *message; /* out: a reference */
};
void store_get_message(struct store *s, struct store_get_message *op);

/* What a list is narrowed to. Zeroed: everything. A page passes over a bounded number of rows and
 * holds a bounded number of payload bytes; where that ends it early it is short, or even empty,
 * and `more` is set. */
struct message_filter {
    struct text_list event_types; /* one of these; none = all */
    const char *channel;          /* borrowed; NULL = all */
    const char *tag;              /* likewise */
    uint64_t before_ms, after_ms; /* exclusive; 0 = open */
};

/* The cursors of the pages on both sides of a page, each zero when there is none: its first and
 * last item, or how far it looked without finding one. */
struct page_span {
    struct id first, last;
};

/* Newest first. With `after_ms` and neither `before_ms` nor a cursor: the oldest `limit` after
 * it, still returned newest first. */
struct store_list_messages {
    struct store_req req;
    struct id application;
    struct message_filter filter; /* its list is borrowed */
    bool with_content;
    struct page page;
    size_t count;              /* out */
    struct message **messages; /* out: references; free() the array */
    struct page_span span;     /* out */
    bool more;                 /* out */
};
void store_list_messages(struct store *s, struct store_list_messages *op);

/* Attempts. */

struct attempt_filter {
    bool has_status;
    enum attempt_status status;
    bool has_status_class;
    unsigned status_class; /* 0 (no answer), 100 … 500 */
    struct message_filter message;
};

/* Newest first, as store_list_messages. One of message and endpoint, or both. */
struct store_list_attempts {
    struct store_req req;
    struct id application;
    bool by_message, by_endpoint;
    struct id message, endpoint;
    struct attempt_filter filter;
    bool with_content;  /* in: read the responses too */
    bool with_messages; /* in: and the messages, with their payloads as well if with_content */
    struct page page;
    size_t count;                    /* out */
    struct attempt_record *attempts; /* out: attempt_record_fini() each, free() the array */
    struct message **messages;       /* out, if asked for: a reference each; free() the array */
    struct page_span span;           /* out */
    bool more;                       /* out */
};
void store_list_attempts(struct store *s, struct store_list_attempts *op);

struct store_get_attempt {
    struct store_req req;
    struct id application, message, id;
    struct attempt_record attempt; /* out: attempt_record_fini() */
};
void store_get_attempt(struct store *s, struct store_get_attempt *op);

/* The dispatcher's. */

/* Write an attempt and the next state of its delivery, together. A delivery that isn't pending
 * any more keeps its state; one that was asked for while a scheduled attempt was made stays
 * pending. */
struct store_record {
    struct store_req req;
    const struct attempt_record *attempt; /* in, borrowed */
    enum delivery_state next;             /* in */
    uint64_t due_at_ms;                   /* in; when PENDING */
    bool still_manual; /* in; when PENDING: what was asked for is yet to be made */
    bool asked_for;    /* out: meanwhile it was, and is due */
    /* in: the attempt was given up before, and tried again perhaps. It is written if it isn't there
     * and its delivery is known; of that only DELIVERED changes the state. */
    bool late;
    /* in, when DEAD: at what instant, and for how long an endpoint's deliveries may run out of
     * attempts without a success between; 0 = for ever */
    uint64_t ended_at_ms, failing_limit_ms;
    bool failed_too_long;   /* out: that is over; it begins anew */
    uint64_t fail_since_ms; /* out, when failed_too_long: the first of them */
    bool settled;           /* out: its delivery was pending */
};
void store_record(struct store *s, struct store_record *op);

/* The oldest due deliveries of a lane that the caller doesn't have yet. */
struct store_due {
    struct store_req req;
    int64_t endpoint_key;   /* in */
    uint64_t now_wall_ms;   /* in: due at or before */
    size_t limit;           /* in: most deliveries */
    size_t bytes_limit;     /* in: stop after the one that passes it; at least one comes */
    const int64_t *exclude; /* in: message keys, ascending, borrowed: those it has */
    size_t exclude_count;
    size_t count;                /* out */
    struct delivery *deliveries; /* out: message references; free() the array */
    bool more;                   /* out: others are due too */
    uint64_t next_due_at_ms;     /* out, when not `more`: the earliest later one; 0 = none */
};
void store_due(struct store *s, struct store_due *op);

struct lane_due {
    int64_t endpoint_key;
    uint64_t due_at_ms; /* of its earliest pending delivery */
};

/* The lanes that have something pending, by key. */
struct store_lanes {
    struct store_req req;
    int64_t after_key;      /* in: 0 = from the first */
    size_t limit;           /* in */
    size_t count;           /* out */
    struct lane_due *lanes; /* out: free() the array */
    bool more;              /* out */
};
void store_lanes(struct store *s, struct store_lanes *op);

/* End up to `limit` pending deliveries of a lane whose endpoint is gone. */
struct store_end_lane {
    struct store_req req;
    int64_t endpoint_key; /* in */
    size_t limit;         /* in */
    size_t ended;         /* out: fewer than `limit` = that was all */
};
void store_end_lane(struct store *s, struct store_end_lane *op);

/* Asking for deliveries. */

/* Have a message brought to an endpoint, whatever came of it before: one attempt, due now, which isn't
 * retried; a schedule that wasn't at its end goes on behind it. What was asked for already and is
 * yet to be made is asked for once.
 *   ERR_NOT_FOUND   the message or the endpoint is gone
 *   ERR_UNAVAILABLE the message's payload is */
struct store_resend {
    struct store_req req;
    struct id application, message, endpoint; /* in */
};
void store_resend(struct store *s, struct store_resend *op);

/* Looking at it. */

/* A lane whose deliveries wait for another try. */
struct lane_failing {
    int64_t endpoint_key;
    uint64_t deliveries;    /* pending, tried at least once */
    unsigned attempts_most; /* made for one of them */
};

/* What went of age, and what is next to. */
struct retention_status {
    uint64_t payloads, attempts, messages; /* that went, since the file was made */
    uint64_t oldest_message_at_ms, oldest_attempt_at_ms; /* 0 = there is none */
    uint64_t
        next_at_ms; /* when the next of all is to go; if that is over it is being worked off; 0 = nothing is */
};

#define STATUS_FAILING_MAX 100

struct store_status {
    struct store_req req;
    uint64_t pending;                                /* out: deliveries */
    uint64_t oldest_due_at_ms;                       /* out: 0 = none */
    uint64_t messages;                               /* out: rows */
    uint64_t attempts;                               /* out: rows */
    uint64_t global_bytes, regional_bytes;           /* out: files with their logs */
    unsigned global_schema, regional_schema;         /* out: versions */
    struct retention_status retention;               /* out */
    size_t failing_count;                            /* out */
    struct lane_failing failing[STATUS_FAILING_MAX]; /* out: by deliveries, most first */
};
void store_status(struct store *s, struct store_status *op);

#endif
