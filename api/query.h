/* Query: the parameters of a request's query string.
 *
 * Each route says which it takes; others are ignored, for clients send what newer servers know.
 * A value that isn't of its type (limit=many, a date that is none) or out of its bounds is a
 * fault, which is a 422; a broken % makes the string unparsable, which is a 400.
 *
 * Lists are joined by commas, repeated, or both; "x[]=" and "x[0]=" say the same as "x=".
 *
 * Pure. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/background_task.h"
#include "core/model.h"
#include "store/store.h"
#include "wire/faults.h"

enum {
    /* A page of these: limit, iterator; applications and endpoints also order. */
    QUERY_PAGE_APPLICATIONS = 1 << 0,
    QUERY_PAGE_ENDPOINTS = 1 << 1,
    QUERY_PAGE_EVENT_TYPES = 1 << 2,
    QUERY_PAGE_MESSAGES = 1 << 3,
    QUERY_PAGE_ATTEMPTS = 1 << 4,

    QUERY_CONTENT = 1 << 5,       /* with_content, true unless given */
    QUERY_SCHEMAS = 1 << 6,       /* with_content, false unless given */
    QUERY_ARCHIVED = 1 << 7,      /* include_archived */
    QUERY_EXPUNGE = 1 << 8,       /* expunge */
    QUERY_GET_IF_EXISTS = 1 << 9, /* get_if_exists */
    QUERY_MESSAGES = 1 << 10,     /* event_types, channel, tag, before, after */
    QUERY_ATTEMPTS = 1 << 11,     /* status, status_code_class, with_msg */
    QUERY_ENDPOINT = 1 << 12,     /* endpoint_id */
    QUERY_STATUS = 1 << 13,       /* status alone */
    QUERY_RANGE = 1 << 15,        /* since, until */

    QUERY_PAGE_DESTINATIONS = 1 << 14, /* endpoints by id, oldest first */
    QUERY_PAGE_TASKS = 1 << 16,        /* also order */
    QUERY_TASKS = 1 << 17,             /* status, task: of background tasks */
};

#define QUERY_WHY_MAX     96
#define QUERY_LIST_MAX    64 /* entries of event_types */
#define QUERY_LIMIT_USUAL 50

struct query {
    struct page page; /* its name cursor points to `iterator` */
    bool with_content;
    bool with_message;
    bool with_archived;
    bool expunge;
    bool get_if_exists;
    struct message_filter messages; /* its channel and tag point to the texts below */
    bool has_status;
    enum attempt_status status;
    bool has_status_class;
    unsigned status_class;
    bool has_since, has_until;
    uint64_t since_ms, until_ms;
    bool has_task_status, has_task_kind;
    enum background_status task_status;
    enum background_kind task_kind;
    char *iterator, *channel, *tag, *endpoint; /* owned; NULL if absent */
};

/* Read `text` (without '?') for a route that takes `accepts`. ERR_INVALID: unparsable, `why` is
 * a sentence. Otherwise look into `faults`. query_fini() in any case. */
MUST_USE enum err query_parse(const char *text, unsigned accepts, struct query *out,
                              struct faults *faults, char why[QUERY_WHY_MAX]);
void query_fini(struct query *q);

/* What it takes, by name; how many these are. */
#define QUERY_PARAMETERS_MAX 32
size_t query_names(unsigned accepts, const char *out[QUERY_PARAMETERS_MAX]);

#endif
