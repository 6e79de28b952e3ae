/* What an append promises: all or nothing, once, and only for whom it is meant. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "store/backend.h"
#include "tests/lib/store_fixture.h"

#define PAYLOAD "{\"a\":1.10}"

/* An application with three endpoints: the first takes everything, the second only what is
 * for the channel "eu", the third only "order.paid". */
struct world {
    struct store_fixture f;
    struct id application;
    struct id endpoints[3];
};

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, "shop");
    for (int i = 0; i < 3; i++) {
        struct endpoint *e = store_fixture_endpoint(&w.f, &w.application, NULL);
        if (i == 1)
            text_list_add(&e->channels, "eu", 2);
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
        .payload = PAYLOAD,
        .payload_len = strlen(PAYLOAD),
        .retention_hours = PAYLOAD_HOURS_MAX,
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

static uint64_t count_messages(struct world *w)
{
    struct store_status op = { 0 };

    assert_int_equal(STORE_RUN(&w->f, store_status, &op), ERR_OK);
    return op.messages;
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
    assert_string_equal(get.message->channels.items[0], "eu");
    assert_string_equal(get.message->channels.items[1], "us");
    assert_int_equal(get.message->payload.len, strlen(PAYLOAD));
    assert_memory_equal(get.message->payload.data, PAYLOAD, strlen(PAYLOAD));
    assert_int_equal(get.message->created_at_ms, store_fixture_ms());
    assert_int_equal(get.message->expires_at_ms,
                     store_fixture_ms() + UINT64_C(90) * 86400 * 1000);
    message_unref(get.message);
    message_unref(op.message);
    text_list_fini(&channels);
}

static void only_endpoints_that_want_it_get_a_delivery(void **state)
{
    static const struct {
        const char *event_type, *channel;
        unsigned deliveries[3];
    } ROWS[] = {
        { "order.lost", NULL, { 1, 0, 0 } },
        { "order.paid", NULL, { 1, 0, 1 } },
        { "order.lost", "eu", { 1, 1, 0 } },
        { "order.paid", "us", { 1, 0, 1 } },
    };
    struct world *w = *state;
    unsigned expected[3] = { 0 };

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct text_list channels = { 0 };
        struct store_append op = append_of(w, ROWS[i].event_type);
        if (ROWS[i].channel)
            text_list_add(&channels, ROWS[i].channel, strlen(ROWS[i].channel));
        op.channels = &channels;
        assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
        for (int e = 0; e < 3; e++) {
            expected[e] += ROWS[i].deliveries[e];
            assert_int_equal(count_due(w, e), expected[e]);
        }
        message_unref(op.message);
        text_list_fini(&channels);
    }
}

static void a_message_for_one_endpoint_goes_there_whatever_that_wants(void **state)
{
    struct world *w = *state;
    struct store_append op = append_of(w, "order.lost");

    op.only = &w->endpoints[2];
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    assert_int_equal(op.deliveries, 1);
    for (int e = 0; e < 3; e++)
        assert_int_equal(count_due(w, e), e == 2);
    message_unref(op.message);
}

static void a_message_for_an_endpoint_that_is_not_there_is_not_kept(void **state)
{
    struct world *w = *state;
    struct id lonely = store_fixture_put_application(&w->f, "lonely");
    struct store_append op = append_of(w, "order.paid");
    struct id guessed = w->endpoints[0];

    guessed.bytes[ID_BYTES - 1] ^= 1;
    op.only = &guessed;
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_NOT_FOUND);
    op.only = &w->endpoints[0];
    op.application = lonely;
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_NOT_FOUND);
    assert_int_equal(count_messages(w), 0);
}

static void a_message_that_nobody_wants_is_kept(void **state)
{
    struct world *w = *state;
    struct id lonely = store_fixture_put_application(&w->f, "lonely");
    struct store_append op = append_of(w, "order.paid");

    op.application = lonely;
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    assert_int_equal(op.deliveries, 0);
    assert_int_equal(count_messages(w), 1);
    message_unref(op.message);
}

static void an_unknown_application_gets_nothing(void **state)
{
    struct world *w = *state;
    struct store_append op = append_of(w, "order.paid");

    op.application.bytes[ID_BYTES - 1] ^= 1; /* the right key, a guessed tail */
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_NOT_FOUND);
    assert_int_equal(count_messages(w), 0);
}

static void an_event_id_is_taken_once_in_an_application(void **state)
{
    struct world *w = *state;
    struct store_append first = append_of(w, "order.paid"), again = first, other = first;

    first.event_id = again.event_id = other.event_id = "evt-1";
    other.application = store_fixture_put_application(&w->f, "other");
    assert_int_equal(STORE_RUN(&w->f, store_append, &first), ERR_OK);
    assert_int_equal(STORE_RUN(&w->f, store_append, &again), ERR_CONFLICT);
    assert_int_equal(STORE_RUN(&w->f, store_append, &other), ERR_OK);
    assert_int_equal(count_messages(w), 2);
    assert_int_equal(count_due(w, 0), 1);

    struct store_get_message get = { .application = w->application, .event_id = "evt-1" };
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_OK);
    assert_true(id_equal(&get.message->id, &first.message->id));
    assert_int_equal(get.message->payload.len, 0); /* content was not asked for */
    message_unref(get.message);
    message_unref(first.message);
    message_unref(other.message);
}

static void a_repeated_request_gets_the_first_message(void **state)
{
    struct world *w = *state;
    uint8_t hash[IDEMPOTENCY_HASH_LEN] = { 1, 2, 3 };
    struct store_append first = append_of(w, "order.paid"), again = append_of(w, "other");

    first.idempotency_hash = again.idempotency_hash = hash;
    first.event_id = again.event_id = "evt-1";
    assert_int_equal(STORE_RUN(&w->f, store_append, &first), ERR_OK);

    again.payload = "something else";
    again.payload_len = 14;
    assert_int_equal(STORE_RUN(&w->f, store_append, &again), ERR_OK);
    assert_true(again.repeated);
    assert_int_equal(again.deliveries, 0);
    assert_true(id_equal(&again.message->id, &first.message->id));
    assert_string_equal(again.message->event_type, "order.paid");
    assert_memory_equal(again.message->payload.data, PAYLOAD, strlen(PAYLOAD));
    assert_int_equal(count_messages(w), 1);
    assert_int_equal(count_due(w, 0), 1);
    message_unref(first.message);
    message_unref(again.message);
}

static void a_hash_that_only_begins_alike_is_another(void **state)
{
    struct world *w = *state;
    uint8_t one[IDEMPOTENCY_HASH_LEN] = { 1 }, two[IDEMPOTENCY_HASH_LEN] = { 1 };
    struct store_append first = append_of(w, "order.paid"), other = first;

    two[IDEMPOTENCY_HASH_LEN - 1] = 1;
    first.idempotency_hash = one;
    other.idempotency_hash = two;
    assert_int_equal(STORE_RUN(&w->f, store_append, &first), ERR_OK);
    assert_int_equal(STORE_RUN(&w->f, store_append, &other), ERR_OK);
    assert_false(other.repeated);
    assert_int_equal(count_messages(w), 2);
    message_unref(first.message);
    message_unref(other.message);
}

static void a_hash_is_forgotten_after_its_time(void **state)
{
    struct world *w = *state;
    uint8_t hash[IDEMPOTENCY_HASH_LEN] = { 1, 2, 3 };
    uint64_t start_ms = store_fixture_ms();
    const struct {
        uint64_t at_ms;
        bool repeated;
    } ROWS[] = {
        { start_ms, false },
        { start_ms + IDEMPOTENCY_MS - 1, true },
        { start_ms + IDEMPOTENCY_MS, false },
        { start_ms + IDEMPOTENCY_MS + 1, true },
    };

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_append op = append_of(w, "order.paid");
        op.idempotency_hash = hash;
        store_fixture_set_ms(ROWS[i].at_ms);
        assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
        assert_int_equal(op.repeated, ROWS[i].repeated);
        message_unref(op.message);
    }
}

/* More than one sweep's stretch, and twice, so that old rows are met on the way. */
static void old_hashes_are_swept_while_new_ones_work(void **state)
{
    struct world *w = *state;

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 300; i++) {
            uint8_t hash[IDEMPOTENCY_HASH_LEN] = { (uint8_t)(i * 7), (uint8_t)(i >> 8), 5 };
            struct store_append op = append_of(w, "order.lost");
            op.idempotency_hash = hash;
            for (int again = 0; again < 2; again++) {
                assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
                assert_int_equal(op.repeated, again);
                message_unref(op.message);
            }
        }
        store_fixture_set_ms(store_fixture_ms() + IDEMPOTENCY_MS + 1);
    }
    assert_int_equal(count_messages(w), 3 * 300);
}

/* What waits together is written together, and yet each gets its own answer. */
static void one_request_does_not_spoil_those_beside_it(void **state)
{
    struct world *w = *state;
    uint8_t hash[IDEMPOTENCY_HASH_LEN] = { 9 };
    struct store_append ops[6];
    const enum err expected[6] = {
        ERR_OK, ERR_CONFLICT, ERR_OK, ERR_NOT_FOUND, ERR_OK, ERR_OK,
    };

    for (int i = 0; i < 6; i++) {
        ops[i] = append_of(w, "order.paid");
        store_fixture_ready(&w->f, &ops[i].req);
    }
    ops[0].event_id = ops[1].event_id = "evt-1";
    ops[3].application = w->endpoints[0];
    ops[4].idempotency_hash = ops[5].idempotency_hash = hash;
    for (int i = 0; i < 6; i++)
        store_append(w->f.store, &ops[i]);
    for (int i = 0; i < 6; i++)
        assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), expected[i]);
    assert_false(ops[4].repeated);
    assert_true(ops[5].repeated);
    assert_true(id_equal(&ops[4].message->id, &ops[5].message->id));
    assert_true(id_compare(&ops[0].message->id, &ops[2].message->id) < 0);
    assert_true(id_compare(&ops[2].message->id, &ops[4].message->id) < 0);
    assert_int_equal(count_messages(w), 3);
    for (int i = 0; i < 6; i++)
        if (!expected[i])
            message_unref(ops[i].message);
}

static void an_endpoint_put_in_the_same_batch_counts(void **state)
{
    struct world *w = *state;
    struct endpoint *e = store_fixture_endpoint(&w->f, &w->application, NULL);
    struct store_put put = { .object = &e->base };
    struct store_append op = append_of(w, "order.lost");

    store_fixture_ready(&w->f, &put.req);
    store_fixture_ready(&w->f, &op.req);
    store_put(w->f.store, &put);
    store_append(w->f.store, &op);
    assert_int_equal(store_fixture_wait(&w->f, &put.req), ERR_OK);
    assert_int_equal(store_fixture_wait(&w->f, &op.req), ERR_OK);
    assert_int_equal(op.deliveries, 2);
    message_unref(op.message);
    object_unref(&e->base);
}

/* A clock that steps back neither disorders ids nor hides messages from ranges of time. */
static void ids_grow_when_the_clock_steps_back(void **state)
{
    struct world *w = *state;
    struct id before = store_fixture_append(&w->f, &w->application, "a", "1");

    store_fixture_set_ms(store_fixture_ms() - 3600 * 1000);
    struct id after = store_fixture_append(&w->f, &w->application, "a", "2");
    assert_true(id_compare(&before, &after) < 0);

    struct store_get_message get = { .application = w->application, .id = after };
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_OK);
    assert_true(get.message->created_at_ms >= id_wall_ms(&before));
    message_unref(get.message);
}

/* Its id says a day later; it is due at once all the same. */
static void a_message_is_due_at_once_when_the_clock_has_stepped_back(void **state)
{
    struct world *w = *state;

    store_fixture_append(&w->f, &w->application, "a", "1");
    store_fixture_set_ms(store_fixture_ms() - 24 * 3600 * 1000);
    store_fixture_append(&w->f, &w->application, "a", "2");
    assert_int_equal(count_due(w, 0), 1);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_kept_as_it_was_accepted),
        TEST(only_endpoints_that_want_it_get_a_delivery),
        TEST(a_message_for_one_endpoint_goes_there_whatever_that_wants),
        TEST(a_message_for_an_endpoint_that_is_not_there_is_not_kept),
        TEST(a_message_that_nobody_wants_is_kept),
        TEST(an_unknown_application_gets_nothing),
        TEST(an_event_id_is_taken_once_in_an_application),
        TEST(a_repeated_request_gets_the_first_message),
        TEST(a_hash_that_only_begins_alike_is_another),
        TEST(a_hash_is_forgotten_after_its_time),
        TEST(old_hashes_are_swept_while_new_ones_work),
        TEST(one_request_does_not_spoil_those_beside_it),
        TEST(an_endpoint_put_in_the_same_batch_counts),
        TEST(ids_grow_when_the_clock_steps_back),
        TEST(a_message_is_due_at_once_when_the_clock_has_stepped_back),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
