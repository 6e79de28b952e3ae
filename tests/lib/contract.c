#include "tests/lib/contract.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/embedded.h"
#include "core/model.h"

static struct json *document;

int contract_open(void **state)
{
    const struct embedded_file *file = embedded_find(embedded_api_docs, "openapi.json");
    struct scan_fault fault;
    enum err err;

    (void)state;
    err = json_parse(file->begin, (size_t)(file->end - file->begin), &document, &fault);
    return err ? 1 : 0;
}

int contract_close(void **state)
{
    (void)state;
    json_free(document);
    document = NULL;
    return 0;
}

const struct json *contract_document(void)
{
    return document;
}

const struct json *contract_resolve(const struct json *value)
{
    const char *at = json_text(json_member(value, "$ref"));
    const struct json *found = document;
    char name[NAME_LEN_MAX];

    if (!at)
        return value;
    for (at += strlen("#/"); *at; at += strlen(name) + (at[strlen(name)] == '/')) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "/"), at);
        found = json_member(found, name);
    }
    assert_non_null(found);
    return found;
}
