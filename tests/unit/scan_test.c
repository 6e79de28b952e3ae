#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/count.h"
#include "wire/scan.h"

#define ROW(text)                                                                              \
    {                                                                                          \
        text, sizeof(text) - 1                                                                 \
    }

struct row {
    const char *text;
    size_t len;
};

/* A copy of exactly the text's size, so that reading past its end is seen. */
static enum err scan_copy(const char *text, size_t len, enum scan_type *out_type,
                          struct scan_fault *out_fault)
{
    char *copy = malloc(len ? len : 1);

    assert_non_null(copy);
    memcpy(copy, text, len);
    enum err err = scan_json(copy, len, NULL, 0, out_type, out_fault);
    free(copy);
    return err;
}

static const struct row GOOD[] = {
    ROW("null"),
    ROW("true"),
    ROW("false"),
    ROW("0"),
    ROW("-0"),
    ROW("1"),
    ROW("-12"),
    ROW("1.10"),
    ROW("0.0"),
    ROW("-0.5e+3"),
    ROW("1E400"),
    ROW("2e-7"),
    ROW("0e1"),
    ROW("123456789012345678901234567890123456789012345678901234567890"),
    ROW("\"\""),
    ROW("\"a\""),
    ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
    ROW("\"\\u0000\""),
    ROW("\"\\uD83D\\uDE00\""),
    ROW("\"\\ud83d\\ude00 \\uDBFF\\uDFFF\""),
    ROW("\"\\uFFFF \\uE000\""),
    ROW("\"\x7f\""),
    ROW("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""),
    ROW("\"\xe2\x80\xa8\""),
    ROW("\"\xef\xbf\xbf \xf4\x8f\xbf\xbf \xed\x9f\xbf \xee\x80\x80\""),
    ROW("\"01234567890123456789\\n0123456789\""),
    ROW("[]"),
    ROW("[ ]"),
    ROW("[1,2 , 3\t,\r\n4]"),
    ROW("[[],[[]],{}]"),
    ROW("{}"),
    ROW("{ }"),
    ROW("{\"\":0}"),
    ROW(" { \"a\" : [ { \"b\" : null } ] , \"c\" : { } } \n"),
    ROW("{\"a\":1,\"a\":2}"),
    ROW("{\"a\\u0000b\":1}"),
    ROW("[\"\\u0061\",true,false,null]"),
};

static void json_texts_are_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(GOOD); i++) {
        enum scan_type type;
        struct scan_fault fault;
        if (scan_copy(GOOD[i].text, GOOD[i].len, &type, &fault) != ERR_OK)
            fail_msg("%s: %s at %zu", GOOD[i].text, fault.why, fault.offset);
    }
}

static const struct row BAD[] = {
    ROW(""),
    ROW(" "),
    ROW("\0"),
    ROW("null\0"),
    ROW("\xef\xbb\xbf{}"),
    ROW("nul"),
    ROW("nulll"),
    ROW("True"),
    ROW("NaN"),
    ROW("Infinity"),
    ROW("-"),
    ROW("+1"),
    ROW("01"),
    ROW("-01"),
    ROW("1."),
    ROW(".5"),
    ROW("1.e3"),
    ROW("1e"),
    ROW("1e+"),
    ROW("0x1"),
    ROW("1 2"),
    ROW("--1"),
    ROW("\""),
    ROW("\"a"),
    ROW("\"\\"),
    ROW("\"\\\""),
    ROW("\"\\x\""),
    ROW("\"\\\0\""),
    ROW("\"\\u12\""),
    ROW("\"\\u123"),
    ROW("\"\\u12G4\""),
    ROW("\"\\uD800\""),
    ROW("\"\\uD800x\""),
    ROW("\"\\uDC00\""),
    ROW("\"\\uD800\\uD800\""),
    ROW("\"\\uD800\\n\""),
    ROW("\"\\uD83D\\uDE0"),
    ROW("\"\t\""),
    ROW("\"\n\""),
    ROW("\"\x1f\""),
    ROW("\"0123456\x01\""),
    ROW("\"a\0b\""),
    ROW("\"\x80\""),
    ROW("\"\xc0\xaf\""),
    ROW("\"\xc1\xbf\""),
    ROW("\"\xc3\""),
    ROW("\"\xc3"),
    ROW("\"\xe0\x80\xaf\""),
    ROW("\"\xed\xa0\x80\""),
    ROW("\"\xe2\x82\""),
    ROW("\"\xf0\x80\x80\xaf\""),
    ROW("\"\xf4\x90\x80\x80\""),
    ROW("\"\xf5\x80\x80\x80\""),
    ROW("\"\xff\""),
    ROW("'a'"),
    ROW("["),
    ROW("]"),
    ROW("[1"),
    ROW("[1,"),
    ROW("[1,]"),
    ROW("[,1]"),
    ROW("[1 2]"),
    ROW("[1}"),
    ROW("[]]"),
    ROW("[\v1]"),
    ROW("[\xc2\xa0]"),
    ROW("{"),
    ROW("}"),
    ROW("{\"a\""),
    ROW("{\"a\":"),
    ROW("{\"a\":1"),
    ROW("{\"a\":1,"),
    ROW("{\"a\":1,}"),
    ROW("{\"a\" 1}"),
    ROW("{\"a\",1}"),
    ROW("{,}"),
    ROW("{a:1}"),
    ROW("{1:1}"),
    ROW("{\"a\":1 \"b\":2}"),
    ROW("{\"a\":1]"),
    ROW("{}{}"),
    ROW("{} x"),
    ROW("// comment\n{}"),
};

static void what_isnt_json_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(BAD); i++) {
        enum scan_type type;
        struct scan_fault fault;
        if (scan_copy(BAD[i].text, BAD[i].len, &type, &fault) != ERR_INVALID)
            fail_msg("row %zu is accepted: %s", i, BAD[i].text);
        assert_non_null(fault.why);
        assert_true(fault.offset <= BAD[i].len);
    }
}

static void a_text_cut_anywhere_is_refused(void **state)
{
    static const char text[] =
        "{\"a\":[1.5e+3,\"\\u00e9\\ud83d\\ude00\xe2\x82\xac\",true,null],\"b\":{\"c\":{}}}";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        enum scan_type type;
        struct scan_fault fault;
        assert_int_equal(scan_copy(text, len, &type, &fault), ERR_INVALID);
    }
}

static void a_fault_says_what_and_where(void **state)
{
    static const struct {
        const char *text, *why;
        size_t offset;
    } rows[] = {
        { "{\"a\":01}", "',' or '}' is expected", 6 },
        { "[1,]", "a value is expected", 3 },
        { "{\"a\" 1}", "':' is expected", 5 },
        { "{1:2}", "a member's name is expected", 1 },
        { "[\"\\x\"]", "a string has an escape that isn't one", 2 },
        { "[\"a\tb\"]", "a string has a control character", 3 },
        { "[\"a\xff\"]", "a string isn't UTF-8", 3 },
        { "{} {}", "there is more after the end", 3 },
        { "{\"a\":", "the text ends too early", 5 },
        { "\"abc", "the text ends too early", 4 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum scan_type type;
        struct scan_fault fault;
        assert_int_equal(scan_copy(rows[i].text, strlen(rows[i].text), &type, &fault),
                         ERR_INVALID);
        assert_string_equal(fault.why, rows[i].why);
        assert_int_equal(fault.offset, rows[i].offset);
        assert_null(fault.member);
    }
}

typedef enum err scan_any(const void *text, size_t len, struct scan_member *members,
                          size_t count, enum scan_type *out_type, struct scan_fault *out_fault);

/* `depth` containers, objects and arrays in turn. */
static enum err scan_nested(scan_any *scan, unsigned depth, struct scan_fault *out_fault)
{
    struct buf text = BUF_INIT(1u << 16);
    enum scan_type type;

    for (unsigned i = 0; i < depth; i++)
        assert_int_equal(buf_append_text(&text, i % 3 == 0 ? "{\"k\":" : "["), ERR_OK);
    assert_int_equal(buf_append_text(&text, "0"), ERR_OK);
    for (unsigned i = depth; i-- > 0;)
        assert_int_equal(buf_append_text(&text, i % 3 == 0 ? "}" : "]"), ERR_OK);
    enum err err = scan(buf_text(&text), text.len, NULL, 0, &type, out_fault);
    buf_fini(&text);
    return err;
}

static void depth_is_limited(void **state)
{
    static const struct {
        scan_any *scan;
        unsigned max;
    } rows[] = { { scan_json, SCAN_DEPTH_MAX }, { scan_answer, SCAN_ANSWER_DEPTH_MAX } };
    struct scan_fault fault;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(scan_nested(rows[i].scan, rows[i].max, &fault), ERR_OK);
        assert_int_equal(scan_nested(rows[i].scan, rows[i].max + 1, &fault), ERR_INVALID);
        assert_string_equal(fault.why, "it is nested too deeply");
    }
}

static void members_are_found_byte_by_byte(void **state)
{
    static const struct {
        const char *text, *payload;
        enum scan_type type;
    } rows[] = {
        { "{\"payload\":{\"b\":1,\"a\":2}}", "{\"b\":1,\"a\":2}", SCAN_OBJECT },
        { "{\"x\":0, \"payload\" : {\"n\": 1.10 } , \"y\":1}", "{\"n\": 1.10 }", SCAN_OBJECT },
        { "{\"payload\":12345678901234567890123 }", "12345678901234567890123", SCAN_NUMBER },
        { "{\"payload\":{\"a\":1,\"a\":2}}", "{\"a\":1,\"a\":2}", SCAN_OBJECT },
        { "{\"payload\":\"\\u0000\xe2\x80\xa8\"}", "\"\\u0000\xe2\x80\xa8\"", SCAN_STRING },
        { "{\"pay\\u006coad\":[ ]}", "[ ]", SCAN_ARRAY },
        { "{\"\\u0070ayloa\\u0064\":true}", "true", SCAN_TRUE },
        { "{\"payload\":false}", "false", SCAN_FALSE },
        { "{\"payload\"\n:\nnull\n}", "null", SCAN_NULL },
        { "{\"x\":{\"payload\":1},\"payload\":2}", "2", SCAN_NUMBER },
        { "{\"x\":{\"payload\":1}}", NULL, SCAN_NONE },
        { "{\"payloa\":1,\"payloads\":2,\"payload\\u0000\":3,\"Payload\":4}", NULL, SCAN_NONE },
        { "[{\"payload\":1}]", NULL, SCAN_NONE },
        { "\"payload\"", NULL, SCAN_NONE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scan_member members[] = { { .name = "other" }, { .name = "payload" } };
        enum scan_type type;
        struct scan_fault fault;
        const char *text = rows[i].text;

        assert_int_equal(scan_json(text, strlen(text), members, 2, &type, &fault), ERR_OK);
        assert_int_equal(members[0].type, SCAN_NONE);
        assert_int_equal(members[1].type, rows[i].type);
        if (rows[i].payload) {
            assert_int_equal(members[1].len, strlen(rows[i].payload));
            assert_memory_equal(members[1].at, rows[i].payload, members[1].len);
        }
    }
}

static void a_name_outside_ascii_is_compared_after_its_escapes(void **state)
{
    static const char text[] = "{\"\\u00e9\\u20AC\\ud83d\\ude00\\n\":7}";
    struct scan_member member = { .name = "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n" };
    enum scan_type type;
    struct scan_fault fault;

    (void)state;
    assert_int_equal(scan_json(text, sizeof text - 1, &member, 1, &type, &fault), ERR_OK);
    assert_int_equal(member.type, SCAN_NUMBER);
}

static void an_asked_member_given_twice_is_refused(void **state)
{
    static const char *const rows[] = {
        "{\"payload\":1,\"payload\":1}",
        "{\"payload\":{},\"x\":[],\"pay\\u006coad\":{}}",
        "{\"payload\":null,\"payload\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scan_member member = { .name = "payload" };
        enum scan_type type;
        struct scan_fault fault;
        assert_int_equal(scan_json(rows[i], strlen(rows[i]), &member, 1, &type, &fault),
                         ERR_INVALID);
        assert_string_equal(fault.member, "payload");
        assert_int_equal(member.type, SCAN_NONE);
    }
}

static void escapes_are_resolved(void **state)
{
    static const char text[] = "\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00E9\\u20ac"
                               "\\uD83D\\uDE00\\u0000\xc3\xa9\"";
    static const char expected[] = "a\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac"
                                   "\xf0\x9f\x98\x80\0\xc3\xa9";
    uint8_t out[sizeof text];

    (void)state;
    size_t len = scan_unescape((const uint8_t *)text, sizeof text - 1, out);
    assert_int_equal(len, sizeof expected - 1);
    assert_memory_equal(out, expected, len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_texts_are_accepted),
        cmocka_unit_test(what_isnt_json_is_refused),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
        cmocka_unit_test(a_fault_says_what_and_where),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(members_are_found_byte_by_byte),
        cmocka_unit_test(a_name_outside_ascii_is_compared_after_its_escapes),
        cmocka_unit_test(an_asked_member_given_twice_is_refused),
        cmocka_unit_test(escapes_are_resolved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
