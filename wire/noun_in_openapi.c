/* OpenAPI in: event types from the webhooks of a document.
 *
 *   spec ─────────────────────────────► webhook ─► body as of POST /event-type ─► read_event_type
 *   specRaw ─► (YAML ─► JSON ─►) tree ─►     … each of them
 *
 * An event type stands for itself, and its document doesn't come along: what its schema refers to
 * becomes a part of it (openapi_schema.h). */
#include "wire/noun_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/yaml_json.h"
#include "wire/fields.h"
#include "wire/openapi_referrer.h"
#include "wire/openapi_schema.h"

#define BODY_MAX ((size_t)512 << 10) /* bytes; what an event type may be is less */

struct reading {
    const struct json *document;
    const char *at; /* where it is in the body */
    struct openapi_in *into;
    struct faults *faults;
    size_t schemas_len; /* bytes, of all so far */
};

/* One webhook, and its event type as it is written down. */
struct webhook {
    struct reading *reading;
    struct openapi_referrer referrer;
    struct buf body;
    struct json_writer w;
    bool failed; /* and a fault says why */
};

static void read_document(struct reading *r);
static void read_webhook(const char *name, const struct json *item, void *ctx);
static void write_body(struct webhook *h, const char *key, const struct json *item,
                       const struct json *operation);
static void put_schemas(struct webhook *h, const struct json *operation);
static void read_body(struct webhook *h);

/* The document. */

static struct json *parse_json(const void *text, size_t len, struct faults *faults)
{
    struct scan_fault fault;
    struct json *tree;

    if (json_parse(text, len, &tree, &fault) == ERR_OK)
        return tree;
    faults_add(faults, FAULT_JSON, "body/specRaw", "%s at byte %zu", fault.why, fault.offset);
    return NULL;
}

/* NULL: a fault says why. */
static struct json *parse_document(const char *text, struct faults *faults)
{
    struct buf json = BUF_INIT(JSON_TREE_MAX);
    struct yaml_fault fault;
    struct json *tree = NULL;

    if (text[strspn(text, " \t\r\n")] == '{')
        return parse_json(text, strlen(text), faults);
    if (yaml_to_json(text, strlen(text), &json, &fault))
        faults_add(faults, FAULT_VALUE, "body/specRaw", "line %zu: %s", fault.line, fault.why);
    else
        tree = parse_json(json.bytes, json.len, faults);
    buf_fini(&json);
    return tree;
}

static bool is_given(const struct json *body, const char *name)
{
    const struct json *value = json_member(body, name);

    return value && json_type_of(value) != SCAN_NULL;
}

static int compare_types(const void *a, const void *b)
{
    return strcmp((*(struct event_type *const *)a)->name,
                  (*(struct event_type *const *)b)->name);
}

enum err read_openapi(const struct json *body, struct openapi_in *into, struct faults *faults)
{
    struct reading r = { .into = into, .faults = faults, .at = "body/spec" };
    struct json *parsed = NULL;
    struct fields f;

    *into = (struct openapi_in){ 0 };
    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return ERR_OK;
    if (is_given(body, "spec") == is_given(body, "specRaw"))
        return ERR_INVALID;
    field_bool(&f, "dryRun", &into->dry_run);
    field_bool(&f, "replaceAll", &into->replace_all);
    r.document = json_member(body, "spec");
    if (is_given(body, "specRaw")) {
        const char *text = json_text(json_member(body, "specRaw"));
        r.at = "body/specRaw";
        if (!text)
            faults_add(faults, FAULT_JSON, r.at, "a string is expected");
        else
            parsed = parse_document(text, faults);
        r.document = parsed;
    }
    if (faults->count == 0)
        read_document(&r);
    json_free(parsed);
    return ERR_OK;
}

void openapi_in_fini(struct openapi_in *o)
{
    for (size_t i = 0; i < o->count; i++)
        object_unref(&o->types[i]->base);
    free(o->types);
    *o = (struct openapi_in){ 0 };
}

/* Before OpenAPI 3.1 webhooks are an extension. */
static void read_document(struct reading *r)
{
    const char *name = json_member(r->document, "webhooks") ? "webhooks" : "x-webhooks";
    const struct json *webhooks = json_member(r->document, name);
    struct openapi_in *o = r->into;
    char loc[FAULT_LOC_MAX];

    snprintf(loc, sizeof loc, "%s/webhooks", r->at);
    if (json_type_of(webhooks) != SCAN_OBJECT) {
        faults_add(r->faults, webhooks ? FAULT_JSON : FAULT_VALUE, loc,
                   webhooks ? "an object is expected" : "field required");
        return;
    }
    if (json_count(webhooks) > OPENAPI_WEBHOOKS_MAX) {
        faults_add(r->faults, FAULT_VALUE, loc, "at most %d are allowed", OPENAPI_WEBHOOKS_MAX);
        return;
    }
    o->types = xcalloc(json_count(webhooks) + 1, sizeof(struct event_type *));
    json_each(webhooks, read_webhook, r);
    qsort(o->types, o->count, sizeof(struct event_type *), compare_types);
    for (size_t i = 1; i < o->count; i++)
        if (strcmp(o->types[i - 1]->name, o->types[i]->name) == 0)
            faults_add(r->faults, FAULT_VALUE, loc, "two are called %s", o->types[i]->name);
}

/* A webhook. */

static const struct json *operation_of(const struct json *item)
{
    static const char *const METHODS[] = { "post", "put", "patch", "get", "delete" };

    for (size_t i = 0; i < COUNT(METHODS); i++)
        if (json_type_of(json_member(item, METHODS[i])) == SCAN_OBJECT)
            return json_member(item, METHODS[i]);
    return NULL;
}

static void read_webhook(const char *name, const struct json *item, void *ctx)
{
    struct reading *r = ctx;
    struct webhook h = {
        .reading = r,
        .referrer = { .document = r->document, .faults = r->faults },
        .body = BUF_INIT(BODY_MAX),
    };

    if (r->faults->count == FAULTS_MAX || r->schemas_len > OPENAPI_SCHEMAS_MAX)
        return;
    snprintf(h.referrer.loc, sizeof h.referrer.loc, "%s/webhooks/%s", r->at, name);
    item = openapi_resolve(&h.referrer, item);
    if (!item)
        return;
    const struct json *operation = operation_of(item);
    if (!operation) {
        openapi_refuse(&h.referrer, "an operation such as post is expected in it");
        return;
    }
    write_body(&h, name, item, operation);
    if (json_write_end(&h.w))
        openapi_refuse(&h.referrer, "it is too large");
    else if (!h.failed)
        read_body(&h);
    buf_fini(&h.body);
}

static void put_given(struct webhook *h, const char *name, const struct json *value)
{
    if (!value)
        return;
    json_name(&h->w, name);
    json_put_value(&h->w, value);
}

static const struct json *description_of(const struct json *item, const struct json *operation)
{
    static const char *const NAMES[] = { "description", "summary" };
    const struct json *const places[] = { operation, item };

    for (size_t i = 0; i < COUNT(places); i++)
        for (size_t j = 0; j < COUNT(NAMES); j++)
            if (json_member(places[i], NAMES[j]))
                return json_member(places[i], NAMES[j]);
    return NULL;
}

/* A key that is no name of ours may stand for an operation that has one. */
static const char *name_of(const char *key, const struct json *operation)
{
    const char *id = json_text(json_member(operation, "operationId"));

    return !name_is_valid(key, NAME_LEN_MAX) && id ? id : key;
}

static void write_body(struct webhook *h, const char *key, const struct json *item,
                       const struct json *operation)
{
    json_write_begin(&h->w, &h->body);
    json_open_object(&h->w);
    json_add_text(&h->w, "name", name_of(key, operation));
    put_given(h, "description", description_of(item, operation));
    put_given(h, "deprecated", json_member(operation, "deprecated"));
    put_given(h, "featureFlag", json_member(operation, "x-svix-feature-flag"));
    put_given(h, "featureFlags", json_member(operation, "x-svix-feature-flags"));
    put_given(h, "groupName", json_member(operation, "x-svix-group-name"));
    put_schemas(h, operation);
    json_close_object(&h->w);
}

/* Its schema. */

static void take_first(const char *name, const struct json *value, void *ctx)
{
    const struct json **first = ctx;

    (void)name;
    if (!*first)
        *first = value;
}

static const struct json *first_of(const struct json *object)
{
    const struct json *first = NULL;

    if (json_type_of(object) == SCAN_OBJECT)
        json_each(object, take_first, &first);
    return first;
}

/* How the body of the operation is described: {"schema":…,"example":…}. */
static const struct json *media_of(const struct webhook *h, const struct json *operation)
{
    const struct json *body =
        openapi_resolve(&h->referrer, json_member(operation, "requestBody"));
    const struct json *content = json_member(body, "content");
    const struct json *json = json_member(content, "application/json");

    return json ? json : first_of(content);
}

static const struct json *example_of(const struct webhook *h, const struct json *media,
                                     const struct json *schema)
{
    const struct json *first =
        openapi_resolve(&h->referrer, first_of(json_member(media, "examples")));

    if (json_member(media, "example"))
        return json_member(media, "example");
    if (json_member(first, "value"))
        return json_member(first, "value");
    return json_member(schema, "example");
}

static void put_schemas(struct webhook *h, const struct json *operation)
{
    const struct json *media = media_of(h, operation);
    const struct json *schema = openapi_resolve(&h->referrer, json_member(media, "schema"));
    const struct json *example = example_of(h, media, schema);

    if (!schema && !example)
        return;
    json_name(&h->w, "schemas");
    json_open_object(&h->w);
    json_name(&h->w, "1");
    h->failed = !openapi_put_schema(&h->w, &h->referrer, schema, example);
    json_close_object(&h->w);
}

/* As if it had been sent by itself. */
static void read_body(struct webhook *h)
{
    struct reading *r = h->reading;
    struct event_type *type = event_type_new();
    struct faults faults = { .count = 0 };
    struct scan_fault fault;
    struct json *body;
    char loc[FAULT_LOC_MAX];

    if (json_parse(h->body.bytes, h->body.len, &body, &fault)) {
        openapi_refuse(&h->referrer, "%s", fault.why);
        object_unref(&type->base);
        return;
    }
    read_event_type(body, READ_REPLACE, type, &faults);
    json_free(body);
    for (size_t i = 0; i < faults.count; i++) {
        snprintf(loc, sizeof loc, "%s%s", h->referrer.loc,
                 faults.items[i].loc + strlen("body"));
        faults_add(r->faults, faults.items[i].type, loc, "%s", faults.items[i].msg);
    }
    r->schemas_len += type->schemas ? strlen(type->schemas) : 0;
    if (r->schemas_len > OPENAPI_SCHEMAS_MAX)
        openapi_refuse(&h->referrer, "all schemas together have more than 4 MiB");
    if (type->name)
        r->into->types[r->into->count++] = type;
    else
        object_unref(&type->base);
}
