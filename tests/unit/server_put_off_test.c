/* Requests whose owner can't decide yet, before their body is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/server_fixture.h"

static void a_request_that_was_put_off_is_taken_up_where_it_was_left(void **state)
{
    static const struct {
        const char *request, *want;
        unsigned put_offs;
    } rows[] = {
        { "GET /wait HTTP/1.1\r\n" HOST "\r\n", "GET /wait? ", 1 },
        { "GET /wait HTTP/1.1\r\n" HOST "\r\n", "GET /wait? ", 3 },
        { "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", "POST /wait? body",
          1 },
        { "POST /wait HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
          "3\r\nabc\r\n0\r\n\r\n",
          "POST /wait? abc", 2 },
        { "POST /wait?denied HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody",
          "{\"denied\":true}", 1 },
    };
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->put_offs = rows[i].put_offs;
        client_say(&c, rows[i].request);
        for (unsigned j = 0; j < rows[i].put_offs; j++) {
            server_fixture_wait_put_off(f);
            assert_string_equal(exchange_path(f->put_off), "/wait");
            server_fixture_go_on(f);
        }
        assert_has(client_answer(&c), rows[i].want);
    }
    client_close(&c);
}

static void a_body_that_is_held_back_is_asked_for_only_then(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    f->put_offs = 1;
    server_fixture_connect(f, &c);
    client_say(&c, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                   "Expect: 100-continue\r\n\r\n");
    server_fixture_wait_put_off(f);
    server_fixture_go_on(f);
    assert_has(client_head_answer(&c), "HTTP/1.1 100 ");
    client_say(&c, "body");
    assert_has(client_answer(&c), "POST /wait? body");

    f->put_offs = 1;
    client_say(&c, "POST /wait?denied HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
                   "Expect: 100-continue\r\n\r\n");
    server_fixture_wait_put_off(f);
    server_fixture_go_on(f);
    assert_has(client_answer(&c), "HTTP/1.1 401 ");
    client_close(&c);
}

static void a_body_waits_in_the_socket_and_what_comes_behind_it_too(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    f->put_offs = 1;
    server_fixture_connect(f, &c);
    client_say(&c, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo");
    server_fixture_wait_put_off(f);
    client_say(&c, "dyGET /next HTTP/1.1\r\n" HOST "\r\n");
    server_fixture_go_on(f);
    assert_has(client_answer(&c), "POST /wait? body");
    assert_has(client_answer(&c), "GET /next? ");
    client_close(&c);
}

static void a_client_that_leaves_meanwhile_is_forgotten(void **state)
{
    static const char *const requests[] = {
        "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n",
        "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbo",
    };
    struct server_fixture *f = *state;
    struct client c;

    for (unsigned i = 0; i < COUNT(requests); i++) {
        f->put_offs = 1;
        server_fixture_connect(f, &c);
        client_say(&c, requests[i]);
        server_fixture_wait_put_off(f);
        client_close(&c);
        server_fixture_go_on(f);
        while (f->abandoned == i)
            uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static void the_end_does_not_wait_for_what_is_put_off(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    f->put_offs = 1;
    server_fixture_connect(f, &c);
    client_say(&c, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_put_off(f);
    server_close(f->server, 10, server_fixture_on_closed, f);
    server_fixture_wait_closed(f);
    assert_has(client_answer(&c), "HTTP/1.1 503 ");
    assert_true(client_is_closed(&c));
    assert_string_equal(exchange_header(f->put_off, "Host"), "localhost");
    server_fixture_go_on(f);
    assert_int_equal(f->abandoned, 1);
    client_close(&c);
}

static void what_is_taken_up_before_the_end_is_answered(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    f->put_offs = 1;
    server_fixture_connect(f, &c);
    client_say(&c, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_put_off(f);
    server_close(f->server, 10 * 1000, server_fixture_on_closed, f);
    server_fixture_go_on(f);
    const char *answer = client_answer(&c);
    assert_has(answer, "POST /wait? body");
    assert_has(answer, "Connection: close\r\n");
    server_fixture_wait_closed(f);
    client_close(&c);
}

/* Longer than the limits allow a client to take. */
static void the_time_that_the_owner_takes_is_not_the_client_s(void **state)
{
    struct server_fixture *f = *state;
    uint64_t until_ms;
    struct client c;

    f->put_offs = 1;
    server_fixture_connect(f, &c);
    client_say(&c, "POST /wait HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_put_off(f);
    until_ms = uv_now(&f->loop) + 2 * server_fixture_limits.body_timeout_ms;
    while (uv_now(&f->loop) < until_ms)
        uv_run(&f->loop, UV_RUN_ONCE);
    server_fixture_go_on(f);
    assert_has(client_answer(&c), "POST /wait? body");
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_request_that_was_put_off_is_taken_up_where_it_was_left),
        SERVER_TEST(a_body_that_is_held_back_is_asked_for_only_then),
        SERVER_TEST(a_body_waits_in_the_socket_and_what_comes_behind_it_too),
        SERVER_TEST(a_client_that_leaves_meanwhile_is_forgotten),
        SERVER_TEST(the_end_does_not_wait_for_what_is_put_off),
        SERVER_TEST(what_is_taken_up_before_the_end_is_answered),
        SERVER_TEST(the_time_that_the_owner_takes_is_not_the_client_s),
    };

    return run_server_tests(tests);
}
