/* What the server does with TLS: who is let in, who is turned away, and what that costs. That it
 * serves over TLS as it does in clear is what its other tests show, which run both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/server_fixture.h"
#include "wire/server_state.h"

#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

/* A megabyte, and time. */
static const struct server_limits roomy = {
    .header_bytes = 1024,
    .body_bytes = 4 << 20,
    .buffered_bytes = 64 << 20,
    .connections = 8,
    .connections_per_address = 6,
    .header_timeout_ms = 60 * 1000,
    .body_timeout_ms = 60 * 1000,
};

static void who_asks_is_known_by_its_certificate(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    for (unsigned i = 0; i < 3; i++) {
        client_say(&c, GET("/peer"));
        assert_has(client_answer(&c), "\r\n\r\niad");
    }
    client_close(&c);
    assert_int_equal(f->strangers, 0);
}

static void the_name_of_who_asked_outlives_its_connection(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    server_fixture_connect(f, &c);
    client_say(&c, GET("/later"));
    server_fixture_wait_owed(f, 1);
    send(c.fd, "garbage that no session takes", 29, MSG_NOSIGNAL);
    assert_true(client_is_closed(&c));
    assert_string_equal(exchange_peer(f->owed[0]), "iad");
    client_close(&c);
    server_fixture_reply(f->owed[0], 202, "nobody reads this");
    assert_int_equal(f->strangers, 0);
}

static void strangers_are_told_why_and_reported(void **state)
{
    struct server_fixture *f = *state;
    struct made_certificate stranger = make_region_certificate("iad");
    const struct {
        struct tls_client_options options;
        const char *alert, *report;
    } rows[] = {
        { { .identity = NULL }, "certificate required", "127.0.0.1 shows no certificate" },
        { { .identity = &stranger },
          "unknown ca",
          "127.0.0.1 shows a certificate that isn't pinned here" },
        { { .identity = &f->iad, .is_old = true },
          "protocol version",
          "127.0.0.1 doesn't speak TLS 1.3" },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;

        client_open_tls(&c, &f->loop, server_port(f->server), &rows[i].options);
        client_say(&c, GET("/peer"));
        assert_true(client_is_closed(&c));
        assert_has(tls_client_error(c.tls), rows[i].alert);
        assert_int_equal(f->strangers, i + 1);
        assert_string_equal(f->stranger, rows[i].report);
        client_close(&c);
    }
    assert_int_equal(f->abandoned, 0);
    made_certificate_fini(&stranger);
}

static void a_request_in_clear_gets_no_answer(void **state)
{
    static const char *const texts[] = { GET("/peer"), "SSH-2.0-x\r\n\r\n\r\n" };
    static const char *const reports[] = { "127.0.0.1 speaks HTTP without TLS",
                                           "127.0.0.1 doesn't speak TLS" };
    struct server_fixture *f = *state;

    for (unsigned i = 0; i < COUNT(texts); i++) {
        struct client c;

        client_open(&c, &f->loop, server_port(f->server));
        client_say(&c, texts[i]);
        while (!c.eof)
            uv_run(&f->loop, UV_RUN_ONCE);
        assert_null(strstr(buf_text(&c.in), "HTTP"));
        assert_int_equal(f->strangers, i + 1);
        assert_string_equal(f->stranger, reports[i]);
        client_close(&c);
    }
}

static void who_goes_on_talking_after_it_was_turned_away_is_cut_off(void **state)
{
    struct server_fixture *f = *state;
    struct client c;

    client_open(&c, &f->loop, server_port(f->server));
    client_say(&c, GET("/peer"));
    while (!c.eof)
        client_say(&c, GET("/peer"));
    client_close(&c);
    assert_int_equal(f->strangers, 1);
}

/* Nothing, half of a ClientHello, and a whole one without what should follow. */
static void slow_handshakes_are_hung_up_on(void **state)
{
    struct server_fixture *f = *state;
    uint8_t hello[TLS_FEED_MAX];
    const struct tls_client_options options = { .identity = &f->iad };
    struct tls_client *maker = tls_client_new(&options);

    tls_client_turn(maker);
    size_t len = tls_client_take(maker, hello, sizeof hello);
    const size_t rows[] = { 0, 1, len / 2, len };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;

        client_open(&c, &f->loop, server_port(f->server));
        client_send(&c, hello, rows[i]);
        while (!c.eof)
            uv_run(&f->loop, UV_RUN_ONCE);
        client_close(&c);
    }
    tls_client_free(maker);
}

static void a_handshake_that_drips_does_not_live_longer(void **state)
{
    struct server_fixture *f = *state;
    uint8_t hello[TLS_FEED_MAX];
    const struct tls_client_options options = { .identity = &f->iad };
    struct tls_client *maker = tls_client_new(&options);
    struct client c;

    tls_client_turn(maker);
    size_t len = tls_client_take(maker, hello, sizeof hello), sent = 0;
    client_open(&c, &f->loop, server_port(f->server));
    while (!c.eof && sent < len) {
        uv_run(&f->loop, UV_RUN_ONCE); /* the server looks for passed deadlines */
        client_send(&c, hello + sent++, 1);
    }
    assert_true(c.eof);
    client_close(&c);
    tls_client_free(maker);
}

/* Who has said nothing, who has said hello, and who was turned away and doesn't leave; the oldest
 * of them make room. */
static void strangers_leave_room_for_peers(void **state)
{
    struct server_fixture *f = *state;
    uint8_t hello[TLS_FEED_MAX];
    const struct tls_client_options options = { .identity = &f->iad };
    struct tls_client *maker = tls_client_new(&options);
    struct client early, storm[64], peer;

    server_fixture_connect(f, &early);
    tls_client_turn(maker);
    size_t len = tls_client_take(maker, hello, sizeof hello);
    for (unsigned i = 0; i < COUNT(storm); i++) {
        client_open(&storm[i], &f->loop, server_port(f->server));
        client_send(&storm[i], i % 3 == 0 ? (const void *)"nonsense" : hello,
                    i % 3 == 0   ? 8
                    : i % 3 == 1 ? len
                                 : 0);
        assert_in_range(f->server->stranger_count, 0, 4);
    }
    assert_false(storm[COUNT(storm) - 1].eof);
    server_fixture_connect(f, &peer);
    client_say(&peer, GET("/peer"));
    assert_has(client_answer(&peer), "\r\n\r\niad");
    client_say(&early, GET("/peer"));
    assert_has(client_answer(&early), "\r\n\r\niad");
    assert_in_range(f->server->stranger_count, 0, 4);
    for (unsigned i = 0; i < COUNT(storm); i++)
        client_close(&storm[i]);
    client_close(&early);
    client_close(&peer);
    tls_client_free(maker);
}

static void large_texts_go_both_ways(void **state)
{
    struct server_fixture *f = *state;
    const size_t len = (size_t)900 * 1024; /* and a line before it: what the fixture echoes */
    char *text = xcalloc(1, len + 1), head[128];
    struct client c;

    memset(text, 'x', len);
    snprintf(head, sizeof head, "POST /large HTTP/1.1\r\n" HOST "Content-Length: %zu\r\n\r\n",
             len);
    server_fixture_connect(f, &c);
    client_say(&c, head);
    client_send(&c, text, len);
    const char *answer = client_answer(&c);
    assert_has(answer, "\r\n\r\nPOST /large? ");
    assert_string_equal(strstr(answer, "? ") + 2, text);
    client_close(&c);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(who_asks_is_known_by_its_certificate),
        SERVER_TEST(the_name_of_who_asked_outlives_its_connection),
        SERVER_TEST(strangers_are_told_why_and_reported),
        SERVER_TEST(a_request_in_clear_gets_no_answer),
        SERVER_TEST(who_goes_on_talking_after_it_was_turned_away_is_cut_off),
        SERVER_TEST(slow_handshakes_are_hung_up_on),
        SERVER_TEST(a_handshake_that_drips_does_not_live_longer),
        cmocka_unit_test_prestate_setup_teardown(strangers_leave_room_for_peers,
                                                 server_fixture_setup, server_fixture_teardown,
                                                 (void *)(uintptr_t)&roomy),
        cmocka_unit_test_prestate_setup_teardown(large_texts_go_both_ways, server_fixture_setup,
                                                 server_fixture_teardown,
                                                 (void *)(uintptr_t)&roomy),
    };

    return cmocka_run_group_tests(tests, server_fixture_secure, NULL);
}
