#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/bodies.h"
#include "wire/noun_in.h"

#define V FAULT_VALUE
#define J FAULT_JSON

static void header_rules_are_the_contracts(void **state)
{
    static const struct body_row rows[] = {
        { "{\"headers\":{\"X-Token\":\"a b\\tc\",\"Authorization\":\"Bearer x\"}}", NULL,
          NULL },
        { "{\"headers\":{}}", NULL, NULL },
        { "[]", "body", J },
        { "{}", "body/headers", V },
        { "{\"headers\":null}", "body/headers", J },
        { "{\"headers\":{\"X-A\":1}}", "body/headers/X-A", J },
        { "{\"headers\":{\"X-A\":null}}", "body/headers/X-A", J },
        { "{\"headers\":{\"\":\"1\"}}", "body/headers/", V },
        { "{\"headers\":{\"X A\":\"1\"}}", "body/headers/X A", V },
        { "{\"headers\":{\"X:\":\"1\"}}", "body/headers/X:", V },
        { "{\"headers\":{\"X-A\":\"a\\r\\nb\"}}", "body/headers/X-A", V },
        { "{\"headers\":{\"X-A\":\"\"}}", "body/headers/X-A", V },
        { "{\"headers\":{\"X-A\":\" a\"}}", "body/headers/X-A", V },
        { "{\"headers\":{\"X-A\":\"caf\xc3\xa9\"}}", "body/headers/X-A", V },
        { "{\"headers\":{\"X-A\":\"1\",\"x-a\":\"2\"}}", "body/headers/x-a", V },
        { "{\"headers\":{\"User-Agent\":\"1\"}}", "body/headers/User-Agent", V },
        { "{\"headers\":{\"Content-Type\":\"1\"}}", "body/headers/Content-Type", V },
        { "{\"headers\":{\"Host\":\"1\"}}", "body/headers/Host", V },
        { "{\"headers\":{\"Transfer-Encoding\":\"1\"}}", "body/headers/Transfer-Encoding", V },
        { "{\"headers\":{\"Webhook-Id\":\"1\"}}", "body/headers/Webhook-Id", V },
        { "{\"headers\":{\"svix-id\":\"1\"}}", "body/headers/svix-id", V },
        { "{\"headers\":{\"X-Amz-Date\":\"1\"}}", "body/headers/X-Amz-Date", V },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        char *headers;
        read_endpoint_headers(body, READ_REPLACE, NULL, &headers, &faults);
        assert_body_fault(&rows[i], &faults);
        free(headers);
        json_free(body);
    }
}

static void headers_are_edited_whatever_the_case_of_their_names(void **state)
{
    static const char current[] = "{\"X-One\":\"1\",\"X-Two\":\"2\",\"X-Three\":\"3\"}";
    static const struct {
        const char *body, *next;
    } rows[] = {
        { "{\"headers\":{}}", "{\"X-One\":\"1\",\"X-Two\":\"2\",\"X-Three\":\"3\"}" },
        { "{\"headers\":{\"x-two\":\"II\",\"X-Four\":\"4\"}}",
          "{\"X-One\":\"1\",\"x-two\":\"II\",\"X-Three\":\"3\",\"X-Four\":\"4\"}" },
        { "{\"headers\":{\"X-ONE\":null,\"X-None\":null}}",
          "{\"X-Two\":\"2\",\"X-Three\":\"3\"}" },
        { "{\"deleteHeaders\":[\"x-three\",\"X-One\"]}", "{\"X-Two\":\"2\"}" },
        { "{\"headers\":{\"X-Two\":null},\"deleteHeaders\":[\"X-Three\",\"X-One\"]}", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        char *next;
        read_endpoint_headers(body, READ_PATCH, current, &next, &faults);
        assert_int_equal(faults.count, 0);
        if (rows[i].next)
            assert_string_equal(next, rows[i].next);
        else
            assert_null(next);
        free(next);
        json_free(body);
    }
}

static void stored_headers_become_lines(void **state)
{
    static const char good[] = "{\"X-One\":\"1\",\"Authorization\":\"Bearer x\"}";
    static const char *const bad[] = {
        "[]", "{\"X-One\":1}", "{\"X One\":\"1\"}", "{\"X-One\":\"a\\nb\"}", "{",
    };
    struct text_list lines;

    (void)state;
    assert_int_equal(read_header_lines(good, sizeof good - 1, &lines), ERR_OK);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.items[0], "X-One: 1");
    assert_string_equal(lines.items[1], "Authorization: Bearer x");
    text_list_fini(&lines);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(read_header_lines(bad[i], strlen(bad[i]), &lines), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_rules_are_the_contracts),
        cmocka_unit_test(headers_are_edited_whatever_the_case_of_their_names),
        cmocka_unit_test(stored_headers_become_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
