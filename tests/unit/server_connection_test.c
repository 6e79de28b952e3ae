/* What the server does with a connection: kept or closed, shared by requests, left half way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/answer.h"
#include "tests/lib/server_fixture.h"

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

static void a_connection_is_kept_as_the_version_and_the_client_say(void **state)
{
    static const struct {
        const char *line;   /* of the request */
        const char *header; /* with its answer's */
        const char *says;   /* in the answer; NULL: nothing about it */
        bool stays;
    } rows[] = {
        { "HTTP/1.1", "", NULL, true },
        { "HTTP/1.1", "Connection: keep-alive\r\n", NULL, true },
        { "HTTP/1.1", "Connection: close\r\n", "close", false },
        { "HTTP/1.1", "Connection: x, Close\r\n", "close", false },
        { "HTTP/1.1", "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n", NULL, true },
        { "HTTP/1.0", "", "close", false },
        { "HTTP/1.0", "Connection: Keep-Alive\r\n", "keep-alive", true },
    };
    struct server_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        struct client c;

        snprintf(text, sizeof text, "GET /1 %s\r\n" HOST "%s\r\n", rows[i].line,
                 rows[i].header);
        server_fixture_connect(f, &c);
        client_say(&c, text);
        struct answer a = answer_take(client_answer(&c));
        const char *says = answer_header(&a, "Connection");
        assert_int_equal(a.status, 200);
        if (!rows[i].says)
            assert_null(says);
        else
            assert_has(says, rows[i].says);
        if (rows[i].stays) {
            client_say(&c, GET("/2"));
            assert_has(client_answer(&c), "GET /2? ");
        } else {
            assert_true(client_is_closed(&c));
        }
        answer_fini(&a);
        client_close(&c);
    }
}

static void every_answer_has_a_date_and_its_length(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, GET("/x") "nonsense\r\n");
    for (unsigned i = 0; i < 2; i++) {
        struct answer a = answer_take(client_answer(&c));
        const char *date = answer_header(&a, "Date");
        assert_non_null(date);
        assert_int_equal(strcspn(date, "\r"), strlen("Tue, 24 Nov 2026 09:18:00 GMT"));
        assert_int_equal(strncmp(date + 25, " GMT\r\n", 6), 0);
        assert_int_equal(strtoul(answer_header(&a, "Content-Length"), NULL, 10), a.body_len);
        answer_fini(&a);
    }
    client_close(&c);
}

static void empty_lines_before_a_request_are_skipped(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "\r\n\r\n" GET("/1") "\r\n" GET("/2"));
    assert_has(client_answer(&c), "GET /1? ");
    assert_has(client_answer(&c), "GET /2? ");
    client_close(&c);
}

/* More than the server reads ahead: the socket holds the rest until it is its turn. */
static void any_number_of_pipelined_requests_is_answered_in_order(void **state)
{
    struct server_fixture *f = *state;
    struct buf text = BUF_INIT(1 << 20);
    struct client c;
    unsigned count = 2000;

    assert_int_equal(buf_append_text(&text, GET("/later")), ERR_OK);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(buf_printf(&text, "GET /%u HTTP/1.1\r\n" HOST "\r\n", i), ERR_OK);
    server_fixture_connect(f, &c);
    client_send(&c, text.bytes, text.len);
    server_fixture_wait_owed(f, 1);
    assert_int_equal(c.in.len, 0);
    server_fixture_reply(f->owed[0], 202, "first");
    assert_has(client_answer(&c), "first");
    for (unsigned i = 0; i < count; i++) {
        char want[32];
        snprintf(want, sizeof want, "\r\n\r\nGET /%u? ", i);
        assert_has(client_answer(&c), want);
    }
    client_close(&c);
    buf_fini(&text);
}

static void what_follows_the_last_request_is_never_read_as_one(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET /last HTTP/1.1\r\n" HOST "Connection: close\r\n\r\n" GET("/more"));
    assert_has(client_answer(&c), "GET /last? ");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

/* As `nc` and shell scripts do: the client has said all it will, and listens. */
static void a_client_that_has_said_all_gets_all_its_answers(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, GET("/later") GET("/2") GET("/3"));
    shutdown(c.fd, SHUT_WR);
    server_fixture_wait_owed(f, 1);
    for (unsigned i = 0; i < 5; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    server_fixture_reply(f->owed[0], 202, "first");
    assert_has(client_answer(&c), "first");
    assert_has(client_answer(&c), "GET /2? ");
    assert_has(client_answer(&c), "GET /3? ");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

static void a_client_that_leaves_half_a_request_gets_no_answer(void **state)
{
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\nHo",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc",
        GET("/") "GET",
    };
    struct server_fixture *f = *state;

    for (size_t i = 0; i < COUNT(requests); i++) {
        struct client c;
        server_fixture_connect(f, &c);
        client_say(&c, requests[i]);
        shutdown(c.fd, SHUT_WR);
        if (i == 2)
            assert_has(client_answer(&c), "GET /? ");
        assert_true(client_is_closed(&c));
        client_close(&c);
    }
    assert_int_equal(f->abandoned, 1);
}

/* Of a body that it was told of, or of one that it would have thrown away. */
static void who_is_refused_while_still_sending_hears_why(void **state)
{
    struct server_fixture *f = *state;
    char *piece = xcalloc(1, 64 * 1024);
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n");
    for (unsigned i = 0; i < 32; i++)
        client_send(&c, piece, 64 * 1024);
    struct answer a = answer_take(client_answer(&c));
    assert_int_equal(a.status, 413);
    answer_has_text(&a, "code", "payload_too_large");
    answer_fini(&a);
    assert_true(client_is_closed(&c));
    client_close(&c);
    free(piece);
}

/* Only where the body will be read. */
static void a_client_is_told_to_continue_where_its_body_is_wanted(void **state)
{
    static const struct {
        const char *path, *header;
        const char *answer;
    } rows[] = {
        { "/x", "Content-Length: 2\r\n", "HTTP/1.1 100 Continue\r\n\r\n" },
        { "/x", "Transfer-Encoding: chunked\r\n", "HTTP/1.1 100 Continue\r\n\r\n" },
        { "/denied", "Content-Length: 2\r\n", "HTTP/1.1 401 " },
        { "/x", "Content-Length: 5000\r\n", "HTTP/1.1 413 " },
        { "/x", "", "HTTP/1.1 200 " },
        { "/x", "Content-Length: 0\r\n", "HTTP/1.1 200 " },
    };
    struct server_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[256];
        struct client c;

        snprintf(text, sizeof text,
                 "POST %s HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n%s\r\n", rows[i].path,
                 rows[i].header);
        server_fixture_connect(f, &c);
        client_say(&c, text);
        assert_has(client_head_answer(&c), rows[i].answer);
        client_close(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_connection_is_kept_as_the_version_and_the_client_say),
        SERVER_TEST(every_answer_has_a_date_and_its_length),
        SERVER_TEST(empty_lines_before_a_request_are_skipped),
        PATIENT_SERVER_TEST(any_number_of_pipelined_requests_is_answered_in_order),
        SERVER_TEST(what_follows_the_last_request_is_never_read_as_one),
        SERVER_TEST(a_client_that_has_said_all_gets_all_its_answers),
        SERVER_TEST(a_client_that_leaves_half_a_request_gets_no_answer),
        SERVER_TEST(who_is_refused_while_still_sending_hears_why),
        SERVER_TEST(a_client_is_told_to_continue_where_its_body_is_wanted),
    };

    return run_server_tests(tests);
}
