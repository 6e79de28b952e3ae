#include "wire/openapi_referrer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define HOPS_MAX 8 /* from one reference to the next */

void openapi_refuse(const struct openapi_referrer *r, const char *format, ...)
{
    char why[FAULT_MSG_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    faults_add(r->faults, FAULT_VALUE, r->loc, "%s", why);
}

bool openapi_take_part(const char **pointer, char out[NAME_LEN_MAX + 1])
{
    size_t len = 0;

    for (; **pointer && **pointer != '/'; (*pointer)++) {
        char c = **pointer;
        if (c == '~' && ((*pointer)[1] == '0' || (*pointer)[1] == '1'))
            c = *++*pointer == '0' ? '~' : '/';
        if (len == NAME_LEN_MAX)
            return false;
        out[len++] = c;
    }
    out[len] = '\0';
    return true;
}

/* NULL: nothing is there. */
static const struct json *pointed_at(const struct json *document, const char *reference)
{
    char part[NAME_LEN_MAX + 1];

    if (strncmp(reference, "#/", 2) != 0)
        return NULL;
    for (reference++; document && *reference == '/';) {
        reference++;
        if (!openapi_take_part(&reference, part))
            return NULL;
        document = json_type_of(document) == SCAN_OBJECT ? json_member(document, part) : NULL;
    }
    return document;
}

const struct json *openapi_resolve(const struct openapi_referrer *r, const struct json *value)
{
    const char *reference = NULL;

    for (unsigned hops = 0; value && hops < HOPS_MAX; hops++) {
        reference =
            json_type_of(value) == SCAN_OBJECT ? json_text(json_member(value, "$ref")) : NULL;
        if (!reference)
            return value;
        value = pointed_at(r->document, reference);
    }
    if (reference)
        openapi_refuse(r, "%s %s", reference,
                       value ? "refers to itself" : "isn't in the document");
    return NULL;
}
