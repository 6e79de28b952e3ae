#include "core/yaml_json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "core/count.h"

struct level {
    bool is_mapping;
    bool has_key; /* of a mapping: its value comes next */
    bool comma;   /* something stands before */
};

struct translation {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    struct buf *out;
    struct yaml_fault *fault;
    unsigned depth;
    struct level levels[YAML_DEPTH_MAX + 1]; /* [0] is the document's own */
    enum err err;
};

static void translate(struct translation *t);
static void on_scalar(struct translation *t);
static void open_container(struct translation *t, bool is_mapping);
static void close_container(struct translation *t);

static void refuse(struct translation *t, enum err err, size_t line, const char *why)
{
    t->err = err;
    t->fault->line = line;
    snprintf(t->fault->why, sizeof t->fault->why, "%s", why);
}

static void refuse_here(struct translation *t, enum err err, const char *why)
{
    refuse(t, err, t->event.start_mark.line + 1, why);
}

static void refuse_text(struct translation *t)
{
    const yaml_parser_t *p = &t->parser;

    refuse(t, p->error == YAML_MEMORY_ERROR ? ERR_LIMIT : ERR_INVALID, p->problem_mark.line + 1,
           p->problem ? p->problem : "isn't YAML");
}

enum err yaml_to_json(const char *text, size_t len, struct buf *out, struct yaml_fault *fault)
{
    struct translation t = { .out = out, .fault = fault };

    if (!yaml_parser_initialize(&t.parser)) {
        refuse(&t, ERR_LIMIT, 1, "needs too much memory");
        return t.err;
    }
    yaml_parser_set_encoding(&t.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&t.parser, (const unsigned char *)text, len);
    translate(&t);
    yaml_event_delete(&t.event);
    yaml_parser_delete(&t.parser);
    return t.err;
}

static void next(struct translation *t)
{
    yaml_event_delete(&t->event);
    if (!yaml_parser_parse(&t->parser, &t->event))
        refuse_text(t);
}

static void translate(struct translation *t)
{
    unsigned documents = 0;

    for (next(t); !t->err && t->event.type != YAML_STREAM_END_EVENT; next(t))
        switch (t->event.type) {
        case YAML_DOCUMENT_START_EVENT:
            if (++documents > 1)
                refuse_here(t, ERR_INVALID, "a second document begins");
            break;
        case YAML_SCALAR_EVENT:
            on_scalar(t);
            break;
        case YAML_MAPPING_START_EVENT:
        case YAML_SEQUENCE_START_EVENT:
            open_container(t, t->event.type == YAML_MAPPING_START_EVENT);
            break;
        case YAML_MAPPING_END_EVENT:
        case YAML_SEQUENCE_END_EVENT:
            close_container(t);
            break;
        case YAML_ALIAS_EVENT:
            refuse_here(t, ERR_INVALID, "aliases aren't supported");
            break;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        }
    if (!t->err && documents == 0)
        refuse(t, ERR_INVALID, 1, "there is no document");
}

static void put(struct translation *t, const char *bytes, size_t len)
{
    if (!t->err && buf_append(t->out, bytes, len))
        refuse_here(t, ERR_LIMIT, "it is too large");
}

static void put_text(struct translation *t, const char *text)
{
    put(t, text, strlen(text));
}

/* libyaml has seen that it is UTF-8. */
static void put_string(struct translation *t, const char *text, size_t len)
{
    put_text(t, "\"");
    for (size_t i = 0, plain; i < len; i += plain) {
        char escape[sizeof "\\u0000"];

        for (plain = 0; i + plain < len; plain++)
            if ((unsigned char)text[i + plain] < 0x20 || strchr("\\\"", text[i + plain]))
                break;
        put(t, text + i, plain);
        if (i + plain == len)
            break;
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned char)text[i + plain]);
        put_text(t, escape);
        plain++;
    }
    put_text(t, "\"");
}

static size_t digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool is_number(const char *text)
{
    text += *text == '-';
    if (digits(text) == 0 || (*text == '0' && digits(text) > 1))
        return false;
    text += digits(text);
    if (*text == '.') {
        if (digits(++text) == 0)
            return false;
        text += digits(text);
    }
    if (*text == 'e' || *text == 'E') {
        text += text[1] == '+' || text[1] == '-' ? 2 : 1;
        if (digits(text) == 0)
            return false;
        text += digits(text);
    }
    return *text == '\0';
}

/* What a plain scalar stands for in JSON; NULL: a string. */
static const char *meaning_of(const char *text)
{
    static const struct {
        const char *words[4], *json;
    } MEANINGS[] = {
        { { "null", "Null", "NULL", "~" }, "null" },
        { { "true", "True", "TRUE" }, "true" },
        { { "false", "False", "FALSE" }, "false" },
    };

    if (*text == '\0')
        return "null";
    for (size_t i = 0; i < COUNT(MEANINGS); i++)
        for (size_t j = 0; j < COUNT(MEANINGS[i].words) && MEANINGS[i].words[j]; j++)
            if (strcmp(text, MEANINGS[i].words[j]) == 0)
                return MEANINGS[i].json;
    return is_number(text) ? text : NULL;
}

/* What stands between the item that comes and the one before. True: it is a key. */
static bool begin_item(struct translation *t)
{
    struct level *level = &t->levels[t->depth];

    if (level->is_mapping && level->has_key) {
        put_text(t, ":");
        level->has_key = false;
        return false;
    }
    if (level->comma)
        put_text(t, ",");
    level->comma = true;
    level->has_key = level->is_mapping;
    return level->is_mapping;
}

static void on_scalar(struct translation *t)
{
    const char *text = (const char *)t->event.data.scalar.value;
    size_t len = t->event.data.scalar.length;
    bool is_plain = t->event.data.scalar.plain_implicit && strlen(text) == len;
    const char *meaning = begin_item(t) || !is_plain ? NULL : meaning_of(text);

    if (meaning)
        put_text(t, meaning);
    else
        put_string(t, text, len);
}

static void open_container(struct translation *t, bool is_mapping)
{
    if (t->depth == YAML_DEPTH_MAX) {
        refuse_here(t, ERR_LIMIT, "it is nested too deeply");
        return;
    }
    if (begin_item(t)) {
        refuse_here(t, ERR_INVALID, "a key must be a name");
        return;
    }
    t->levels[++t->depth] = (struct level){ .is_mapping = is_mapping };
    put_text(t, is_mapping ? "{" : "[");
}

static void close_container(struct translation *t)
{
    put_text(t, t->levels[t->depth--].is_mapping ? "}" : "]");
}
