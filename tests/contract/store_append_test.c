/* What an append promises: all or nothing, once, and only for whom it is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/backend.h"
#include "tests/lib/store_fixture.h"

/* An application with three endpoints: two take everything, one only "order.paid". */
struct world {
    struct store_fixture f;
    struct id application;
    struct id endpoints[3];
};

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f, *state);
    struct application *a = store_fixture_application(&w.f, "shop");
    w.application = a->base.id;
    store_fixture_put(&w.f, &a->base);
    for (int i = 0; i < 3; i++) {
        struct endpoint *e = store_fixture_endpoint(&w.f, &w.application, NULL);
        if (i == 2)
            text_list_add(&e->event_types, "order.paid", 10);
        w.endpoints[i] = e->base.id;
        store_fixture_put(&w.f, &e->base);
    }
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    store_fixture_stop(&w->f);
    return 0;
}

static struct store_append append_of(const struct world *w, const char *event_type)
{
    return (struct store_append){
        .application = w->application,
        .event_type = event_type,
        .payload = "{\"a\":1.10}",
        .payload_len = 10,
        .retention_days = 90,
    };
}

static size_t count_due(struct world *w, int endpoint)
{
    struct store_due op = {
        .endpoint_key = id_key(&w->endpoints[endpoint]),
        .now_wall_ms = store_fixture_ms(),
        .limit = 100,
        .bytes_limit = 1000000,
    };

    assert_int_equal(STORE_RUN(&w->f, store_due, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        message_unref(op.deliveries[i].message);
    free(op.deliveries);
    return op.count;
}

static void a_message_is_kept_as_it_was_accepted(void **state)
{
    struct world *w = *state;
    struct text_list channels = { 0 };
    text_list_add(&channels, "eu", 2);
    text_list_add(&channels, "us", 2);
    struct store_append op = append_of(w, "order.paid");
    op.channels = &channels;
    op.event_id = "evt-1";

    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    assert_false(op.repeated);
    assert_int_equal(op.deliveries, 3);

    struct store_get_message get = {
        .application = w->application,
        .id = op.message->id,
        .with_content = true,
    };
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_OK);
    assert_true(id_equal(&get.message->id, &op.message->id));
    assert_true(id_equal(&get.message->application, &w->application));
    assert_string_equal(get.message->event_type, "order.paid");
    assert_string_equal(get.message->event_id, "evt-1");
    assert_int_equal(get.message->channels.count, 2);
    assert_string_equal(get.message->channels.items[1], "us");
    assert_int_equal(get.message->payload.len, 10);
    assert_memory_equal(get.message->payload.data, "{\"a\":1.10}", 10);
    assert_int_equal(get.message->created_at_ms, store_fixture_ms());
    assert_int_equal(get.message->expires_at_ms,
                     store_fixture_ms() + UINT64_C(90) * 86400 * 1000);
    message_unref(get.message);
    message_unref(op.message);
    text_list_fini(&channels);
}

static void only_endpoints_that_want_it_get_a_delivery(void **state)
{
    struct world *w = *state;
    struct store_append op = append_of(w, "order.lost");

    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    assert_int_equal(op.deliveries, 2);
    assert_int_equal(count_due(w, 0), 1);
    assert_int_equal(count_due(w, 1), 1);
    assert_int_equal(count_due(w, 2), 0);
    message_unref(op.message);
}

#define TEST(name) cmocka_unit_test_prestate_setup_teardown(name, start, stop, backend)

int main(void)
{
    void *backend = (void *)(uintptr_t)&sqlite_backend;
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_kept_as_it_was_accepted),
        TEST(only_endpoints_that_want_it_get_a_delivery),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
