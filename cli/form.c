#include "cli/form.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/instant.h"
#include "cli/say.h"
#include "cli/status.h"
#include "core/clock.h"
#include "core/mem.h"
#include "wire/courier.h"
#include "wire/json.h"

#define NAME_MAX_LEN 32 /* of an option in a path's braces */

static enum err put_member(const struct line *line, const struct option *option,
                           struct json_writer *w);

enum err form_escape(const char *text, struct buf *out)
{
    enum err err = ERR_OK;

    for (const char *c = text; *c && !err; c++) {
        if (isalnum((unsigned char)*c) || strchr("-._~", *c))
            err = buf_append(out, c, 1);
        else
            err = buf_printf(out, "%%%02X", (unsigned char)*c);
    }
    return err;
}

static const char *brace_value(const struct line *line, const char *name, size_t len)
{
    char text[NAME_MAX_LEN];

    snprintf(text, sizeof text, "%.*s", (int)len, name);
    if (isdigit((unsigned char)text[0]))
        return line_argument(line, (size_t)(text[0] - '1'));
    return line_text(line, text);
}

/* An empty name, or one that a URL is shortened by, would ask for something else. */
static enum err put_part(const char *name, struct buf *out)
{
    if (name[0] != '\0' && strcmp(name, ".") != 0 && strcmp(name, "..") != 0)
        return form_escape(name, out);
    say("'%s' is no id or uid", name);
    return ERR_INVALID;
}

enum err form_path(const struct line *line, const char *pattern, struct buf *out)
{
    enum err err = ERR_OK;

    while (*pattern && !err) {
        size_t plain = strcspn(pattern, "{");

        err = buf_append(out, pattern, plain);
        pattern += plain;
        if (err || *pattern == '\0')
            break;
        size_t len = strcspn(++pattern, "}");
        err = put_part(brace_value(line, pattern, len), out);
        pattern += len + 1;
    }
    if (err == ERR_LIMIT)
        say("the arguments are too long");
    return err;
}

struct joined {
    struct buf *out;
    size_t count;
    enum err err;
};

static void join(const char *value, void *ctx)
{
    struct joined *joined = ctx;

    if (!joined->err && joined->count++ > 0)
        joined->err = buf_append_text(joined->out, ",");
    if (!joined->err)
        joined->err = buf_append_text(joined->out, value);
}

/* What was given of a list, one after the other. */
static enum err put_joined(const struct line *line, const char *option, struct buf *out)
{
    struct buf list = BUF_INIT(URL_LEN_MAX);
    struct joined joined = { .out = &list };
    enum err err;

    line_each(line, option, join, &joined);
    err = joined.err ? joined.err : form_escape(buf_text(&list), out);
    buf_fini(&list);
    return err;
}

static uint64_t instant_of(const struct option *option, const char *value)
{
    uint64_t instant_ms;

    if (!instant_parse(value, clock_now().wall_ms, &instant_ms))
        abort(); /* line.c has looked at it */
    return instant_ms > 0 ? instant_ms + (uint64_t)option->shift_ms : 0;
}

static enum err put_time(const struct option *option, const char *value, struct buf *out)
{
    char text[CLOCK_TEXT_MAX];

    clock_format(instant_of(option, value), text);
    return form_escape(text, out);
}

static enum attempt_status status_of(const char *value)
{
    enum attempt_status status;

    if (!status_parse(value, &status))
        abort(); /* likewise */
    return status;
}

static enum err put_parameter(const struct line *line, const struct option *option,
                              struct buf *out)
{
    const char *value = line_text(line, option->name);
    enum err err = ERR_OK;

    if (!value)
        value = option->kind == OPTION_NO ? "false" : "true";
    if (out->len > 0)
        err = buf_append_text(out, "&");
    if (!err)
        err = buf_printf(out, "%s=", option->member);
    if (!err && option->kind == OPTION_LIST)
        return put_joined(line, option->name, out);
    if (!err && option->kind == OPTION_TIME)
        return put_time(option, value, out);
    if (!err && option->kind == OPTION_STATUS)
        return buf_printf(out, "%d", status_of(value));
    return err ? err : form_escape(value, out);
}

enum err form_query(const struct line *line, struct buf *out)
{
    const struct command *command = line_command(line);
    enum err err = ERR_OK;

    for (size_t i = 0; i < COMMAND_GROUPS_MAX && command->groups[i]; i++)
        for (const struct option *o = command->groups[i]->options; o->name && !err; o++)
            if (o->place == OPTION_QUERY && line_has(line, o->name))
                err = put_parameter(line, o, out);
    return err;
}

/* How long the name of the object is that the member is in; 0 = none. */
static size_t outer_len(const struct option *option)
{
    const char *inner = option->member ? strchr(option->member, '/') : NULL;

    return inner ? (size_t)(inner - option->member) : 0;
}

static bool is_member(const struct line *line, const struct option *option)
{
    return option->place == OPTION_BODY && line_has(line, option->name);
}

/* The object that holds the member of `*option`, with all others of it that are given: they
 * stand in a row. `*option` moves to the last of them. */
static enum err put_outer(const struct line *line, const struct option **option,
                          struct json_writer *w)
{
    const struct option *o = *option;
    size_t len = outer_len(o);
    char *outer = xmemdup(o->member, len);
    enum err err = ERR_OK;

    json_name(w, outer);
    json_open_object(w);
    for (; o->name && outer_len(o) == len && memcmp(o->member, outer, len) == 0; o++)
        if (!err && is_member(line, o))
            err = put_member(line, o, w);
    json_close_object(w);
    free(outer);
    *option = o - 1;
    return err;
}

enum err form_members(const struct line *line, struct json_writer *w)
{
    const struct command *command = line_command(line);
    enum err err = ERR_OK;

    for (size_t i = 0; i < COMMAND_GROUPS_MAX && command->groups[i]; i++) {
        for (const struct option *o = command->groups[i]->options; o->name && !err; o++) {
            if (!is_member(line, o))
                continue;
            if (outer_len(o) > 0)
                err = put_outer(line, &o, w);
            else
                err = put_member(line, o, w);
        }
    }
    return err;
}

enum err form_body(const struct line *line, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    enum err err = form_members(line, &w);
    if (err)
        return err;
    json_close_object(&w);
    err = json_write_end(&w);
    if (err)
        say("the request is too large");
    return err;
}

static void put_list(const char *value, void *ctx)
{
    struct json_writer *w = ctx;

    for (;;) {
        size_t len = strcspn(value, ",");

        json_put_bytes(w, value, len);
        if (value[len] == '\0')
            break;
        value += len + 1;
    }
}

/* "name=value" or "Name: value" as a member. */
static void put_split(struct json_writer *w, const char *text, size_t name_len)
{
    char *name = xmemdup(text, name_len);
    const char *value = text + name_len + 1;

    json_add_text(w, name, value + strspn(value, " \t"));
    free(name);
}

static void put_pair(const char *value, void *ctx)
{
    if (*value)
        put_split(ctx, value, strcspn(value, "="));
}

static void put_header(const char *value, void *ctx)
{
    if (*value)
        put_split(ctx, value, strcspn(value, ":"));
}

static enum err put_json(struct json_writer *w, const struct option *option, const char *value)
{
    struct buf text = BUF_INIT(FILE_LEN_MAX);
    struct scan_fault fault;
    enum scan_type type;
    enum err err;

    if (value[0] == '@' || strcmp(value, "-") == 0)
        err = file_read(value[0] == '@' ? value + 1 : "-", &text);
    else
        err = buf_append_text(&text, value);
    if (!err) {
        err = scan_json(text.bytes, text.len, NULL, 0, &type, &fault);
        if (err)
            say("--%s: not JSON: %s at byte %zu", option->name, fault.why, fault.offset);
        else
            json_put_raw(w, text.bytes, text.len);
    }
    buf_fini(&text);
    return err;
}

static enum err put_member(const struct line *line, const struct option *option,
                           struct json_writer *w)
{
    const char *value = line_text(line, option->name);
    size_t outer = outer_len(option);

    json_name(w, option->member + (outer > 0 ? outer + 1 : 0));
    if (value && line_unsets(line, option, value)) {
        json_put_null(w);
        return ERR_OK;
    }
    switch (option->kind) {
    case OPTION_FLAG:
    case OPTION_NO:
        json_put_bool(w, option->kind == OPTION_FLAG);
        break;
    case OPTION_TEXT:
    case OPTION_CHOICE:
        json_put_text(w, value);
        break;
    case OPTION_COUNT:
    case OPTION_CODE:
        json_put_raw(w, value, strlen(value));
        break;
    case OPTION_STATUS:
        json_put_integer(w, status_of(value));
        break;
    case OPTION_LIST:
        json_open_array(w);
        line_each(line, option->name, put_list, w);
        json_close_array(w);
        break;
    case OPTION_PAIR:
    case OPTION_HEADER:
        json_open_object(w);
        line_each(line, option->name, option->kind == OPTION_PAIR ? put_pair : put_header, w);
        json_close_object(w);
        break;
    case OPTION_JSON:
        return put_json(w, option, value);
    case OPTION_TIME:
        json_put_date(w, instant_of(option, value));
        break;
    }
    return ERR_OK;
}
