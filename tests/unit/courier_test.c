#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/courier_fixture.h"

#define EMPTY_200 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void an_answer_of_any_status_is_an_answer(void **state)
{
    static const struct {
        const char *answer;
        unsigned status;
        uint32_t retry_after_s;
    } rows[] = {
        { EMPTY_200, 200, 0 },
        { "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", 201, 0 },
        { "HTTP/1.1 204 No Content\r\n\r\n", 204, 0 },
        { "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 A\r\nContent-Length: 0\r\n\r\n", 202, 0 },
        { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", 200, 0 },
        { "HTTP/1.1 304 Not Modified\r\n\r\n", 304, 0 },
        { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 404, 0 },
        { "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", 410, 0 },
        { "HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 429, 7 },
        { "HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, 0 },
        { "HTTP/1.1 503 No\r\nRetry-After: -5\r\nContent-Length: 0\r\n\r\n", 503, 0 },
        { "HTTP/1.1 503 No\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: "
          "0\r\n\r\n",
          503, 0 },
        { "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", 500, 0 },
        { "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
          401, 0 },
        { "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n", 407, 0 },
        { "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 999, 0 },
    };
    struct courier_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.answer = rows[i].answer;
        struct request r = request_carry_here(f);
        request_assert(&r, ERR_OK, "");
        assert_int_equal(r.call.status, rows[i].status);
        assert_int_equal(r.call.retry_after_s, rows[i].retry_after_s);
    }
    assert_int_equal(f->receiver.requests, COUNT(rows));
}

static void retry_after_may_be_a_date(void **state)
{
    struct courier_fixture *f = *state;
    char date[64], answer[256];
    time_t later = time(NULL) + 100;
    struct tm tm;

    gmtime_r(&later, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 503 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    f->receiver.answer = answer;
    struct request r = request_carry_here(f);
    assert_int_equal(r.call.status, 503);
    assert_in_range(r.call.retry_after_s, 90, 100);
}

static void the_request_is_as_composed(void **state)
{
    static const char *const present[] = {
        "POST /path?secret=1 HTTP/1.1\r\n",
        "\r\nX-Fixed: always\r\n",
        "\r\nX-Empty:\r\n",
        "\r\nwebhook-id: msg_1\r\n",
        "\r\nwebhook-timestamp: 2\r\n",
        "\r\nContent-Type: application/json\r\n",
        "\r\nContent-Length: 7\r\n",
        "\r\nUser-Agent: posthaste-test/1\r\n",
        "\r\n\r\n{\"a\":1}",
    };
    static const char *const absent[] = { "Expect", "Accept-Encoding", "Cookie",
                                          "Transfer-Encoding", "Proxy" };
    struct courier_fixture *f = *state;
    struct request r = request_carry_here(f);
    const char *text = buf_text(&f->receiver.last);

    request_assert(&r, ERR_OK, "");
    for (size_t i = 0; i < COUNT(present); i++)
        if (!strstr(text, present[i]))
            fail_msg("\"%s\" isn't in %s", present[i], text);
    for (size_t i = 0; i < COUNT(absent); i++)
        if (strcasestr(text, absent[i]))
            fail_msg("\"%s\" is in %s", absent[i], text);
}

static void one_handle_serves_all_methods_in_turn(void **state)
{
    static const struct {
        const char *method, *body, *length;
    } rows[] = {
        { "POST", "abc", "\r\nContent-Length: 3\r\n" },
        { "GET", NULL, NULL },
        { "POST", NULL, "\r\nContent-Length: 0\r\n" },
        { "DELETE", NULL, NULL },
        { "PUT", "abcde", "\r\nContent-Length: 5\r\n" },
        { "PATCH", "ab", "\r\nContent-Length: 2\r\n" },
        { "GET", NULL, NULL },
    };
    struct courier_fixture *f = *state;
    char url[64], start[32];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/m", f->receiver.port);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = request_to(f, target_make(rows[i].method, url));
        r.call.body = rows[i].body;
        r.call.body_len = rows[i].body ? strlen(rows[i].body) : 0;
        request_carry(f, &r);
        request_assert(&r, ERR_OK, "");
        const char *text = buf_text(&f->receiver.last);
        snprintf(start, sizeof start, "%s /m HTTP/1.1\r\n", rows[i].method);
        assert_ptr_equal(strstr(text, start), text);
        assert_true(rows[i].length ? strstr(text, rows[i].length) != NULL
                                   : strcasestr(text, "\r\nContent-Length") == NULL);
    }
    assert_int_equal(f->receiver.connections, 1);
}

static void a_large_body_arrives_whole(void **state)
{
    enum { LEN = 2 << 20 };
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));
    char *body = xcalloc(1, LEN);

    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)('a' + i % 23);
    r.call.body = body;
    r.call.body_len = LEN;
    request_carry(f, &r);
    request_assert(&r, ERR_OK, "");
    assert_true(f->receiver.last.len > LEN);
    assert_memory_equal(f->receiver.last.bytes + f->receiver.last.len - LEN, body, LEN);
    free(body);
}

static void a_malformed_line_is_not_sent(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    r.call.headers[1] = "Authorization: a\r\nX-Smuggled: b";
    request_carry(f, &r);
    request_assert(&r, ERR_INVALID, "a header line is malformed");
    assert_int_equal(f->receiver.connections, 0);
}

static void the_first_bytes_of_an_answer_are_kept(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer =
        "HTTP/1.1 500 Oh\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz";
    request_carry(f, &r);
    request_assert(&r, ERR_OK, "");
    assert_string_equal(buf_text(&r.call.response), "abcdefghijklmnop");
    buf_fini(&r.call.response);
}

static void a_compressed_answer_is_kept_as_it_is(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
                         "4\r\n\r\n\x1f\x8b\x08\x01";
    request_carry(f, &r);
    request_assert(&r, ERR_OK, "");
    assert_string_equal(buf_text(&r.call.response), "\x1f\x8b\x08\x01");
    buf_fini(&r.call.response);
}

static void a_redirect_is_not_followed(void **state)
{
    struct courier_fixture *f = *state;
    char answer[256];

    snprintf(
        answer, sizeof answer,
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
        f->other.port);
    f->receiver.answer = answer;
    struct request r = request_carry_here(f);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(r.call.status, 302);
}

static void a_connection_is_kept_and_reused(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    r.again = 99;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    courier_fixture_wait(f, 100);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(f->receiver.requests, 100);
    assert_int_equal(f->receiver.connections, 1);
}

static void calls_at_once_use_connections_of_their_own(void **state)
{
    enum { AT_ONCE = 20 };
    struct courier_fixture *f = *state;
    struct request all[AT_ONCE];
    struct target *target = target_at("receiver.test", f->receiver.port);

    for (int round = 1; round <= 3; round++) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            all[i] = request_to(f, target);
            courier_send(f->courier, &all[i].call);
        }
        assert_int_equal(courier_active(f->courier), AT_ONCE);
        courier_fixture_wait(f, (unsigned)round * AT_ONCE);
        for (size_t i = 0; i < AT_ONCE; i++)
            request_assert(&all[i], ERR_OK, "");
    }
    target_unref(target);
    assert_int_equal(f->receiver.requests, 3 * AT_ONCE);
    assert_in_range(f->receiver.connections, 1, AT_ONCE);
    assert_int_equal(f->names.questions, 1);
}

static void on_turn(uv_prepare_t *turn)
{
    ++*(unsigned *)turn->data;
}

static void calls_that_never_wait_leave_the_loop_its_turns(void **state)
{
    enum { CALLS = 200 };
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("10.0.0.1", 80));
    unsigned turns = 0;
    uv_prepare_t prepare;

    uv_prepare_init(&f->loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, on_turn);
    r.again = CALLS - 1;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    courier_fixture_wait(f, CALLS);
    assert_in_range(turns, CALLS - 1, 2 * CALLS);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void on_tick(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* The turns the loop makes in a tenth of a second in which nothing happens. */
static unsigned turns_of(struct courier_fixture *f)
{
    unsigned turns = 0;
    uv_timer_t timer;
    uv_prepare_t prepare;

    uv_timer_init(&f->loop, &timer);
    uv_prepare_init(&f->loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, on_turn);
    uv_timer_start(&timer, on_tick, 100, 0);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    return turns;
}

static void a_kept_connection_may_be_closed_by_the_peer(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_carry_here(f);

    request_assert(&r, ERR_OK, "");
    receiver_hang_up(&f->receiver);
    assert_in_range(turns_of(f), 0, 20);
    r = request_carry_here(f);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(f->receiver.connections, 2);
}

static void a_call_in_clear_is_timed_on_request(void **state)
{
    static const struct {
        enum reaction reaction;
        bool is_timed;
    } rows[] = { { REACT_ANSWER, true },
                 { REACT_ANSWER, false },
                 { REACT_ANSWER_AND_CLOSE, true } };
    struct courier_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

        receiver_hang_up(&f->receiver);
        f->receiver.reaction = rows[i].reaction;
        r.call.is_timed = rows[i].is_timed;
        request_carry(f, &r);
        request_assert(&r, ERR_OK, "");
        assert_int_equal(r.call.times.connect_us > 0, rows[i].is_timed);
        assert_int_equal(r.call.times.first_byte_us > 0, rows[i].is_timed);
        assert_int_equal(r.call.times.rtt.least_us > 0, rows[i].is_timed);
        assert_int_equal(r.call.times.tls_us, 0);
        buf_fini(&r.call.response);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COURIER(an_answer_of_any_status_is_an_answer),
        WITH_COURIER(retry_after_may_be_a_date),
        WITH_COURIER(the_request_is_as_composed),
        WITH_COURIER(one_handle_serves_all_methods_in_turn),
        WITH_COURIER(a_large_body_arrives_whole),
        WITH_COURIER(a_malformed_line_is_not_sent),
        WITH_COURIER(the_first_bytes_of_an_answer_are_kept),
        WITH_COURIER(a_compressed_answer_is_kept_as_it_is),
        WITH_COURIER(a_redirect_is_not_followed),
        WITH_COURIER(a_connection_is_kept_and_reused),
        WITH_COURIER(calls_at_once_use_connections_of_their_own),
        WITH_COURIER(calls_that_never_wait_leave_the_loop_its_turns),
        WITH_COURIER(a_kept_connection_may_be_closed_by_the_peer),
        WITH_COURIER(a_call_in_clear_is_timed_on_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
