#include "cli/raw.h"

#include <string.h>

#include "wire/json.h"
#include "wire/scan.h"

#define INDENT 2

static size_t string_len(const char *at, size_t len);
static size_t value_len(const char *at, size_t len);

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct raw raw_of(const struct buf *text)
{
    return (struct raw){ (const char *)text->bytes, text->len };
}

struct raw raw_member(struct raw object, const char *name)
{
    struct scan_member member = { .name = name };
    struct scan_fault fault;
    enum scan_type type;

    if (scan_answer(object.at, object.len, &member, 1, &type, &fault) != ERR_OK ||
        member.type == SCAN_NONE)
        return (struct raw){ NULL, 0 };
    return (struct raw){ (const char *)member.at, member.len };
}

struct raw raw_items(struct raw array)
{
    if (array.len == 0 || *array.at != '[')
        return (struct raw){ NULL, 0 };
    return (struct raw){ array.at + 1, array.len - 1 };
}

bool raw_next(struct raw *items, struct raw *out)
{
    while (items->len > 0 && (is_space(*items->at) || *items->at == ',')) {
        items->at++;
        items->len--;
    }
    if (items->len == 0 || *items->at == ']')
        return false;

    *out = (struct raw){ items->at, value_len(items->at, items->len) };
    items->at += out->len;
    items->len -= out->len;
    return true;
}

/* Bytes of the string that begins at `at`, quotes included. */
static size_t string_len(const char *at, size_t len)
{
    size_t i = 1;

    while (i < len && at[i] != '"')
        i += at[i] == '\\' ? 2 : 1;
    return i < len ? i + 1 : len;
}

static size_t value_len(const char *at, size_t len)
{
    size_t depth = 0;

    for (size_t i = 0; i < len;) {
        if (at[i] == '"') {
            i += string_len(at + i, len - i);
            if (depth == 0)
                return i;
            continue;
        }
        if (at[i] == '[' || at[i] == '{')
            depth++;
        else if (at[i] == ']' || at[i] == '}') {
            if (depth == 0)
                return i;
            if (--depth == 0)
                return i + 1;
        } else if (depth == 0 && (at[i] == ',' || is_space(at[i])))
            return i;
        i++;
    }
    return len;
}

static enum err break_line(struct buf *out, size_t depth)
{
    return buf_printf(out, "\n%*s", (int)(depth * INDENT), "");
}

/* What follows an opening bracket, after white space: the matching one means "empty". */
static bool is_empty(struct raw value, size_t i)
{
    while (i < value.len && is_space(value.at[i]))
        i++;
    return i < value.len && (value.at[i] == ']' || value.at[i] == '}');
}

/* Write the token at `*i` and step over it. */
static enum err indent_token(struct raw value, size_t *i, size_t *depth, struct buf *out)
{
    char c = value.at[*i];
    enum err err = ERR_OK;

    if (c == '"') {
        size_t len = string_len(value.at + *i, value.len - *i);
        err = buf_append(out, value.at + *i, len);
        *i += len;
        return err;
    }
    if (c == ']' || c == '}') {
        --*depth;
        if (out->bytes[out->len - 1] != '[' && out->bytes[out->len - 1] != '{')
            err = break_line(out, *depth);
    }
    if (!err)
        err = buf_append(out, &c, 1);
    ++*i;
    if (c == '[' || c == '{') {
        ++*depth;
        if (!err && !is_empty(value, *i))
            err = break_line(out, *depth);
    } else if (c == ',' && !err)
        err = break_line(out, *depth);
    else if (c == ':' && !err)
        err = buf_append_text(out, " ");
    return err;
}

enum err raw_compact(struct raw value, struct buf *out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < value.len && !err;) {
        size_t len = value.at[i] == '"' ? string_len(value.at + i, value.len - i) : 1;

        if (!is_space(value.at[i]))
            err = buf_append(out, value.at + i, len);
        i += len;
    }
    return err;
}

enum err raw_indent(struct raw value, size_t depth, struct buf *out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < value.len && !err;) {
        if (is_space(value.at[i]))
            i++;
        else
            err = indent_token(value, &i, &depth, out);
    }
    return err;
}

/* A string's content: its escapes are the JSON parser's business. */
static enum err append_string(struct raw value, struct buf *out)
{
    struct json *root;
    struct scan_fault fault;
    enum err err = json_parse(value.at, value.len, &root, &fault);

    if (err)
        return raw_compact(value, out);
    err = buf_append_text(out, json_text(root));
    json_free(root);
    return err;
}

enum err raw_text(struct raw value, struct buf *out)
{
    struct raw items = raw_items(value), item;
    size_t count = 0;
    enum err err = ERR_OK;

    if (value.len == 0 || raw_is(value, "null"))
        return buf_append_text(out, "-");
    if (value.at[0] == '"')
        return append_string(value, out);
    if (value.at[0] != '[')
        return raw_compact(value, out);
    while (!err && raw_next(&items, &item)) {
        if (count++ > 0)
            err = buf_append_text(out, ",");
        if (!err)
            err = item.at[0] == '"' ? append_string(item, out) : raw_compact(item, out);
    }
    return err;
}

bool raw_is(struct raw value, const char *json)
{
    return value.len == strlen(json) && memcmp(value.at, json, value.len) == 0;
}

bool raw_equal(struct raw a, struct raw b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}
