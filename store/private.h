/* What the files of the store share; nobody outside store/ includes it. */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include "core/buf.h"
#include "core/clock.h"
#include "core/hlc.h"
#include "store/backend.h"
#include "store/bites.h"

/* A kind of request: where it runs, and how. */
struct store_verb {
    enum {
        VERB_WRITES_GLOBAL,
        VERB_WRITES_REGIONAL,
        VERB_READS,
        VERB_READS_FIRST, /* ahead of the other reads that wait */
    } side;
    enum err (*run)(struct store *s, struct store_req *req);
    /* Optional: how many bytes it has added to its group. */
    size_t (*bytes)(const struct store_req *req);
    /* Optional: drop the outputs of a run that was ERR_OK but is rolled back. */
    void (*discard)(struct store_req *req);
};

struct store {
    /* constant */
    const struct backend_ops *ops;
    struct backend *backend;
    struct id_source *ids;
    struct now (*clock)(void);
    store_sha256 *sha256;
    const struct residency *residency; /* until the store is open */

    /* the writer's thread */
    struct inbox writer;
    struct list waiting[BACKEND_FILES]; /* requests of the batch, by file */
    struct now now;                     /* of the group that runs */
    struct catalog *catalog;            /* as in the open transaction */
    struct list changes;                /* of the group, to be published: follow.c */
    struct list followers;
    struct list hints; /* of the group, to be published: hints.c */
    struct store_watcher *watcher;
    bool hints_lost;
    struct journal {
        struct hlc clock;
        struct journal_position end;       /* as in the open transaction */
        struct journal_position committed; /* without it */
        uint64_t kept;                     /* entries */
        struct buf code;                   /* scratch */
    } journal;
    /* by origin, 0 = nothing: of the group, to be published; and at the start: journal.c */
    struct journal_reach arrived[UINT8_MAX + 1], reached[UINT8_MAX + 1];
    struct fan_out {
        int64_t *keys; /* scratch of append.c */
        size_t count, room;
    } fan_out;

    struct background {
        struct bites bites;
        int64_t last_key; /* of the last one's task; 0 = from the first */
    } background;

    struct sealing {
        struct bites bites;
        struct store_sealer sealer; /* without `again`: nothing is sealed anew */
        struct sealed_cursor {
            enum sealed_place place;
            bool above;      /* the newest key's id, and not below it */
            int64_t by, key; /* behind this row */
        } at;
    } sealing;

    struct operational {
        uv_timer_t pause;
        struct task start;    /* begins a batch */
        struct store_req req; /* carries, or forgets what was carried */
        bool busy;            /* it is under way */
        bool kept;            /* something may wait to be carried */
        int64_t carried_key;  /* of the last one; 0 = none was there */
        uv_close_cb closed;   /* once it closes */
    } operational;

    struct retaining {
        struct bites bites;
        struct retention limits;      /* constant */
        unsigned rows;                /* of each kind, in the next bite */
        bool unwiped;                 /* what went is in the write-ahead log perhaps */
        uint64_t wiped_mono_ms;       /* when it last wasn't */
        struct retention_status told; /* what had gone when that was last logged */
    } retaining;

    /* the reader's thread */
    struct inbox reader;
    struct list reads_first, reads; /* that wait for their turn */
    size_t reads_count;
    struct task next_read;

    /* whoever has the task that is under way while closing */
    struct task close, close_reader, close_writer;
    struct inbox *reply_to;
    struct task *closed;
};

/* Hand a request to its thread. */
void store_submit(struct store *s, struct store_req *req, const struct store_verb *verb);

/* The same with one of the store's own, of which there are few: it is never refused. */
void store_submit_own(struct store *s, struct store_req *req, const struct store_verb *verb);

/* append.c: in the open transaction. Who wants a message, kept in fan_out, and how many that are;
 * then that message, for those. */
size_t append_select(struct store *s, const struct message *message);
enum err append_selected(struct store *s, struct message *message, const uint8_t *hash);

/* operational.c: in the open transaction, what an organization is told of an attempt, or of the next
 * state of an object; `fail_since_ms` as in store_put. carry: what is to go into the regional file
 * now; NULL: nothing. load: before the loops run. close: `closed` gets a timer, whose data is the
 * store. */
enum err operational_tell_attempt(struct store *s, const struct store_record *op);
enum err operational_tell_change(struct store *s, struct object *next, uint64_t fail_since_ms);
enum err operational_load(struct store *s);
void operational_open(struct store *s, uv_loop_t *loop);
struct store_req *operational_carry(struct store *s);
void operational_close(struct store *s, uv_close_cb closed);

/* once.c: run a request that writes, unless its key was used before; how many bytes it has added
 * to its group; and drop the outputs of a run that is rolled back. */
enum err once_run(struct store *s, enum backend_file file, struct store_req *req);
size_t once_bytes(const struct store_req *req);
void once_discard(struct store_req *req);

/* put.c: write an object that is as it should be, and tell of it. */
enum err put_unchecked(struct store *s, struct object *object);

/* background.c: whether something is to be gone on with. */
enum err background_load(struct store *s);

/* sealing.c: what is about to be written is sealed under the newest key, and a tombstone holds nothing.
 * False: it was made of an older state, whose key is gone by now. */
bool sealing_renew(struct store *s, struct object *object);

/* retention.c: likewise. */
enum err retention_load(struct store *s);

/* usage.c: a bite of BACKGROUND_EVENT_TYPES. */
enum err usage_bite(struct store *s, struct background_task *task);

/* follow.c: the changes of a group. */
void changes_add(struct store *s, struct object *object);
void changes_add_quietly(struct store *s,
                         struct object *object); /* it says the same as before */
void changes_add_drain(struct store *s, uint8_t ordinal, bool draining);
void changes_publish(struct store *s);
bool changes_drop(struct store *s); /* false: there were none */

/* hints.c: the hints of a group. */
void hints_add(struct store *s, struct message *message, const int64_t *endpoint_keys,
               size_t count);
void hints_add_due(struct store *s, int64_t endpoint_key); /* something is, but not what */
void hints_publish(struct store *s);
void hints_drop(struct store *s);

#endif
