#include "wire/openapi_schema.h"

#include <stdio.h>
#include <string.h>

#include "core/model.h"

#define DEFINITIONS_MAX 1000 /* in one schema */
#define COMPONENTS      "#/components/schemas/"
#define DEFINITIONS     "#/definitions/"

struct schema {
    const struct openapi_referrer *referrer;
    struct json_writer *w;
    struct text_list definitions; /* what it refers to, by name */
    bool failed;                  /* and a fault says why */
};

static void put_outermost(struct schema *s, const struct json *value, bool has_example);
static void put_schema(struct schema *s, const struct json *value);
static void put_definitions(struct schema *s);

bool openapi_put_schema(struct json_writer *w, const struct openapi_referrer *referrer,
                        const struct json *schema, const struct json *example)
{
    struct schema s = { .referrer = referrer, .w = w };

    json_open_object(w);
    put_outermost(&s, schema, example != NULL);
    if (example) {
        json_name(w, "examples");
        json_open_array(w);
        json_put_value(w, example);
        json_close_array(w);
    }
    put_definitions(&s);
    json_close_object(w);
    text_list_fini(&s.definitions);
    return !s.failed;
}

static bool is_one_of(const char *name, const char *const names[])
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void put_reference(struct schema *s, const char *reference)
{
    char name[NAME_LEN_MAX + 1], text[2 * NAME_LEN_MAX + sizeof DEFINITIONS];
    const char *at = reference + strlen(COMPONENTS);

    if (strncmp(reference, COMPONENTS, strlen(COMPONENTS)) != 0 ||
        !openapi_take_part(&at, name) || *at != '\0') {
        openapi_refuse(s->referrer, "%s: a schema can refer to " COMPONENTS "NAME alone",
                       reference);
        s->failed = true;
        return;
    }
    if (!text_list_has(&s->definitions, name))
        text_list_add(&s->definitions, name, strlen(name));
    if (s->definitions.count > DEFINITIONS_MAX) {
        openapi_refuse(s->referrer, "its schema refers to more than %d others",
                       DEFINITIONS_MAX);
        s->failed = true;
    }
    snprintf(text, sizeof text, DEFINITIONS "%s", reference + strlen(COMPONENTS));
    json_put_text(s->w, text);
}

/* A schema by any name. */
static void put_named_schema(const char *name, const struct json *value, void *ctx)
{
    struct schema *s = ctx;

    if (s->failed || s->w->err)
        return;
    json_name(s->w, name);
    put_schema(s, value);
}

static void put_schema_member(const char *name, const struct json *value, void *ctx)
{
    static const char *const DATA[] = {
        "example", "examples", "default", "enum", "const", NULL
    };
    static const char *const SCHEMAS[] = { "properties", "patternProperties", "definitions",
                                           "$defs",      "dependentSchemas",  NULL };
    struct schema *s = ctx;

    if (s->failed || s->w->err)
        return;
    json_name(s->w, name);
    if (is_one_of(name, DATA)) {
        json_put_value(s->w, value);
    } else if (is_one_of(name, SCHEMAS) && json_type_of(value) == SCAN_OBJECT) {
        json_open_object(s->w);
        json_each(value, put_named_schema, s);
        json_close_object(s->w);
    } else if (strcmp(name, "$ref") == 0 && json_text(value) && json_text(value)[0] == '#') {
        put_reference(s, json_text(value));
    } else {
        put_schema(s, value);
    }
}

/* As json_put_value(), but that references lead into `definitions`. Ends as deep as the parser. */
static void put_schema(struct schema *s, const struct json *value)
{
    switch (json_type_of(value)) {
    case SCAN_OBJECT:
        json_open_object(s->w);
        json_each(value, put_schema_member, s);
        json_close_object(s->w);
        break;
    case SCAN_ARRAY:
        json_open_array(s->w);
        for (size_t i = 0; !s->failed && !s->w->err && i < json_count(value); i++)
            put_schema(s, json_at(value, i));
        json_close_array(s->w);
        break;
    case SCAN_NONE:
    case SCAN_NULL:
    case SCAN_FALSE:
    case SCAN_TRUE:
    case SCAN_NUMBER:
    case SCAN_STRING:
        json_put_value(s->w, value);
        break;
    }
}

/* The outermost members but those that are written anew. */
static void put_root_member(const char *name, const struct json *value, void *ctx)
{
    if (strcmp(name, "definitions") != 0 && strcmp(name, "example") != 0)
        put_schema_member(name, value, ctx);
}

static void put_root_member_but_examples(const char *name, const struct json *value, void *ctx)
{
    if (strcmp(name, "examples") != 0)
        put_root_member(name, value, ctx);
}

static void put_outermost(struct schema *s, const struct json *value, bool has_example)
{
    if (json_type_of(value) == SCAN_OBJECT)
        json_each(value, has_example ? put_root_member_but_examples : put_root_member, s);
    else if (value)
        openapi_refuse(s->referrer, "its schema must be an object");
}

/* Each adds what it refers to itself. */
static void put_definitions(struct schema *s)
{
    const struct json *components = json_member(s->referrer->document, "components");
    const struct json *schemas = json_member(components, "schemas");

    if (s->definitions.count == 0)
        return;
    json_name(s->w, "definitions");
    json_open_object(s->w);
    for (size_t i = 0; !s->failed && i < s->definitions.count; i++) {
        const char *name = s->definitions.items[i];
        const struct json *schema = json_member(schemas, name);
        s->failed = !schema;
        if (schema)
            put_named_schema(name, schema, s);
        else
            openapi_refuse(s->referrer, COMPONENTS "%s isn't in the document", name);
    }
    json_close_object(s->w);
}
