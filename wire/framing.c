#include "wire/framing.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct seen {
    unsigned hosts, lengths, codings;
    const char *length, *coding;
    bool expects_continue;
};

static void see_field(struct seen *seen, const struct request_field *field)
{
    if (strcasecmp(field->name, "Host") == 0) {
        seen->hosts++;
    } else if (strcasecmp(field->name, "Content-Length") == 0) {
        seen->lengths++;
        seen->length = field->value;
    } else if (strcasecmp(field->name, "Transfer-Encoding") == 0) {
        seen->codings++;
        seen->coding = field->value;
    } else if (strcasecmp(field->name, "Expect") == 0) {
        seen->expects_continue = strcasecmp(field->value, "100-continue") == 0;
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const struct refusal *read_version(const char *version, struct framing *out)
{
    out->is_old = strcmp(version, "HTTP/1.0") == 0;
    if (out->is_old || strcmp(version, "HTTP/1.1") == 0)
        return NULL;

    bool is_version = strncmp(version, "HTTP/", 5) == 0 && is_digit(version[5]) &&
                      version[6] == '.' && is_digit(version[7]) && !version[8];
    return is_version ? &refusal_version : &refusal_line;
}

static const struct refusal *read_header(const struct request_head *head, struct framing *out)
{
    struct seen seen = { .hosts = 0 };

    for (size_t i = 0; i < head->field_count; i++)
        see_field(&seen, &head->fields[i]);

    if (seen.hosts > 1 || (seen.hosts == 0 && !out->is_old))
        return &refusal_host;
    if (seen.lengths > 1 || (seen.lengths > 0 && seen.codings > 0))
        return &refusal_length;
    if (seen.codings > 1 || (seen.codings > 0 && out->is_old))
        return &refusal_coding;
    if (seen.codings > 0 && strcasecmp(seen.coding, "chunked") != 0)
        return &refusal_coding_unknown;

    out->chunked = seen.codings > 0;
    out->content_length = seen.lengths > 0 ? strtoull(seen.length, NULL, 10) : 0;
    bool has_body = out->chunked || out->content_length > 0;
    out->expects_continue = seen.expects_continue && has_body && !out->is_old;
    return NULL;
}

static bool is_visible(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return false;
    return true;
}

/* Where the path of "http://authority/path" begins; the text itself in any other form. */
static char *skip_authority(char *target)
{
    size_t scheme = strncasecmp(target, "http://", 7) == 0    ? 7
                    : strncasecmp(target, "https://", 8) == 0 ? 8
                                                              : 0;
    if (scheme == 0)
        return target;

    size_t authority = strcspn(target + scheme, "/?");
    return target + scheme + authority;
}

/* "/path", "*", or "http://authority/path". */
static const struct refusal *read_target(char *target, struct framing *out)
{
    char *path = skip_authority(target);

    if (!is_visible(path) || (*path != '/' && strcmp(path, "*") != 0))
        return &refusal_target;

    char *mark = strchr(path, '?');
    if (mark)
        *mark = '\0';
    out->path = path;
    out->query = mark ? mark + 1 : "";
    return NULL;
}

const struct refusal *framing_read(struct request_head *head, struct framing *out)
{
    *out = (struct framing){ 0 };

    const struct refusal *fault = read_version(head->version, out);
    if (!fault)
        fault = read_header(head, out);
    if (!fault)
        fault = read_target(head->target, out);
    return fault;
}
