#include "wire/courier_target.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/count.h"
#include "core/mem.h"
#include "wire/header.h"

/* Parts of the message's framing and routing, which curl writes; and the courier's name. */
static const char *const our_headers[] = { "host", "content-length", "transfer-encoding",
                                           "connection", "user-agent" };

static const char *const methods_with_body[] = { "POST", "PUT", "PATCH" };
static const char *const methods_without[] = { "GET", "DELETE" };

static bool is_one_of(const char *const *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool names(const char *line, size_t name_len, const char *name)
{
    return strlen(name) == name_len && strncasecmp(line, name, name_len) == 0;
}

bool header_line_is_good(const char *line)
{
    size_t name_len = header_name_length(line);

    if (name_len == 0 || line[name_len] != ':')
        return false;
    for (const char *p = line + name_len + 1; *p; p++)
        if (*p != '\t' && ((unsigned char)*p < 0x20 || *p == 0x7f))
            return false;
    for (size_t i = 0; i < COUNT(our_headers); i++)
        if (names(line, name_len, our_headers[i]))
            return false;
    return true;
}

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        abort();
    *list = longer;
}

/* libcurl reads "Name:" as "leave it out" and sends an empty value for "Name;". */
static void add_header(struct curl_slist **list, const char *line)
{
    size_t name_len = strcspn(line, ":");
    const char *value = line + name_len + 1;

    if (value[strspn(value, " \t")] != 0) {
        add_line(list, line);
        return;
    }
    char *empty = xmemdup(line, name_len + 1);
    empty[name_len] = ';';
    add_line(list, empty);
    free(empty);
}

static enum err add_headers(struct target *t, const struct text_list *headers)
{
    bool has_type = false;

    add_line(&t->headers, "Expect:");
    for (size_t i = 0; i < headers->count; i++) {
        const char *line = headers->items[i];
        if (!header_line_is_good(line))
            return ERR_INVALID;
        has_type = has_type || names(line, strcspn(line, ":"), "content-type");
        add_header(&t->headers, line);
    }
    if (t->sends_body && !has_type)
        add_line(&t->headers, "Content-Type: application/json");
    return ERR_OK;
}

static enum err take_apart(struct target *t)
{
    char *host = NULL;

    t->parts = curl_url();
    if (!t->parts)
        abort();
    if (curl_url_set(t->parts, CURLUPART_URL, t->url, CURLU_DISALLOW_USER) == CURLUE_OK &&
        curl_url_get(t->parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        t->host = xstrdup(host);
    curl_free(host);
    if (!t->host)
        return ERR_INVALID;

    t->is_literal = address_parse(t->host, &t->address);
    return ERR_OK;
}

enum err target_new(const char *method, const char *url, const struct text_list *headers,
                    struct target **out)
{
    struct target *t = xcalloc(1, sizeof *t);
    enum err err = ERR_INVALID;

    t->refs = 1;
    t->url = xstrdup(url);
    t->sends_body = is_one_of(methods_with_body, COUNT(methods_with_body), method);
    if (!t->sends_body && !is_one_of(methods_without, COUNT(methods_without), method))
        goto fail;
    snprintf(t->method, sizeof t->method, "%s", method);
    err = add_headers(t, headers);
    if (err)
        goto fail;
    err = take_apart(t);
    if (err)
        goto fail;
    *out = t;
    return ERR_OK;

fail:
    target_unref(t);
    return err;
}

struct target *target_ref(struct target *target)
{
    target->refs++;
    return target;
}

void target_unref(struct target *target)
{
    if (!target)
        return;
    assert(target->refs > 0);
    if (--target->refs > 0)
        return;

    curl_slist_free_all(target->headers);
    curl_url_cleanup(target->parts);
    free(target->host);
    free(target->url);
    free(target);
}

/* "::ADDRESS:" — for every host and port, that address and the port of the URL. */
void target_pin(struct target *t, const union address *address)
{
    char text[ADDRESS_TEXT_MAX];
    bool is_v6 = address->any.sa_family == AF_INET6;

    if (t->is_pinned && address_equal(&t->address, address))
        return;
    address_format(address, text);
    snprintf(t->pin_text, sizeof t->pin_text, is_v6 ? "::[%s]:" : "::%s:", text);
    t->address = *address;
    t->pin.data = t->pin_text;
    t->is_pinned = true;
}
