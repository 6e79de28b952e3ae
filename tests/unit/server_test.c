#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/client.h"
#include "tests/lib/descriptors.h"
#include "wire/server.h"

#define HOST     "Host: localhost\r\n"
#define HUGE_LEN ((size_t)32 * 1024 * 1024)

/* Small enough to reach, and quick enough to wait for. */
static const struct server_limits limits = {
    .header_bytes = 1024,
    .body_bytes = 4096,
    .buffered_bytes = 6000,
    .connections = 8,
    .connections_per_address = 6,
    .header_timeout_ms = 150,
    .body_timeout_ms = 150,
};

static const struct server_limits two_connections = {
    .header_bytes = 1024,
    .body_bytes = 4096,
    .buffered_bytes = 6000,
    .connections = 2,
    .connections_per_address = 10,
    .header_timeout_ms = 150,
    .body_timeout_ms = 150,
};

/* The server under test: "/denied" is refused by its header, "/later" when the test says so,
 * "/empty" gets a 204, anything else its own body. */
struct fixture {
    uv_loop_t loop;
    struct server *server;
    struct exchange *owed[8];
    unsigned owed_count;
    unsigned abandoned;
    bool closed;
};

static void reply_text(struct exchange *x, unsigned status, const char *text)
{
    struct buf body = BUF_INIT(1 << 20);

    assert_int_equal(buf_append_text(&body, text), ERR_OK);
    exchange_reply(x, status, &body);
    assert_null(body.bytes);
}

/* More than sockets buffer. */
static void reply_huge(struct exchange *x)
{
    static const char piece[64 * 1024];
    struct buf body = BUF_INIT(HUGE_LEN);

    while (body.len < HUGE_LEN)
        assert_int_equal(buf_append(&body, piece, sizeof piece), ERR_OK);
    exchange_reply(x, 200, &body);
}

static void on_headers(struct exchange *x, void *ctx)
{
    (void)ctx;
    if (strcmp(exchange_path(x), "/denied") == 0)
        reply_text(x, 401, "{\"denied\":true}");
    else
        exchange_set_data(x, xstrdup(exchange_path(x)));
}

static void on_request(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;
    char *path = exchange_data(x);
    size_t len;
    const char *bytes = exchange_body(x, &len);

    if (strcmp(path, "/later") == 0) {
        f->owed[f->owed_count++] = x;
    } else if (strcmp(path, "/empty") == 0) {
        exchange_reply(x, 204, NULL);
    } else {
        struct buf body = BUF_INIT(1 << 20);
        assert_int_equal(buf_printf(&body, "%s %s?%s ", exchange_method(x), exchange_path(x),
                                    exchange_query(x)),
                         ERR_OK);
        assert_int_equal(buf_append(&body, bytes, len), ERR_OK);
        exchange_add_header(x, "X-Len", len > 100 ? "large" : "small");
        exchange_reply(x, 200, &body);
    }
    free(path);
}

static void on_abandoned(struct exchange *x, void *ctx)
{
    struct fixture *f = ctx;

    free(exchange_data(x));
    f->abandoned++;
}

static void on_closed(void *ctx)
{
    struct fixture *f = ctx;

    f->closed = true;
}

/* `state` comes with the limits of the test, or NULL. */
static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    const struct server_options options = {
        .loop = &f->loop,
        .address = "127.0.0.1",
        .limits = *state ? *state : &limits,
        .on_headers = on_headers,
        .on_request = on_request,
        .on_abandoned = on_abandoned,
        .ctx = f,
    };

    uv_loop_init(&f->loop);
    assert_int_equal(server_open(&f->server, &options), ERR_OK);
    *state = f;
    return 0;
}

static void wait_closed(struct fixture *f)
{
    while (!f->closed)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f->closed) {
        server_close(f->server, 1000, on_closed, f);
        wait_closed(f);
    }
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void connect_to(struct fixture *f, struct client *c)
{
    client_open(c, &f->loop, server_port(f->server));
}

static void wait_owed(struct fixture *f, unsigned count)
{
    while (f->owed_count < count)
        uv_run(&f->loop, UV_RUN_ONCE);
}

#define assert_has(text, part)                                                                 \
    do {                                                                                       \
        const char *has_text_ = (text);                                                        \
        if (!strstr(has_text_, part))                                                          \
            fail_msg("no \"%s\" in \"%s\"", part, has_text_);                                  \
    } while (0)

/* Requests and answers. */

static void a_request_is_answered_with_what_the_owner_says(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
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
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /1? ");
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"
                   "POST /3 HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nyz"
                   "GET /4 HTTP/1.1\r\n" HOST "\r\n");
    wait_owed(f, 1);
    reply_text(f->owed[0], 202, "second");
    assert_has(client_answer(&c), "second");
    assert_has(client_answer(&c), "POST /3? yz");
    assert_has(client_answer(&c), "GET /4? ");
    client_close(&c);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct fixture *f = *state;
    const char text[] = "POST /slow HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n";
    struct client c;

    connect_to(f, &c);
    for (const char *at = text; *at; at++)
        client_send(&c, at, 1);
    assert_has(client_answer(&c), "POST /slow? abcde");
    client_close(&c);
}

static void answers_may_come_later_and_in_any_order(void **state)
{
    struct fixture *f = *state;
    struct client c[3];

    for (unsigned i = 0; i < 3; i++) {
        connect_to(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        wait_owed(f, i + 1);
    }
    for (unsigned i = 3; i-- > 0;) {
        char text[2] = { (char)('a' + i) };
        reply_text(f->owed[i], 202, text);
    }
    assert_has(client_answer(&c[0]), "\r\n\r\na");
    assert_has(client_answer(&c[1]), "\r\n\r\nb");
    assert_has(client_answer(&c[2]), "\r\n\r\nc");
    for (unsigned i = 0; i < 3; i++)
        client_close(&c[i]);
}

static void an_exchange_outlives_its_client(void **state)
{
    struct fixture *f = *state;
    struct client c;
    size_t len;

    connect_to(f, &c);
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    wait_owed(f, 1);
    client_close(&c);
    assert_memory_equal(exchange_body(f->owed[0], &len), "body", 4);
    assert_string_equal(exchange_header(f->owed[0], "host"), "localhost");
    reply_text(f->owed[0], 202, "nobody reads this");
}

static void a_head_request_gets_no_body_and_204_has_none(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
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
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "GET /old HTTP/1.0\r\n\r\n");
    assert_has(client_answer(&c), "GET /old? ");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

/* Refused by the header. */

static void a_refused_body_is_read_so_that_the_connection_stays(void **state)
{
    struct fixture *f = *state;
    char *body = xcalloc(1, 100 * 1000);
    struct client c;

    connect_to(f, &c);
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
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
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
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "POST /large HTTP/1.1\r\n" HOST "Content-Length: 999999999\r\n\r\n");
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 413 ");
    assert_has(answer, "Connection: close\r\n");
    assert_true(client_is_closed(&c));
    client_close(&c);
}

static void an_endless_body_is_cut_off(void **state)
{
    struct fixture *f = *state;
    char *chunk = xcalloc(1, 0x10000 + 16);
    struct client c;

    connect_to(f, &c);
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

static void what_cannot_be_trusted_is_refused_and_closed(void **state)
{
    static const char *const requests[] = {
        "POST / HTTP/1.1\r\n" HOST
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\n" HOST "Content-Length : 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\n" HOST "X Y: 3\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n" HOST HOST "\r\n",
        "GET /a b HTTP/1.1\r\n" HOST "\r\n",
        "GET /\x01 HTTP/1.1\r\n" HOST "\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n",
        "GET a HTTP/1.1\r\n" HOST "\r\n",
        "GET http://host HTTP/1.1\r\n" HOST "\r\n",
        "CONNECT host:80 HTTP/1.1\r\n" HOST "\r\n",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(requests); i++) {
        struct client c;
        connect_to(f, &c);
        client_say(&c, requests[i]);
        const char *answer = client_answer(&c);
        if (!strstr(answer, "HTTP/1.1 400 ") || !strstr(answer, "{\"code\":\"bad_request\""))
            fail_msg("request %zu: \"%s\"", i, answer);
        assert_true(client_is_closed(&c));
        client_close(&c);
    }
}

/* Where the library has no hook for us it answers by itself, as docs/api.md has it. */
static void bytes_that_are_not_http_never_reach_the_owner(void **state)
{
    static char long_target[4096], long_header[4096];
    static const struct {
        const char *bytes;
        const char *status; /* NULL: closed without a word */
    } rows[] = {
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: abc\r\n\r\n", "400" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", "400" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\na", "400" },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n", "413" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", "400" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", "400" },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
          "fffffffffffffffffffffff\r\n",
          "413" },
        { "GET / HTTP/1.1\r\nno colon\r\n\r\n", "400" },
        { long_target, "414" },
        { long_header, "431" },
        { "GET / HTTP/1.x\r\n\r\n", "400" },
        { "GET / HTTP/0.9\r\n\r\n", "505" },
        { "GET /\r\n\r\n", "400" },
        { "GET / HTTP/2.0\r\n\r\n", "505" },
        { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505" },
        { "garbage\r\n\r\n", NULL },
    };
    struct fixture *f = *state;

    snprintf(long_target, sizeof long_target, "GET /%02500d HTTP/1.1\r\n\r\n", 1);
    snprintf(long_header, sizeof long_header, "GET / HTTP/1.1\r\nX: %02500d\r\n\r\n", 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;
        connect_to(f, &c);
        client_say(&c, rows[i].bytes);
        const char *answer = client_answer(&c);
        if (!rows[i].status)
            assert_string_equal(answer, "");
        else if (strncmp(answer + strcspn(answer, " ") + 1, rows[i].status, 3) != 0)
            fail_msg("row %zu: \"%s\"", i, answer);
        assert_null(strstr(answer, "Content-Type"));
        while (!c.eof)
            uv_run(&f->loop, UV_RUN_ONCE);
        client_close(&c);
    }
    assert_int_equal(f->owed_count, 0);
}

static void an_absolute_target_means_its_path(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "GET http://elsewhere:1/path?q HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /path?q ");
    client_close(&c);
}

/* Limits. */

static void a_large_header_is_refused_with_431(void **state)
{
    struct fixture *f = *state;
    char text[1600];
    struct client c;

    connect_to(f, &c);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\n" HOST "X: %01200d\r\n\r\n", 1);
    client_say(&c, text);
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 431 ");
    assert_has(answer, "{\"code\":\"header_too_large\"");
    client_close(&c);
}

static void a_chunked_body_is_counted(void **state)
{
    struct fixture *f = *state;
    char chunk[1100];
    struct client c;

    connect_to(f, &c);
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
    struct fixture *f = *state;
    char text[4200];
    struct client a, b;

    snprintf(text, sizeof text,
             "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4000\r\n\r\n%04000d", 1);
    connect_to(f, &a);
    connect_to(f, &b);
    client_say(&a, text);
    wait_owed(f, 1);
    client_say(&b, text);
    const char *answer = client_answer(&b);
    assert_has(answer, "HTTP/1.1 503 ");
    assert_has(answer, "Retry-After: 1\r\n");
    reply_text(f->owed[0], 200, "{}");
    assert_has(client_answer(&a), "HTTP/1.1 200 ");
    client_say(&b, text);
    wait_owed(f, 2);
    reply_text(f->owed[1], 200, "{}");
    assert_has(client_answer(&b), "HTTP/1.1 200 ");
    client_close(&a);
    client_close(&b);
}

static void an_answer_without_room_is_refused_if_nothing_was_done_for_it(void **state)
{
    struct fixture *f = *state;
    char text[6200];
    struct client c;

    snprintf(text, sizeof text, "%06100d", 1);
    connect_to(f, &c);
    client_say(&c, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    wait_owed(f, 1);
    reply_text(f->owed[0], 200, text);
    const char *answer = client_answer(&c);
    assert_has(answer, "HTTP/1.1 503 ");
    assert_has(answer, "Retry-After: 1\r\n");
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    wait_owed(f, 2);
    reply_text(f->owed[1], 202, text);
    assert_has(client_answer(&c), text);
    client_say(&c, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    wait_owed(f, 3);
    text[5900] = '\0';
    reply_text(f->owed[2], 200, text);
    assert_has(client_answer(&c), "HTTP/1.1 200 ");
    client_close(&c);
}

static void slow_clients_are_hung_up_on(void **state)
{
    static const struct {
        const char *bytes, *answer;
    } rows[] = {
        { "", "" },
        { "GET / HT", "" },
        { "GET / HTTP/1.1\r\nX: ", "HTTP/1.1 408 " },
        { "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc", "HTTP/1.1 408 " },
        { "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nab",
          "HTTP/1.1 408 " },
        { "POST /denied HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc", "HTTP/1.1 408 " },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct client c;
        connect_to(f, &c);
        client_say(&c, rows[i].bytes);
        assert_has(client_answer(&c), rows[i].answer);
        assert_true(client_is_closed(&c));
        client_close(&c);
    }
    assert_int_equal(f->abandoned, 2);
}

static void a_client_that_drips_does_not_live_longer(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "GET / HTTP/1.1\r\n");
    while (!c.eof)
        client_say(&c, "X: y\r\n");
    assert_has(client_answer(&c), "HTTP/1.1 4");
    client_close(&c);
}

static void a_client_that_leaves_early_is_reported(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabc");
    client_close(&c);
    while (f->abandoned == 0)
        uv_run(&f->loop, UV_RUN_ONCE);
}

static void connections_are_limited_by_address(void **state)
{
    struct fixture *f = *state;
    struct client c[7];

    for (unsigned i = 0; i < 7; i++) {
        connect_to(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        if (i < 6)
            wait_owed(f, i + 1);
    }
    assert_true(client_is_closed(&c[6]));
    for (unsigned i = 0; i < 7; i++) {
        if (i < 6)
            reply_text(f->owed[i], 200, "{}");
        client_close(&c[i]);
    }
    connect_to(f, &c[0]);
    client_say(&c[0], "GET /again HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c[0]), "GET /again");
    client_close(&c[0]);
}

static void connections_above_the_limit_wait_until_there_is_room(void **state)
{
    struct fixture *f = *state;
    struct client c[3];

    for (unsigned i = 0; i < 2; i++) {
        connect_to(f, &c[i]);
        client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
        wait_owed(f, i + 1);
    }
    connect_to(f, &c[2]);
    for (unsigned i = 0; i < 5; i++)
        client_say(&c[2], "GET /3 HTTP/1.1\r\n" HOST "\r\n");
    assert_int_equal(c[2].in.len, 0);
    reply_text(f->owed[0], 200, "{}");
    assert_has(client_answer(&c[0]), "HTTP/1.1 200 ");
    client_close(&c[0]);
    assert_has(client_answer(&c[2]), "GET /3? ");
    reply_text(f->owed[1], 200, "{}");
    client_close(&c[1]);
    client_close(&c[2]);
}

static void without_descriptors_connections_wait(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    client_say(&c, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&c), "GET /1");
    client_close(&c);

    client_open(&c, &f->loop, server_port(f->server));
    descriptors_withhold();
    client_say(&c, "GET /2 HTTP/1.1\r\n" HOST "\r\n");
    descriptors_give_back();
    assert_has(client_answer(&c), "GET /2");
    client_close(&c);
}

/* Opening and closing. */

static void opening_says_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *address;
        uint16_t port;
        enum err err;
    } rows[] = {
        { "localhost", 0, ERR_INVALID },
        { "", 0, ERR_INVALID },
        { "300.0.0.1", 0, ERR_INVALID },
        { "192.0.2.1", 0, ERR_UNAVAILABLE },
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
    struct fixture *f = *state;
    struct client idle, owed;

    connect_to(f, &idle);
    client_say(&idle, "GET /1 HTTP/1.1\r\n" HOST "\r\n");
    assert_has(client_answer(&idle), "GET /1");
    connect_to(f, &owed);
    client_say(&owed, "GET /later HTTP/1.1\r\n" HOST "\r\n");
    wait_owed(f, 1);

    server_close(f->server, 10 * 1000, on_closed, f);
    assert_true(client_is_closed(&idle));
    assert_false(f->closed);
    reply_text(f->owed[0], 202, "kept");
    const char *answer = client_answer(&owed);
    assert_has(answer, "kept");
    assert_has(answer, "Connection: close\r\n");
    wait_closed(f);
    client_close(&idle);
    client_close(&owed);
}

static void a_client_that_does_not_read_its_answer_is_hung_up_on(void **state)
{
    struct fixture *f = *state;
    struct client c;

    connect_to(f, &c);
    uv_poll_stop(&c.poll);
    client_say(&c, "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
    wait_owed(f, 1);
    reply_huge(f->owed[0]);
    server_close(f->server, 60 * 1000, on_closed, f);
    uint64_t start_ms = uv_now(&f->loop);
    wait_closed(f);
    assert_true(uv_now(&f->loop) - start_ms < 30 * 1000);
    client_close(&c);
}

static void closing_does_not_wait_longer_than_it_was_told(void **state)
{
    struct fixture *f = *state;
    struct client c[2];
    size_t len;

    for (unsigned i = 0; i < 2; i++) {
        connect_to(f, &c[i]);
        client_say(&c[i], "POST /later HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody");
        wait_owed(f, i + 1);
    }
    server_close(f->server, 10, on_closed, f);
    wait_closed(f);
    for (unsigned i = 0; i < 2; i++) {
        assert_has(client_answer(&c[i]), "HTTP/1.1 503 ");
        assert_true(client_is_closed(&c[i]));
        assert_memory_equal(exchange_body(f->owed[i], &len), "body", 4);
        assert_string_equal(exchange_header(f->owed[i], "Host"), "localhost");
        reply_text(f->owed[i], 202, "late, harmless");
        client_close(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        SERVER_TEST(a_request_is_answered_with_what_the_owner_says),
        SERVER_TEST(a_connection_is_kept_and_pipelined_requests_are_answered_in_order),
        SERVER_TEST(a_request_may_come_byte_by_byte),
        SERVER_TEST(answers_may_come_later_and_in_any_order),
        SERVER_TEST(an_exchange_outlives_its_client),
        SERVER_TEST(a_head_request_gets_no_body_and_204_has_none),
        SERVER_TEST(an_old_client_is_answered_and_hung_up_on),
        SERVER_TEST(a_refused_body_is_read_so_that_the_connection_stays),
        SERVER_TEST(a_client_that_asks_first_is_refused_without_100),
        SERVER_TEST(more_than_a_refused_body_may_have_closes_the_connection),
        SERVER_TEST(an_endless_body_is_cut_off),
        SERVER_TEST(what_cannot_be_trusted_is_refused_and_closed),
        SERVER_TEST(bytes_that_are_not_http_never_reach_the_owner),
        SERVER_TEST(an_absolute_target_means_its_path),
        SERVER_TEST(a_large_header_is_refused_with_431),
        SERVER_TEST(a_chunked_body_is_counted),
        SERVER_TEST(too_much_at_once_is_refused_with_503_until_there_is_room),
        SERVER_TEST(an_answer_without_room_is_refused_if_nothing_was_done_for_it),
        SERVER_TEST(slow_clients_are_hung_up_on),
        SERVER_TEST(a_client_that_drips_does_not_live_longer),
        SERVER_TEST(a_client_that_leaves_early_is_reported),
        SERVER_TEST(connections_are_limited_by_address),
        cmocka_unit_test_prestate_setup_teardown(
            connections_above_the_limit_wait_until_there_is_room, set_up, tear_down,
            (void *)(uintptr_t)&two_connections),
        SERVER_TEST(without_descriptors_connections_wait),
        SERVER_TEST(opening_says_what_is_wrong),
        SERVER_TEST(closing_finishes_what_is_owed_and_cuts_what_is_idle),
        SERVER_TEST(a_client_that_does_not_read_its_answer_is_hung_up_on),
        SERVER_TEST(closing_does_not_wait_longer_than_it_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
