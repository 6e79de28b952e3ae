/* What the server does with more than it can take: too large, too many, too slow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/answer.h"
#include "tests/lib/descriptors.h"
#include "tests/lib/server_fixture.h"

#define HUGE_LEN ((size_t)32 * 1024 * 1024)

static const struct server_limits two_connections = {
    .header_bytes = 1024,
    .body_bytes = 4096,
    .buffered_bytes = 6000,
    .connections = 2,
    .connections_per_address = 10,
    .header_timeout_ms = 150,
    .body_timeout_ms = 150,
};

/* More than sockets buffer. */
static void reply_huge(struct exchange *x)
{
    static const char piece[64 * 1024];
    struct buf body = BUF_INIT(HUGE_LEN);

    while (body.len < HUGE_LEN)
        assert_int_equal(buf_append(&body, piece, sizeof piece), ERR_OK);
    exchange_reply(x, 200, &body);
}

static void a_large_header_is_refused_with_431(void **state)
{
    struct server_fixture *f = *state;
    char text[1600];
    struct client c;

    server_fixture_connect(f, &c);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "X: %01200d\r\n\r\n", 1);
    client_say(&c, text);
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 431 ");
    assert_has(answer, "{\"code\":\"header_too_large\"");
    client_close(&c);
}

static void a_chunked_body_is_counted(void **state)
{
    struct server_fixture *f = *state;
    char chunk[1100];
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
    snprintf(chunk, sizeof chunk, "400\r\n%01024d\r\n", 1);
    for (unsigned i = 0; i < 5; i++)
        client_say(&c, chunk);
    client_say(&c, "0\r\n\r\n");
    assert_has(client_answer(&c), "HTTP/1.1 413 ");
    assert_int_equal(f->abandoned, 1);
    client_say(&c, "GET /next HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /next? ");
    client_close(&c);
}

static void too_much_at_once_is_refused_with_503_until_there_is_room(void **state)
{
    struct server_fixture *f = *state;
    char text[4200];
    struct client a, b;

    snprintf(text, sizeof text,
             "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4000\r\n\r\n%04000d", 1);
    server_fixture_connect(f, &a);
    server_fixture_connect(f, &b);
    client_say(&a, text);
    server_fixture_wait_owed(f, 1);
    client_say(&b, text);
    const char *answer = client_answer(&b);
    assert_has(answer, "HTTP/1.1 503 ");
    assert_has(answer, "Retry-After: 1\r\n");
    server_fixture_reply(f->owed[0], 200, "{}");
    assert_has(client_answer(&a), "HTTP/1.1 200 ");
    client_say(&b, text);
    server_fixture_wait_owed(f, 2);
    server_fixture_reply(f->owed[1], 200, "{}");
    assert_has(client_answer(&b), "HTTP/1.1 200 ");
    client_close(&a);
    client_close(&b);
}

static void an_answer_without_room_is_refused_if_nothing_was_done_for_it(void **state)
{
    struct server_fixture *f = *state;
    char text[6200];
    struct client c;

    snprintf(text, sizeof text, "%06100d", 1);
    server_fixture_connect(f, &c);
    client_say(&c, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    server_fixture_wait_owed(f, 1);
    server_fixture_reply(f->owed[0], 200, text);
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 503 ");
    assert_has(answer, "Retry-After: 1\r\n");
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_owed(f, 2);
    server_fixture_reply(f->owed[1], 202, text);
    assert_has(client_answer(&c), text);
    client_say(&c, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    server_fixture_wait_owed(f, 3);
    text[5900] = '\0';
    server_fixture_reply(f->owed[2], 200, text);
    assert_has(client_answer(&c), "HTTP/1.1 200 ");
    client_close(&c);
}

/* A connection without a request closes; whoever has begun one hears why. */
static void slow_clients_are_hung_up_on(void **state)
{
    static const struct {
        const char *bytes;
        bool has_begun;
    } rows[] = {
        { "", false },
        { "\r\n", false },
        { "GET / HT", true },
        { "GET / HTTP/1.1\r\nX: ", true },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc", true },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab", true },
        { "POST /denied HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc", true },
    };
    struct server_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;
        server_fixture_connect(f, &c);
        client_say(&c, rows[i].bytes);
        if (rows[i].has_begun) {
            struct answer a = answer_take(client_answer(&c));
            assert_int_equal(a.status, 408);
            answer_has_text(&a, "code", "request_timeout");
            answer_fini(&a);
        }
        assert_true(client_is_closed(&c));
        client_close(&c);
    }
    assert_int_equal(f->abandoned, 2);
}

static void a_client_that_drips_does_not_live_longer(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET / HTTP/1.1\r\n");
    while (!c.eof)
        client_say(&c, "X: y\r\n");
    assert_has(client_answer(&c), "HTTP/1.1 4");
    client_close(&c);
}

static void a_client_that_leaves_early_is_reported(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc");
    client_close(&c);
    while (f->abandoned == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void connections_are_limited_by_address(void **state)
{
    struct server_fixture *f = *state;
    struct client c[7];

    for (unsigned i = 0; i < 7; i++) {
        server_fixture_connect(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        if (i < 6)
            server_fixture_wait_owed(f, i + 1);
    }
    assert_true(client_is_closed(&c[6]));
    for (unsigned i = 0; i < 7; i++) {
        if (i < 6)
            server_fixture_reply(f->owed[i], 200, "{}");
        client_close(&c[i]);
    }
    server_fixture_connect(f, &c[0]);
    client_say(&c[0], "GET /again HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c[0]), "GET /again");
    client_close(&c[0]);
}

static void connections_above_the_limit_wait_until_there_is_room(void **state)
{
    struct server_fixture *f = *state;
    struct client c[3];

    for (unsigned i = 0; i < 2; i++) {
        server_fixture_connect(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        server_fixture_wait_owed(f, i + 1);
    }
    server_fixture_knock(f, &c[2]);
    for (unsigned i = 0; i < 5; i++)
        client_say(&c[2], "GET /3 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(c[2].in.len, 0);
    server_fixture_reply(f->owed[0], 200, "{}");
    assert_has(client_answer(&c[0]), "HTTP/1.1 200 ");
    client_close(&c[0]);
    assert_has(client_answer(&c[2]), "GET /3? ");
    server_fixture_reply(f->owed[1], 200, "{}");
    client_close(&c[1]);
    client_close(&c[2]);
}

static void without_descriptors_connections_wait(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /1");
    client_close(&c);

    server_fixture_knock(f, &c);
    descriptors_withhold();
    client_say(&c, "GET /2 HTTP/1.1\r\n" HOST "\r\n");
    descriptors_give_back();
    assert_has(client_answer(&c), "GET /2");
    client_close(&c);
}

static void a_client_that_does_not_read_its_answer_is_hung_up_on(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    uv_poll_stop(&c.poll);
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    server_fixture_wait_owed(f, 1);
    reply_huge(f->owed[0]);
    server_close(f->server, 60 * 1000, server_fixture_on_closed, f);
    uint64_t start_ms = uv_now(&f->loop);
    server_fixture_wait_closed(f);
    assert_true(uv_now(&f->loop) - start_ms < 30 * 1000);
    client_close(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(a_large_header_is_refused_with_431),
        SERVER_TEST(a_chunked_body_is_counted),
        SERVER_TEST(too_much_at_once_is_refused_with_503_until_there_is_room),
        SERVER_TEST(an_answer_without_room_is_refused_if_nothing_was_done_for_it),
        SERVER_TEST(slow_clients_are_hung_up_on),
        SERVER_TEST(a_client_that_drips_does_not_live_longer),
        SERVER_TEST(a_client_that_leaves_early_is_reported),
        SERVER_TEST(connections_are_limited_by_address),
        cmocka_unit_test_prestate_setup_teardown(
            connections_above_the_limit_wait_until_there_is_room, server_fixture_setup,
            server_fixture_teardown, (void *)(uintptr_t)&two_connections),
        SERVER_TEST(without_descriptors_connections_wait),
        SERVER_TEST(a_client_that_does_not_read_its_answer_is_hung_up_on),
    };

    return run_server_tests(tests);
}
