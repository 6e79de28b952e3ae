/* Backend: what a database must be able to do to hold the store.
 *
 * A backend knows rows and transactions; it knows nothing of threads, loops, requests, groups,
 * fan-out or followers: those are store.c's and its neighbours'.
 *
 * Threads: open(), load(), newest_key() and close() while no other call runs; the writing verbs
 * on the writer's thread, the reading verbs on the reader's, at the same time.
 *
 * Errors: beside those a verb names, ERR_FULL (the disk is full) and ERR_BUSY (someone else
 * holds the database) spoil the open transaction, which is then rolled back. ERR_IO,
 * ERR_CORRUPT and ERR_DENIED are the end: the backend has logged the database's own words for
 * them, and the store stops the process. */
#ifndef STORE_BACKEND_H
#define STORE_BACKEND_H

#include "store/background.h"
#include "store/deliveries.h"
#include "store/expunge.h"
#include "store/once.h"
#include "store/replicate.h"
#include "store/routes.h"
#include "store/sealing.h"

struct backend;

/* Each has its transactions; none spans both. */
enum backend_file { BACKEND_GLOBAL, BACKEND_REGIONAL, BACKEND_FILES };

/* What an append writes. */
struct append_rows {
    const struct message *message;
    const int64_t *endpoint_keys; /* one delivery each */
    size_t endpoint_count;
    uint64_t due_at_ms;              /* of each: now, whatever the id's time is */
    const uint8_t *idempotency_hash; /* NULL = none */
};

/* What came before an attempt, of its message at its endpoint. */
struct message_past {
    char *event_id; /* of the message, free() it; NULL = none */
    bool told; /* one of the schedule failed that is told of, by its number or as the last */
    bool delivered; /* one was a success */
};

/* Retention's next rows. Keys below a bound are too old; 0 = none is. */
struct retention_bite {
    int64_t messages_below, attempts_below; /* in */
    int64_t payloads_below;                 /* in: payloads that are kept longest */
    uint64_t now_ms;                        /* in: for all others */
    uint64_t failing_since_ms; /* in: what has failed since before isn't known any more */
    unsigned rows;             /* in: of each kind, at most RETENTION_ROWS_MAX */
    size_t bytes;              /* in: of content of each kind, about */
    bool removed;              /* out: something */
};
#define RETENTION_ROWS_MAX 256

/* The oldest of what retention has to do with; 0 = there is none. */
struct retention_ends {
    int64_t message_key, attempt_key;
    int64_t payload_key; /* the first message that may have a payload, of those kept longest */
    uint64_t expires_at_ms;       /* the first payload of the others */
    struct retention_status done; /* its counts */
};

/* How an object stands at its origin. */
struct object_state {
    uint8_t origin;
    int64_t key;
    enum object_kind kind;
    uint64_t version;
    uint8_t digest[CHAIN_LEN];
};

/* What a row is marked by when no key's id can say it. */
#define SEALED_LOST    (-1) /* its values open by no key that we have */
#define SEALED_NOTHING (-2) /* it has none */

int64_t sealed_mark(const struct endpoint *endpoint);

/* Rows whose values aren't under the newest key: by the mark, then by the key. */
struct sealed_search {
    enum sealed_place place;
    int64_t by, key; /* behind this row */
    int64_t below;   /* a mark */
    size_t limit, bytes_limit;
};

struct sealed_row {
    enum sealed_place place;
    int64_t key; /* of an endpoint; in the journal the number */
    int64_t by;
    struct bytes code; /* of the journal */
};

struct backend_ops {
    const char *name;

    /* Open or create what is in `dir`, keep others out, and migrate it: see store_open(). */
    enum err (*open)(struct backend **out, const char *dir);
    void (*close)(struct backend *);

    /* Put every object that isn't deleted into `into`: applications first, oldest first; and which
     * regions drain. */
    enum err (*load)(struct backend *, struct catalog *into);
    /* The highest key in use in any table that this region made; 0 when there is none. */
    enum err (*newest_key)(struct backend *, uint8_t ordinal, int64_t *out);

    /* Transactions, on the writer's thread. commit() returns after the fsync. settle() is for
     * what must be done between transactions, such as a checkpoint. */
    enum err (*begin)(struct backend *, enum backend_file);
    enum err (*commit)(struct backend *, enum backend_file);
    void (*rollback)(struct backend *, enum backend_file);
    enum err (*settle)(struct backend *, enum backend_file);

    /* Writing verbs, in a transaction of their file: put() and drain() global, answers in
     * either, the others regional. An error of its own leaves the transaction as if the verb had not been called. */
    enum err (*put)(struct backend *, struct object *);
    enum err (*drain)(struct backend *, const struct store_drain *);
    /* ERR_NOT_FOUND: no message was appended with that hash since `now_ms` - IDEMPOTENCY_MS. */
    enum err (*find_repeated)(struct backend *, const uint8_t *hash, uint64_t now_ms,
                              struct message **out);
    /* Likewise, of what keep_answer() kept in that file; find_answer() also outside a transaction. */
    enum err (*find_answer)(struct backend *, enum backend_file, const uint8_t *hash,
                            uint64_t now_ms, struct bytes *out);
    enum err (*keep_answer)(struct backend *, enum backend_file, const uint8_t *hash,
                            const struct bytes *answer, uint64_t now_ms);
    /* ERR_CONFLICT: the event id is taken. */
    enum err (*append)(struct backend *, const struct append_rows *);
    enum err (*record)(struct backend *, struct store_record *);
    /* ERR_NOT_FOUND, ERR_UNAVAILABLE: as store_resend(), of the message. */
    enum err (*resend)(struct backend *, const struct store_resend *, uint64_t due_at_ms);
    /* ERR_LIMIT: BACKGROUND_RUNNING_MAX run; those that ended long ago are dropped. next_background():
     * the running one with the lowest key above `after_key`; ERR_NOT_FOUND. bite(): look at its next
     * rows, do with them what its kind says, and write how far it is into `*task`; `endpoint` is NULL
     * unless it sends.
     * keep_background() writes that into its row. */
    enum err (*start_background)(struct backend *, const struct background_task *task);
    enum err (*next_background)(struct backend *, int64_t after_key,
                                struct background_task *out);
    enum err (*bite)(struct backend *, struct background_task *task,
                     const struct endpoint *endpoint, uint64_t due_at_ms);
    enum err (*keep_background)(struct backend *, const struct background_task *task);
    /* What a task that counts is about. next_usage(): one that it has yet to count; ERR_NOT_FOUND. */
    enum err (*add_usage)(struct backend *, const struct background_task *task,
                          const struct application *application);
    enum err (*next_usage)(struct backend *, const struct background_task *task,
                           struct background_usage *out);
    enum err (*keep_usage)(struct backend *, const struct background_task *task,
                           const struct background_usage *usage);
    enum err (*end_lane)(struct backend *, struct store_end_lane *);
    /* ERR_NOT_FOUND. What they overwrite is out of the files when settle() has found no reader. */
    enum err (*expunge_message)(struct backend *, const struct store_expunge_message *);
    enum err (*expunge_attempt)(struct backend *, const struct store_expunge_attempt *);
    enum err (*keep_route)(struct backend *, const struct store_keep_route *);
    /* What is deleted or emptied is overwritten. wipe_log(): and with `more` out of the log as well
     * behind this commit, as with the two above; without, what still is there for a reader stood in the
     * way. retention_ends() needs no transaction. */
    enum err (*retain)(struct backend *, struct retention_bite *);
    void (*wipe_log)(struct backend *, bool more);
    enum err (*retention_ends)(struct backend *, struct retention_ends *out);

    /* What is to be told of changes: the messages that wait in the global file, by key. next_told()
     * reads them in either's transaction; look_back() reads the regional file. */
    enum err (*keep_told)(struct backend *, const struct message *);
    enum err (*next_told)(struct backend *, struct message **out, size_t limit,
                          size_t *out_count);
    enum err (*forget_told)(struct backend *, int64_t up_to_key);
    enum err (*has_message)(struct backend *, int64_t key, bool *out);
    enum err (*look_back)(struct backend *, const struct attempt_record *,
                          struct message_past *out);

    /* Of the journal, in a transaction of the global file. A position that isn't there is zeroed.
     * prune_journal(): some of the entries up to `seq`, or stamped before `hlc`. keep_state(), in the origin's round:
     * `*out_newer` is false, and nothing was written, when the version that is kept in it isn't
     * older. rival_state(): the newest one of an event type at other origins than that of `of`, the
     * lowest of them; zeroed without one. begin_round(): a new one, with a position that is
     * adopting; quarantine is empty. strays(): some states of `kind` of earlier rounds. bury(): the
     * object becomes a tombstone, with the next version, unless it is one. */
    enum err (*own_position)(struct backend *, struct journal_position *out);
    enum err (*position)(struct backend *, uint8_t origin, struct journal_position *out);
    enum err (*set_position)(struct backend *, const struct journal_position *, bool own);
    enum err (*keep_entry)(struct backend *, const struct journal_entry *, int64_t sealed_by);
    enum err (*prune_journal)(struct backend *, uint64_t seq, uint64_t hlc);
    enum err (*keep_state)(struct backend *, const struct object_state *, bool *out_newer);
    enum err (*drop_state)(struct backend *, const struct object_state *);
    enum err (*rival_state)(struct backend *, const struct object_state *of,
                            struct object_state *out);
    enum err (*quarantine)(struct backend *, uint8_t origin, const struct journal_entry *,
                           const char *why, uint64_t now_ms);
    enum err (*begin_round)(struct backend *, uint8_t origin);
    enum err (*strays)(struct backend *, uint8_t origin, enum object_kind kind,
                       struct object_state *out, size_t limit, size_t *out_count);
    enum err (*bury)(struct backend *, enum object_kind kind, int64_t key);

    /* Of what is sealed, in a transaction of the global file. forget_sealed(): of a tombstone.
     * What they overwrite is out of the files when settle() has found no reader after
     * end_sealing(). */
    enum err (*next_sealed)(struct backend *, const struct sealed_search *,
                            struct sealed_row *out, size_t *out_count);
    enum err (*mark_sealed)(struct backend *, enum sealed_place, int64_t key, int64_t by);
    enum err (*forget_sealed)(struct backend *, int64_t key);
    enum err (*reseal_endpoint)(struct backend *, struct endpoint *);
    enum err (*reseal_entry)(struct backend *, int64_t seq, const struct bytes *code,
                             int64_t by);
    enum err (*end_sealing)(struct backend *);

    /* Reading verbs: they fill in the outputs of a request. */
    enum err (*list_objects)(struct backend *, struct store_list_objects *);
    enum err (*get_message)(struct backend *, struct store_get_message *);
    enum err (*list_messages)(struct backend *, struct store_list_messages *);
    enum err (*get_attempt)(struct backend *, struct store_get_attempt *);
    enum err (*list_attempts)(struct backend *, struct store_list_attempts *);
    enum err (*list_destinations)(struct backend *, struct store_list_destinations *);
    enum err (*list_tried)(struct backend *, struct store_list_tried *);
    enum err (*count_attempts)(struct backend *, struct store_count_attempts *);
    enum err (*due)(struct backend *, struct store_due *);
    enum err (*lanes)(struct backend *, struct store_lanes *);
    enum err (*status)(struct backend *, struct store_status *, struct retention_ends *out);
    enum err (*get_route)(struct backend *, struct store_get_route *);
    enum err (*get_background)(struct backend *, struct store_get_background *);
    enum err (*list_background)(struct backend *, struct store_list_background *);
    enum err (*journal)(struct backend *, struct store_journal *);
    enum err (*positions)(struct backend *, struct store_positions *);
    enum err (*count_sealed)(struct backend *, struct store_count_sealed *);
    enum err (*digest)(struct backend *, struct store_digest *);
    enum err (*snapshot)(struct backend *, struct store_snapshot *);
};

extern const struct backend_ops sqlite_backend;

#endif
