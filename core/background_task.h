/* Background task: work on messages by the thousand, done bite by bite; see docs/background-tasks.md.
 * Plain data, whose texts are owned. */
#ifndef CORE_BACKGROUND_TASK_H
#define CORE_BACKGROUND_TASK_H

#include "core/model.h"

enum background_kind {
    BACKGROUND_RECOVER,        /* what failed and wasn't delivered */
    BACKGROUND_REPLAY_MISSING, /* what was never sent there, and the endpoint wants */
    BACKGROUND_BULK_REPLAY,    /* whatever was sent there */
    BACKGROUND_PURGE,          /* an application's payloads are expunged */
    BACKGROUND_STATS,          /* how many destinations applications' messages had */
    BACKGROUND_EVENT_TYPES,    /* which event types applications' endpoints ask for */
    BACKGROUND_KINDS,
};

enum background_status {
    BACKGROUND_RUNNING,
    BACKGROUND_FINISHED,
    BACKGROUND_FAILED, /* its endpoint is gone */
    BACKGROUND_STATUSES,
};

struct background_task {
    struct id id, organization;
    struct id application, endpoint; /* what it is about; zero where it is about none */
    enum background_kind kind;
    enum background_status status;
    bool dry_run;                /* count alone */
    uint64_t since_ms, until_ms; /* of messages; of attempts to recover */

    /* of BACKGROUND_BULK_REPLAY: narrower */
    struct text_list event_types; /* none = all */
    char *channel, *tag;          /* NULL = all */
    bool has_status;
    enum attempt_status
        message_status; /* SUCCESS, FAIL, or one of the others: yet to be sent */
    bool has_status_class;
    unsigned status_class; /* of the last answer: 0 (none), 100 … 500 */

    int64_t reached_key; /* of what was looked at last, a message or an attempt */
    uint64_t looked_at;  /* of them */
    uint64_t done;       /* deliveries asked for, payloads gone, applications counted */
    uint64_t created_at_ms, updated_at_ms;
};

#define USAGE_APPLICATIONS_MAX 10000 /* of one task */
#define USAGE_EVENT_TYPES_MAX  1000  /* of one application that are kept */

/* What a task that counts has found of one application. */
struct background_usage {
    struct id application;
    char *uid; /* optional; when the task began */
    bool is_done;
    uint64_t destinations; /* endpoints that messages were tried at, of all messages together */
    struct text_list event_types; /* that some endpoint asks for by name */
    bool has_catch_all;           /* some endpoint asks for all */
};
void background_usage_fini(struct background_usage *usage);
void background_usages_fini(struct background_usage *usages, size_t count); /* the array, too */

/* Whether it has an answer for each of several applications. */
bool background_counts(enum background_kind kind);

/* Whether it has messages sent to an endpoint. */
bool background_sends(enum background_kind kind);

/* As the API words them: "endpoint.recover", "running". */
const char *background_kind_text(enum background_kind kind);
const char *background_status_text(enum background_status status);

/* ERR_INVALID: none of these. */
MUST_USE enum err background_kind_parse(const char *text, enum background_kind *out);
MUST_USE enum err background_status_parse(const char *text, enum background_status *out);

/* What is left of the window as keys: rows with above < key < below. Its last instant belongs to it,
 * and ids count in steps of 4 ms. */
int64_t background_above(const struct background_task *task);
int64_t background_below(const struct background_task *task);

/* It runs from now on, with an id and dates. */
void background_task_begin(struct background_task *task, struct id_source *ids,
                           uint64_t now_ms);

/* Free what it points to, not the task. */
void background_task_fini(struct background_task *task);

#endif
