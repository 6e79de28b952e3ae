#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "tests/lib/name_server.h"
#include "tests/lib/receiver.h"
#include "tests/lib/temp.h"
#include "tests/lib/tls.h"
#include "wire/courier.h"

#define COUNT(table) (sizeof(table) / sizeof *(table))
#define EMPTY_200    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

static const struct zone_name zone[] = {
    { "receiver.test", { "127.0.0.1" } },
    { "other.test", { "127.0.0.1" } },
    { "private.test", { "10.1.2.3" } },
    { "metadata.test", { "169.254.169.254" } },
    { "mixed.test", { "10.1.2.3", "127.0.0.1", "192.168.0.1" } },
    { "half-dead.test", { "127.0.0.9", "127.0.0.1" } },
    { "silent.test", { NULL } },
    { NULL, { NULL } },
};

struct fixture {
    uv_loop_t loop;
    struct egress *egress;
    struct name_server names;
    struct receiver receiver;
    struct receiver other; /* where nothing should arrive */
    struct courier *courier;
    unsigned done;
    unsigned closed;
};

/* A call that counts; its target is its own. */
struct request {
    struct call call;
    struct fixture *fixture;
    unsigned again; /* times to send it again from `done` */
};

static void on_done(struct call *call)
{
    struct request *r = container_of(call, struct request, call);

    r->fixture->done++;
    uv_stop(&r->fixture->loop);
    if (r->again == 0)
        return;
    r->again--;
    buf_fini(&call->response);
    courier_send(r->fixture->courier, call);
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->closed++;
    f->courier = NULL;
}

static void open_courier(struct fixture *f, const char *subnet, const char *ca_file)
{
    struct courier_options options = {
        .loop = &f->loop,
        .user_agent = "posthaste-test/1",
        .ca_file = ca_file,
        .name_servers = f->names.address,
        .idle_connections = 64,
    };
    struct text_list subnets = { .count = subnet ? 1 : 0,
                                 .items = (char *[]){ (char *)subnet } };
    const char *bad;

    assert_int_equal(egress_new(&subnets, &f->egress, &bad), ERR_OK);
    options.egress = f->egress;
    assert_int_equal(courier_open(&f->courier, &options), ERR_OK);
}

static void close_courier(struct fixture *f)
{
    f->closed = 0;
    courier_close(f->courier, on_closed, f);
    assert_int_equal(f->closed, 0);
    while (f->courier)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->closed, 1);
    egress_free(f->egress);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&f->loop);
    name_server_open(&f->names, &f->loop, zone);
    receiver_open(&f->receiver, &f->loop);
    receiver_open(&f->other, &f->loop);
    open_courier(f, "127.0.0.0/8", NULL);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->courier)
        close_courier(f);
    assert_int_equal(f->other.connections, 0);
    receiver_close(&f->receiver);
    receiver_close(&f->other);
    name_server_close(&f->names);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    test_free(f);
    return 0;
}

static struct target *make_target(const char *method, const char *url)
{
    static char *const lines[] = { "X-Fixed: always", "X-Empty:" };
    struct text_list headers = { .count = COUNT(lines), .items = (char **)lines };
    struct target *target;

    assert_int_equal(target_new(method, url, &headers, &target), ERR_OK);
    return target;
}

/* "http://HOST:PORT/path?secret=1" */
static struct target *target_at(const char *host, uint16_t port)
{
    char url[URL_LEN_MAX];

    snprintf(url, sizeof url, "http://%s:%u/path?secret=1", host, port);
    return make_target("POST", url);
}

static struct request request_to(struct fixture *f, struct target *target)
{
    return (struct request){
        .call = { .target = target,
                  .headers = { "webhook-id: msg_1", NULL, "webhook-timestamp: 2" },
                  .body = "{\"a\":1}",
                  .body_len = 7,
                  .timeout_ms = 10000,
                  .response_kept = 16,
                  .response_max = 65536,
                  .done = on_done },
        .fixture = f,
    };
}

static void wait_for(struct fixture *f, unsigned done)
{
    while (f->done < done)
        uv_run(&f->loop, UV_RUN_DEFAULT);
}

/* Send it and wait; the target is given up. */
static void carry(struct fixture *f, struct request *r)
{
    unsigned before = f->done;

    courier_send(f->courier, &r->call);
    assert_int_equal(f->done, before);
    target_unref(r->call.target);
    wait_for(f, before + 1);
    assert_int_equal(courier_active(f->courier), 0);
}

static struct request carry_to(struct fixture *f, const char *host, uint16_t port)
{
    struct request r = request_to(f, target_at(host, port));

    carry(f, &r);
    buf_fini(&r.call.response);
    return r;
}

static struct request carry_here(struct fixture *f)
{
    return carry_to(f, "127.0.0.1", f->receiver.port);
}

static void assert_outcome(const struct request *r, enum err err, const char *reason)
{
    if (r->call.err != err)
        fail_msg("%s: %s", err_text(r->call.err), r->call.reason);
    assert_string_equal(r->call.reason, reason);
    assert_null(strstr(r->call.reason, "secret"));
}

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
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.answer = rows[i].answer;
        struct request r = carry_here(f);
        assert_outcome(&r, ERR_OK, "");
        assert_int_equal(r.call.status, rows[i].status);
        assert_int_equal(r.call.retry_after_s, rows[i].retry_after_s);
    }
    assert_int_equal(f->receiver.requests, COUNT(rows));
}

static void retry_after_may_be_a_date(void **state)
{
    struct fixture *f = *state;
    char date[64], answer[256];
    time_t later = time(NULL) + 100;
    struct tm tm;

    gmtime_r(&later, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    snprintf(answer, sizeof answer,
             "HTTP/1.1 503 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
    f->receiver.answer = answer;
    struct request r = carry_here(f);
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
    struct fixture *f = *state;
    struct request r = carry_here(f);
    const char *text = buf_text(&f->receiver.last);

    assert_outcome(&r, ERR_OK, "");
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
    struct fixture *f = *state;
    char url[64], start[32];

    snprintf(url, sizeof url, "http://127.0.0.1:%u/m", f->receiver.port);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = request_to(f, make_target(rows[i].method, url));
        r.call.body = rows[i].body;
        r.call.body_len = rows[i].body ? strlen(rows[i].body) : 0;
        carry(f, &r);
        assert_outcome(&r, ERR_OK, "");
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
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));
    char *body = xcalloc(1, LEN);

    for (size_t i = 0; i < LEN; i++)
        body[i] = (char)('a' + i % 23);
    r.call.body = body;
    r.call.body_len = LEN;
    carry(f, &r);
    assert_outcome(&r, ERR_OK, "");
    assert_true(f->receiver.last.len > LEN);
    assert_memory_equal(f->receiver.last.bytes + f->receiver.last.len - LEN, body, LEN);
    free(body);
}

static void a_malformed_line_is_not_sent(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    r.call.headers[1] = "Authorization: a\r\nX-Smuggled: b";
    carry(f, &r);
    assert_outcome(&r, ERR_INVALID, "a header line is malformed");
    assert_int_equal(f->receiver.connections, 0);
}

static void a_connection_is_kept_and_reused(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    r.again = 99;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    wait_for(f, 100);
    assert_outcome(&r, ERR_OK, "");
    assert_int_equal(f->receiver.requests, 100);
    assert_int_equal(f->receiver.connections, 1);
}

static void calls_at_once_use_connections_of_their_own(void **state)
{
    enum { AT_ONCE = 20 };
    struct fixture *f = *state;
    struct request all[AT_ONCE];
    struct target *target = target_at("receiver.test", f->receiver.port);

    for (int round = 1; round <= 3; round++) {
        for (size_t i = 0; i < AT_ONCE; i++) {
            all[i] = request_to(f, target);
            courier_send(f->courier, &all[i].call);
        }
        assert_int_equal(courier_active(f->courier), AT_ONCE);
        wait_for(f, (unsigned)round * AT_ONCE);
        for (size_t i = 0; i < AT_ONCE; i++)
            assert_outcome(&all[i], ERR_OK, "");
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
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("10.0.0.1", 80));
    unsigned turns = 0;
    uv_prepare_t prepare;

    uv_prepare_init(&f->loop, &prepare);
    prepare.data = &turns;
    uv_prepare_start(&prepare, on_turn);
    r.again = CALLS - 1;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    wait_for(f, CALLS);
    assert_in_range(turns, CALLS - 1, 2 * CALLS);
    uv_close((uv_handle_t *)&prepare, NULL);
    uv_run(&f->loop, UV_RUN_NOWAIT);
}

static void a_redirect_is_not_followed(void **state)
{
    struct fixture *f = *state;
    char answer[256];

    snprintf(
        answer, sizeof answer,
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%u/\r\nContent-Length: 0\r\n\r\n",
        f->other.port);
    f->receiver.answer = answer;
    struct request r = carry_here(f);
    assert_outcome(&r, ERR_OK, "");
    assert_int_equal(r.call.status, 302);
}

static void silence_ends_with_the_timeout(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_NOTHING;
    r.call.timeout_ms = 150;
    carry(f, &r);
    assert_outcome(&r, ERR_TIMEOUT, "timed out after 150 ms");
    assert_in_range(r.call.duration_ms, 150, 5000);
    assert_int_equal(f->receiver.requests, 1);
}

static void a_dripping_answer_ends_with_the_timeout(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart";
    r.call.timeout_ms = 1000;
    carry(f, &r);
    assert_outcome(&r, ERR_TIMEOUT, "timed out after 1 s");
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
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.reaction = rows[i].reaction;
        f->receiver.answer = rows[i].answer;
        struct request r = carry_here(f);
        assert_outcome(&r, rows[i].err, rows[i].reason);
        assert_int_equal(r.call.status, 0);
    }
}

static void the_first_bytes_of_an_answer_are_kept(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer =
        "HTTP/1.1 500 Oh\r\nContent-Length: 26\r\n\r\nabcdefghijklmnopqrstuvwxyz";
    carry(f, &r);
    assert_outcome(&r, ERR_OK, "");
    assert_string_equal(buf_text(&r.call.response), "abcdefghijklmnop");
    buf_fini(&r.call.response);
}

static void a_compressed_answer_is_kept_as_it_is(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.answer = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: "
                         "4\r\n\r\n\x1f\x8b\x08\x01";
    carry(f, &r);
    assert_outcome(&r, ERR_OK, "");
    assert_string_equal(buf_text(&r.call.response), "\x1f\x8b\x08\x01");
    buf_fini(&r.call.response);
}

static void an_endless_body_is_cut_and_its_status_counts(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_ANSWER_FOREVER;
    f->receiver.answer = "HTTP/1.1 200 OK\r\n\r\n";
    f->receiver.more = "0123456789";
    carry(f, &r);
    assert_outcome(&r, ERR_OK, "");
    assert_int_equal(r.call.status, 200);
    assert_int_equal(r.call.response.len, 16);
    buf_fini(&r.call.response);

    f->receiver.reaction = REACT_ANSWER;
    f->receiver.answer = EMPTY_200;
    r = carry_here(f);
    assert_outcome(&r, ERR_OK, "");
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
    struct fixture *f = *state;

    f->receiver.reaction = REACT_ANSWER_FOREVER;
    for (size_t i = 0; i < COUNT(rows); i++) {
        f->receiver.answer = rows[i].answer;
        f->receiver.more = rows[i].more;
        struct request r = carry_here(f);
        assert_outcome(&r, ERR_LIMIT, "the answer's header is too long");
    }
}

static void a_refused_connection_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct request r = carry_to(f, "127.0.0.1", unused_port());

    assert_outcome(&r, ERR_UNAVAILABLE, "connection refused");
}

static void a_name_without_an_address_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct request r = carry_to(f, "nowhere.test", f->receiver.port);

    assert_outcome(&r, ERR_UNAVAILABLE, "name not found: nowhere.test");
}

static void a_silent_name_server_costs_two_seconds_and_nobody_else(void **state)
{
    struct fixture *f = *state;
    struct request silent = request_to(f, target_at("silent.test", f->receiver.port));
    struct request hasty = request_to(f, target_at("silent.test", f->receiver.port));

    hasty.call.timeout_ms = 200;
    courier_send(f->courier, &silent.call);
    courier_send(f->courier, &hasty.call);
    target_unref(silent.call.target);
    target_unref(hasty.call.target);
    struct request other = request_to(f, target_at("receiver.test", f->receiver.port));
    courier_send(f->courier, &other.call);
    target_unref(other.call.target);
    wait_for(f, 1);
    assert_outcome(&other, ERR_OK, "");
    wait_for(f, 2);
    assert_outcome(&hasty, ERR_TIMEOUT, "timed out after 200 ms");
    wait_for(f, 3);
    assert_outcome(&silent, ERR_UNAVAILABLE, "no answer from the name servers for silent.test");
    assert_in_range(silent.call.duration_ms, 1500, 4000);
}

static void a_name_is_resolved_once_for_many_calls(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 5; i++) {
        struct request r = carry_to(f, "receiver.test", f->receiver.port);
        assert_outcome(&r, ERR_OK, "");
    }
    assert_int_equal(f->names.questions, 1);
    assert_int_equal(f->receiver.connections, 1);
    assert_non_null(strstr(buf_text(&f->receiver.last), "\r\nHost: receiver.test:"));
}

static void a_private_address_is_never_connected_to(void **state)
{
    static const struct {
        const char *host, *reason;
    } rows[] = {
        { "127.0.0.1", "127.0.0.1 is not a public address" },
        { "127.1", "127.0.0.1 is not a public address" },
        { "2130706433", "127.0.0.1 is not a public address" },
        { "0x7f000001", "127.0.0.1 is not a public address" },
        { "0", "0.0.0.0 is not a public address" },
        { "[::1]", "::1 is not a public address" },
        { "[::ffff:127.0.0.1]", "::ffff:127.0.0.1 is not a public address" },
        { "[64:ff9b::7f00:1]", "64:ff9b::7f00:1 is not a public address" },
        { "receiver.test", "127.0.0.1 is not a public address" },
        { "private.test", "10.1.2.3 is not a public address" },
        { "metadata.test", "169.254.169.254 is not a public address" },
    };
    struct fixture *f = *state;

    close_courier(f);
    open_courier(f, NULL, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = carry_to(f, rows[i].host, f->receiver.port);
        assert_outcome(&r, ERR_DENIED, rows[i].reason);
    }
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->receiver.connections, 0);
}

static void of_mixed_answers_an_allowed_one_is_chosen(void **state)
{
    struct fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        struct request r = carry_to(f, "mixed.test", f->receiver.port);
        assert_outcome(&r, ERR_OK, "");
    }
    assert_int_equal(f->receiver.requests, 3);
    assert_int_equal(f->receiver.connections, 1);
}

static void after_a_failure_the_next_address_is_tried(void **state)
{
    struct fixture *f = *state;
    struct request first = carry_to(f, "half-dead.test", f->receiver.port);

    if (first.call.err != ERR_OK)
        assert_outcome(&first, ERR_UNAVAILABLE, "connection refused");
    struct request second = carry_to(f, "half-dead.test", f->receiver.port);
    assert_outcome(&second, ERR_OK, "");
}

static void the_environment_has_no_say(void **state)
{
    static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy",
                                         "ALL_PROXY" };
    struct fixture *f = *state;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", f->other.port);
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], url, 1);
    close_courier(f);
    open_courier(f, "127.0.0.0/8", NULL);
    struct request r = carry_here(f);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    assert_outcome(&r, ERR_OK, "");
    assert_int_equal(f->receiver.requests, 1);
}

static void a_call_can_be_canceled_at_any_stage(void **state)
{
    struct fixture *f = *state;
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
        wait_for(f, (unsigned)i + 1);
        assert_outcome(&r, ERR_CANCELED, "canceled");
        target_unref(targets[i]);
    }
    assert_int_equal(courier_active(f->courier), 0);
}

static void a_call_can_be_canceled_while_it_waits_for_the_answer(void **state)
{
    struct fixture *f = *state;
    struct request r = request_to(f, target_at("127.0.0.1", f->receiver.port));

    f->receiver.reaction = REACT_NOTHING;
    courier_send(f->courier, &r.call);
    target_unref(r.call.target);
    while (f->receiver.requests == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
    courier_cancel(f->courier, &r.call);
    wait_for(f, 1);
    assert_outcome(&r, ERR_CANCELED, "canceled");
    while (f->receiver.open > 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void closing_ends_what_is_under_way(void **state)
{
    struct fixture *f = *state;
    struct request all[3];
    const char *const hosts[] = { "silent.test", "127.0.0.1", "10.0.0.1" };

    f->receiver.reaction = REACT_NOTHING;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        all[i] = request_to(f, target_at(hosts[i], f->receiver.port));
        courier_send(f->courier, &all[i].call);
        target_unref(all[i].call.target);
    }
    close_courier(f);
    assert_int_equal(f->done, 3);
    for (size_t i = 0; i < 2; i++)
        assert_outcome(&all[i], ERR_CANCELED, "canceled");
    assert_outcome(&all[2], ERR_DENIED, "10.0.0.1 is not a public address");
}

static void on_tick(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* The turns the loop makes in a tenth of a second in which nothing happens. */
static unsigned turns_of(struct fixture *f)
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
    struct fixture *f = *state;
    struct request r = carry_here(f);

    assert_outcome(&r, ERR_OK, "");
    receiver_hang_up(&f->receiver);
    assert_in_range(turns_of(f), 0, 20);
    r = carry_here(f);
    assert_outcome(&r, ERR_OK, "");
    assert_int_equal(f->receiver.connections, 2);
}

static void an_untrusted_certificate_is_refused(void **state)
{
    struct fixture *f = *state;
    char directory[TEMP_PATH_MAX], path[TEMP_PATH_MAX + 16], url[64];

    temp_make(directory);
    snprintf(path, sizeof path, "%s/cert.pem", directory);
    struct tls_server *server = tls_server_open(path);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", tls_server_port(server));
    struct request r = request_to(f, make_target("POST", url));
    carry(f, &r);
    assert_outcome(&r, ERR_UNAVAILABLE, "certificate not trusted: self-signed certificate");
    assert_int_equal(tls_server_close(server), 0);
    temp_remove(directory);
}

static void a_certificate_must_be_trusted_and_name_the_host(void **state)
{
    static const struct {
        const char *host;
        enum err err;
    } rows[] = {
        { "127.0.0.1", ERR_OK },
        { "receiver.test", ERR_OK },
        { "other.test", ERR_UNAVAILABLE },
        { "127.0.0.2", ERR_UNAVAILABLE },
    };
    struct fixture *f = *state;
    char directory[TEMP_PATH_MAX], path[TEMP_PATH_MAX + 16], url[64];

    temp_make(directory);
    snprintf(path, sizeof path, "%s/cert.pem", directory);
    struct tls_server *server = tls_server_open(path);
    close_courier(f);
    open_courier(f, "127.0.0.0/8", path);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(url, sizeof url, "https://%s:%u/", rows[i].host, tls_server_port(server));
        struct request r = request_to(f, make_target("POST", url));
        carry(f, &r);
        if (r.call.err != rows[i].err)
            fail_msg("%s: %s", rows[i].host, r.call.reason);
    }
    assert_int_equal(tls_server_close(server), 2);
    temp_remove(directory);
}

static void a_plain_server_is_not_spoken_to_in_tls(void **state)
{
    struct fixture *f = *state;
    char url[64];

    f->receiver.reaction = REACT_ANSWER_AND_CLOSE;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->receiver.port);
    struct request r = request_to(f, make_target("POST", url));
    r.call.timeout_ms = 500;
    carry(f, &r);
    assert_true(r.call.err == ERR_TIMEOUT || r.call.err == ERR_UNAVAILABLE);
    assert_int_equal(f->receiver.requests, 0);
}

#define IN_FIXTURE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FIXTURE(an_answer_of_any_status_is_an_answer),
        IN_FIXTURE(retry_after_may_be_a_date),
        IN_FIXTURE(the_request_is_as_composed),
        IN_FIXTURE(one_handle_serves_all_methods_in_turn),
        IN_FIXTURE(a_large_body_arrives_whole),
        IN_FIXTURE(a_malformed_line_is_not_sent),
        IN_FIXTURE(a_connection_is_kept_and_reused),
        IN_FIXTURE(calls_at_once_use_connections_of_their_own),
        IN_FIXTURE(calls_that_never_wait_leave_the_loop_its_turns),
        IN_FIXTURE(a_redirect_is_not_followed),
        IN_FIXTURE(silence_ends_with_the_timeout),
        IN_FIXTURE(a_dripping_answer_ends_with_the_timeout),
        IN_FIXTURE(a_broken_connection_is_told_apart),
        IN_FIXTURE(the_first_bytes_of_an_answer_are_kept),
        IN_FIXTURE(a_compressed_answer_is_kept_as_it_is),
        IN_FIXTURE(an_endless_body_is_cut_and_its_status_counts),
        IN_FIXTURE(an_endless_header_is_cut),
        IN_FIXTURE(a_refused_connection_is_unavailable),
        IN_FIXTURE(a_name_without_an_address_is_unavailable),
        IN_FIXTURE(a_silent_name_server_costs_two_seconds_and_nobody_else),
        IN_FIXTURE(a_name_is_resolved_once_for_many_calls),
        IN_FIXTURE(a_private_address_is_never_connected_to),
        IN_FIXTURE(of_mixed_answers_an_allowed_one_is_chosen),
        IN_FIXTURE(after_a_failure_the_next_address_is_tried),
        IN_FIXTURE(the_environment_has_no_say),
        IN_FIXTURE(a_call_can_be_canceled_at_any_stage),
        IN_FIXTURE(a_call_can_be_canceled_while_it_waits_for_the_answer),
        IN_FIXTURE(closing_ends_what_is_under_way),
        IN_FIXTURE(a_kept_connection_may_be_closed_by_the_peer),
        IN_FIXTURE(an_untrusted_certificate_is_refused),
        IN_FIXTURE(a_certificate_must_be_trusted_and_name_the_host),
        IN_FIXTURE(a_plain_server_is_not_spoken_to_in_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
