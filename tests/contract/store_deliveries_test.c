/* What the store promises to whoever asks what became of a message, and of an endpoint's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/deliveries.h"
#include "tests/lib/store_fixture.h"

#define MESSAGES  7
#define ENDPOINTS 5
#define STEP_MS   1001 /* between two messages */
#define RETRY_MS  60000

/* How messages 0 … 6 fared at endpoint 1, by the contract's words; the last wasn't tried. Endpoints
 * 0, 2 and 3 delivered message 0, and 4 wasn't tried. */
struct world {
    struct store_fixture f;
    struct id application;
    struct id endpoints[ENDPOINTS];
    struct id messages[MESSAGES];
    uint64_t retry_at_ms;
};

static void try_one(struct world *w, int endpoint, int i, enum delivery_state next)
{
    bool delivered = next == DELIVERY_DELIVERED;
    struct attempt_record a = {
        .message = w->messages[i],
        .endpoint = w->endpoints[endpoint],
        .application = w->application,
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .url = (char *)(uintptr_t) "https://receiver.example/hook",
        .response_status = delivered ? 204 : 500,
    };

    w->retry_at_ms = store_fixture_ms() + RETRY_MS;
    store_fixture_record(&w->f, &a, next, w->retry_at_ms);
}

/* Failed attempts, as many at a time as may wait. */
static void record_many(struct world *w, int endpoint, size_t count)
{
    struct store_record *ops = xcalloc(STORE_FIXTURE_REQUESTS_MAX, sizeof *ops);
    struct attempt_record *records = xcalloc(STORE_FIXTURE_REQUESTS_MAX, sizeof *records);

    for (size_t left = count, now; left > 0; left -= now) {
        now = left < STORE_FIXTURE_REQUESTS_MAX ? left : STORE_FIXTURE_REQUESTS_MAX;
        for (size_t i = 0; i < now; i++) {
            records[i] = (struct attempt_record){
                .id = id_new(&w->f.ids, store_fixture_ms()),
                .message = w->messages[6],
                .endpoint = w->endpoints[endpoint],
                .status = ATTEMPT_FAIL,
                .started_at_ms = store_fixture_ms(),
            };
            ops[i] = (struct store_record){ .attempt = &records[i], .next = DELIVERY_DEAD };
            store_fixture_ready(&w->f, &ops[i].req);
            store_record(w->f.store, &ops[i]);
        }
        for (size_t i = 0; i < now; i++)
            assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), ERR_OK);
    }
    free(records);
    free(ops);
}

static int start(void **state)
{
    static struct world w;
    uint64_t first_ms;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    for (int e = 0; e < ENDPOINTS; e++)
        w.endpoints[e] = store_fixture_put_endpoint(&w.f, &w.application);
    first_ms = store_fixture_ms() + STEP_MS;
    for (int i = 0; i < MESSAGES; i++) {
        store_fixture_set_ms(first_ms + (uint64_t)i * STEP_MS);
        w.messages[i] =
            store_fixture_append(&w.f, &w.application, i % 2 ? "odd" : "even", "{}");
    }
    try_one(&w, 0, 0, DELIVERY_DELIVERED);
    try_one(&w, 2, 0, DELIVERY_DELIVERED);
    try_one(&w, 3, 0, DELIVERY_DELIVERED);

    try_one(&w, 1, 0, DELIVERY_DELIVERED);
    try_one(&w, 1, 1, DELIVERY_DEAD);
    try_one(&w, 1, 2, DELIVERY_PENDING);
    try_one(&w, 1, 3, DELIVERY_PENDING);
    try_one(&w, 1, 3, DELIVERY_DELIVERED);
    try_one(&w, 1, 4, DELIVERY_PENDING);
    try_one(&w, 1, 4, DELIVERY_DEAD);
    try_one(&w, 1, 5, DELIVERY_DELIVERED);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    store_fixture_stop(&w->f);
    return 0;
}

/* The endpoints that message 0 was tried at are 0 … 3. */
static void destinations_of_a_message_are_paged_by_id(void **state)
{
    struct world *w = *state;
    const struct {
        int cursor; /* -1 = none */
        bool before;
        const char *expected;
        bool more;
    } rows[] = {
        { -1, false, "01", true }, { 1, false, "23", false }, { 0, false, "12", true },
        { 3, false, "", false },   { 3, true, "12", true },   { 2, true, "01", false },
        { 0, true, "", false },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_list_destinations op = {
            .message = w->messages[0],
            .page = { .limit = 2,
                      .ascending = true,
                      .before = rows[i].before,
                      .has_cursor = rows[i].cursor >= 0 },
        };
        if (rows[i].cursor >= 0)
            op.page.cursor = w->endpoints[rows[i].cursor];
        assert_int_equal(STORE_RUN(&w->f, store_list_destinations, &op), ERR_OK);
        assert_int_equal(op.count, strlen(rows[i].expected));
        assert_int_equal(op.more, rows[i].more);
        for (size_t d = 0; d < op.count; d++) {
            const struct id *want = &w->endpoints[rows[i].expected[d] - '0'];
            assert_true(id_equal(&op.destinations[d].endpoint->base.id, want));
            assert_int_equal(op.destinations[d].outcome.status, ATTEMPT_SUCCESS);
            object_unref(&op.destinations[d].endpoint->base);
        }
        if (op.count > 0) {
            assert_true(id_equal(&op.span.first, &w->endpoints[rows[i].expected[0] - '0']));
            assert_true(
                id_equal(&op.span.last, &w->endpoints[rows[i].expected[op.count - 1] - '0']));
        }
        free(op.destinations);
    }
}

static void a_destination_that_was_deleted_since_is_still_one(void **state)
{
    struct world *w = *state;
    struct endpoint *gone =
        endpoint_copy(catalog_endpoint(w->f.catalog, &w->application, &w->endpoints[1]));
    struct store_list_destinations op = {
        .message = w->messages[2],
        .page = { .limit = 10, .ascending = true },
    };

    gone->base.version++;
    gone->base.deleted = true;
    store_fixture_put(&w->f, &gone->base);
    assert_int_equal(STORE_RUN(&w->f, store_list_destinations, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_true(id_equal(&op.destinations[0].endpoint->base.id, &w->endpoints[1]));
    assert_int_equal(op.destinations[0].outcome.status, ATTEMPT_SENDING);
    object_unref(&op.destinations[0].endpoint->base);
    free(op.destinations);
}

static void what_was_tried_at_an_endpoint_is_listed_by_how_it_stands(void **state)
{
    struct world *w = *state;
    const struct {
        bool has_status;
        enum attempt_status status;
        const char *event_type, *expected;
    } rows[] = {
        { false, 0, NULL, "543210" },           { false, 0, "odd", "531" },
        { true, ATTEMPT_SUCCESS, NULL, "530" }, { true, ATTEMPT_FAIL, NULL, "41" },
        { true, ATTEMPT_SENDING, NULL, "2" },   { true, ATTEMPT_PENDING, NULL, "" },
        { true, ATTEMPT_FAIL, "even", "4" },
    };
    static const enum attempt_status shown[] = {
        ATTEMPT_SUCCESS, ATTEMPT_FAIL, ATTEMPT_SENDING,
        ATTEMPT_SUCCESS, ATTEMPT_FAIL, ATTEMPT_SUCCESS
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_list_tried op = {
            .application = w->application,
            .endpoint = w->endpoints[1],
            .has_status = rows[i].has_status,
            .status = rows[i].status,
            .with_content = i % 2,
            .page.limit = 10,
        };
        if (rows[i].event_type)
            text_list_add(&op.filter.event_types, rows[i].event_type,
                          strlen(rows[i].event_type));
        assert_int_equal(STORE_RUN(&w->f, store_list_tried, &op), ERR_OK);
        assert_int_equal(op.count, strlen(rows[i].expected));
        assert_false(op.more);
        for (size_t m = 0; m < op.count; m++) {
            int which = rows[i].expected[m] - '0';
            struct message *message = op.tried[m].message;
            assert_true(id_equal(&message->id, &w->messages[which]));
            assert_int_equal(message->payload.len, op.with_content ? 2 : 0);
            assert_int_equal(op.tried[m].outcome.status, shown[which]);
            assert_true((op.tried[m].outcome.next_attempt_at_ms > 0) == (which == 2));
            message_unref(message);
        }
        free(op.tried);
        text_list_fini(&op.filter.event_types);
    }
}

static void what_was_tried_is_paged_without_a_gap(void **state)
{
    struct world *w = *state;
    struct store_list_tried op = {
        .application = w->application,
        .endpoint = w->endpoints[1],
        .page.limit = 4,
    };

    for (int newest = 5; newest > 0; newest -= 4) {
        assert_int_equal(STORE_RUN(&w->f, store_list_tried, &op), ERR_OK);
        assert_int_equal(op.count, newest == 5 ? 4 : 2);
        assert_int_equal(op.more, newest == 5);
        for (size_t m = 0; m < op.count; m++) {
            assert_true(id_equal(&op.tried[m].message->id, &w->messages[newest - (int)m]));
            message_unref(op.tried[m].message);
        }
        free(op.tried);
        op.page.has_cursor = true;
        op.page.cursor = op.span.last;
    }
}

/* The delivery had ended by then, and keeps its state. */
static void a_success_that_came_late_counts(void **state)
{
    struct world *w = *state;
    const enum attempt_status wanted[] = { ATTEMPT_SUCCESS, ATTEMPT_FAIL };

    try_one(w, 1, 1, DELIVERY_DELIVERED);
    for (size_t i = 0; i < COUNT(wanted); i++) {
        struct store_list_tried op = {
            .application = w->application,
            .endpoint = w->endpoints[1],
            .has_status = true,
            .status = wanted[i],
            .page.limit = 10,
        };
        bool found = false;
        assert_int_equal(STORE_RUN(&w->f, store_list_tried, &op), ERR_OK);
        for (size_t m = 0; m < op.count; m++) {
            found = found || id_equal(&op.tried[m].message->id, &w->messages[1]);
            message_unref(op.tried[m].message);
        }
        assert_int_equal(found, wanted[i] == ATTEMPT_SUCCESS);
        free(op.tried);
    }
}

/* Such an attempt is none of the schedule, which is what the delivery counts. */
static void an_attempt_that_was_only_asked_for_counts(void **state)
{
    struct world *w = *state;
    struct id late = store_fixture_put_endpoint(&w->f, &w->application);
    struct store_resend resend = {
        .application = w->application,
        .message = w->messages[6],
        .endpoint = late,
    };
    struct attempt_record a = {
        .message = w->messages[6],
        .endpoint = late,
        .application = w->application,
        .number = 1,
        .status = ATTEMPT_FAIL,
        .trigger = TRIGGER_MANUAL,
    };
    struct store_list_tried tried = {
        .application = w->application,
        .endpoint = late,
        .page.limit = 10,
    };
    struct store_list_destinations destinations = {
        .message = w->messages[6],
        .page = { .limit = 10, .ascending = true },
    };

    assert_int_equal(STORE_RUN(&w->f, store_resend, &resend), ERR_OK);
    assert_int_equal(STORE_RUN(&w->f, store_list_tried, &tried), ERR_OK);
    assert_int_equal(tried.count, 0);
    free(tried.tried);

    store_fixture_record(&w->f, &a, DELIVERY_DEAD, 0);
    assert_int_equal(STORE_RUN(&w->f, store_list_tried, &tried), ERR_OK);
    assert_int_equal(tried.count, 1);
    assert_int_equal(tried.tried[0].outcome.status, ATTEMPT_FAIL);
    message_unref(tried.tried[0].message);
    free(tried.tried);
    assert_int_equal(STORE_RUN(&w->f, store_list_destinations, &destinations), ERR_OK);
    assert_int_equal(destinations.count, 1);
    assert_true(id_equal(&destinations.destinations[0].endpoint->base.id, &late));
    object_unref(&destinations.destinations[0].endpoint->base);
    free(destinations.destinations);
}

/* All were made at one instant, and count to the millisecond. */
static void attempts_are_counted_by_status_and_time(void **state)
{
    struct world *w = *state;
    uint64_t now_ms = store_fixture_ms();
    const struct {
        uint64_t from_ms, until_ms;
        uint64_t delivered, failed;
    } rows[] = {
        { 0, now_ms, 3, 5 },
        { now_ms, now_ms, 3, 5 },
        { 0, now_ms - 1, 0, 0 },
        { now_ms + 1, now_ms + 1000, 0, 0 },
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct store_count_attempts op = {
            .endpoint = w->endpoints[1],
            .from_ms = rows[i].from_ms,
            .until_ms = rows[i].until_ms,
        };
        assert_int_equal(STORE_RUN(&w->f, store_count_attempts, &op), ERR_OK);
        assert_int_equal(op.counts[ATTEMPT_SUCCESS], rows[i].delivered);
        assert_int_equal(op.counts[ATTEMPT_FAIL], rows[i].failed);
        assert_int_equal(op.counts[ATTEMPT_PENDING] + op.counts[ATTEMPT_SENDING], 0);
        assert_false(op.more);
    }
}

/* Who goes on behind what was reached counts each once. */
static void attempts_are_counted_some_at_a_time(void **state)
{
    struct world *w = *state;
    struct store_count_attempts op = { .endpoint = w->endpoints[4],
                                       .until_ms = UINT64_MAX / 2 };
    const size_t count = ATTEMPTS_COUNTED_MAX + 1;
    uint64_t counted = 0;
    unsigned steps = 0;

    record_many(w, 4, count);
    do {
        assert_int_equal(STORE_RUN(&w->f, store_count_attempts, &op), ERR_OK);
        counted += op.counts[ATTEMPT_FAIL];
        op.after_key = op.reached_key;
        steps++;
    } while (op.more);
    assert_int_equal(counted, count);
    assert_int_equal(steps, 2);
}

static void another_application_sees_nothing_tried(void **state)
{
    struct world *w = *state;
    struct store_list_tried op = {
        .application = store_fixture_put_application(&w->f, NULL),
        .endpoint = w->endpoints[1],
        .page.limit = 10,
    };

    assert_int_equal(STORE_RUN(&w->f, store_list_tried, &op), ERR_OK);
    assert_int_equal(op.count, 0);
    free(op.tried);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(destinations_of_a_message_are_paged_by_id),
        TEST(a_destination_that_was_deleted_since_is_still_one),
        TEST(what_was_tried_at_an_endpoint_is_listed_by_how_it_stands),
        TEST(what_was_tried_is_paged_without_a_gap),
        TEST(a_success_that_came_late_counts),
        TEST(an_attempt_that_was_only_asked_for_counts),
        TEST(attempts_are_counted_by_status_and_time),
        TEST(attempts_are_counted_some_at_a_time),
        TEST(another_application_sees_nothing_tried),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
