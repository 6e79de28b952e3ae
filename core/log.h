/* Log: one line per fact on stderr, `time level event key=value …` or one JSON object.
 *
 * Never log a payload, a secret, a token, or a URL's user info or query. A line is at most
 * LOG_LINE_MAX bytes, then cut, and is written by one write(2), so lines of several threads
 * don't mix.
 *
 *     log_event(LOG_INFO, "listening", LOG_STR("address", text), LOG_NUM("port", port));
 *
 * Thread-safe after log_open(), which is called before the first thread starts; without it
 * the format is text and the level is info. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <stdint.h>

#define LOG_LINE_MAX 2048

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_field {
    const char *key;  /* NULL ends the list */
    const char *text; /* NULL: the value is `number` */
    int64_t number;
};

/* `v` may not be NULL. */
#define LOG_STR(k, v)                                                                          \
    {                                                                                          \
        .key = (k), .text = (v)                                                                \
    }
#define LOG_NUM(k, v)                                                                          \
    {                                                                                          \
        .key = (k), .number = (int64_t)(v)                                                     \
    }
/* For a fact without fields. */
#define LOG_END                                                                                \
    {                                                                                          \
        .key = 0                                                                               \
    }

#define log_event(level, event, ...)                                                           \
    log_write(level, event, (const struct log_field[]){ __VA_ARGS__, { .key = 0 } })

/* Write lines of `least` and above; before the first thread starts. */
void log_open(enum log_format format, enum log_level least);
void log_write(enum log_level level, const char *event, const struct log_field *fields);

#endif
