#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/courier_fixture.h"
#include "tests/lib/descriptors.h"

#define EMPTY_200 "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static void silence_ends_with_the_timeout(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_NOTHING;
    r.call.timeout_ms = 150;
    request_carry(f, &r);
    request_assert(&r, ERR_TIMEOUT, "timed out after 150 ms");
    assert_in_range(r.call.duration_ms, 150, 5000);
    assert_int_equal(f->receiver.requests, 1);
}

static void a_dripping_answer_ends_with_the_timeout(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart";
    r.call.timeout_ms = 1000;
    request_carry(f, &r);
    request_assert(&r, ERR_TIMEOUT, "timed out after 1 s");
    buf_fini(&r.call.response);
}

static void a_broken_connection_is_told_apart(void **state)
{
    static const struct {
        enum reaction reaction;
        const char *answer;
        enum err err;
        const char *reason;
    } rows[] = {
        { REACT_CLOSE, "", ERR_UNAVAILABLE, "the connection was closed without an answer" },
        { REACT_RESET, "", ERR_UNAVAILABLE, "the connection broke" },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
          ERR_UNAVAILABLE, "the connection was closed within the answer" },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 200 OK\r\nContent-", ERR_UNAVAILABLE,
          "the connection was closed within the answer" },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 100 Continue\r\n\r\n", ERR_UNAVAILABLE,
          "the connection was closed without an answer" },
        { REACT_ANSWER_AND_CLOSE, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
          ERR_UNAVAILABLE, "the connection was closed within the answer" },
        { REACT_ANSWER_AND_CLOSE, "SSH-2.0-OpenSSH_9.2\r\n", ERR_UNAVAILABLE,
          "the answer isn't HTTP" },
        { REACT_ANSWER_AND_CLOSE, "HTTP/9.9 200 OK\r\n\r\n", ERR_UNAVAILABLE,
          "the answer isn't HTTP" },
    };
    struct courier_fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.reaction = rows[i].reaction;
        f->receiver.answer = rows[i].answer;
        struct request r = request_carry_here(f);
        request_assert(&r, rows[i].err, rows[i].reason);
        assert_int_equal(r.call.status, 0);
    }
}

static void an_endless_body_is_cut_and_its_status_counts(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_ANSWER_FOREVER;
    f->receiver.answer = "HTTP/1.1 200 OK\r\n\r\n";
    f->receiver.more = "0123456789";
    request_carry(f, &r);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(r.call.status, 200);
    assert_int_equal(r.call.response.len, 16);
    buf_fini(&r.call.response);

    f->receiver.reaction = REACT_ANSWER;
    f->receiver.answer = EMPTY_200;
    r = request_carry_here(f);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(f->receiver.connections, 2);
}

static void an_endless_header_is_cut(void **state)
{
    static const struct {
        const char *answer, *more;
    } rows[] = {
        { "HTTP/1.1 200 OK\r\n",
          "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" },
        { "HTTP/1.1 200 OK\r\nX-Filler: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
        { "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n" },
    };
    struct courier_fixture *f = *state;

    f->receiver.reaction = REACT_ANSWER_FOREVER;
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.answer = rows[i].answer;
        f->receiver.more = rows[i].more;
        struct request r = request_carry_here(f);
        request_assert(&r, ERR_LIMIT, "the answer's header is too long");
    }
}

static void a_refused_connection_is_unavailable(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_carry_to(f, "127.0.0.1", unused_port());

    request_assert(&r, ERR_UNAVAILABLE, "connection refused");
}

/* A port whose queue is full: what comes is dropped, and connecting takes forever. */
static uint16_t black_hole(int fds[3])
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;

    for (size_t i = 0; i < 3; i++)
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&address, &len), 0);
    for (size_t i = 1; i < 3; i++)
        (void)connect(fds[i], (struct sockaddr *)&address, len);
    return ntohs(address.sin_port);
}

static void a_connection_that_never_comes_about_leaves_nothing(void **state)
{
    struct courier_fixture *f = *state;
    int fds[3];
    uint16_t port = black_hole(fds);

    for (unsigned i = 1; i <= 3; i++) {
        struct request r = request_to(f, target_at("127.0.0.1", port));
        r.call.timeout_ms = 50;
        request_carry(f, &r);
        request_assert(&r, ERR_TIMEOUT, "timed out after 50 ms");
        r = request_carry_here(f);
        request_assert(&r, ERR_OK, "");
    }
    for (size_t i = 0; i < 3; i++)
        close(fds[i]);
}

static void without_descriptors_the_reason_is_ours(void **state)
{
    struct courier_fixture *f = *state;

    descriptors_withhold();
    struct request r = request_carry_here(f);
    descriptors_give_back();
    request_assert(&r, ERR_BUSY, "too many open files");
    r = request_carry_here(f);
    request_assert(&r, ERR_OK, "");
}

static void a_call_can_be_canceled_at_any_stage(void **state)
{
    struct courier_fixture *f = *state;
    struct target *targets[] = {
        target_at("silent.test", f->receiver.port), /* resolving */
        target_at("127.0.0.1", f->receiver.port),   /* sending */
        target_at("10.0.0.1", f->receiver.port),    /* settled: denied */
    };

    f->receiver.reaction = REACT_NOTHING;
    for (size_t i = 0; i < 3; i++) {
        struct request r = request_to(f, targets[i]);
        courier_send(f->courier, &r.call);
        courier_cancel(f->courier, &r.call);
        assert_int_equal(f->done, i);
        courier_fixture_wait(f, (unsigned)i + 1);
        request_assert(&r, ERR_CANCELED, "canceled");
        target_unref(targets[i]);
    }
    assert_int_equal(courier_active(f->courier), 0);
}

static void a_call_can_be_canceled_while_it_waits_for_the_answer(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_NOTHING;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    while (f->receiver.requests == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
    courier_cancel(f->courier, &r.call);
    courier_fixture_wait(f, 1);
    request_assert(&r, ERR_CANCELED, "canceled");
    while (f->receiver.open > 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void closing_ends_what_is_under_way(void **state)
{
    struct courier_fixture *f = *state;
    struct request all[3];
    const char *const hosts[] = { "silent.test", "127.0.0.1", "10.0.0.1" };

    f->receiver.reaction = REACT_NOTHING;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        all[i] = request_to(f, target_at(hosts[i], f->receiver.port));
        courier_send(f->courier, &all[i].call);
        target_unref(all[i].call.target);
    }
    courier_fixture_close(f);
    assert_int_equal(f->done, 3);
    for (size_t i = 0; i < 2; i++)
        request_assert(&all[i], ERR_CANCELED, "canceled");
    request_assert(&all[2], ERR_DENIED, "10.0.0.1 is not a public address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COURIER(silence_ends_with_the_timeout),
        WITH_COURIER(a_dripping_answer_ends_with_the_timeout),
        WITH_COURIER(a_broken_connection_is_told_apart),
        WITH_COURIER(an_endless_body_is_cut_and_its_status_counts),
        WITH_COURIER(an_endless_header_is_cut),
        WITH_COURIER(a_refused_connection_is_unavailable),
        WITH_COURIER(a_connection_that_never_comes_about_leaves_nothing),
        WITH_COURIER(without_descriptors_the_reason_is_ours),
        WITH_COURIER(a_call_can_be_canceled_at_any_stage),
        WITH_COURIER(a_call_can_be_canceled_while_it_waits_for_the_answer),
        WITH_COURIER(closing_ends_what_is_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
