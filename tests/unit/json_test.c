#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "wire/json.h"

#define BUF_SMALL (1u << 16)

static struct json *parse(const char *text)
{
    struct json *root;
    struct scan_fault fault;

    if (json_parse(text, strlen(text), &root, &fault) != ERR_OK)
        fail_msg("%s: %s at %zu", text, fault.why, fault.offset);
    return root;
}

/* Parsing. */

static void a_tree_is_looked_up_by_name_and_index(void **state)
{
    struct json *root =
        parse("{\"name\":\"caf\\u00e9\",\"list\":[1,\"two\",null,false],\"on\":true,\"o\":{}}");
    const struct json *list = json_member(root, "list");

    (void)state;
    assert_int_equal(json_type_of(root), SCAN_OBJECT);
    assert_int_equal(json_count(root), 4);
    assert_string_equal(json_text(json_member(root, "name")), "caf\xc3\xa9");
    assert_int_equal(json_count(list), 4);
    assert_int_equal(json_type_of(json_at(list, 0)), SCAN_NUMBER);
    assert_string_equal(json_text(json_at(list, 1)), "two");
    assert_int_equal(json_type_of(json_at(list, 2)), SCAN_NULL);
    assert_int_equal(json_type_of(json_at(list, 3)), SCAN_FALSE);
    assert_null(json_at(list, 4));
    assert_true(json_bool(json_member(root, "on")));
    assert_false(json_bool(json_at(list, 3)));
    assert_int_equal(json_count(json_member(root, "o")), 0);
    json_free(root);
}

static void look_ups_of_what_is_absent_chain(void **state)
{
    struct json *root = parse("{\"a\":1}");
    int64_t number;

    (void)state;
    assert_null(json_member(json_at(json_member(root, "b"), 3), "c"));
    assert_int_equal(json_type_of(NULL), SCAN_NONE);
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_text(NULL));
    assert_false(json_bool(NULL));
    assert_false(json_int64(NULL, &number));
    assert_null(json_text(json_member(root, "a")));
    json_free(root);
    json_free(NULL);
}

static void only_whole_numbers_in_range_are_integers(void **state)
{
    static const struct {
        const char *text;
        bool is;
        int64_t value;
    } rows[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "-17", true, -17 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "1.0", false, 0 },
        { "1e3", false, 0 },
        { "\"1\"", false, 0 },
        { "true", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *root = parse(rows[i].text);
        int64_t value = 0;
        assert_int_equal(json_int64(root, &value), rows[i].is);
        assert_true(value == rows[i].value);
        json_free(root);
    }
}

static void what_only_a_tree_cannot_hold_is_refused(void **state)
{
    static const struct {
        const char *text, *why;
        size_t offset;
    } rows[] = {
        { "{\"a\":1,\"a\":2}", "a name is given twice in one object", 10 },
        { "[1,22,{\"a\":1.5,\"\\u0061\":2}]", "a name is given twice in one object", 23 },
        { "[\"a\\u0000\"]", "a string holds a NUL", 3 },
        { "{\"\\u0000\":1}", "a string holds a NUL", 2 },
        { "[1,]", "a value is expected", 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *root;
        struct scan_fault fault;
        assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), &root, &fault),
                         ERR_INVALID);
        assert_string_equal(fault.why, rows[i].why);
        assert_int_equal(fault.offset, rows[i].offset);
    }
}

static void a_tree_that_would_be_too_large_is_refused(void **state)
{
    struct buf text = BUF_INIT(4u << 20);
    struct json *root;
    struct scan_fault fault;

    (void)state;
    assert_int_equal(buf_append_text(&text, "[[]"), ERR_OK);
    while (text.len < 2u << 20)
        assert_int_equal(buf_append_text(&text, ",[]"), ERR_OK);
    assert_int_equal(buf_append_text(&text, "]"), ERR_OK);
    assert_int_equal(json_parse(text.bytes, text.len, &root, &fault), ERR_INVALID);
    assert_string_equal(fault.why, "it is too large to be read");
    buf_fini(&text);
}

static void a_dump_is_the_text_without_its_white_space(void **state)
{
    static const struct {
        const char *text, *dump;
    } rows[] = {
        { " [ 1.10 , 12345678901234567890123 , -0 , 1E400 ] ",
          "[1.10,12345678901234567890123,-0,1E400]" },
        { "{\"z\":1, \"a\" : {\"\": [ ] , \"b\":{ }}, \"m\":null}",
          "{\"z\":1,\"a\":{\"\":[],\"b\":{}},\"m\":null}" },
        { "\"\\u0041\\/\\u00e9\\u2028\\ud83d\\ude00\\u001f\"",
          "\"A/\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\\u001f\"" },
        { "\"a\\\\u0000\"", "\"a\\\\u0000\"" },
        { "true", "true" },
        { "[false,null,\"\"]", "[false,null,\"\"]" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *root = parse(rows[i].text);
        struct buf out = BUF_INIT(BUF_SMALL);
        assert_int_equal(json_dump(root, false, &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].dump);
        buf_fini(&out);
        json_free(root);
    }
}

static void a_dump_may_be_indented_by_two(void **state)
{
    struct json *root = parse("{\"a\":[1,{\"b\":null}],\"c\":{},\"d\":[]}");
    struct buf out = BUF_INIT(BUF_SMALL);

    (void)state;
    assert_int_equal(json_dump(root, true, &out), ERR_OK);
    assert_string_equal(buf_text(&out), "{\n"
                                        "  \"a\": [\n"
                                        "    1,\n"
                                        "    {\n"
                                        "      \"b\": null\n"
                                        "    }\n"
                                        "  ],\n"
                                        "  \"c\": {},\n"
                                        "  \"d\": []\n"
                                        "}");
    buf_fini(&out);
    json_free(root);
}

/* Writing. */

static void the_writer_puts_the_commas(void **state)
{
    static const char raw[] = "{\"n\": 1.10}";
    struct buf out = BUF_INIT(BUF_SMALL);
    struct json_writer w;

    (void)state;
    json_write_begin(&w, &out);
    json_open_object(&w);
    json_name(&w, "empty");
    json_open_array(&w);
    json_close_array(&w);
    json_name(&w, "list");
    json_open_array(&w);
    json_put_integer(&w, INT64_MIN);
    json_open_object(&w);
    json_close_object(&w);
    json_put_bool(&w, true);
    json_put_null(&w);
    json_put_text(&w, NULL);
    json_put_raw(&w, raw, sizeof raw - 1);
    json_close_array(&w);
    json_name(&w, "at");
    json_put_date(&w, UINT64_C(1795489056747));
    json_name(&w, "never");
    json_put_date(&w, 0);
    json_close_object(&w);
    assert_int_equal(json_write_end(&w), ERR_OK);
    assert_string_equal(buf_text(&out),
                        "{\"empty\":[],\"list\":[-9223372036854775808,{},true,null,null,"
                        "{\"n\": 1.10}],\"at\":\"2026-11-24T02:57:36.747Z\",\"never\":null}");
    buf_fini(&out);
}

static void any_bytes_make_a_valid_string(void **state)
{
    static const char bytes[] =
        "a\"b\\\b\f\n\r\t\x01\0\x7f \xc3\xa9 \xff\xc3( \xed\xa0\x80 \xe2\x82";
    struct buf out = BUF_INIT(BUF_SMALL);
    struct json_writer w;
    enum scan_type type;
    struct scan_fault fault;

    (void)state;
    json_write_begin(&w, &out);
    json_put_bytes(&w, bytes, sizeof bytes - 1);
    assert_int_equal(json_write_end(&w), ERR_OK);
    assert_string_equal(buf_text(&out),
                        "\"a\\\"b\\\\\\b\\f\\n\\r\\t\\u0001\\u0000\x7f \xc3\xa9 "
                        "\xef\xbf\xbd\xef\xbf\xbd( \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd "
                        "\xef\xbf\xbd\xef\xbf\xbd\"");
    assert_int_equal(scan_json(out.bytes, out.len, NULL, 0, &type, &fault), ERR_OK);
    buf_fini(&out);
}

static void an_error_of_the_buffer_sticks(void **state)
{
    struct buf out = BUF_INIT(8);
    struct json_writer w;

    (void)state;
    json_write_begin(&w, &out);
    json_open_array(&w);
    json_put_text(&w, "longer than that");
    json_put_null(&w);
    json_close_array(&w);
    assert_int_equal(json_write_end(&w), ERR_LIMIT);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_is_looked_up_by_name_and_index),
        cmocka_unit_test(look_ups_of_what_is_absent_chain),
        cmocka_unit_test(only_whole_numbers_in_range_are_integers),
        cmocka_unit_test(what_only_a_tree_cannot_hold_is_refused),
        cmocka_unit_test(a_tree_that_would_be_too_large_is_refused),
        cmocka_unit_test(a_dump_is_the_text_without_its_white_space),
        cmocka_unit_test(a_dump_may_be_indented_by_two),
        cmocka_unit_test(the_writer_puts_the_commas),
        cmocka_unit_test(any_bytes_make_a_valid_string),
        cmocka_unit_test(an_error_of_the_buffer_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
