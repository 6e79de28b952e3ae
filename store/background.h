/* Background tasks: work on many messages, which the writer does in bites between the groups of
 * others, a bite of one task at a time, and goes on with after a restart.
 *
 * Requests as in store.h. */
#ifndef STORE_BACKGROUND_H
#define STORE_BACKGROUND_H

#include "core/background_task.h"
#include "store/store.h"

#define BACKGROUND_RUNNING_MAX 256  /* tasks at a time */
#define BACKGROUND_KEPT        1000 /* that have ended, the newest */
#define BACKGROUND_BITE_ROWS   200  /* that one bite looks at */
#define BACKGROUND_BITE_BYTES                                                                  \
    ((size_t)4 << 20) /* of payloads that one bite overwrites, and one more */

/* Begin a task that background_task_begin() has made ready: so the answer to who asked for it is
 * known before it is written, see once.h.
 *   ERR_NOT_FOUND the endpoint or application is gone
 *   ERR_LIMIT     so many are running */
struct store_start_background {
    struct store_req req;
    const struct background_task *task; /* in, borrowed */
    /* in, borrowed: which ones a task that counts is about, at most USAGE_APPLICATIONS_MAX */
    struct application *const *applications;
    size_t application_count;
};
void store_start_background(struct store *s, struct store_start_background *op);

/* ERR_NOT_FOUND. */
struct store_get_background {
    struct store_req req;
    struct id organization, id;  /* in */
    struct background_task task; /* out: background_task_fini() */
    /* out, of a task that counts: what it has so far; background_usages_fini() */
    size_t usage_count;
    struct background_usage *usage;
};
void store_get_background(struct store *s, struct store_get_background *op);

struct store_list_background {
    struct store_req req;
    struct id organization; /* in */
    bool has_status, has_kind;
    enum background_status status;
    enum background_kind kind;
    struct page page;
    size_t count;                  /* out */
    struct background_task *tasks; /* out: background_task_fini() each, free() the array */
    bool more;                     /* out */
};
void store_list_background(struct store *s, struct store_list_background *op);

#endif
