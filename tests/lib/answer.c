#include "tests/lib/answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define STATUS_LINE "HTTP/1.1 "
#define ANSWER_MAX  (64u << 20)
#define PART_MAX    128

struct answer answer_take(const char *text)
{
    struct answer a = { .bytes = BUF_INIT(ANSWER_MAX) };
    struct scan_fault fault;

    assert_int_equal(buf_append_text(&a.bytes, text), ERR_OK);
    const char *end = strstr(buf_text(&a.bytes), "\r\n\r\n");
    if (!end || strncmp(text, STATUS_LINE, strlen(STATUS_LINE)) != 0)
        fail_msg("not an answer: %s", text);
    a.status = (unsigned)strtoul(text + strlen(STATUS_LINE), NULL, 10);
    a.body = end + 4;
    a.body_len = strlen(a.body);
    if (a.body_len > 0 && json_parse(a.body, a.body_len, &a.json, &fault))
        a.json = NULL;
    return a;
}

void answer_fini(struct answer *a)
{
    json_free(a->json);
    buf_fini(&a->bytes);
}

const char *answer_header(const struct answer *a, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strchr(buf_text(&a->bytes), '\n'); line && line + 1 < a->body;
         line = strchr(line + 1, '\n'))
        if (strncasecmp(line + 1, name, len) == 0 && line[1 + len] == ':')
            return line + 1 + len + 1 + strspn(line + 1 + len + 1, " ");
    return NULL;
}

const struct json *answer_at(const struct answer *a, const char *path)
{
    const struct json *at = a->json;
    char part[PART_MAX];

    for (const char *from = path; *from;) {
        size_t len = strcspn(from, "/");
        snprintf(part, sizeof part, "%.*s", (int)len, from);
        at = json_type_of(at) == SCAN_ARRAY ? json_at(at, strtoul(part, NULL, 10))
                                            : json_member(at, part);
        from += len + (from[len] == '/');
    }
    return at;
}

const char *answer_text(const struct answer *a, const char *path)
{
    return json_text(answer_at(a, path));
}

void answer_has_text(const struct answer *a, const char *path, const char *want)
{
    const char *got = answer_text(a, path);

    if (!got || strcmp(got, want) != 0)
        fail_msg("%s: want %s in %s", path, want, a->body);
}

void answer_has_number(const struct answer *a, const char *path, int64_t want)
{
    int64_t got;

    if (!json_int64(answer_at(a, path), &got) || got != want)
        fail_msg("%s: want %lld in %s", path, (long long)want, a->body);
}

void answer_has_type(const struct answer *a, const char *path, enum scan_type want)
{
    if (json_type_of(answer_at(a, path)) != want)
        fail_msg("%s: want type %d in %s", path, (int)want, a->body);
}

void answer_has_count(const struct answer *a, const char *path, size_t want)
{
    if (json_count(answer_at(a, path)) != want)
        fail_msg("%s: want %zu in %s", path, want, a->body);
}
