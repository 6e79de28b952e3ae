#include "tests/lib/courier_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/list.h"

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
    struct courier_fixture *f = ctx;

    f->closed++;
    f->courier = NULL;
}

void courier_fixture_open(struct courier_fixture *f, const char *subnet, const char *ca_file)
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

void courier_fixture_close(struct courier_fixture *f)
{
    f->closed = 0;
    courier_close(f->courier, on_closed, f);
    assert_int_equal(f->closed, 0);
    while (f->courier)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->closed, 1);
    egress_free(f->egress);
}

int courier_fixture_setup(void **state)
{
    struct courier_fixture *f = test_calloc(1, sizeof *f);

    signal(SIGPIPE, SIG_IGN);
    uv_loop_init(&f->loop);
    name_server_open(&f->names, &f->loop, zone);
    receiver_open(&f->receiver, &f->loop);
    receiver_open(&f->other, &f->loop);
    courier_fixture_open(f, "127.0.0.0/8", NULL);
    *state = f;
    return 0;
}

int courier_fixture_teardown(void **state)
{
    struct courier_fixture *f = *state;

    if (f->courier)
        courier_fixture_close(f);
    assert_int_equal(f->other.connections, 0);
    receiver_close(&f->receiver);
    receiver_close(&f->other);
    name_server_close(&f->names);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    test_free(f);
    return 0;
}

struct target *target_make(const char *method, const char *url)
{
    static char *const lines[] = { "X-Fixed: always", "X-Empty:" };
    struct text_list headers = { .count = COUNT(lines), .items = (char **)lines };
    struct target *target;

    assert_int_equal(target_new(method, url, &headers, &target), ERR_OK);
    return target;
}

struct target *target_at(const char *host, uint16_t port)
{
    char url[URL_LEN_MAX];

    snprintf(url, sizeof url, "http://%s:%u/path?secret=1", host, port);
    return target_make("POST", url);
}

struct request request_to(struct courier_fixture *f, struct target *target)
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

void courier_fixture_wait(struct courier_fixture *f, unsigned done)
{
    while (f->done < done)
        uv_run(&f->loop, UV_RUN_DEFAULT);
}

void request_carry(struct courier_fixture *f, struct request *r)
{
    unsigned before = f->done;

    courier_send(f->courier, &r->call);
    assert_int_equal(f->done, before);
    target_unref(r->call.target);
    courier_fixture_wait(f, before + 1);
    assert_int_equal(courier_active(f->courier), 0);
}

struct request request_carry_to(struct courier_fixture *f, const char *host, uint16_t port)
{
    struct request r = request_to(f, target_at(host, port));

    request_carry(f, &r);
    buf_fini(&r.call.response);
    return r;
}

struct request request_carry_here(struct courier_fixture *f)
{
    return request_carry_to(f, "127.0.0.1", f->receiver.port);
}

void request_assert(const struct request *r, enum err err, const char *reason)
{
    if (r->call.err != err)
        fail_msg("%s: %s", err_text(r->call.err), r->call.reason);
    assert_string_equal(r->call.reason, reason);
    assert_null(strstr(r->call.reason, "secret"));
}
