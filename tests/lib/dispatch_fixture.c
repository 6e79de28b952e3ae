#include "tests/lib/dispatch_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/mem.h"

void dispatch_fixture_open(struct dispatch_fixture *f)
{
    assert_int_equal(dispatcher_open(&f->dispatcher,
                                     &(struct dispatcher_options){
                                         .loop = &f->store.loop.uv,
                                         .store = f->store.store,
                                         .keyring = f->keyring,
                                         .egress = f->egress,
                                         .ids = &f->store.ids,
                                         .router = f->router,
                                         .forwarder = f->forwarder,
                                         .region = f->router ? 1 : 0,
                                         .schedule_s = { 3600 },
                                         .schedule_count = f->gives_up ? 0 : 1,
                                         .disable_after_ms = f->disable_after_ms,
                                         .timeout_ms = DISPATCH_TIMEOUT_MS,
                                         .in_flight_max = 16,
                                         .in_flight_lane_max = 8,
                                     }),
                     ERR_OK);
}

int dispatch_fixture_start(void **state, struct router *router, struct forwarder *forwarder,
                           struct egress *egress)
{
    struct dispatch_fixture *f = xcalloc(1, sizeof *f);
    char master_key[MASTER_KEY_TEXT_MAX];

    keyring_generate(master_key);
    assert_int_equal(keyring_new(master_key, &f->keyring), ERR_OK);
    f->egress = egress;
    f->router = router;
    f->forwarder = forwarder;
    secret_generate(&f->secret);
    store_fixture_start(&f->store);
    store_fixture_set_ms(clock_now().wall_ms);
    receiver_open(&f->receiver, &f->store.loop.uv);
    f->application = store_fixture_put_application(&f->store, "app");
    dispatch_fixture_open(f);
    *state = f;
    return 0;
}

static void on_dispatcher_closed(void *ctx)
{
    ((struct dispatch_fixture *)ctx)->dispatcher_closed = true;
}

void dispatch_fixture_close(struct dispatch_fixture *f, uint32_t timeout_ms)
{
    f->dispatcher_closed = false;
    dispatcher_close(f->dispatcher, timeout_ms, on_dispatcher_closed, f);
    while (!f->dispatcher_closed)
        uv_run(&f->store.loop.uv, UV_RUN_ONCE);
    f->dispatcher = NULL;
}

int dispatch_fixture_stop(void **state)
{
    struct dispatch_fixture *f = *state;

    if (f->dispatcher)
        dispatch_fixture_close(f, DISPATCH_TIMEOUT_MS);
    receiver_close(&f->receiver);
    store_fixture_stop(&f->store);
    egress_free(f->egress);
    keyring_free(f->keyring);
    free(f);
    return 0;
}

struct endpoint *dispatch_fixture_endpoint(struct dispatch_fixture *f, const char *path)
{
    struct endpoint *e = store_fixture_endpoint(&f->store, &f->application, NULL);
    char url[128];

    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", f->receiver.port, path);
    free(e->url);
    e->url = xstrdup(url);
    for (size_t i = 0; i < e->secret_count; i++)
        bytes_fini(&e->secrets[i].sealed);
    e->secret_count = 1;
    keyring_seal(f->keyring, SEAL_SECRET, &f->application, &e->base.id, f->secret.bytes,
                 f->secret.len, &e->secrets[0].sealed);
    return e;
}

void dispatch_fixture_send(struct dispatch_fixture *f)
{
    f->message =
        store_fixture_append(&f->store, &f->application, "order.paid", DISPATCH_PAYLOAD);
}

void dispatch_fixture_attempts(struct dispatch_fixture *f, struct attempt_record out[],
                               size_t count)
{
    struct store_list_attempts op = { 0 };

    while (op.count < count) {
        for (size_t i = 0; i < op.count; i++)
            attempt_record_fini(&op.attempts[i]);
        free(op.attempts);
        uv_run(&f->store.loop.uv, UV_RUN_NOWAIT);
        op = (struct store_list_attempts){
            .application = f->application,
            .by_message = true,
            .message = f->message,
            .with_content = true,
            .page.limit = 10,
        };
        assert_int_equal(STORE_RUN(&f->store, store_list_attempts, &op), ERR_OK);
    }
    assert_int_equal(op.count, count);
    for (size_t i = 0; i < count; i++)
        out[i] = op.attempts[count - 1 - i];
    free(op.attempts);
}
