#include "api/query.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/percent.h"
#include "core/clock.h"
#include "core/count.h"
#include "core/mem.h"
#include "wire/noun_in.h"

#define PARAMETER_NAME_MAX  32
#define PARAMETER_VALUE_MAX 8192 /* a header has no room for more than two */

#define PAGES                                                                                  \
    (QUERY_PAGE_APPLICATIONS | QUERY_PAGE_ENDPOINTS | QUERY_PAGE_EVENT_TYPES |                 \
     QUERY_PAGE_MESSAGES | QUERY_PAGE_ATTEMPTS | QUERY_PAGE_DESTINATIONS | QUERY_PAGE_TASKS)

/* Lists that begin with the oldest. */
#define ASCENDING (QUERY_PAGE_APPLICATIONS | QUERY_PAGE_EVENT_TYPES | QUERY_PAGE_DESTINATIONS)

/* One parameter while it is read. */
struct reading {
    struct query *into;
    unsigned accepts;
    struct faults *faults;
    const char *value; /* decoded */
};

static bool read_bool(const char *value, bool *out)
{
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        return false;
    *out = value[0] == 't';
    return true;
}

static bool read_number(const char *value, unsigned *out)
{
    size_t len = strlen(value);

    if (len == 0 || len > 9 || strspn(value, "0123456789") != len)
        return false;
    *out = (unsigned)strtoul(value, NULL, 10);
    return true;
}

static void keep_text(const char *value, char **slot)
{
    free(*slot);
    *slot = xstrdup(value);
}

static bool read_limit(struct reading *r)
{
    if (!read_number(r->value, &r->into->page.limit))
        return false;
    if (r->into->page.limit == 0 || r->into->page.limit > PAGE_LIMIT_MAX)
        faults_add(r->faults, FAULT_VALUE, "query/limit", "must be between 1 and %d",
                   PAGE_LIMIT_MAX);
    return true;
}

static enum id_kind listed_kind(unsigned accepts)
{
    if (accepts & QUERY_PAGE_APPLICATIONS)
        return ID_APPLICATION;
    if (accepts & (QUERY_PAGE_ENDPOINTS | QUERY_PAGE_DESTINATIONS))
        return ID_ENDPOINT;
    if (accepts & QUERY_PAGE_TASKS)
        return ID_TASK;
    return accepts & QUERY_PAGE_MESSAGES ? ID_MESSAGE : ID_ATTEMPT;
}

/* The last item seen, or with a '-' before it the first one, to go back. */
static bool read_iterator(struct reading *r)
{
    struct page *page = &r->into->page;
    bool valid;

    keep_text(r->value, &r->into->iterator);
    page->before = r->value[0] == '-';
    page->has_cursor = true;
    page->name_cursor = NULL;

    const char *at = r->into->iterator + (page->before ? 1 : 0);
    if (r->accepts & QUERY_PAGE_EVENT_TYPES) {
        page->name_cursor = at;
        valid = name_is_valid(at, NAME_LEN_MAX);
    } else {
        valid = id_parse(listed_kind(r->accepts), at, &page->cursor) == ERR_OK;
    }
    if (!valid)
        faults_add(r->faults, FAULT_VALUE, "query/iterator", "isn't an iterator of this list");
    return true;
}

static bool read_order(struct reading *r)
{
    if (strcmp(r->value, "ascending") != 0 && strcmp(r->value, "descending") != 0)
        return false;
    r->into->page.ascending = r->value[0] == 'a';
    return true;
}

static bool read_content(struct reading *r)
{
    return read_bool(r->value, &r->into->with_content);
}

static bool read_archived(struct reading *r)
{
    return read_bool(r->value, &r->into->with_archived);
}

static bool read_expunge(struct reading *r)
{
    return read_bool(r->value, &r->into->expunge);
}

static bool read_get_if_exists(struct reading *r)
{
    return read_bool(r->value, &r->into->get_if_exists);
}

static bool read_before(struct reading *r)
{
    return clock_parse(r->value, &r->into->messages.before_ms) == ERR_OK;
}

static bool read_after(struct reading *r)
{
    return clock_parse(r->value, &r->into->messages.after_ms) == ERR_OK;
}

static bool read_since(struct reading *r)
{
    r->into->has_since = true;
    return clock_parse(r->value, &r->into->since_ms) == ERR_OK;
}

static bool read_until(struct reading *r)
{
    r->into->has_until = true;
    return clock_parse(r->value, &r->into->until_ms) == ERR_OK;
}

static bool read_event_types(struct reading *r)
{
    struct text_list *list = &r->into->messages.event_types;

    for (const char *at = r->value; *at;) {
        size_t len = strcspn(at, ",");
        if (list->count == QUERY_LIST_MAX) {
            faults_add(r->faults, FAULT_VALUE, "query/event_types", "has more than %d entries",
                       QUERY_LIST_MAX);
            return true;
        }
        text_list_add(list, at, len);
        if (!name_is_valid(list->items[list->count - 1], NAME_LEN_MAX))
            faults_add(r->faults, FAULT_VALUE, "query/event_types",
                       "must be names of event types");
        at += len + (at[len] == ',');
    }
    return true;
}

static bool read_channel(struct reading *r)
{
    keep_text(r->value, &r->into->channel);
    r->into->messages.channel = r->into->channel;
    if (!name_is_valid(r->value, CHANNEL_LEN_MAX))
        faults_add(r->faults, FAULT_VALUE, "query/channel", "isn't a channel's name");
    return true;
}

static bool read_tag(struct reading *r)
{
    keep_text(r->value, &r->into->tag);
    r->into->messages.tag = r->into->tag;
    if (!name_is_valid(r->value, CHANNEL_LEN_MAX))
        faults_add(r->faults, FAULT_VALUE, "query/tag", "isn't a tag");
    return true;
}

static bool read_with_message(struct reading *r)
{
    return read_bool(r->value, &r->into->with_message);
}

static bool read_status(struct reading *r)
{
    unsigned status;

    if (!read_number(r->value, &status) || status >= ATTEMPT_STATUSES)
        return false;
    r->into->has_status = true;
    r->into->status = (enum attempt_status)status;
    return true;
}

static bool read_status_class(struct reading *r)
{
    r->into->has_status_class = true;
    return read_number(r->value, &r->into->status_class) && r->into->status_class <= 500 &&
           r->into->status_class % 100 == 0;
}

static bool read_endpoint_id(struct reading *r)
{
    keep_text(r->value, &r->into->endpoint);
    if (!name_is_valid(r->value, NAME_LEN_MAX))
        faults_add(r->faults, FAULT_VALUE, "query/endpoint_id", "isn't an id or uid");
    return true;
}

static bool read_task_status(struct reading *r)
{
    r->into->has_task_status = true;
    return background_status_parse(r->value, &r->into->task_status) == ERR_OK;
}

static bool read_task_kind(struct reading *r)
{
    r->into->has_task_kind = true;
    return background_kind_parse(r->value, &r->into->task_kind) == ERR_OK;
}

#define A_BOOLEAN "must be true or false"
#define A_NUMBER  "must be a whole number"
#define A_DATE    "must be a date such as 2026-11-24T02:57:36Z"

static const struct parameter {
    const char *name;
    unsigned taken_by;
    bool (*read)(struct reading *r); /* false: it isn't what is wanted */
    const char *wanted;
} parameters[] = {
    { "with_content", QUERY_CONTENT | QUERY_SCHEMAS, read_content, A_BOOLEAN },
    { "limit", PAGES, read_limit, A_NUMBER },
    { "iterator", PAGES, read_iterator, NULL },
    { "order", QUERY_PAGE_APPLICATIONS | QUERY_PAGE_ENDPOINTS | QUERY_PAGE_TASKS, read_order,
      "must be ascending or descending" },
    { "include_archived", QUERY_ARCHIVED, read_archived, A_BOOLEAN },
    { "expunge", QUERY_EXPUNGE, read_expunge, A_BOOLEAN },
    { "get_if_exists", QUERY_GET_IF_EXISTS, read_get_if_exists, A_BOOLEAN },
    { "before", QUERY_MESSAGES, read_before, A_DATE },
    { "after", QUERY_MESSAGES, read_after, A_DATE },
    { "since", QUERY_RANGE, read_since, A_DATE },
    { "until", QUERY_RANGE, read_until, A_DATE },
    { "event_types", QUERY_MESSAGES, read_event_types, NULL },
    { "channel", QUERY_MESSAGES, read_channel, NULL },
    { "tag", QUERY_MESSAGES, read_tag, NULL },
    { "status", QUERY_ATTEMPTS | QUERY_STATUS, read_status, "must be a number from 0 to 4" },
    { "status_code_class", QUERY_ATTEMPTS, read_status_class,
      "must be 0, 100, 200, 300, 400 or 500" },
    { "with_msg", QUERY_ATTEMPTS, read_with_message, A_BOOLEAN },
    { "endpoint_id", QUERY_ENDPOINT, read_endpoint_id, NULL },
    { "status", QUERY_TASKS, read_task_status, "must be running, finished or failed" },
    { "task", QUERY_TASKS, read_task_kind, "must be a kind of background task" },
};

static_assert(COUNT(parameters) <= QUERY_PARAMETERS_MAX, "room for all of them");

size_t query_names(unsigned accepts, const char *out[QUERY_PARAMETERS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < COUNT(parameters); i++)
        if (parameters[i].taken_by & accepts)
            out[count++] = parameters[i].name;
    return count;
}

/* Cut the "[]" or "[0]" that some clients put behind the name of a list. */
static void cut_index(char *name)
{
    char *bracket = strchr(name, '[');

    if (bracket && strcmp(bracket + 1 + strspn(bracket + 1, "0123456789"), "]") == 0)
        *bracket = 0;
}

static const struct parameter *find_parameter(const char *text, size_t len, unsigned accepts)
{
    char name[PARAMETER_NAME_MAX];

    if (percent_decode(text, len, PERCENT_QUERY, name, sizeof name))
        return NULL;
    cut_index(name);
    for (size_t i = 0; i < COUNT(parameters); i++)
        if ((parameters[i].taken_by & accepts) && strcmp(parameters[i].name, name) == 0)
            return &parameters[i];
    return NULL;
}

static void refuse(struct faults *faults, const struct parameter *p)
{
    char loc[FAULT_LOC_MAX];

    snprintf(loc, sizeof loc, "query/%s", p->name);
    faults_add(faults, FAULT_VALUE, loc, "%s", p->wanted);
}

enum err query_parse(const char *text, unsigned accepts, struct query *out,
                     struct faults *faults, char why[QUERY_WHY_MAX])
{
    char value[PARAMETER_VALUE_MAX];
    struct reading reading = { .into = out, .accepts = accepts, .faults = faults };

    *out = (struct query){ .with_content = !(accepts & QUERY_SCHEMAS) };
    out->page.limit = QUERY_LIMIT_USUAL;
    out->page.ascending = (accepts & ASCENDING) != 0;

    for (const char *at = text; *at;) {
        size_t len = strcspn(at, "&"), name_len = strcspn(at, "=&");
        const struct parameter *p = find_parameter(at, name_len, accepts);
        const char *from = at + name_len + (name_len < len);
        reading.value = value;
        if (p && percent_decode(from, (size_t)(at + len - from), PERCENT_QUERY, value,
                                sizeof value)) {
            snprintf(why, QUERY_WHY_MAX, "Failed to parse the query string: %s", p->name);
            return ERR_INVALID;
        }
        if (p && !p->read(&reading))
            refuse(faults, p);
        at += len + (at[len] == '&');
    }
    return ERR_OK;
}

void query_fini(struct query *q)
{
    text_list_fini(&q->messages.event_types);
    free(q->iterator);
    free(q->channel);
    free(q->tag);
    free(q->endpoint);
}
