/* What the command line understands and how it shows answers, without a server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/complete.h"
#include "cli/duration.h"
#include "cli/form.h"
#include "cli/instant.h"
#include "cli/nearest.h"
#include "cli/raw.h"
#include "core/count.h"

#define TEXT_MAX 4096

static struct raw raw(const char *text)
{
    return (struct raw){ text, strlen(text) };
}

static void a_duration_is_a_number_and_a_unit(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds; /* 0 = refused */
    } rows[] = {
        { "90d", 7776000 },
        { "12h", 43200 },
        { "30m", 1800 },
        { "45s", 45 },
        { "2w", 1209600 },
        { "300", 300 },
        { "0", 0 },
        { "0d", 0 },
        { "", 0 },
        { "d", 0 },
        { "-1d", 0 },
        { "+1d", 0 },
        { " 1d", 0 },
        { "1 d", 0 },
        { "1dd", 0 },
        { "1y", 0 },
        { "1.5h", 0 },
        { "36500d", 3153600000 },
        { "36501d", 0 },
        { "99999999999999999999s", 0 },
        { "18446744073709551615w", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t seconds = 0;

        assert_int_equal(duration_parse(rows[i].text, &seconds), rows[i].seconds != 0);
        assert_int_equal(seconds, rows[i].seconds);
    }
}

static void a_path_part_is_percent_encoded(void **state)
{
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        { "app_2dQ-._~", "app_2dQ-._~" },
        { "a/b", "a%2Fb" },
        { "..?x=1&y#z", "..%3Fx%3D1%26y%23z" },
        { "100 %", "100%20%25" },
        { "ü", "%C3%BC" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(TEXT_MAX);

        assert_int_equal(form_escape(rows[i].text, &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].escaped);
        buf_fini(&out);
    }
}

static void json_keeps_its_tokens_whatever_the_layout(void **state)
{
    static const struct {
        const char *text, *compact, *indented;
    } rows[] = {
        { "{}", "{}", "{}" },
        { " [ ] ", "[]", "[]" },
        { "{ \"a\" : 12345678901234567890123 ,\n\"b\":[1.10,\"x, y\"]}",
          "{\"a\":12345678901234567890123,\"b\":[1.10,\"x, y\"]}",
          "{\n  \"a\": 12345678901234567890123,\n  \"b\": [\n    1.10,\n    \"x, y\"\n  ]\n}" },
        { "{\"q\":\"\\\"}: {\\\\\",\"e\":{}}", "{\"q\":\"\\\"}: {\\\\\",\"e\":{}}",
          "{\n  \"q\": \"\\\"}: {\\\\\",\n  \"e\": {}\n}" },
        { "[[],[{}]]", "[[],[{}]]", "[\n  [],\n  [\n    {}\n  ]\n]" },
        { "\"a b\"", "\"a b\"", "\"a b\"" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(TEXT_MAX);

        assert_int_equal(raw_compact(raw(rows[i].text), &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].compact);
        buf_clear(&out);
        assert_int_equal(raw_indent(raw(rows[i].text), 0, &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].indented);
        buf_fini(&out);
    }
}

static void items_of_an_array_are_found_one_by_one(void **state)
{
    struct raw items = raw_items(raw("[ [1,2] , {\"a\":[3]},\"x]\", null,4 ]"));
    static const char *const expected[] = { "[1,2]", "{\"a\":[3]}", "\"x]\"", "null", "4" };
    struct raw item;

    (void)state;
    for (size_t i = 0; i < COUNT(expected); i++) {
        assert_true(raw_next(&items, &item));
        assert_true(raw_is(item, expected[i]));
    }
    assert_false(raw_next(&items, &item));

    items = raw_items(raw("[]"));
    assert_false(raw_next(&items, &item));
    items = raw_items(raw("{\"a\":1}"));
    assert_false(raw_next(&items, &item));
}

static void an_answer_has_the_shape_that_was_expected(void **state)
{
    static const struct {
        const char *body;
        bool as_object, as_list, as_any;
    } rows[] = {
        { "{\"data\":[],\"done\":true}", true, true, true },
        { "{\"id\":\"app_1\"}", true, false, true },
        { "{\"data\":{}}", true, false, true },
        { "", false, false, true },
        { "[]", false, false, false },
        { "\"ok\"", false, false, false },
        { "<html>hi</html>", false, false, false },
        { "{\"data\":[]", false, false, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf body = BUF_INIT(TEXT_MAX);

        assert_int_equal(buf_append_text(&body, rows[i].body), ERR_OK);
        assert_int_equal(answer_has_shape(&body, ANSWER_OBJECT), rows[i].as_object);
        assert_int_equal(answer_has_shape(&body, ANSWER_LIST), rows[i].as_list);
        assert_int_equal(answer_has_shape(&body, ANSWER_ANY), rows[i].as_any);
        buf_fini(&body);
    }
}

static void a_cell_shows_a_value_as_a_person_reads_it(void **state)
{
    static const struct {
        const char *object, *text;
    } rows[] = {
        { "{\"m\":\"caf\\u00e9\"}", "café" },
        { "{\"m\":\"\"}", "" },
        { "{\"m\":null}", "-" },
        { "{\"other\":1}", "-" },
        { "{\"m\":[]}", "" },
        { "{\"m\":[\"a\",\"b\"]}", "a,b" },
        { "{\"m\":true}", "true" },
        { "{\"m\":1.10}", "1.10" },
        { "{\"m\":{ \"k\": \"v\" }}", "{\"k\":\"v\"}" },
        { "[]", "-" },
        { "", "-" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(TEXT_MAX);

        assert_int_equal(raw_text(raw_member(raw(rows[i].object), "m"), &out), ERR_OK);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_fini(&out);
    }
}

static void the_distance_of_words_counts_their_differences(void **state)
{
    (void)state;
    assert_int_equal(nearest_distance("send", "send"), 0);
    assert_int_equal(nearest_distance("sned", "send"), 2);
    assert_int_equal(nearest_distance("app creat", "app create"), 1);
    assert_int_equal(nearest_distance("", "send"), 4);
    assert_int_equal(nearest_distance("kitten", "sitting"), 3);
}

static const struct command *command(const struct command *table, const char *path)
{
    while (strcmp(table->path, path) != 0)
        table++;
    return table;
}

/* Parse "last-word …" by a command's options; NULL with the exit status when refused. */
static struct line *parse(const struct command *c, char **argv, enum cli_exit *out_exit)
{
    int argc = 0;

    while (argv[argc])
        argc++;
    return line_parse(c, argc, argv, out_exit);
}

static void fields_become_the_body(void **state)
{
    char *argv[] = { "create",        "--app=shop",  "--to",         "http://h/",
                     "--event-types", "a.b,c.d",     "--rate-limit", "5",
                     "--metadata",    "team=x",      "--metadata",   "q=a=b",
                     "--header",      "X-Key: a: b", "--enable",     NULL };
    struct buf body = BUF_INIT(TEXT_MAX);
    enum cli_exit exit;
    struct line *line = parse(command(endpoint_commands, "endpoint create"), argv, &exit);

    (void)state;
    assert_non_null(line);
    assert_int_equal(form_body(line, &body), ERR_OK);
    assert_string_equal(buf_text(&body),
                        "{\"url\":\"http://h/\",\"eventTypes\":[\"a.b\",\"c.d\"],"
                        "\"disabled\":false,\"throttleRate\":5,"
                        "\"metadata\":{\"team\":\"x\",\"q\":\"a=b\"},"
                        "\"headers\":{\"X-Key\":\"a: b\"}}");
    buf_fini(&body);
    line_free(line);
}

static void fields_of_an_inner_object_stand_together(void **state)
{
    struct {
        const struct command *commands;
        const char *path;
        char *argv[8];
        const char *body;
    } rows[] = {
        { app_commands, "app create", { "create", "--name=n", NULL }, "{\"name\":\"n\"}" },
        { app_commands,
          "app create",
          { "create", "--mode=transit", "--name=n", "--home=fra", NULL },
          "{\"name\":\"n\",\"residency\":{\"home\":\"fra\",\"mode\":\"transit\"}}" },
        { app_commands,
          "app create",
          { "create", "--failover=none", "--name=n", "--jurisdiction=eu", "--uid=u", NULL },
          "{\"name\":\"n\",\"uid\":\"u\","
          "\"residency\":{\"jurisdiction\":\"eu\",\"failover\":\"none\"}}" },
        { endpoint_commands,
          "endpoint update",
          { "update", "--app=a", "--pin=dub,fra", "--longitude=-77.45", "--latitude=39",
            "--target=eu=https://h", "e", NULL },
          "{\"targets\":{\"eu\":\"https://h\"},\"dispatch\":{\"regions\":[\"dub\",\"fra\"]},"
          "\"location\":{\"latitude\":39,\"longitude\":-77.45}}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf body = BUF_INIT(TEXT_MAX);
        enum cli_exit exit;
        struct line *line = parse(command(rows[i].commands, rows[i].path), rows[i].argv, &exit);

        assert_non_null(line);
        assert_int_equal(form_body(line, &body), ERR_OK);
        assert_string_equal(buf_text(&body), rows[i].body);
        buf_fini(&body);
        line_free(line);
    }
}

static void an_empty_value_unsets_in_an_update_alone(void **state)
{
    struct {
        const struct command *commands;
        const char *path;
        char *argv[6];
        const char *body;
    } rows[] = {
        { app_commands, "app create", { "create", "--name=", NULL }, "{\"name\":\"\"}" },
        { app_commands,
          "app replace",
          { "replace", "--name=n", "--uid=", "a", NULL },
          "{\"name\":\"n\",\"uid\":\"\"}" },
        { app_commands,
          "app update",
          { "update", "--uid=", "--rate-limit=", "--failover=", "a", NULL },
          "{\"uid\":null,\"throttleRate\":null,\"residency\":{\"failover\":null}}" },
        { endpoint_commands,
          "endpoint create",
          { "create", "--app=a", "--to=", "--channels=", NULL },
          "{\"url\":\"\",\"channels\":[\"\"]}" },
        { endpoint_commands,
          "endpoint update",
          { "update", "--app=a", "--channels=", "--metadata=", "e", NULL },
          "{\"channels\":null,\"metadata\":null}" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf body = BUF_INIT(TEXT_MAX);
        enum cli_exit exit;
        struct line *line = parse(command(rows[i].commands, rows[i].path), rows[i].argv, &exit);

        assert_non_null(line);
        assert_int_equal(form_body(line, &body), ERR_OK);
        assert_string_equal(buf_text(&body), rows[i].body);
        buf_fini(&body);
        line_free(line);
    }
}

static void arguments_and_options_become_the_path_and_query(void **state)
{
    char *argv[] = { "get", "--app", "a/b", "--message=m 1", "x&y", NULL };
    const struct command *get = command(attempt_commands, "attempt get");
    struct buf out = BUF_INIT(TEXT_MAX);
    enum cli_exit exit;
    struct line *line = parse(get, argv, &exit);

    (void)state;
    assert_non_null(line);
    assert_int_equal(form_path(line, get->url, &out), ERR_OK);
    assert_string_equal(buf_text(&out), "/api/v1/app/a%2Fb/msg/m%201/attempt/x%26y");
    line_free(line);

    char *list_argv[] = { "list", "--app=a",          "--no-content",   "--limit",
                          "3",    "--event-type=a,b", "--event-type=c", NULL };
    line = parse(command(message_commands, "message list"), list_argv, &exit);
    assert_non_null(line);
    buf_clear(&out);
    assert_int_equal(form_query(line, &out), ERR_OK);
    assert_string_equal(buf_text(&out), "event_types=a%2Cb%2Cc&with_content=false&limit=3");
    line_free(line);
    buf_fini(&out);
}

static void an_instant_is_one_or_so_long_ago(void **state)
{
    static const struct {
        const char *text;
        uint64_t at_ms; /* 0 = refused */
    } rows[] = {
        { "2h", 100000000 - 7200000 },
        { "90s", 100000000 - 90000 },
        { "1970-01-02T00:00:00Z", 86400000 },
        { "1970-01-02T01:00:00.5+01:00", 86400500 },
        { "2d", 0 }, /* before 1970 */
        { "1970-01-02", 0 },
        { "soon", 0 },
        { "", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t at_ms = 0;

        assert_int_equal(instant_parse(rows[i].text, 100000000, &at_ms), rows[i].at_ms != 0);
        assert_int_equal(at_ms, rows[i].at_ms);
    }
}

static void a_status_is_given_by_its_word_or_number(void **state)
{
    static const struct {
        const char *text, *query; /* NULL = refused */
    } rows[] = {
        { "--status=success", "status=0" },
        { "--status=pending", "status=1" },
        { "--status=fail", "status=2" },
        { "--status=sending", "status=3" },
        { "--status=canceled", "status=4" },
        { "--status=0", "status=0" },
        { "--status=4", "status=4" },
        { "--status=5", NULL },
        { "--status=-1", NULL },
        { "--status=failed", NULL },
        { "--status=succ", NULL },
        { "--status=success|fail", NULL },
        { "--status=", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *argv[] = { "list", "--app=a", (char *)rows[i].text, NULL };
        struct buf out = BUF_INIT(TEXT_MAX);
        enum cli_exit exit;
        struct line *line = parse(command(attempt_commands, "attempt list"), argv, &exit);

        assert_int_equal(line != NULL, rows[i].query != NULL);
        if (line) {
            assert_int_equal(form_query(line, &out), ERR_OK);
            assert_string_equal(buf_text(&out), rows[i].query);
        } else {
            assert_int_equal(exit, CLI_USAGE);
        }
        buf_fini(&out);
        line_free(line);
    }
}

static void a_status_in_a_body_is_its_number(void **state)
{
    char *argv[] = {
        "replay",   "--app=a", "--since=2026-11-24T02:57:36Z", "--status=sending", "--yes",
        "endpoint", NULL
    };
    struct buf body = BUF_INIT(TEXT_MAX);
    enum cli_exit exit;
    struct line *line = parse(command(replay_commands, "replay"), argv, &exit);

    (void)state;
    assert_non_null(line);
    assert_int_equal(form_body(line, &body), ERR_OK);
    assert_string_equal(buf_text(&body),
                        "{\"since\":\"2026-11-24T02:57:36.000Z\",\"status\":3}");
    buf_fini(&body);
    line_free(line);
}

static void since_and_until_include_their_instants(void **state)
{
    char *argv[] = { "list", "--app=a", "--since=2026-11-24T02:57:36Z",
                     "--until=2026-11-24T03:57:36+01:00", NULL };
    struct buf out = BUF_INIT(TEXT_MAX);
    enum cli_exit exit;
    struct line *line = parse(command(message_commands, "message list"), argv, &exit);

    (void)state;
    assert_non_null(line);
    assert_int_equal(form_query(line, &out), ERR_OK);
    assert_string_equal(buf_text(&out), "after=2026-11-24T02%3A57%3A35.999Z"
                                        "&before=2026-11-24T02%3A57%3A36.001Z");
    buf_fini(&out);
    line_free(line);
}

static void a_wrong_command_line_is_a_usage_error(void **state)
{
    struct {
        const struct command *table;
        const char *path;
        char *argv[6];
    } rows[] = {
        { app_commands, "app get", { "get" } },
        { app_commands, "app get", { "get", "a", "b" } },
        { app_commands, "app list", { "list", "--colour" } },
        { app_commands, "app list", { "list", "--limit", "many" } },
        { app_commands, "app list", { "list", "--limit", "-1" } },
        { app_commands, "app list", { "list", "--order", "up" } },
        { message_commands, "message list", { "list", "--app=a", "--since=soon" } },
        { message_commands, "message list", { "list", "--app=a", "--since=1h", "--after=1h" } },
        { endpoint_commands,
          "endpoint update",
          { "update", "--app=a", "--enable", "--disable", "e" } },
        { replay_commands,
          "replay",
          { "replay", "--app=a", "--since=1h", "--status=canceled", "e" } },
        { app_commands, "app list", { "list", "--limit" } },
        { app_commands, "app create", { "create", "--metadata", "novalue" } },
        { endpoint_commands, "endpoint create", { "create", "--app=a", "--header", "none" } },
        { app_commands, "app create", { "create", "--name=n", "--rate-limit=" } },
        { app_commands, "app create", { "create", "--name=n", "--metadata=" } },
        { app_commands, "app create", { "create", "--name=n", "--mode=" } },
        { app_commands, "app create", { "create", "--name=\xff" } },
        { app_commands, "app create", { "create", "--name=n", "--metadata", "a=\xc3" } },
        { app_commands, "app get", { "get", "\xed\xa0\x80" } },
        { endpoint_commands, "endpoint list", { "list", "--app=\xff" } },
        { send_commands, "send", { "send", "--app=a", "a.\xff" } },
        { endpoint_commands, "endpoint list", { "list" } },
        { app_commands, "app delete", { "delete", "--app=a", "x" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum cli_exit exit = CLI_OK;

        assert_null(parse(command(rows[i].table, rows[i].path), rows[i].argv, &exit));
        assert_int_equal(exit, CLI_USAGE);
    }
}

static void a_path_need_not_be_utf8(void **state)
{
    struct {
        const struct command *table;
        const char *path;
        char *argv[5];
    } rows[] = {
        { app_commands, "app list", { "list", "--config=\xff" } },
        { send_commands, "send", { "send", "--app=a", "--data=@\xff", "a.b" } },
        { event_type_commands, "event-type import", { "import", "\xff" } },
        { init_commands, "init", { "init", "\xff" } },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum cli_exit exit;
        struct line *line = parse(command(rows[i].table, rows[i].path), rows[i].argv, &exit);

        assert_non_null(line);
        line_free(line);
    }
}

static void what_may_stand_next_is_known(void **state)
{
    static const struct {
        const char *words[8];
        const char *lines[4];  /* among others; NULL: nothing at all */
        const char *not_among; /* how none begins */
    } rows[] = {
        { { "" }, { "app\t", "send\tsend a message", "help\t", "lab\trun several" }, "--" },
        { { "app", "" }, { "create\tmake an application\n", "list\t" }, "--" },
        { { "app", "cr" }, { "create\t" }, "list" },
        { { "region", "c" }, { "certificate\t\n" }, "create" },
        { { "region", "certificate", "" }, { "create\t", "show\t" }, "list" },
        { { "help", "app", "" }, { "create\t" }, "help" },
        { { "lab", "" }, { "cut\t", "status\t" }, "fra" },
        { { "lab", "--" }, { "--tour\t", "--help\t" }, "cut" },
        { { "app", "list", "--o" }, { "--order\t", "--output\t" }, "--limit" },
        { { "app", "list", "--output", "json", "--" }, { "--order\t" }, "--output" },
        { { "app", "create", "--metadata", "a=b", "--m" },
          { "--metadata\t", "--mode\t" },
          "--n" },
        { { "app", "list", "--output", "" }, { "table\t", "json\t", "jsonl\t" }, "--" },
        { { "app", "list", "-o", "js" }, { "json\t", "jsonl\t" }, "table" },
        { { "app", "list", "--output=js" },
          { "--output=json\t", "--output=jsonl\t" },
          "table" },
        { { "attempt", "list", "--status", "" }, { "success\t", "fail\t", "sending\t" }, "0" },
        { { "endpoint", "messages", "--status=f" }, { "--status=fail\t" }, "--status=s" },
        { { "attempt", "list", "--status-code-class", "" }, { "0\t", "200\t" }, "404" },
        { { "app", "list", "--limit", "" }, { NULL }, "" },
        { { "status", "--config=x" }, { ":file --config=\n" }, "--output" },
        { { "send", "t", "-d", "@b" }, { ":file @\n" }, "t" },
        { { "send", "t", "-d", "{" }, { NULL }, "" },
        { { "init", "" }, { ":dir \n" }, "--" },
        { { "region", "add", "a.card", "" }, { ":file \n" }, "--" },
        { { "init", "a", "" }, { NULL }, "" },
        { { "completion", "z" }, { "zsh\t" }, "bash" },
        { { "nonsense", "" }, { NULL }, "" },
        { { "app", "nonsense", "--l" }, { NULL }, "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(1 << 16);
        size_t count = 0;

        while (count < 8 && rows[i].words[count])
            count++;
        assert_int_equal(complete_words(rows[i].words, count, &out), ERR_OK);
        for (size_t n = 0; n < 4 && rows[i].lines[n]; n++)
            if (!strstr(buf_text(&out), rows[i].lines[n]))
                fail_msg("row %zu: no %s in %s", i, rows[i].lines[n], buf_text(&out));
        if (!rows[i].lines[0])
            assert_int_equal(out.len, 0);
        else
            for (const char *line = buf_text(&out); *line; line = strchr(line, '\n') + 1)
                if (strncmp(line, rows[i].not_among, strlen(rows[i].not_among)) == 0)
                    fail_msg("row %zu: %s in %s", i, rows[i].not_among, buf_text(&out));
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_duration_is_a_number_and_a_unit),
        cmocka_unit_test(a_path_part_is_percent_encoded),
        cmocka_unit_test(json_keeps_its_tokens_whatever_the_layout),
        cmocka_unit_test(items_of_an_array_are_found_one_by_one),
        cmocka_unit_test(an_answer_has_the_shape_that_was_expected),
        cmocka_unit_test(a_cell_shows_a_value_as_a_person_reads_it),
        cmocka_unit_test(the_distance_of_words_counts_their_differences),
        cmocka_unit_test(fields_become_the_body),
        cmocka_unit_test(fields_of_an_inner_object_stand_together),
        cmocka_unit_test(an_empty_value_unsets_in_an_update_alone),
        cmocka_unit_test(arguments_and_options_become_the_path_and_query),
        cmocka_unit_test(an_instant_is_one_or_so_long_ago),
        cmocka_unit_test(a_status_is_given_by_its_word_or_number),
        cmocka_unit_test(a_status_in_a_body_is_its_number),
        cmocka_unit_test(since_and_until_include_their_instants),
        cmocka_unit_test(a_path_need_not_be_utf8),
        cmocka_unit_test(what_may_stand_next_is_known),
        cmocka_unit_test(a_wrong_command_line_is_a_usage_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
