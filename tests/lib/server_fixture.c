#include "tests/lib/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/mem.h"

const struct server_limits server_fixture_limits = {
    .header_bytes = 1024,
    .body_bytes = 4096,
    .buffered_bytes = 6000,
    .connections = 8,
    .connections_per_address = 6,
    .header_timeout_ms = 150,
    .body_timeout_ms = 150,
};

void server_fixture_reply(struct exchange *x, unsigned status, const char *text)
{
    struct buf body = BUF_INIT(1 << 20);

    assert_int_equal(buf_append_text(&body, text), ERR_OK);
    exchange_reply(x, status, &body);
    assert_null(body.bytes);
}

static void on_headers(struct exchange *x, void *ctx)
{
    struct server_fixture *f = ctx;

    if (strcmp(exchange_path(x), "/wait") == 0 && f->put_offs > 0) {
        f->put_offs--;
        f->put_off = x;
        exchange_put_off(x);
        return;
    }
    if (strcmp(exchange_path(x), "/denied") == 0 || strcmp(exchange_query(x), "denied") == 0)
        server_fixture_reply(x, 401, "{\"denied\":true}");
    else
        exchange_set_data(x, xstrdup(exchange_path(x)));
}

static void on_request(struct exchange *x, void *ctx)
{
    struct server_fixture *f = ctx;
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
    struct server_fixture *f = ctx;

    free(exchange_data(x));
    f->abandoned++;
}

void server_fixture_wait_put_off(struct server_fixture *f)
{
    while (!f->put_off)
        uv_run(&f->loop, UV_RUN_ONCE);
}

void server_fixture_go_on(struct server_fixture *f)
{
    struct exchange *x = f->put_off;

    f->put_off = NULL;
    exchange_go_on(x);
}

void server_fixture_on_closed(void *ctx)
{
    struct server_fixture *f = ctx;

    f->closed = true;
}

int server_fixture_setup(void **state)
{
    struct server_fixture *f = xcalloc(1, sizeof *f);
    const struct server_options options = {
        .loop = &f->loop,
        .address = "127.0.0.1",
        .limits = *state ? *state : &server_fixture_limits,
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

void server_fixture_wait_closed(struct server_fixture *f)
{
    while (!f->closed)
        uv_run(&f->loop, UV_RUN_ONCE);
}

int server_fixture_teardown(void **state)
{
    struct server_fixture *f = *state;

    if (!f->closed) {
        server_close(f->server, 1000, server_fixture_on_closed, f);
        server_fixture_wait_closed(f);
    }
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

void server_fixture_connect(struct server_fixture *f, struct client *c)
{
    client_open(c, &f->loop, server_port(f->server));
}

void server_fixture_wait_owed(struct server_fixture *f, unsigned count)
{
    while (f->owed_count < count)
        uv_run(&f->loop, UV_RUN_ONCE);
}
