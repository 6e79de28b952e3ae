#include "core/log.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"

static enum log_format format = LOG_TEXT;
static enum log_level least = LOG_INFO;

static const char *const LEVELS[] = { "debug", "info", "warn", "error" };

/* What ends a line that was cut: a quote and, in JSON, a brace. */
#define TAIL_LEN   2
#define NUMBER_MAX 24 /* bytes of a number as text, with NUL */

struct line {
    size_t len;
    char text[LOG_LINE_MAX];
};

/* One byte is kept for the newline. */
static size_t room(const struct line *line)
{
    return sizeof line->text - 1 - line->len;
}

/* Text beyond the end of the line is dropped. */
static void put(struct line *line, const char *bytes, size_t len)
{
    if (len > room(line))
        len = room(line);
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void put_text(struct line *line, const char *text)
{
    put(line, text, strlen(text));
}

/* Inside double quotes: control characters and quotes never break the line's format. */
static void put_quoted(struct line *line, const char *text)
{
    put(line, "\"", 1);
    for (const char *c = text; *c; c++) {
        char escaped[8];
        unsigned char byte = (unsigned char)*c;
        if (byte == '"' || byte == '\\')
            snprintf(escaped, sizeof escaped, "\\%c", byte);
        else if (byte < 0x20 || byte == 0x7f)
            snprintf(escaped, sizeof escaped, "\\u%04x", byte);
        else
            snprintf(escaped, sizeof escaped, "%c", byte);
        if (room(line) < strlen(escaped) + TAIL_LEN)
            break;
        put_text(line, escaped);
    }
    put(line, "\"", 1);
}

static bool is_plain(const char *text)
{
    if (!*text)
        return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c == 0x7f || *c == '"' || *c == '=' ||
            *c == '\\')
            return false;
    return true;
}

static void put_value(struct line *line, const struct log_field *field)
{
    char number[NUMBER_MAX];

    if (!field->text) {
        snprintf(number, sizeof number, "%lld", (long long)field->number);
        put_text(line, number);
    } else if (format == LOG_TEXT && is_plain(field->text)) {
        put_text(line, field->text);
    } else {
        put_quoted(line, field->text);
    }
}

/* A field that has no room is left out, so that the object still ends. */
static void put_json(struct line *line, const char *key, const struct log_field *value)
{
    if (room(line) < strlen(key) + NUMBER_MAX + TAIL_LEN + sizeof ",\"\":")
        return;
    put_text(line, line->len > 1 ? "," : "");
    put_quoted(line, key);
    put(line, ":", 1);
    put_value(line, value);
}

void log_open(enum log_format how, enum log_level from)
{
    format = how;
    least = from;
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
    struct line line = { 0 };
    char time[CLOCK_TEXT_MAX];

    if (level < least)
        return;
    clock_format(clock_now().wall_ms, time);
    if (format == LOG_JSON) {
        put_text(&line, "{");
        put_json(&line, "time", &(struct log_field)LOG_STR("", time));
        put_json(&line, "level", &(struct log_field)LOG_STR("", LEVELS[level]));
        put_json(&line, "event", &(struct log_field)LOG_STR("", event));
        for (const struct log_field *f = fields; f->key; f++)
            put_json(&line, f->key, f);
        put_text(&line, "}");
    } else {
        put_text(&line, time);
        put_text(&line, " ");
        put_text(&line, LEVELS[level]);
        put_text(&line, " ");
        put_text(&line, event);
        for (const struct log_field *f = fields; f->key; f++) {
            put_text(&line, " ");
            put_text(&line, f->key);
            put_text(&line, "=");
            put_value(&line, f);
        }
    }
    line.text[line.len++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line.text, line.len);
    (void)ignored;
}
