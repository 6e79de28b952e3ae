#include "core/count.h"
#include "wire/noun_in.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "wire/header.h"

#define HEADERS_MAX          50
#define HEADER_NAME_LEN_MAX  256
#define HEADER_VALUE_LEN_MAX 4096
#define HEADERS_TEXT_MAX     (1u << 20)

/* Ours, the connection's, or a matter between proxies and browsers. */
static const char *const RESERVED[] = {
    "host",
    "connection",
    "user-agent",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "age",
    "cache-control",
    "clear-site-data",
    "expires",
    "pragma",
    "warning",
    "content-length",
    "content-type",
    "content-encoding",
    "content-language",
    "content-location",
};

static const char *const RESERVED_PREFIXES[] = {
    "x-amz-",   "x-amzn-", "x-google", "x-goog-", "x-gfe",
    "x-azure-", "x-fd-",   "x-svix-",  "svix-",   "webhook-",
};

/* Borrowed from the trees it was read from. */
struct header {
    const char *name, *value;
};

struct header_set {
    size_t count;
    struct header items[HEADERS_MAX];
    bool merging; /* a name that is there is replaced, null removes it */
    struct faults *faults;
};

/* Rules. */

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < COUNT(RESERVED); i++)
        if (strcasecmp(name, RESERVED[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT(RESERVED_PREFIXES); i++)
        if (strncasecmp(name, RESERVED_PREFIXES[i], strlen(RESERVED_PREFIXES[i])) == 0)
            return true;
    return false;
}

static bool is_header_name(const char *name)
{
    size_t len = header_name_length(name);

    return len > 0 && len <= HEADER_NAME_LEN_MAX && name[len] == '\0';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Visible ASCII, with white space inside but not around it. */
static bool is_header_value(const char *value)
{
    size_t len = strlen(value);

    if (len == 0 || len > HEADER_VALUE_LEN_MAX || is_blank(value[0]) ||
        is_blank(value[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_blank(value[i]) && (value[i] <= 0x20 || value[i] >= 0x7f))
            return false;
    return true;
}

/* The set. */

static struct header *find(struct header_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcasecmp(set->items[i].name, name) == 0)
            return &set->items[i];
    return NULL;
}

static void remove_header(struct header_set *set, const char *name)
{
    struct header *header = find(set, name);
    size_t index = header ? (size_t)(header - set->items) : set->count;

    if (!header)
        return;
    memmove(header, header + 1, (set->count - index - 1) * sizeof *header);
    set->count--;
}

static void put_header(struct header_set *set, const char *name, const char *value,
                       const char *loc)
{
    struct header *header = find(set, name);

    if (header && !set->merging) {
        faults_add(set->faults, FAULT_VALUE, loc, "the header is given twice");
    } else if (header) {
        *header = (struct header){ name, value };
    } else if (set->count == HEADERS_MAX) {
        faults_add(set->faults, FAULT_VALUE, "body/headers", "at most %d headers are allowed",
                   HEADERS_MAX);
    } else {
        set->items[set->count++] = (struct header){ name, value };
    }
}

static void on_header(const char *name, const struct json *value, void *ctx)
{
    struct header_set *set = ctx;
    char loc[FAULT_LOC_MAX];
    const char *text = json_text(value);

    snprintf(loc, sizeof loc, "body/headers/%s", name);
    if (!is_header_name(name))
        faults_add(set->faults, FAULT_VALUE, loc, "not a header name");
    else if (set->merging && json_type_of(value) == SCAN_NULL)
        remove_header(set, name);
    else if (!text)
        faults_add(set->faults, FAULT_JSON, loc, "a string is expected");
    else if (is_reserved(name))
        faults_add(set->faults, FAULT_VALUE, loc, "this header can't be set");
    else if (!is_header_value(text))
        faults_add(set->faults, FAULT_VALUE, loc,
                   "a header value is 1 to %d visible ASCII characters", HEADER_VALUE_LEN_MAX);
    else
        put_header(set, name, text, loc);
}

static void delete_headers(struct header_set *set, const struct json *names)
{
    if (!names || json_type_of(names) == SCAN_NULL)
        return;
    if (json_type_of(names) != SCAN_ARRAY)
        faults_add(set->faults, FAULT_JSON, "body/deleteHeaders",
                   "an array of strings is expected");
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_at(names, i));
        if (name)
            remove_header(set, name);
        else
            faults_add(set->faults, FAULT_JSON, "body/deleteHeaders", "a string is expected");
    }
}

/* NULL when the set is empty. HEADERS_TEXT_MAX holds the largest one, escapes included. */
static char *write_set(const struct header_set *set)
{
    struct buf text = BUF_INIT(HEADERS_TEXT_MAX);
    struct json_writer w;
    char *copy = NULL;

    json_write_begin(&w, &text);
    json_open_object(&w);
    for (size_t i = 0; i < set->count; i++) {
        json_add_text(&w, set->items[i].name, set->items[i].value);
    }
    json_close_object(&w);
    if (json_write_end(&w) == ERR_OK && set->count > 0)
        copy = xstrdup(buf_text(&text));
    buf_fini(&text);
    return copy;
}

/* Bodies. */

static void load_current(const char *name, const struct json *value, void *ctx)
{
    struct header_set *set = ctx;

    if (json_text(value) && set->count < HEADERS_MAX)
        set->items[set->count++] = (struct header){ name, json_text(value) };
}

void read_endpoint_headers(const struct json *body, enum read_mode mode, const char *current,
                           char **out_headers, struct faults *faults)
{
    struct header_set set = { .merging = mode == READ_PATCH, .faults = faults };
    const struct json *headers = json_member(body, "headers");
    const struct json *deleted = json_member(body, "deleteHeaders");
    struct json *stored = NULL;
    struct scan_fault fault;

    if (set.merging && current &&
        json_parse(current, strlen(current), &stored, &fault) == ERR_OK)
        json_each(stored, load_current, &set);
    if (json_type_of(body) != SCAN_OBJECT)
        faults_add(faults, FAULT_JSON, "body", "an object is expected");
    else if (!headers && !(set.merging && deleted))
        faults_add(faults, FAULT_VALUE, "body/headers", "field required");
    else if (headers && json_type_of(headers) != SCAN_OBJECT)
        faults_add(faults, FAULT_JSON, "body/headers", "an object is expected");
    if (set.merging)
        delete_headers(&set, deleted);
    json_each(headers, on_header, &set);
    *out_headers = write_set(&set);
    json_free(stored);
}

/* Lines. */

struct line_list {
    struct text_list lines;
    bool broken;
};

static void add_line(const char *name, const struct json *value, void *ctx)
{
    struct line_list *list = ctx;
    const char *text = json_text(value);
    char line[HEADER_NAME_LEN_MAX + HEADER_VALUE_LEN_MAX + sizeof ": "];

    if (!text || !is_header_name(name) || !is_header_value(text)) {
        list->broken = true;
        return;
    }
    int len = snprintf(line, sizeof line, "%s: %s", name, text);
    text_list_add(&list->lines, line, (size_t)len);
}

enum err read_header_lines(const void *json, size_t len, struct text_list *out_lines)
{
    struct line_list list = { 0 };
    struct scan_fault fault;
    struct json *root;
    enum err err = json_parse(json, len, &root, &fault);

    if (err)
        return err;
    json_each(root, add_line, &list);
    if (json_type_of(root) != SCAN_OBJECT || list.broken || json_count(root) > HEADERS_MAX) {
        text_list_fini(&list.lines);
        err = ERR_INVALID;
    } else {
        *out_lines = list.lines;
    }
    json_free(root);
    return err;
}
