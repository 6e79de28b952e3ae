/* A server in a storm: clients that say half of something, or nonsense, and leave; answers that
 * come late or never. Over TLS some are strangers, or send what is no TLS. Whatever they do, each
 * exchange ends once and nothing is left.
 *
 *     STORM_SEED=17 build/asan/tests/server_storm_test     one seed */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/client.h"
#include "tests/lib/dice.h"
#include "tests/lib/storm.h"
#include "wire/exchange.h"

#define CLIENTS  6
#define OWED_MAX 64
#define STEPS    300
#define SEEDS    20
#define HOST     "Host: localhost\r\n"
static const struct server_limits limits = {
    .header_bytes = 512,
    .body_bytes = 64,
    .buffered_bytes = 160,
    .connections = CLIENTS - 1,
    .connections_per_address = CLIENTS - 1,
    .header_timeout_ms = 30,
    .body_timeout_ms = 30,
};

static const char *const requests[] = {
    "GET /now HTTP/1.1\r\n" HOST "\r\n",
    "GET /later HTTP/1.1\r\n" HOST "\r\n",
    "POST /now HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789",
    "POST /later HTTP/1.1\r\n" HOST "Content-Length: 64\r\n\r\n"
    "0123456789012345678901234567890123456789012345678901234567890123",
    "POST /later HTTP/1.1\r\n" HOST "Content-Length: 65\r\n\r\n"
    "01234567890123456789012345678901234567890123456789012345678901234",
    "POST /denied HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n0123456789",
    "POST /later HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    "A\r\n0123456789\r\n5;x=y\r\nabcde\r\n0\r\n\r\n",
    "POST /now HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
    "30\r\n012345678901234567890123456789012345678901234567\r\n"
    "30\r\n012345678901234567890123456789012345678901234567\r\n0\r\n\r\n",
    "POST /later HTTP/1.1\r\n" HOST
    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nnonsense\r\n",
    "POST /now HTTP/1.1\r\n" HOST "Content-Length: 3x\r\n\r\nabc",
    "POST /now HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    "POST /now HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 300\r\n\r\n",
    "HEAD /later HTTP/1.1\r\n" HOST "\r\n",
    "GET /now HTTP/1.0\r\n\r\n",
    "GET /now HTTP/3.0\r\n\r\n",
    "GET /now HTTP/1.1\r\nno colon\r\n\r\n",
    "\r\n\r\n",
    "nonsense\r\n\r\n",
};

struct storm {
    uv_loop_t loop;
    struct dice dice;
    struct server *server;
    struct client clients[CLIENTS];
    bool is_open[CLIENTS];
    struct exchange *owed[OWED_MAX];
    unsigned owed_count;
    unsigned begun, requested, abandoned; /* exchanges that got past on_headers */
    bool closed;
};

/* For storms over TLS. */
static struct made_certificate fra, iad;
static struct tls_context *tls;

static void reply(struct exchange *x, unsigned status)
{
    struct buf body = BUF_INIT(16);

    assert_int_equal(buf_append_text(&body, "{}"), ERR_OK);
    exchange_reply(x, status, &body);
}

static void on_headers(struct exchange *x, void *ctx)
{
    struct storm *s = ctx;

    if (tls)
        assert_string_equal(exchange_peer(x), "iad");
    else
        assert_null(exchange_peer(x));
    if (strcmp(exchange_path(x), "/denied") == 0) {
        reply(x, 401);
        return;
    }
    s->begun++;
    exchange_set_data(x, xstrdup("data"));
}

static void on_request(struct exchange *x, void *ctx)
{
    struct storm *s = ctx;

    s->requested++;
    free(exchange_data(x));
    if (strcmp(exchange_path(x), "/later") == 0 && s->owed_count < OWED_MAX)
        s->owed[s->owed_count++] = x;
    else
        reply(x, 200);
}

static void on_abandoned(struct exchange *x, void *ctx)
{
    struct storm *s = ctx;

    s->abandoned++;
    free(exchange_data(x));
}

static void on_closed(void *ctx)
{
    struct storm *s = ctx;

    s->closed = true;
}

static void answer_one(struct storm *s)
{
    if (s->owed_count == 0)
        return;
    size_t i = dice_between(&s->dice, 0, s->owed_count - 1);
    struct exchange *x = s->owed[i];
    s->owed[i] = s->owed[--s->owed_count];
    reply(x, 202);
}

static void say_something(struct storm *s, struct client *c)
{
    const char *text = requests[dice_between(&s->dice, 0, COUNT(requests) - 1)];
    size_t len = strlen(text);

    if (c->tls && dice_chance(&s->dice, 5))
        send(c->fd, text, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    else
        client_send(c, text, dice_chance(&s->dice, 70) ? len : dice_between(&s->dice, 1, len));
}

static void connect_one(struct storm *s, struct client *c)
{
    const struct tls_client_options as_iad = { .identity = &iad }, as_nobody = { 0 };

    if (tls && dice_chance(&s->dice, 90))
        client_open_tls(c, &s->loop, server_port(s->server),
                        dice_chance(&s->dice, 90) ? &as_iad : &as_nobody);
    else
        client_open(c, &s->loop, server_port(s->server));
}

static void step(struct storm *s)
{
    size_t i = dice_between(&s->dice, 0, CLIENTS - 1);
    struct client *c = &s->clients[i];

    if (!s->is_open[i]) {
        connect_one(s, c);
        s->is_open[i] = true;
    } else if (c->eof || dice_chance(&s->dice, 10)) {
        client_close(c);
        s->is_open[i] = false;
    } else {
        say_something(s, c);
    }
    if (dice_chance(&s->dice, 30))
        answer_one(s);
    bool sweeps = s->server->connections > 0;
    uv_run(&s->loop, sweeps && dice_chance(&s->dice, 5) ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

/* What is counted as buffered is what the exchanges hold. Connections that are cut are in no list
 * until the loop, or the owner of their exchange, lets them go. */
static void check_buffered(const struct server *s)
{
    const struct list *const lists[] = { &s->idle, &s->moving, &s->owed };
    unsigned connections = 0;
    size_t bytes = 0, answers = 0;

    for (size_t i = 0; i < COUNT(lists); i++)
        for (const struct list *l = lists[i]->next; l != lists[i]; l = l->next) {
            const struct connection *c = container_of(l, struct connection, link);
            connections++;
            answers += c->body.len + (c->exchange ? c->exchange->answer.len : 0);
            bytes += c->exchange ? c->exchange->body.len : 0;
        }
    assert_in_range(s->connections, connections, limits.connections);
    assert_in_range(s->stranger_count, 0, 2);
    if (connections == s->connections) {
        assert_int_equal(s->buffered_bytes, bytes);
        assert_int_equal(s->answer_bytes, answers);
    }
}

static void close_server(struct storm *s)
{
    server_close(s->server, dice_chance(&s->dice, 50) ? 0 : 20, on_closed, s);
    while (!s->closed) {
        if (dice_chance(&s->dice, 20))
            answer_one(s);
        uv_run(&s->loop, UV_RUN_ONCE);
    }
    while (s->owed_count > 0)
        answer_one(s);
}

static void ride_out(uint64_t seed)
{
    struct storm s = { .dice = { seed } };
    const struct server_options options = {
        .loop = &s.loop,
        .address = "127.0.0.1",
        .limits = &limits,
        .on_headers = on_headers,
        .on_request = on_request,
        .on_abandoned = on_abandoned,
        .tls = tls,
        .ctx = &s,
    };

    uv_loop_init(&s.loop);
    assert_int_equal(server_open(&s.server, &options), ERR_OK);
    for (unsigned i = 0; i < STEPS; i++) {
        step(&s);
        check_buffered(s.server);
    }
    close_server(&s);
    for (size_t i = 0; i < CLIENTS; i++)
        if (s.is_open[i])
            client_close(&s.clients[i]);
    uv_run(&s.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s.loop), 0);
    assert_int_equal(s.begun, s.requested + s.abandoned);
}

static void each_exchange_ends_once_and_nothing_is_left(void **state)
{
    (void)state;
    storm_ride(SEEDS, ride_out);
}

static int make_tls(void **state)
{
    const char *why;

    (void)state;
    fra = make_region_certificate("fra");
    iad = make_region_certificate("iad");
    const struct tls_peer peer = { "iad", buf_text(&iad.certificate) };
    const struct tls_options options = { buf_text(&fra.certificate), buf_text(&fra.key), &peer,
                                         1 };
    assert_int_equal(tls_context_new(&options, &tls, &why), ERR_OK);
    return 0;
}

static int free_tls(void **state)
{
    (void)state;
    tls_context_free(tls);
    made_certificate_fini(&fra);
    made_certificate_fini(&iad);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_exchange_ends_once_and_nothing_is_left),
    };

    return cmocka_run_group_tests_name("in clear", tests, NULL, NULL) +
           cmocka_run_group_tests_name("over TLS", tests, make_tls, free_tls);
}
