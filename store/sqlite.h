/* SQLite: what the files of this backend share. Only they include sqlite3.h.
 *
 * Each file has one connection that writes and checkpoints (two could meet SQLite's WAL-reset
 * bug), and one that only reads. No connection is used by two threads at a time. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>

#include "store/backend.h"

/* Someone who looks at a file by hand may hold it for a moment. */
#define SQLITE_BUSY_MS 5000

extern const char *const sqlite_files[BACKEND_FILES]; /* their names */

struct connection {
    sqlite3 *db;
    const char *file;  /* its name, for the log */
    int log_pages;     /* in the write-ahead log after the last commit */
    int checkpoint_at; /* so many */
    bool wiped;        /* what was overwritten may still be in the log */
    int wipe_at;       /* so many; before that it isn't tried again to get it out */
};

/* Hashes of idempotency keys in one table, with what else it has of them. */
struct hashes {
    sqlite3_stmt *find, *remember, *sweep_to, *sweep;
    int64_t swept_key;   /* how far the sweep of old ones has come */
    unsigned remembered; /* since its last step */
};

/* Rows by their owner, see sqlite_listing.c. */
enum listed { LIST_MESSAGES, LIST_ATTEMPTS, LISTS };
struct listing {
    sqlite3_stmt *add, *add_rest;
    int64_t to;         /* up to this key all rows are listed, */
    int64_t kept_to;    /* and were when the last transaction was committed */
    int64_t newest;     /* the highest key that a row had */
    size_t rows, bytes; /* that aren't listed; more perhaps */
};

struct backend {
    char *dir;
    int lock; /* of the directory; -1 = not held */
    unsigned schema[BACKEND_FILES];

    struct writer {
        struct connection files[BACKEND_FILES];
        sqlite3_stmt *begin[BACKEND_FILES], *commit[BACKEND_FILES];
        sqlite3_stmt *put_application, *put_endpoint, *put_event_type;
        sqlite3_stmt *bury_application, *bury_endpoint, *bury_event_type;
        sqlite3_stmt *own_position, *position, *set_position, *keep_entry, *prune_journal;
        sqlite3_stmt *keep_state, *rival_state, *drop_state, *strays;
        sqlite3_stmt *begin_round, *quarantine, *bound_quarantine, *empty_quarantine;
        sqlite3_stmt *next_sealed[SEALED_PLACES], *mark_sealed[SEALED_PLACES];
        sqlite3_stmt *forget_sealed, *reseal_entry;
        sqlite3_stmt *drain, *draining;
        struct hashes repeated, answers[BACKEND_FILES];
        struct listing listings[LISTS];
        sqlite3_stmt *find_event, *insert_message, *insert_tags, *insert_delivery;
        sqlite3_stmt *insert_attempt, *insert_late_attempt, *insert_way;
        sqlite3_stmt *move_delivery, *overtake_delivery, *end_lane, *add_totals;
        sqlite3_stmt *find_content, *find_delivery, *ask_for;
        sqlite3_stmt *expunge_message, *end_message, *expunge_attempt;
        sqlite3_stmt *payloads, *purge_payload;
        sqlite3_stmt *add_usage, *next_usage, *keep_usage, *destinations_between;
        sqlite3_stmt *start_background, *count_background, *bound_background;
        sqlite3_stmt *next_background, *keep_background, *failures, *messages_between;
        sqlite3_stmt *keep_route, *bound_routes;
        sqlite3_stmt *ends, *insert_expiring, *expiring, *expired, *old_payloads;
        sqlite3_stmt *old_attempts, *old_messages, *attempts_of, *drop_attempt, *drop_way;
        sqlite3_stmt *drop_deliveries, *drop_tags, *drop_messages, *drop_failing;
        sqlite3_stmt *add_retention;
        sqlite3_stmt *begin_failing, *end_failing;
        sqlite3_stmt *keep_told, *next_told, *forget_told, *has_message, *event_id, *look_back;
        bool some_fail;                      /* an endpoint, as far as is known */
        int64_t messages, attempts, pending; /* what the open transaction adds to totals */
    } writer;

    struct reader {
        struct connection files[BACKEND_FILES];
        sqlite3_stmt *begin[BACKEND_FILES], *commit[BACKEND_FILES];
        struct ordered { /* the same list in both directions */
            sqlite3_stmt *up, *down;
        } applications, endpoints, event_types, messages, tagged, by_message, by_endpoint,
            failed, destinations, tried, background;
        sqlite3_stmt *get_message, *get_event, *get_payload, *get_attempt, *get_response,
            *look_at_attempts;
        sqlite3_stmt *count_rows, *count_entries, *count_failed;
        sqlite3_stmt *due, *next_lane, *totals, *failing, *ends, *get_route, *get_background,
            *get_usage;
        sqlite3_stmt *journal, *journal_chain, *journal_first, *own_position, *position,
            *positions;
        sqlite3_stmt *states, *digests;
        sqlite3_stmt *count_sealed[SEALED_PLACES];
        sqlite3_stmt *application, *endpoint, *event_type; /* by key */
    } reader;
};

/* sqlite_connection.c: opening, and running statements. */
enum err sqlite_open_writer(struct connection *c, const char *dir, const char *file);
enum err sqlite_open_reader(struct connection *c, const char *dir, const char *file);
void sqlite_close(struct connection *c);

/* Translate a result; what is beyond a request is logged in SQLite's words. */
enum err from_sqlite(const struct connection *c, int rc);

struct prepared {
    sqlite3_stmt **out;
    const char *sql;
};

/* Up to an entry without SQL. */
enum err sqlite_prepare(const struct connection *c, const struct prepared *statements);
enum err sqlite_exec(const struct connection *c, const char *sql);
enum err sqlite_number(const struct connection *c, const char *sql, int64_t *out);

/* Run a statement that returns no rows, and reset it. */
enum err sqlite_run(const struct connection *c, sqlite3_stmt *statement);

/* Step to the next row. After the last one, or an error, the statement is reset; who stops
 * before that calls sqlite3_reset(). */
enum err sqlite_next(const struct connection *c, sqlite3_stmt *statement, bool *out_row);

/* Effort: what a page spends on rows that it passes over. At its limit, a few milliseconds, the page ends,
 * whatever it has found: the next list waits for this one, and so do deliveries that are due. What it
 * takes isn't counted, for that has limits of its own. */
#define EFFORT_MAX 15000
#define EFFORT_ROW 5 /* read besides an entry of an index */
struct effort {
    const struct connection *connection;
    int pages;   /* read from the file, up to the row before */
    size_t rows; /* read for this one */
    size_t spent;
};
struct effort effort_begin(const struct connection *c);
void effort_add(struct effort *e, size_t rows);
void effort_took(struct effort *e);   /* the row that was looked at, */
bool effort_passed(struct effort *e); /* or not; whether nothing is left */

/* sqlite_listing.c: what the writer does for it. A row was written, whose content has so many bytes. */
enum err sqlite_listing_prepare(struct backend *b);
enum err sqlite_listing_add(struct backend *b, enum listed which, const struct id *owner,
                            const struct id *id, size_t bytes);

/* List the rest: if it is time, or `all` for a reader on this thread, who sees nothing else. */
enum err sqlite_listing_catch_up(struct backend *b, bool all);
bool sqlite_listing_grew(const struct backend *b); /* in the open transaction, */
void sqlite_listing_keep(struct backend *b);       /* which was committed, */
void sqlite_listing_drop(struct backend *b);       /* or not */

/* The rows that aren't listed yet, in a reader's statement that wants those above ?2. */
#define SQL_NOT_LISTED(table) "key > max(?2, (SELECT " table "_listed_to FROM totals))"

/* sqlite_directory.c */
enum err sqlite_directory_open(const char *dir, int *out_lock);

/* sqlite_migrate.c: bring a file to the newest schema; `folder` is its part of migrations/. */
enum err sqlite_migrate(const struct connection *c, const char *folder, unsigned *out_version);

/* The verbs, and what prepares their statements. */
enum err sqlite_config_prepare(struct backend *b);
enum err sqlite_put(struct backend *b, struct object *object);
/* The statement that puts it, bound. */
sqlite3_stmt *sqlite_bind_endpoint(struct backend *b, struct endpoint *endpoint);
enum err sqlite_bury(struct backend *b, enum object_kind kind, int64_t key);
enum err sqlite_load(struct backend *b, struct catalog *into);
enum err sqlite_list_objects(struct backend *b, struct store_list_objects *op);

/* One object, by key; NULL: there is none. Tombstones as well. */
enum err sqlite_get_object(struct backend *b, enum object_kind kind, int64_t key,
                           struct object **out);

enum err sqlite_journal_prepare(struct backend *b);
enum err sqlite_own_position(struct backend *b, struct journal_position *out);
enum err sqlite_position(struct backend *b, uint8_t origin, struct journal_position *out);
enum err sqlite_set_position(struct backend *b, const struct journal_position *p, bool own);
enum err sqlite_keep_entry(struct backend *b, const struct journal_entry *entry,
                           int64_t sealed_by);
enum err sqlite_prune_journal(struct backend *b, uint64_t seq, uint64_t hlc);
enum err sqlite_keep_state(struct backend *b, const struct object_state *state,
                           bool *out_newer);
enum err sqlite_drop_state(struct backend *b, const struct object_state *state);
enum err sqlite_rival_state(struct backend *b, const struct object_state *of,
                            struct object_state *out);
enum err sqlite_quarantine(struct backend *b, uint8_t origin, const struct journal_entry *entry,
                           const char *why, uint64_t now_ms);
enum err sqlite_begin_round(struct backend *b, uint8_t origin);
enum err sqlite_strays(struct backend *b, uint8_t origin, enum object_kind kind,
                       struct object_state *out, size_t limit, size_t *out_count);

enum err sqlite_sealed_prepare(struct backend *b);
enum err sqlite_next_sealed(struct backend *b, const struct sealed_search *search,
                            struct sealed_row *out, size_t *out_count);
enum err sqlite_mark_sealed(struct backend *b, enum sealed_place place, int64_t key,
                            int64_t by);
enum err sqlite_forget_sealed(struct backend *b, int64_t key);
enum err sqlite_reseal_endpoint(struct backend *b, struct endpoint *endpoint);
enum err sqlite_reseal_entry(struct backend *b, int64_t seq, const struct bytes *code,
                             int64_t by);
enum err sqlite_end_sealing(struct backend *b);
enum err sqlite_count_sealed(struct backend *b, struct store_count_sealed *op);

enum err sqlite_replicas_prepare(struct backend *b);
enum err sqlite_journal(struct backend *b, struct store_journal *op);
enum err sqlite_positions(struct backend *b, struct store_positions *op);
enum err sqlite_digest(struct backend *b, struct store_digest *op);
enum err sqlite_snapshot(struct backend *b, struct store_snapshot *op);

/* The position in the only row, zeroed without one. */
enum err sqlite_one_position(const struct connection *c, sqlite3_stmt *st,
                             struct journal_position *out);
struct journal_position column_position(sqlite3_stmt *st);
#define POSITION_END 7 /* the column behind it */
enum err sqlite_regions_prepare(struct backend *b);
enum err sqlite_drain(struct backend *b, const struct store_drain *op);
enum err sqlite_load_draining(struct backend *b, struct catalog *into);

enum err sqlite_routes_prepare(struct backend *b);
enum err sqlite_keep_route(struct backend *b, const struct store_keep_route *op);
enum err sqlite_get_route(struct backend *b, struct store_get_route *op);

/* sqlite_failing.c: of the writer's. Notes what the end of a delivery says of its endpoint. */
enum err sqlite_failing_prepare(struct backend *b);
enum err sqlite_note_end(struct backend *b, struct store_record *op);

enum err sqlite_outbox_prepare(struct backend *b);
enum err sqlite_append(struct backend *b, const struct append_rows *rows);
enum err sqlite_record(struct backend *b, struct store_record *op);
enum err sqlite_end_lane(struct backend *b, struct store_end_lane *op);
enum err sqlite_save_totals(struct backend *b);
void sqlite_drop_totals(struct backend *b);

enum err sqlite_expunge_prepare(struct backend *b);
enum err sqlite_expunge_message(struct backend *b, const struct store_expunge_message *op);
enum err sqlite_expunge_attempt(struct backend *b, const struct store_expunge_attempt *op);

/* End what is pending of a message, whose payload is gone. */
enum err sqlite_end_message(struct backend *b, int64_t message_key);

/* sqlite_purge.c: a bite of a task that expunges. */
enum err sqlite_purge_prepare(struct backend *b);
enum err sqlite_purge(struct backend *b, struct background_task *task);

/* Drop a payload, which is overwritten only while secure_delete is ON, and end what is pending of it. */
enum err sqlite_empty(struct backend *b, int64_t message_key);

enum err sqlite_retention_prepare(struct backend *b);
enum err sqlite_retain(struct backend *b, struct retention_bite *op);
enum err sqlite_retention_ends(struct backend *b, struct retention_ends *out);
enum err sqlite_read_ends(const struct connection *c, sqlite3_stmt *ends,
                          struct retention_ends *out);

/* An attempt and its way; the totals count it no more. */
enum err sqlite_drop_attempt(struct backend *b, int64_t key);

/* sqlite.c: as the verb; and a reading verb of several statements that must see one state of the file. */
void sqlite_wipe_log(struct backend *b, bool more);
enum err sqlite_in_one_state(struct backend *b, enum backend_file file,
                             enum err (*read)(struct backend *, void *op), void *op);

/* sqlite_usage.c; sqlite_count_usage() is a bite of BACKGROUND_STATS. */
enum err sqlite_usage_prepare(struct backend *b);
enum err sqlite_add_usage(struct backend *b, const struct background_task *task,
                          const struct application *application);
enum err sqlite_next_usage(struct backend *b, const struct background_task *task,
                           struct background_usage *out);
enum err sqlite_keep_usage(struct backend *b, const struct background_task *task,
                           const struct background_usage *usage);
enum err sqlite_count_usage(struct backend *b, struct background_task *task);
enum err sqlite_get_usage(struct backend *b, struct store_get_background *op);

enum err sqlite_resend_prepare(struct backend *b);
enum err sqlite_resend(struct backend *b, const struct store_resend *op, uint64_t due_at_ms);

/* Have a message that is there brought to an endpoint: once, however often it was asked for. */
enum err sqlite_ask_for(struct backend *b, int64_t message_key, int64_t endpoint_key,
                        uint64_t due_at_ms);

enum err sqlite_background_prepare(struct backend *b);
enum err sqlite_start_background(struct backend *b, const struct background_task *task);
enum err sqlite_next_background(struct backend *b, int64_t after_key,
                                struct background_task *out);
enum err sqlite_keep_background(struct backend *b, const struct background_task *task);
enum err sqlite_get_background(struct backend *b, struct store_get_background *op);
enum err sqlite_list_background(struct backend *b, struct store_list_background *op);

enum err sqlite_bite_prepare(struct backend *b);
enum err sqlite_bite(struct backend *b, struct background_task *task,
                     const struct endpoint *endpoint, uint64_t due_at_ms);

enum err sqlite_operational_prepare(struct backend *b);
enum err sqlite_keep_told(struct backend *b, const struct message *message);
enum err sqlite_next_told(struct backend *b, struct message **out, size_t limit,
                          size_t *out_count);
enum err sqlite_forget_told(struct backend *b, int64_t up_to_key);
enum err sqlite_has_message(struct backend *b, int64_t key, bool *out);
enum err sqlite_look_back(struct backend *b, const struct attempt_record *attempt,
                          struct message_past *out);

enum err sqlite_repeat_prepare(struct backend *b);
enum err sqlite_find_repeated(struct backend *b, const uint8_t *hash, uint64_t now_ms,
                              struct message **out);
enum err sqlite_remember(struct backend *b, const uint8_t *hash, const struct message *message);
enum err sqlite_find_answer(struct backend *b, enum backend_file file, const uint8_t *hash,
                            uint64_t now_ms, struct bytes *out);
enum err sqlite_keep_answer(struct backend *b, enum backend_file file, const uint8_t *hash,
                            const struct bytes *answer, uint64_t now_ms);

enum err sqlite_messages_prepare(struct backend *b);
enum err sqlite_get_message(struct backend *b, struct store_get_message *op);

/* The payload or the response of an id's row, by its statement. */
enum err sqlite_take_content(struct backend *b, sqlite3_stmt *st, const struct id *id,
                             struct bytes *out);
enum err sqlite_list_messages(struct backend *b, struct store_list_messages *op);

/* The message of a key, if it is one of the application's that the filter takes; or NULL. */
enum err sqlite_find_message(struct backend *b, int64_t key, const struct id *application,
                             const struct message_filter *filter, bool with_content,
                             struct message **out);

enum err sqlite_deliveries_prepare(struct backend *b);
enum err sqlite_list_destinations(struct backend *b, struct store_list_destinations *op);
enum err sqlite_list_tried(struct backend *b, struct store_list_tried *op);

enum err sqlite_attempts_prepare(struct backend *b);
enum err sqlite_get_attempt(struct backend *b, struct store_get_attempt *op);
enum err sqlite_list_attempts(struct backend *b, struct store_list_attempts *op);

enum err sqlite_count_prepare(struct backend *b);
enum err sqlite_count_attempts(struct backend *b, struct store_count_attempts *op);

enum err sqlite_lanes_prepare(struct backend *b);
enum err sqlite_due(struct backend *b, struct store_due *op);
enum err sqlite_lanes(struct backend *b, struct store_lanes *op);
enum err sqlite_oldest_due(struct backend *b, uint64_t *out_at_ms);

enum err sqlite_status_prepare(struct backend *b);
enum err sqlite_status(struct backend *b, struct store_status *op, struct retention_ends *out);

#endif
