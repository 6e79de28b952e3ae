/* Event types from the webhooks of OpenAPI documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/bodies.h"
#include "wire/noun_in.h"
#include "wire/noun_out.h"

/* A document whose only webhook is `a` with a body as `media` says. */
#define SPEC(media, rest)                                                                      \
    "{\"spec\":{\"webhooks\":{\"a\":{\"post\":{\"requestBody\":{\"content\":"                  \
    "{\"application/json\":" media "}}}}}" rest "}}"
#define SCHEMAS(text) ",\"components\":{\"schemas\":" text "}"

static void a_webhook_becomes_an_event_type(void **state)
{
    static const struct {
        const char *body, *schemas;
    } rows[] = {
        { "{\"spec\":{\"webhooks\":{\"a\":{\"post\":{}}}}}", NULL },
        { "{\"spec\":{\"x-webhooks\":{\"a\":{\"put\":{}}}}}", NULL },
        { "{\"spec\":{\"webhooks\":{\"new pet\":{\"post\":{\"operationId\":\"a\"}}}}}", NULL },
        { SPEC("{\"schema\":{\"type\":\"object\",\"multipleOf\":1.10}}", ""),
          "{\"1\":{\"type\":\"object\",\"multipleOf\":1.10}}" },
        { SPEC("{\"schema\":{\"example\":{\"n\":1}}}", ""),
          "{\"1\":{\"examples\":[{\"n\":1}]}}" },
        { SPEC("{\"schema\":{\"examples\":[1,2]},\"example\":3}", ""),
          "{\"1\":{\"examples\":[3]}}" },
        { SPEC("{\"schema\":{\"examples\":[1,2]}}", ""), "{\"1\":{\"examples\":[1,2]}}" },
        { SPEC("{\"examples\":{\"one\":{\"value\":{}},\"two\":{\"value\":2}}}", ""),
          "{\"1\":{\"examples\":[{}]}}" },
        { SPEC("{\"schema\":{\"$ref\":\"#/components/schemas/A\"}}",
               SCHEMAS("{\"A\":{\"type\":\"object\"}}")),
          "{\"1\":{\"type\":\"object\"}}" },
        { SPEC("{\"schema\":{\"properties\":{\"x\":{\"$ref\":\"#/components/schemas/A\"},"
               "\"default\":{\"items\":{\"$ref\":\"#/components/schemas/A\"}}}}}",
               SCHEMAS("{\"A\":{\"allOf\":[{\"$ref\":\"#/components/schemas/b~1c\"}]},"
                       "\"b/c\":{\"not\":{\"$ref\":\"#/components/schemas/A\"}},\"D\":{}}")),
          "{\"1\":{\"properties\":{\"x\":{\"$ref\":\"#/definitions/A\"},"
          "\"default\":{\"items\":{\"$ref\":\"#/definitions/A\"}}},"
          "\"definitions\":{\"A\":{\"allOf\":[{\"$ref\":\"#/definitions/b~1c\"}]},"
          "\"b/c\":{\"not\":{\"$ref\":\"#/definitions/A\"}}}}}" },
        { SPEC("{\"schema\":{\"items\":{\"const\":{\"$ref\":\"#/not/one\"},"
               "\"$ref\":\"https://a/b\"}}}",
               ""),
          "{\"1\":{\"items\":{\"const\":{\"$ref\":\"#/not/one\"},\"$ref\":\"https://a/b\"}}}" },
        { "{\"spec\":{\"webhooks\":{\"a\":{\"$ref\":\"#/components/pathItems/A\"}},"
          "\"components\":{\"pathItems\":{\"A\":{\"post\":{\"requestBody\":"
          "{\"$ref\":\"#/components/requestBodies/B\"}}}},\"requestBodies\":{\"B\":"
          "{\"content\":{\"text/json\":{\"schema\":{\"type\":\"null\"}}}}}}}}",
          "{\"1\":{\"type\":\"null\"}}" },
        { "{\"spec\":null,\"specRaw\":\"webhooks:\\n  a:\\n    post:\\n      requestBody:\\n"
          "        content: {application/json: {schema: {type: string, minLength: 2}}}\\n\"}",
          "{\"1\":{\"type\":\"string\",\"minLength\":2}}" },
        { "{\"specRaw\":\" {\\\"webhooks\\\": {\\\"a\\\": {\\\"post\\\": {}}}}\"}", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        struct openapi_in in;
        assert_int_equal(read_openapi(body, &in, &faults), ERR_OK);
        if (faults.count > 0)
            fail_msg("%s: %s", faults.items[0].loc, faults.items[0].msg);
        assert_int_equal(in.count, 1);
        assert_string_equal(in.types[0]->name, "a");
        assert_string_equal(in.types[0]->description, "");
        if (rows[i].schemas)
            assert_string_equal(in.types[0]->schemas, rows[i].schemas);
        else
            assert_null(in.types[0]->schemas);
        openapi_in_fini(&in);
        json_free(body);
    }
}

static void what_else_an_operation_says_comes_along(void **state)
{
    struct json *body = body_parse(
        "{\"dryRun\":true,\"replaceAll\":true,\"spec\":{\"webhooks\":{"
        "\"b\":{\"summary\":\"Second\",\"post\":{\"deprecated\":true,"
        "\"x-svix-feature-flags\":[\"beta\",\"eu\"],\"x-svix-group-name\":\"orders\"}},"
        "\"a\":{\"description\":\"no\",\"post\":{\"summary\":\"First\","
        "\"x-svix-feature-flag\":\"ga\"}}}}}");
    struct faults faults = { 0 };
    struct openapi_in in;

    (void)state;
    assert_int_equal(read_openapi(body, &in, &faults), ERR_OK);
    assert_int_equal(faults.count, 0);
    assert_true(in.dry_run);
    assert_true(in.replace_all);
    assert_int_equal(in.count, 2);
    assert_string_equal(in.types[0]->name, "a");
    assert_string_equal(in.types[0]->description, "First");
    assert_string_equal(in.types[0]->feature_flags.items[0], "ga");
    assert_string_equal(in.types[1]->description, "Second");
    assert_true(in.types[1]->deprecated);
    assert_int_equal(in.types[1]->feature_flags.count, 2);
    assert_string_equal(in.types[1]->group_name, "orders");
    openapi_in_fini(&in);
    json_free(body);
}

#define WEBHOOK(text) "{\"spec\":{\"webhooks\":{\"a\":" text "}}}"

static void what_is_wrong_is_named(void **state)
{
    static const struct body_row rows[] = {
        { "{\"spec\":{}}", "body/spec/webhooks", FAULT_VALUE },
        { "{\"spec\":7}", "body/spec/webhooks", FAULT_VALUE },
        { "{\"spec\":{\"webhooks\":[]}}", "body/spec/webhooks", FAULT_JSON },
        { "{\"spec\":{\"webhooks\":{}}}", NULL, NULL },
        { "{\"spec\":{\"webhooks\":{}},\"dryRun\":1}", "body/dryRun", FAULT_JSON },
        { "{\"specRaw\":7}", "body/specRaw", FAULT_JSON },
        { "{\"specRaw\":\"{\"}", "body/specRaw", FAULT_JSON },
        { "{\"specRaw\":\"a: [\"}", "body/specRaw", FAULT_VALUE },
        { "{\"specRaw\":\"a: 1\\na: 2\"}", "body/specRaw", FAULT_JSON },
        { "{\"specRaw\":\"a: 1\"}", "body/specRaw/webhooks", FAULT_VALUE },
        { WEBHOOK("7"), "body/spec/webhooks/a", FAULT_VALUE },
        { WEBHOOK("{}"), "body/spec/webhooks/a", FAULT_VALUE },
        { WEBHOOK("{\"$ref\":\"#/webhooks/a\"}"), "body/spec/webhooks/a", FAULT_VALUE },
        { WEBHOOK("{\"$ref\":\"#/webhooks/b\"}"), "body/spec/webhooks/a", FAULT_VALUE },
        { WEBHOOK("{\"$ref\":\"b.json\"}"), "body/spec/webhooks/a", FAULT_VALUE },
        { WEBHOOK("{\"post\":{\"description\":7}}"), "body/spec/webhooks/a/description",
          FAULT_JSON },
        { WEBHOOK("{\"post\":{\"deprecated\":7}}"), "body/spec/webhooks/a/deprecated",
          FAULT_JSON },
        { WEBHOOK("{\"post\":{\"x-svix-group-name\":\"a b\"}}"),
          "body/spec/webhooks/a/groupName", FAULT_VALUE },
        { "{\"spec\":{\"webhooks\":{\"a b\":{\"post\":{}}}}}", "body/spec/webhooks/a b/name",
          FAULT_VALUE },
        { "{\"spec\":{\"webhooks\":{\"a\":{\"post\":{}},"
          "\"a b\":{\"post\":{\"operationId\":\"a\"}}}}}",
          "body/spec/webhooks", FAULT_VALUE },
        { SPEC("{\"schema\":{\"$ref\":\"https://a/b\"}}", ""), "body/spec/webhooks/a",
          FAULT_VALUE },
        { SPEC("{\"schema\":true}", ""), "body/spec/webhooks/a", FAULT_VALUE },
        { SPEC("{\"schema\":{\"items\":{\"$ref\":\"#/components/schemas/A\"}}}", ""),
          "body/spec/webhooks/a", FAULT_VALUE },
        { SPEC("{\"schema\":{\"items\":{\"$ref\":\"#/paths/a\"}}}", ""), "body/spec/webhooks/a",
          FAULT_VALUE },
        { SPEC("{\"schema\":{\"items\":{\"$ref\":\"#/components/schemas/A/b\"}}}",
               SCHEMAS("{\"A\":{\"b\":{}}}")),
          "body/spec/webhooks/a", FAULT_VALUE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        struct openapi_in in;
        assert_int_equal(read_openapi(body, &in, &faults), ERR_OK);
        assert_body_fault(&rows[i], &faults);
        openapi_in_fini(&in);
        json_free(body);
    }
}

static void there_is_one_document(void **state)
{
    static const char *const rows[] = {
        "{}",
        "{\"spec\":null,\"specRaw\":null}",
        "{\"spec\":{\"webhooks\":{}},\"specRaw\":\"webhooks: {}\"}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i]);
        struct faults faults = { 0 };
        struct openapi_in in;
        assert_int_equal(read_openapi(body, &in, &faults), ERR_INVALID);
        openapi_in_fini(&in);
        json_free(body);
    }
}

/* `count` webhooks whose schema is one of `len` bytes. */
static struct json *a_large_document(unsigned count, size_t len)
{
    struct buf text = BUF_INIT(16u << 20);
    char *filling = calloc(len + 1, 1);

    assert_non_null(filling);
    memset(filling, 'x', len);
    assert_int_equal(buf_append_text(&text, "{\"spec\":{\"webhooks\":{"), ERR_OK);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(buf_printf(&text,
                                    "%s\"w%u\":{\"post\":{\"requestBody\":{\"content\":"
                                    "{\"application/json\":{\"schema\":"
                                    "{\"items\":{\"$ref\":\"#/components/schemas/A\"}}}}}}}",
                                    i > 0 ? "," : "", i),
                         ERR_OK);
    assert_int_equal(
        buf_printf(&text, "}" SCHEMAS("{\"A\":{\"description\":\"%s\"}}") "}}", filling),
        ERR_OK);
    free(filling);

    struct json *body = body_parse(buf_text(&text));
    buf_fini(&text);
    return body;
}

static void a_document_and_its_event_types_are_bounded(void **state)
{
    static const struct {
        unsigned count;
        size_t len;
        size_t faults;
    } rows[] = {
        { OPENAPI_WEBHOOKS_MAX, 1, 0 },
        { OPENAPI_WEBHOOKS_MAX + 1, 1, 1 },
        { 15, 260000, 0 },
        { 1000, 260000, 1 },          /* all together */
        { 1000, 270000, FAULTS_MAX }, /* each of them */
        { 1000, 1 << 20, FAULTS_MAX },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = a_large_document(rows[i].count, rows[i].len);
        struct faults faults = { 0 };
        struct openapi_in in;
        assert_int_equal(read_openapi(body, &in, &faults), ERR_OK);
        assert_int_equal(faults.count, rows[i].faults);
        openapi_in_fini(&in);
        json_free(body);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_becomes_an_event_type),
        cmocka_unit_test(what_else_an_operation_says_comes_along),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(there_is_one_document),
        cmocka_unit_test(a_document_and_its_event_types_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
