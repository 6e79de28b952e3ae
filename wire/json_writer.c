#include "wire/json.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/utf8.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void json_write_begin(struct json_writer *w, struct buf *out)
{
    *w = (struct json_writer){ .out = out };
}

enum err json_write_end(struct json_writer *w)
{
    return w->err;
}

static void put(struct json_writer *w, const void *bytes, size_t len)
{
    if (!w->err)
        w->err = buf_append(w->out, bytes, len);
}

static void new_line(struct json_writer *w)
{
    put(w, "\n", 1);
    for (unsigned i = 0; i < w->depth; i++)
        put(w, "  ", 2);
}

/* What stands between this value or name and whatever was before it. */
static void separate(struct json_writer *w)
{
    if (w->named) {
        w->named = false;
        return;
    }
    if (w->comma)
        put(w, ",", 1);
    if (w->indent && w->depth > 0)
        new_line(w);
    w->comma = true;
}

static void open_container(struct json_writer *w, const char *bracket)
{
    separate(w);
    put(w, bracket, 1);
    w->depth++;
    w->comma = false;
}

static void close_container(struct json_writer *w, const char *bracket)
{
    w->depth--;
    if (w->indent && w->comma)
        new_line(w);
    put(w, bracket, 1);
    w->comma = true;
}

void json_open_object(struct json_writer *w)
{
    open_container(w, "{");
}

void json_close_object(struct json_writer *w)
{
    close_container(w, "}");
}

void json_open_array(struct json_writer *w)
{
    open_container(w, "[");
}

void json_close_array(struct json_writer *w)
{
    close_container(w, "]");
}

/* Strings. */

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* The bytes at `at` that may stand in a string as they are. */
static size_t plain_length(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *c = at;

    while (c < end) {
        size_t step = is_plain(*c) ? 1 : *c >= 0x80 ? utf8_length(c, end) : 0;
        if (step == 0)
            break;
        c += step;
    }
    return (size_t)(c - at);
}

static void put_escaped(struct json_writer *w, uint8_t byte)
{
    static const char FROM[] = "\"\\\b\f\n\r\t", TO[] = "\"\\bfnrt";
    char text[8];
    const char *letter = byte ? strchr(FROM, byte) : NULL;

    if (byte >= 0x80)
        put(w, REPLACEMENT, strlen(REPLACEMENT));
    else if (letter)
        put(w, (const char[]){ '\\', TO[letter - FROM] }, 2);
    else
        put(w, text, (size_t)snprintf(text, sizeof text, "\\u%04x", byte));
}

static void put_string(struct json_writer *w, const uint8_t *bytes, size_t len)
{
    const uint8_t *end = bytes + len;

    put(w, "\"", 1);
    while (bytes < end) {
        size_t plain = plain_length(bytes, end);
        put(w, bytes, plain);
        bytes += plain;
        if (bytes < end)
            put_escaped(w, *bytes++);
    }
    put(w, "\"", 1);
}

void json_name(struct json_writer *w, const char *name)
{
    separate(w);
    put_string(w, (const uint8_t *)name, strlen(name));
    put(w, ": ", w->indent ? 2 : 1);
    w->named = true;
}

void json_put_bytes(struct json_writer *w, const void *bytes, size_t len)
{
    separate(w);
    put_string(w, len > 0 ? bytes : (const uint8_t *)"", len);
}

void json_put_text(struct json_writer *w, const char *text)
{
    if (text)
        json_put_bytes(w, text, strlen(text));
    else
        json_put_null(w);
}

/* Other values. */

void json_put_raw(struct json_writer *w, const void *json, size_t len)
{
    separate(w);
    put(w, json, len);
}

void json_put_integer(struct json_writer *w, int64_t value)
{
    char text[24];

    json_put_raw(w, text, (size_t)snprintf(text, sizeof text, "%lld", (long long)value));
}

void json_put_bool(struct json_writer *w, bool value)
{
    json_put_raw(w, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *w)
{
    json_put_raw(w, "null", 4);
}

void json_put_date(struct json_writer *w, uint64_t wall_ms)
{
    char text[CLOCK_TEXT_MAX];

    if (wall_ms == 0) {
        json_put_null(w);
        return;
    }
    clock_format(wall_ms, text);
    json_put_text(w, text);
}

/* Members. */

void json_add_text(struct json_writer *w, const char *name, const char *text)
{
    json_name(w, name);
    json_put_text(w, text);
}

void json_add_integer(struct json_writer *w, const char *name, int64_t value)
{
    json_name(w, name);
    json_put_integer(w, value);
}

void json_add_unsigned(struct json_writer *w, const char *name, uint64_t value)
{
    json_add_integer(w, name, (int64_t)value);
}

void json_add_bool(struct json_writer *w, const char *name, bool value)
{
    json_name(w, name);
    json_put_bool(w, value);
}

void json_add_date(struct json_writer *w, const char *name, uint64_t wall_ms)
{
    json_name(w, name);
    json_put_date(w, wall_ms);
}
