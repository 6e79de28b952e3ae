/* What the server does with a request, however it comes; and how it opens and closes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/answer.h"
#include "tests/lib/server_fixture.h"

/* Requests and answers. */

static void a_request_is_answered_with_what_the_owner_says(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /a%2Fb?x=%20&y HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello");
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 200 OK\r\n");
    assert_has(answer, "Content-Type: application/json\r\n");
    assert_has(answer, "X-Len: small\r\n");
    assert_has(answer, "\r\n\r\nPOST /a%2Fb?x=%20&y hello");
    assert_null(strstr(answer, "Server:"));
    client_close(&c);
}

static void a_connection_is_kept_and_pipelined_requests_are_answered_in_order(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /1? ");
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
                   "POST /3 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nyz"
                   "GET /4 HTTP/1.1\r\n" HOST "\r\n");
    server_fixture_wait_owed(f, 1);
    server_fixture_reply(f->owed[0], 202, "second");
    assert_has(client_answer(&c), "second");
    assert_has(client_answer(&c), "POST /3? yz");
    assert_has(client_answer(&c), "GET /4? ");
    client_close(&c);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct server_fixture *f = *state;
    const char text[] = "POST /slow HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
    struct client c;

    server_fixture_connect(f, &c);
    for (const char *at = text; *at; at++)
        client_send(&c, at, 1);
    assert_has(client_answer(&c), "POST /slow? abcde");
    client_close(&c);
}

static void answers_may_come_later_and_in_any_order(void **state)
{
    struct server_fixture *f = *state;
    struct client c[3];

    for (unsigned i = 0; i < 3; i++) {
        server_fixture_connect(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        server_fixture_wait_owed(f, i + 1);
    }
    for (unsigned i = 3; i-- > 0;) {
        char text[2] = { (char)('a' + i) };
        server_fixture_reply(f->owed[i], 202, text);
    }
    assert_has(client_answer(&c[0]), "\r\n\r\na");
    assert_has(client_answer(&c[1]), "\r\n\r\nb");
    assert_has(client_answer(&c[2]), "\r\n\r\nc");
    for (unsigned i = 0; i < 3; i++)
        client_close(&c[i]);
}

static void an_exchange_outlives_its_client(void **state)
{
    struct server_fixture *f = *state;
    struct client c;
    size_t len;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_owed(f, 1);
    client_close(&c);
    assert_memory_equal(exchange_body(f->owed[0], &len), "body", 4);
    assert_string_equal(exchange_header(f->owed[0], "host"), "localhost");
    server_fixture_reply(f->owed[0], 202, "nobody reads this");
}

static void a_head_request_gets_no_body_and_204_has_none(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "HEAD /head HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_head_answer(&c), "HTTP/1.1 200 OK\r\n");
    client_say(&c, "GET /empty HTTP/1.1\r\n" HOST "\r\n");
    const char *answer = client_head_answer(&c);
    assert_has(answer, "HTTP/1.1 204 ");
    assert_null(strstr(answer, "Content-Type"));
    client_say(&c, "GET /next HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /next? ");
    client_close(&c);
}

static void an_old_client_is_answered_and_hung_up_on(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET /old HTTP/1.0\r\n\r\n");
    assert_has(client_answer(&c), "GET /old? ");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

/* Refused by the header. */

static void a_refused_body_is_read_so_that_the_connection_stays(void **state)
{
    struct server_fixture *f = *state;
    char *body = xcalloc(1, 100 * 1000);
    struct client c;

    server_fixture_connect(f, &c);
    memset(body, 'x', 100 * 1000);
    client_say(&c, "POST /denied HTTP/1.1\r\n" HOST "Content-Length: 2000\r\n\r\n");
    client_send(&c, body, 2000);
    assert_has(client_answer(&c), "HTTP/1.1 401 ");
    client_say(&c, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 100000\r\n\r\n");
    client_send(&c, body, 100 * 1000);
    assert_has(client_answer(&c), "HTTP/1.1 413 ");
    client_say(&c, "GET /next HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /next? ");
    client_close(&c);
    free(body);
}

static void a_client_that_asks_first_is_refused_without_100(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /ok HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n");
    assert_has(client_head_answer(&c), "HTTP/1.1 100 Continue\r\n");
    client_say(&c, "hi");
    assert_has(client_answer(&c), "POST /ok? hi");
    client_say(&c, "POST /denied HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                   "Content-Length: 2\r\n\r\n");
    assert_has(client_answer(&c), "HTTP/1.1 401 ");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

static void more_than_a_refused_body_may_have_closes_the_connection(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 999999999\r\n\r\n");
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 413 ");
    assert_has(answer, "Connection: close\r\n");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

static void an_endless_body_is_cut_off(void **state)
{
    struct server_fixture *f = *state;
    char *chunk = xcalloc(1, 0x10000 + 16);
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /denied HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    int len = snprintf(chunk, 0x10000 + 16, "10000\r\n%065536d\r\n", 1);
    for (unsigned i = 0; i < 1000 && !c.eof; i++)
        client_send(&c, chunk, (size_t)len);
    assert_has(client_answer(&c), "HTTP/1.1 413 ");
    assert_true(client_is_closed(&c));
    client_close(&c);
    free(chunk);
}

/* Bad input. */

#define CHUNKED "Transfer-Encoding: chunked\r\n"

static void what_cannot_be_trusted_is_refused_in_json_and_closed(void **state)
{
    static char long_target[4096], long_header[4096];
    static const struct {
        const char *bytes;
        unsigned status;
        const char *code;
    } rows[] = {
        /* Two ends, or none that we can find. */
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n" CHUNKED "\r\n0\r\n\r\n", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "Content-Length: 3\r\n\r\n0\r\n\r\n", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: abc\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\na", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED CHUNKED "\r\n0\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400,
          "bad_request" },
        { "POST / HTTP/1.0\r\n" HOST CHUNKED "\r\n0\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\nabc", 501,
          "not_implemented" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
          "not_implemented" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501,
          "not_implemented" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", 501, "not_implemented" },

        /* Chunks that aren't. */
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nxyz\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n3\r\nabcd\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n3\nabc\r\n0\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n3\r\nabc\n0\r\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\nfffffffffffffffffffffff\r\n", 400,
          "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n0\r\n\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n0\r\nA: b\n\r\n", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST CHUNKED "\r\n0\r\nA: b\r\n c\r\n\r\n", 400,
          "bad_request" },

        /* Lines that could be read in two ways. */
        { "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc", 400, "bad_request" },
        { "POST / HTTP/1.1\r\n" HOST "X Y: 3\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST ": 3\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "no colon\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "\n", 400, "bad_request" },
        { "GET / HTTP/1.1\n" HOST "\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n " HOST "\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, "bad_request" },

        /* Targets that are no path. */
        { "GET /a b HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET  / HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET /  HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET a HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "GET http://host HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "CONNECT host:80 HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },

        /* Another protocol, or none. */
        { "GET / HTTP/1.x\r\n\r\n", 400, "bad_request" },
        { "GET / HTTP/1.1 \r\n\r\n", 400, "bad_request" },
        { "GET /\r\n\r\n", 400, "bad_request" },
        { "GET / RTSP/1.0\r\n\r\n", 400, "bad_request" },
        { "BREW / HTTP/1.1\r\n" HOST "\r\n", 400, "bad_request" },
        { "garbage\r\n\r\n", 400, "bad_request" },
        { "\x16\x03\x01\x02\x05\x01\x03\x03", 400, "bad_request" },
        { "GET / HTTP/0.9\r\n\r\n", 505, "version_not_supported" },
        { "GET / HTTP/2.0\r\n\r\n", 505, "version_not_supported" },
        { "GET / HTTP/3.0\r\n\r\n", 505, "version_not_supported" },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version_not_supported" },

        /* More than we listen to. */
        { long_target, 414, "uri_too_long" },
        { long_header, 431, "header_too_large" },
    };
    struct server_fixture *f = *state;

    snprintf(long_target, sizeof long_target, "GET /%02500d HTTP/1.1\r\n\r\n", 1);
    snprintf(long_header, sizeof long_header, "GET / HTTP/1.1\r\nX: %02500d\r\n\r\n", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;
        server_fixture_connect(f, &c);
        client_say(&c, rows[i].bytes);
        struct answer a = answer_take(client_answer(&c));
        if (a.status != rows[i].status)
            fail_msg("row %zu: %u", i, a.status);
        answer_has_text(&a, "code", rows[i].code);
        answer_has_type(&a, "detail", SCAN_STRING);
        assert_non_null(answer_header(&a, "Content-Type"));
        assert_non_null(answer_header(&a, "Connection"));
        assert_true(client_is_closed(&c));
        answer_fini(&a);
        client_close(&c);
    }
    assert_int_equal(f->abandoned, 8); /* the chunks that aren't */
}

static void an_absolute_target_means_its_path(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET http://elsewhere:1/path?q HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /path?q ");
    client_close(&c);
}

/* Opening and closing. */

static void opening_says_what_is_wrong(void **state)
{
    struct server_fixture *f = *state;
    const struct {
        const char *address;
        uint16_t port;
        enum err err;
    } rows[] = {
        { "localhost", 0, ERR_INVALID },
        { "", 0, ERR_INVALID },
        { "300.0.0.1", 0, ERR_INVALID },
        { "192.0.2.1", 0, ERR_FOREIGN },
        { "127.0.0.1", server_port(f->server), ERR_IN_USE },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct server_options options = { .loop = &f->loop,
                                                .address = rows[i].address,
                                                .port = rows[i].port };
        struct server *s;
        assert_int_equal(server_open(&s, &options), rows[i].err);
    }
}

static void closing_finishes_what_is_owed_and_cuts_what_is_idle(void **state)
{
    struct server_fixture *f = *state;
    struct client idle, owed;

    server_fixture_connect(f, &idle);
    client_say(&idle, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&idle), "GET /1");
    server_fixture_connect(f, &owed);
    client_say(&owed, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    server_fixture_wait_owed(f, 1);

    server_close(f->server, 10 * 1000, server_fixture_on_closed, f);
    assert_true(client_is_closed(&idle));
    assert_false(f->closed);
    server_fixture_reply(f->owed[0], 202, "kept");
    const char *answer = client_answer(&owed);
    assert_has(answer, "kept");
    assert_has(answer, "Connection: close\r\n");
    server_fixture_wait_closed(f);
    client_close(&idle);
    client_close(&owed);
}

static void closing_does_not_wait_longer_than_it_was_told(void **state)
{
    struct server_fixture *f = *state;
    struct client c[2];
    size_t len;

    for (unsigned i = 0; i < 2; i++) {
        server_fixture_connect(f, &c[i]);
        client_say(&c[i], "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
        server_fixture_wait_owed(f, i + 1);
    }
    server_close(f->server, 10, server_fixture_on_closed, f);
    server_fixture_wait_closed(f);
    for (unsigned i = 0; i < 2; i++) {
        assert_has(client_answer(&c[i]), "HTTP/1.1 503 ");
        assert_true(client_is_closed(&c[i]));
        assert_memory_equal(exchange_body(f->owed[i], &len), "body", 4);
        assert_string_equal(exchange_header(f->owed[i], "Host"), "localhost");
        server_fixture_reply(f->owed[i], 202, "late, harmless");
        client_close(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PATIENT_SERVER_TEST(a_request_is_answered_with_what_the_owner_says),
        PATIENT_SERVER_TEST(a_connection_is_kept_and_pipelined_requests_are_answered_in_order),
        PATIENT_SERVER_TEST(a_request_may_come_byte_by_byte),
        PATIENT_SERVER_TEST(answers_may_come_later_and_in_any_order),
        PATIENT_SERVER_TEST(an_exchange_outlives_its_client),
        PATIENT_SERVER_TEST(a_head_request_gets_no_body_and_204_has_none),
        PATIENT_SERVER_TEST(an_old_client_is_answered_and_hung_up_on),
        PATIENT_SERVER_TEST(a_refused_body_is_read_so_that_the_connection_stays),
        PATIENT_SERVER_TEST(a_client_that_asks_first_is_refused_without_100),
        PATIENT_SERVER_TEST(more_than_a_refused_body_may_have_closes_the_connection),
        PATIENT_SERVER_TEST(an_endless_body_is_cut_off),
        PATIENT_SERVER_TEST(what_cannot_be_trusted_is_refused_in_json_and_closed),
        PATIENT_SERVER_TEST(an_absolute_target_means_its_path),
        PATIENT_SERVER_TEST(opening_says_what_is_wrong),
        PATIENT_SERVER_TEST(closing_finishes_what_is_owed_and_cuts_what_is_idle),
        PATIENT_SERVER_TEST(closing_does_not_wait_longer_than_it_was_told),
    };

    return run_server_tests(tests);
}
