#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/log.h"
#include "tests/lib/capture.h"

#define TIME_LEN 24 /* "2026-11-24T02:57:36.747Z" */

static char written[2 * LOG_LINE_MAX];

/* Log one event with a text and a number, and keep the line. */
static void log_one(enum log_level level, const char *event, const char *text, int64_t number)
{
    struct capture capture;

    capture_begin(&capture);
    log_event(level, event, LOG_STR("text", text), LOG_NUM("number", number));
    capture_end(&capture, written, sizeof written);
}

static void a_line_is_time_level_event_and_fields(void **state)
{
    static const struct {
        const char *text, *line;
    } rows[] = {
        { "plain", " warn attempt_failed text=plain number=-7\n" },
        { "10.0.0.1:80", " warn attempt_failed text=10.0.0.1:80 number=-7\n" },
        { "", " warn attempt_failed text=\"\" number=-7\n" },
        { "two words", " warn attempt_failed text=\"two words\" number=-7\n" },
        { "a=b", " warn attempt_failed text=\"a=b\" number=-7\n" },
        { "say \"hi\"", " warn attempt_failed text=\"say \\\"hi\\\"\" number=-7\n" },
        { "x\ny", " warn attempt_failed text=\"x\\u000ay\" number=-7\n" },
        { "\x7f", " warn attempt_failed text=\"\\u007f\" number=-7\n" },
        { "C:\\", " warn attempt_failed text=\"C:\\\\\" number=-7\n" },
    };

    (void)state;
    log_open(LOG_TEXT, LOG_INFO);
    for (size_t i = 0; i < COUNT(rows); i++) {
        log_one(LOG_WARN, "attempt_failed", rows[i].text, -7);
        assert_int_equal(written[TIME_LEN - 1], 'Z');
        assert_string_equal(written + TIME_LEN, rows[i].line);
    }
}

static void as_json_a_line_is_one_object(void **state)
{
    static const char start[] = "{\"time\":\"";

    (void)state;
    log_open(LOG_JSON, LOG_DEBUG);
    log_one(LOG_DEBUG, "listening", "a \"b\"\n", 8071);
    assert_memory_equal(written, start, sizeof start - 1);
    assert_string_equal(written + sizeof start - 1 + TIME_LEN,
                        "\",\"level\":\"debug\",\"event\":\"listening\","
                        "\"text\":\"a \\\"b\\\"\\u000a\",\"number\":8071}\n");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    for (int least = LOG_DEBUG; least <= LOG_ERROR; least++)
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            log_open(LOG_TEXT, (enum log_level)least);
            log_one((enum log_level)level, "event", "x", 0);
            assert_int_equal(*written != '\0', level >= least);
        }
}

static void a_line_too_long_is_cut_and_still_ends(void **state)
{
    static const struct {
        enum log_format format;
        char fill;
        const char *end;
    } rows[] = {
        { LOG_TEXT, 'x', "xxx\n" },         { LOG_TEXT, ' ', "   \" \n" },
        { LOG_JSON, 'x', "xxx\"}\n" },      { LOG_JSON, '"', "\\\"\\\"\"}\n" },
        { LOG_JSON, '\n', "\\u000a\"}\n" },
    };
    char text[2 * LOG_LINE_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        memset(text, rows[i].fill, sizeof text - 1);
        text[sizeof text - 1] = '\0';
        log_open(rows[i].format, LOG_INFO);
        log_one(LOG_INFO, "event", text, 0);
        size_t len = strlen(written);
        assert_in_range(len, LOG_LINE_MAX - 8, LOG_LINE_MAX);
        assert_string_equal(written + len - strlen(rows[i].end), rows[i].end);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_time_level_event_and_fields),
        cmocka_unit_test(as_json_a_line_is_one_object),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
        cmocka_unit_test(a_line_too_long_is_cut_and_still_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
