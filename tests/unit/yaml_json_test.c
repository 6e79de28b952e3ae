/* YAML that is read as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/yaml_json.h"

static void yaml_becomes_the_json_that_it_stands_for(void **state)
{
    static const struct {
        const char *yaml, *json;
    } rows[] = {
        { "a: 1\n", "{\"a\":1}" },
        { "a:\n  b: [x, 'y z', \"\\u00e9\"]\n  c: {d: e}\n",
          "{\"a\":{\"b\":[\"x\",\"y z\",\"\xc3\xa9\"],\"c\":{\"d\":\"e\"}}}" },
        { "- a\n- - b\n  - c\n- {}\n- []\n", "[\"a\",[\"b\",\"c\"],{},[]]" },
        { "200: ok\ntrue: yes\n", "{\"200\":\"ok\",\"true\":\"yes\"}" },
        { "[~, null, '', , \"null\"]", NULL },
        { "a:\nb: ~\nc: null\nd: 'null'\ne: ''\n",
          "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"null\",\"e\":\"\"}" },
        { "[true, False, TRUE, 'true', yes]", "[true,false,true,\"true\",\"yes\"]" },
        { "[0, -1, 1.10, 1e5, -2.5E-3, 12345678901234567890]",
          "[0,-1,1.10,1e5,-2.5E-3,12345678901234567890]" },
        { "[007, +1, .5, 1., 0x1f, 1_000, -, 1e, '1', .inf]",
          "[\"007\",\"+1\",\".5\",\"1.\",\"0x1f\",\"1_000\",\"-\",\"1e\",\"1\",\".inf\"]" },
        { "[!!str 1, !!str true, !!int 2]", "[\"1\",\"true\",\"2\"]" },
        { "a: |\n  one\n  \"two\"\\\nb: >\n  x\n  y\n",
          "{\"a\":\"one\\u000a\\u0022two\\u0022\\u005c\\u000a\",\"b\":\"x y\\u000a\"}" },
        { "{\"a\": [1, {\"b\": null}], \"c\": \"\\n\"}",
          "{\"a\":[1,{\"b\":null}],\"c\":\"\\u000a\"}" },
        { "--- # a comment\na: &anchor 1\n...\n", "{\"a\":1}" },
        { "hello", "\"hello\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(1024);
        struct yaml_fault fault = { 0 };
        enum err err = yaml_to_json(rows[i].yaml, strlen(rows[i].yaml), &out, &fault);
        if (rows[i].json) {
            assert_int_equal(err, ERR_OK);
            assert_string_equal(buf_text(&out), rows[i].json);
        } else {
            assert_int_equal(err, ERR_INVALID);
        }
        buf_fini(&out);
    }
}

static void what_is_refused_is_said_with_its_line(void **state)
{
    static const struct {
        const char *yaml;
        enum err err;
        size_t line;
        const char *why;
    } rows[] = {
        { "", ERR_INVALID, 1, "there is no document" },
        { "a: 1\nb: [\n", ERR_INVALID, 3, NULL },
        { "a: &x 1\nb: *x\n", ERR_INVALID, 2, "aliases aren't supported" },
        { "a: 1\n---\nb: 2\n", ERR_INVALID, 2, "a second document begins" },
        { "a: 1\n? [b]\n: c\n", ERR_INVALID, 2, "a key must be a name" },
        { "a: \"0123456789012345678901234567890123456789\"\n", ERR_LIMIT, 1,
          "it is too large" },
        { "a: \"\xff\"\n", ERR_INVALID, 1, NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(32);
        struct yaml_fault fault = { 0 };
        assert_int_equal(yaml_to_json(rows[i].yaml, strlen(rows[i].yaml), &out, &fault),
                         rows[i].err);
        assert_int_equal(fault.line, rows[i].line);
        assert_true(fault.why[0] != '\0');
        if (rows[i].why)
            assert_string_equal(fault.why, rows[i].why);
        buf_fini(&out);
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    for (size_t depth = YAML_DEPTH_MAX; depth <= YAML_DEPTH_MAX + 1; depth++) {
        char text[2 * (YAML_DEPTH_MAX + 1)];
        struct buf out = BUF_INIT(1024);
        struct yaml_fault fault;
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(yaml_to_json(text, 2 * depth, &out, &fault),
                         depth == YAML_DEPTH_MAX ? ERR_OK : ERR_LIMIT);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(yaml_becomes_the_json_that_it_stands_for),
        cmocka_unit_test(what_is_refused_is_said_with_its_line),
        cmocka_unit_test(depth_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
