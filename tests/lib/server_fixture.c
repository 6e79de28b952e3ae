#include "tests/lib/server_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

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

const struct server_limits server_fixture_patient = {
    .header_bytes = 1024,
    .body_bytes = 4096,
    .buffered_bytes = 6000,
    .connections = 8,
    .connections_per_address = 6,
    .header_timeout_ms = 60 * 1000,
    .body_timeout_ms = 60 * 1000,
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
    } else if (strcmp(path, "/peer") == 0) {
        server_fixture_reply(x, 200, exchange_peer(x) ? exchange_peer(x) : "nobody");
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

static void on_stranger(const char *address, const char *why, void *ctx)
{
    struct server_fixture *f = ctx;

    f->strangers++;
    snprintf(f->stranger, sizeof f->stranger, "%s %s", address, why);
}

static bool is_secure;

int server_fixture_secure(void **state)
{
    (void)state;
    is_secure = true;
    return 0;
}

static void make_tls(struct server_fixture *f)
{
    const char *why;

    f->fra = make_region_certificate("fra");
    f->iad = make_region_certificate("iad");
    const struct tls_peer peer = { "iad", buf_text(&f->iad.certificate) };
    const struct tls_options options = { buf_text(&f->fra.certificate), buf_text(&f->fra.key),
                                         &peer, 1 };
    assert_int_equal(tls_context_new(&options, &f->tls, &why), ERR_OK);
}

int server_fixture_setup(void **state)
{
    struct server_fixture *f = xcalloc(1, sizeof *f);

    if (is_secure)
        make_tls(f);
    const struct server_options options = {
        .loop = &f->loop,
        .address = "127.0.0.1",
        .limits = *state ? *state : &server_fixture_limits,
        .on_headers = on_headers,
        .on_request = on_request,
        .on_abandoned = on_abandoned,
        .on_stranger = on_stranger,
        .tls = f->tls,
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
    tls_context_free(f->tls);
    made_certificate_fini(&f->fra);
    made_certificate_fini(&f->iad);
    free(f);
    return 0;
}

void server_fixture_knock(struct server_fixture *f, struct client *c)
{
    const struct tls_client_options as_iad = { .identity = &f->iad };

    if (f->tls)
        client_open_tls(c, &f->loop, server_port(f->server), &as_iad);
    else
        client_open(c, &f->loop, server_port(f->server));
}

void server_fixture_connect(struct server_fixture *f, struct client *c)
{
    server_fixture_knock(f, c);
    if (f->tls)
        client_shake(c);
}

void server_fixture_wait_owed(struct server_fixture *f, unsigned count)
{
    while (f->owed_count < count)
        uv_run(&f->loop, UV_RUN_ONCE);
}
