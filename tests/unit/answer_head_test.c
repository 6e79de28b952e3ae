#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/count.h"
#include "wire/answer_head.h"

#define DATE "Tue, 24 Nov 2026 09:18:00 GMT"

static void a_head_says_what_the_client_must_know(void **state)
{
    static const struct {
        struct answer_head head;
        const char *text;
    } rows[] = {
        { { .status = 202, .date = DATE, .lines = "", .body_len = 10 },
          "HTTP/1.1 202 Accepted\r\nDate: " DATE "\r\n"
          "Content-Type: application/json\r\nContent-Length: 10\r\n\r\n" },
        { { .status = 200, .date = DATE, .lines = "", .body_len = 10, .type = "text/css" },
          "HTTP/1.1 200 OK\r\nDate: " DATE "\r\n"
          "Content-Type: text/css\r\nContent-Length: 10\r\n\r\n" },
        { { .status = 204, .date = DATE, .lines = "X: y\r\n" },
          "HTTP/1.1 204 No Content\r\nDate: " DATE "\r\nX: y\r\n\r\n" },
        { { .status = 200, .date = DATE, .lines = "", .connection = ANSWER_CLOSES },
          "HTTP/1.1 200 OK\r\nDate: " DATE
          "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
        { { .status = 418, .date = DATE, .lines = "", .connection = ANSWER_KEEPS },
          "HTTP/1.1 418 \r\nDate: " DATE "\r\n"
          "Content-Length: 0\r\nConnection: keep-alive\r\n\r\n" },
        { { .status = 500, .date = DATE, .lines = "", .body_len = SIZE_MAX },
          "HTTP/1.1 500 Internal Server Error\r\nDate: " DATE "\r\n"
          "Content-Type: application/json\r\nContent-Length: 18446744073709551615\r\n\r\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = BUF_INIT(1024);
        answer_head_write(&rows[i].head, &out);
        assert_string_equal(buf_text(&out), rows[i].text);
        buf_fini(&out);
    }
}

static void a_date_is_written_as_http_wants_it(void **state)
{
    static const struct {
        time_t wall_s;
        const char *text;
    } rows[] = {
        { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, /* RFC 9110, section 5.6.7 */
        { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 1795511880, DATE },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ANSWER_DATE_MAX];
        answer_date(rows[i].wall_s, text);
        assert_string_equal(text, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_says_what_the_client_must_know),
        cmocka_unit_test(a_date_is_written_as_http_wants_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
