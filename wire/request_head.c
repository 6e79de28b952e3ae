#include "wire/request_head.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"
#include "wire/header.h"

#define FIELDS_FIRST 16

void request_head_init(struct request_head *h, size_t limit)
{
    *h = (struct request_head){ .text = BUF_INIT(limit) };
}

void request_head_fini(struct request_head *h)
{
    buf_fini(&h->text);
    free(h->fields);
}

void request_head_clear(struct request_head *h)
{
    buf_clear(&h->text);
    h->field_count = 0;
}

/* The line at `*at` without its end; `*at` moves on to the next one. NULL: there is none. */
static char *take_line(char **at)
{
    char *line = *at;
    char *end = strchr(line, '\n');

    if (!end || end == line)
        return NULL;
    end[-1] = '\0';
    *at = end + 1;
    return line;
}

/* "METHOD target HTTP/1.1": one space between each. */
static const struct refusal *cut_line(struct request_head *h, char *line)
{
    char *target = line ? strchr(line, ' ') : NULL;
    char *version = target ? strchr(target + 1, ' ') : NULL;

    if (!version)
        return &refusal_line;
    *target = '\0';
    *version = '\0';
    h->method = line;
    h->target = target + 1;
    h->version = version + 1;
    return NULL;
}

/* "Name: value" */
static const struct refusal *cut_field(struct request_head *h, char *line)
{
    size_t name_len = header_name_length(line);

    if (name_len == 0 || line[name_len] != ':')
        return &refusal_field;
    if (h->field_count == h->field_room)
        h->fields = xgrow(h->fields, &h->field_room, FIELDS_FIRST, sizeof *h->fields);

    char *value = line + name_len + 1;
    char *end = value + strlen(value);
    while (header_is_blank(*value))
        value++;
    while (end > value && header_is_blank(end[-1]))
        end--;
    line[name_len] = '\0';
    *end = '\0';
    h->fields[h->field_count++] = (struct request_field){ line, value };
    return NULL;
}

const struct refusal *request_head_cut(struct request_head *h)
{
    char *at = (char *)h->text.bytes;
    char *line = take_line(&at);

    const struct refusal *fault = cut_line(h, line);
    while (!fault && (line = take_line(&at)) && *line)
        fault = cut_field(h, line);
    return fault;
}

const char *request_head_field(const struct request_head *h, const char *name)
{
    for (size_t i = 0; i < h->field_count; i++)
        if (strcasecmp(h->fields[i].name, name) == 0)
            return h->fields[i].value;
    return NULL;
}
