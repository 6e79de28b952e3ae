#include "core/document.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <yaml.h>

#include "core/count.h"

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    const char *text;
    enum err (*on_setting)(const struct document_setting *setting, void *ctx);
    void *ctx;
    struct document_fault *fault;
};

static enum err read_document(struct reader *r);
static enum err read_mapping(struct reader *r, const char *prefix, unsigned depth);
static enum err read_value(struct reader *r, const char *key, size_t line, unsigned depth);
static enum err read_list(struct reader *r, struct text_list *items);

static size_t line_of(const yaml_event_t *event)
{
    return event->start_mark.line + 1;
}

static enum err refuse(struct reader *r, enum err err, const char *why)
{
    r->fault->line = line_of(&r->event);
    snprintf(r->fault->why, sizeof r->fault->why, "%s", why);
    return err;
}

/* libyaml knows the line of what it couldn't parse, but only the offset of what it couldn't
 * decode. */
static size_t problem_line(const struct reader *r)
{
    size_t line = 1;

    if (r->parser.error != YAML_READER_ERROR)
        return r->parser.problem_mark.line + 1;
    for (size_t i = 0; i < r->parser.problem_offset; i++)
        line += r->text[i] == '\n';
    return line;
}

static enum err from_yaml(struct reader *r)
{
    const char *context = r->parser.context, *problem = r->parser.problem;

    if (r->parser.error == YAML_MEMORY_ERROR)
        return refuse(r, ERR_LIMIT, "needs too much memory");
    r->fault->line = problem_line(r);
    snprintf(r->fault->why, sizeof r->fault->why, "isn't YAML: %s%s%s", context ? context : "",
             context ? ", " : "", problem ? problem : "unknown problem");
    return ERR_INVALID;
}

static enum err next(struct reader *r)
{
    yaml_event_delete(&r->event);
    return yaml_parser_parse(&r->parser, &r->event) ? ERR_OK : from_yaml(r);
}

enum err document_read(const char *text, size_t len,
                       enum err (*on_setting)(const struct document_setting *setting,
                                              void *ctx),
                       void *ctx, struct document_fault *fault)
{
    struct reader r = { .text = text, .on_setting = on_setting, .ctx = ctx, .fault = fault };

    if (!yaml_parser_initialize(&r.parser))
        return refuse(&r, ERR_LIMIT, "needs too much memory");
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, len);
    enum err err = read_document(&r);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return err;
}

static enum err read_document(struct reader *r)
{
    enum err err = next(r); /* the start of the stream */

    if (!err)
        err = next(r);
    if (err || r->event.type == YAML_STREAM_END_EVENT)
        return err;
    err = next(r);
    if (err)
        return err;
    if (r->event.type == YAML_MAPPING_START_EVENT)
        err = read_mapping(r, "", 1);
    else if (r->event.type != YAML_SCALAR_EVENT || r->event.data.scalar.length > 0)
        err = refuse(r, ERR_INVALID, "expected \"key: value\"");

    if (!err)
        err = next(r); /* the end of the document */
    if (!err)
        err = next(r);
    if (!err && r->event.type != YAML_STREAM_END_EVENT)
        err = refuse(r, ERR_INVALID, "a second document begins");
    return err;
}

/* The bytes of a scalar may hold a NUL when it is quoted. */
static bool is_text(const yaml_event_t *event)
{
    return strlen((const char *)event->data.scalar.value) == event->data.scalar.length;
}

static enum err read_mapping(struct reader *r, const char *prefix, unsigned depth)
{
    char key[DOCUMENT_KEY_MAX];

    if (depth > DOCUMENT_DEPTH_MAX)
        return refuse(r, ERR_LIMIT, "nested too deeply");
    for (;;) {
        enum err err = next(r);
        if (err || r->event.type == YAML_MAPPING_END_EVENT)
            return err;
        if (r->event.type != YAML_SCALAR_EVENT || !is_text(&r->event))
            return refuse(r, ERR_INVALID, "a key must be a name");

        size_t line = line_of(&r->event);
        int len = snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "",
                           (const char *)r->event.data.scalar.value);
        if ((size_t)len >= sizeof key)
            return refuse(r, ERR_LIMIT, "the key is too long");
        err = next(r);
        if (!err)
            err = read_value(r, key, line, depth);
        if (err)
            return err;
    }
}

static bool is_nothing(const yaml_event_t *event)
{
    static const char *const words[] = { "", "~", "null", "Null", "NULL" };

    if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < COUNT(words); i++)
        if (strcmp((const char *)event->data.scalar.value, words[i]) == 0)
            return true;
    return false;
}

static enum err add_item(struct reader *r, struct text_list *items)
{
    if (!is_text(&r->event))
        return refuse(r, ERR_INVALID, "a value contains a NUL character");
    if (items->count == DOCUMENT_ITEMS_MAX)
        return refuse(r, ERR_LIMIT, "the list is too long");
    text_list_add(items, (const char *)r->event.data.scalar.value, r->event.data.scalar.length);
    return ERR_OK;
}

static enum err read_value(struct reader *r, const char *key, size_t line, unsigned depth)
{
    struct document_setting setting = { .key = key, .line = line };
    enum err err = ERR_OK;

    if (r->event.type == YAML_MAPPING_START_EVENT)
        return read_mapping(r, key, depth + 1);

    if (r->event.type == YAML_SEQUENCE_START_EVENT) {
        setting.kind = DOCUMENT_LIST;
        err = read_list(r, &setting.items);
    } else if (r->event.type != YAML_SCALAR_EVENT) {
        err = refuse(r, ERR_INVALID, "aliases aren't supported");
    } else if (!is_nothing(&r->event)) {
        setting.kind = DOCUMENT_VALUE;
        err = add_item(r, &setting.items);
    }
    if (!err)
        err = r->on_setting(&setting, r->ctx);
    text_list_fini(&setting.items);
    return err;
}

static enum err read_list(struct reader *r, struct text_list *items)
{
    for (;;) {
        enum err err = next(r);
        if (err || r->event.type == YAML_SEQUENCE_END_EVENT)
            return err;
        if (r->event.type != YAML_SCALAR_EVENT)
            return refuse(r, ERR_INVALID, "a list holds plain values only");
        err = add_item(r, items);
        if (err)
            return err;
    }
}

/* Whether a reader of YAML takes it for just this text. */
static bool is_plain(const char *text)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off" };

    for (size_t i = 0; i < COUNT(words); i++)
        if (strcasecmp(text, words[i]) == 0)
            return false;
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("/._-:", *c))
            return false;
    return (isalnum((unsigned char)*text) || *text == '/') && text[strlen(text) - 1] != ':';
}

enum err document_append_scalar(const char *text, struct buf *out)
{
    if (is_plain(text))
        return buf_append_text(out, text);
    enum err err = buf_append_text(out, "\"");
    for (const char *c = text; *c && !err; c++)
        err = buf_printf(out, strchr("\\\"", *c) ? "\\%c" : "%c", *c);
    return err ? err : buf_append_text(out, "\"");
}
