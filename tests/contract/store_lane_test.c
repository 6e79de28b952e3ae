/* What the store promises to the dispatcher: what is due, for whom, and what became of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "store/backend.h"
#include "tests/lib/store_fixture.h"

#define STEP_MS 1000

/* Five messages a second apart; the second endpoint came after the third. */
struct world {
    struct store_fixture f;
    struct id application;
    struct id endpoints[2];
    uint64_t first_ms;
    struct id messages[5];
};

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    w.endpoints[0] = store_fixture_put_endpoint(&w.f, &w.application);
    w.first_ms = store_fixture_ms();
    for (int i = 0; i < 5; i++) {
        if (i == 3)
            w.endpoints[1] = store_fixture_put_endpoint(&w.f, &w.application);
        store_fixture_set_ms(w.first_ms + (uint64_t)i * STEP_MS);
        w.messages[i] = store_fixture_append(&w.f, &w.application, "a", "0123456789");
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

static void record(struct world *w, int endpoint, int message, unsigned number,
                   enum delivery_state next, uint64_t due_at_ms)
{
    const struct attempt_record a = {
        .message = w->messages[message],
        .endpoint = w->endpoints[endpoint],
        .application = w->application,
        .number = number,
        .status = next == DELIVERY_DELIVERED ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
    };

    store_fixture_record(&w->f, &a, next, due_at_ms);
}

/* What is due at the first endpoint, as digits. */
struct due_row {
    int at; /* seconds after the first message */
    size_t limit, bytes_limit;
    const char *exclude;
    const char *expected;
    bool more;
    int next; /* -1 = none */
};

static void check_due(struct world *w, const struct due_row *row)
{
    int64_t exclude[5];
    struct store_due op = {
        .endpoint_key = id_key(&w->endpoints[0]),
        .now_wall_ms = w->first_ms + (uint64_t)row->at * STEP_MS,
        .limit = row->limit,
        .bytes_limit = row->bytes_limit,
        .exclude = exclude,
    };

    for (const char *c = row->exclude; *c; c++)
        exclude[op.exclude_count++] = id_key(&w->messages[*c - '0']);
    assert_int_equal(STORE_RUN(&w->f, store_due, &op), ERR_OK);
    assert_int_equal(op.count, strlen(row->expected));
    assert_int_equal(op.more, row->more);
    assert_int_equal(op.next_due_at_ms,
                     row->next < 0 ? 0 : w->first_ms + (uint64_t)row->next * STEP_MS);
    for (size_t i = 0; i < op.count; i++) {
        const struct delivery *d = &op.deliveries[i];
        assert_true(id_equal(&d->message->id, &w->messages[row->expected[i] - '0']));
        assert_int_equal(d->message->payload.len, 10);
        assert_int_equal(d->endpoint_key, op.endpoint_key);
        message_unref(d->message);
    }
    free(op.deliveries);
}

static void the_oldest_due_come_first_within_limits(void **state)
{
    struct world *w = *state;
    const struct due_row rows[] = {
        { 9, 10, 1000, "", "01234", false, -1 }, { 9, 3, 1000, "", "012", true, -1 },
        { 9, 5, 1000, "", "01234", false, -1 },  { 9, 3, 1000, "02", "134", false, -1 },
        { 9, 2, 1000, "02", "13", true, -1 },    { 9, 9, 1000, "01234", "", false, -1 },
        { 2, 9, 1000, "", "012", false, 3 },     { 2, 9, 1000, "13", "02", false, 4 },
        { 2, 2, 1000, "", "01", true, -1 },      { 9, 9, 15, "", "01", true, -1 },
        { 9, 9, 1, "", "0", true, -1 },          { 9, 9, 0, "3", "0", true, -1 },
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check_due(w, &rows[i]);
}

static void an_attempt_moves_its_delivery(void **state)
{
    struct world *w = *state;

    record(w, 0, 0, 1, DELIVERY_DELIVERED, 0);
    record(w, 0, 1, 1, DELIVERY_PENDING, w->first_ms + 60 * STEP_MS);
    record(w, 0, 2, 1, DELIVERY_DEAD, 0);
    check_due(w, &(struct due_row){ 9, 9, 1000, "", "34", false, 60 });
    check_due(w, &(struct due_row){ 60, 9, 1000, "", "341", false, -1 });

    struct store_due op = {
        .endpoint_key = id_key(&w->endpoints[0]),
        .now_wall_ms = w->first_ms + 60 * STEP_MS,
        .limit = 9,
        .bytes_limit = 1000,
    };
    assert_int_equal(STORE_RUN(&w->f, store_due, &op), ERR_OK);
    assert_int_equal(op.deliveries[0].attempts, 0);
    assert_int_equal(op.deliveries[2].attempts, 1);
    assert_int_equal(op.deliveries[2].due_at_ms, w->first_ms + 60 * STEP_MS);
    for (size_t i = 0; i < op.count; i++)
        message_unref(op.deliveries[i].message);
    free(op.deliveries);
}

static void a_delivery_that_is_final_stays_so(void **state)
{
    struct world *w = *state;

    record(w, 0, 0, 1, DELIVERY_DELIVERED, 0);
    record(w, 0, 0, 2, DELIVERY_PENDING, w->first_ms);
    check_due(w, &(struct due_row){ 9, 9, 1000, "", "1234", false, -1 });

    struct store_list_attempts list = {
        .application = w->application,
        .by_message = true,
        .message = w->messages[0],
        .page.limit = 10,
    };
    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &list), ERR_OK);
    assert_int_equal(list.count, 2);
    for (size_t i = 0; i < list.count; i++)
        attempt_record_fini(&list.attempts[i]);
    free(list.attempts);
}

/* An attempt that ends a delivery `at` seconds after the first message; how long an endpoint may fail is
 * 10 s. */
static bool end_fails(struct world *w, int endpoint, int message, bool delivered, int at)
{
    const struct attempt_record a = {
        .id = id_new(&w->f.ids, w->first_ms),
        .message = w->messages[message],
        .endpoint = w->endpoints[endpoint],
        .application = w->application,
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
    };
    struct store_record op = {
        .attempt = &a,
        .next = delivered ? DELIVERY_DELIVERED : DELIVERY_DEAD,
        .ended_at_ms = w->first_ms + (uint64_t)at * STEP_MS,
        .failing_limit_ms = 10 * STEP_MS,
    };

    assert_int_equal(STORE_RUN(&w->f, store_record, &op), ERR_OK);
    return op.failed_too_long;
}

static void an_endpoint_fails_too_long_when_no_success_comes_between(void **state)
{
    struct world *w = *state;

    assert_false(end_fails(w, 0, 0, false, 20));
    assert_false(end_fails(w, 1, 3, false, 29));
    assert_false(end_fails(w, 0, 1, false, 29));
    assert_false(end_fails(w, 0, 2, true, 30));
    assert_false(end_fails(w, 0, 3, false, 31));
    store_fixture_close(&w->f); /* it is on disk */
    store_fixture_open(&w->f);
    assert_true(end_fails(w, 0, 4, false, 41));
    assert_false(end_fails(w, 0, 4, false, 42)); /* it begins anew */
    assert_true(end_fails(w, 1, 4, false, 39));
}

/* How often the outcome of an attempt that was given up is told, and what becomes of it. */
static void record_late(struct world *w, const struct id *attempt, int message, bool delivered)
{
    const struct attempt_record a = {
        .id = *attempt,
        .message = w->messages[message],
        .endpoint = w->endpoints[0],
        .application = w->application,
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .way = { .region = 3 },
    };
    struct store_record op = {
        .attempt = &a,
        .next = delivered ? DELIVERY_DELIVERED : DELIVERY_PENDING,
        .due_at_ms = w->first_ms + 900 * STEP_MS,
        .late = true,
    };

    assert_int_equal(STORE_RUN(&w->f, store_record, &op), ERR_OK);
}

static size_t attempts_of(struct world *w, int message)
{
    struct store_list_attempts list = {
        .application = w->application,
        .by_message = true,
        .message = w->messages[message],
        .page.limit = 10,
    };

    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &list), ERR_OK);
    for (size_t i = 0; i < list.count; i++)
        attempt_record_fini(&list.attempts[i]);
    free(list.attempts);
    return list.count;
}

static void a_late_outcome_is_written_once_and_only_ends_a_delivery(void **state)
{
    struct world *w = *state;
    struct id failed = id_new(&w->f.ids, w->first_ms), good = id_new(&w->f.ids, w->first_ms);

    record_late(w, &failed, 0, false);
    record_late(w, &failed, 0, false);
    check_due(w, &(struct due_row){ 9, 9, 1000, "", "01234", false, -1 });
    assert_int_equal(attempts_of(w, 0), 1);
    record_late(w, &good, 0, true);
    record_late(w, &good, 0, true);
    check_due(w, &(struct due_row){ 9, 9, 1000, "", "1234", false, -1 });
    assert_int_equal(attempts_of(w, 0), 2);
}

static void a_late_outcome_of_what_is_unknown_is_dropped(void **state)
{
    struct world *w = *state;
    struct id attempt = id_new(&w->f.ids, w->first_ms), known = w->messages[1];

    w->messages[1] = id_new(&w->f.ids, w->first_ms);
    record_late(w, &attempt, 1, true);
    assert_int_equal(attempts_of(w, 1), 0);
    w->messages[1] = known;
    record_late(w, &attempt, 1, true);
    assert_int_equal(attempts_of(w, 1), 1);
}

static void lanes_are_told_with_their_earliest_due(void **state)
{
    struct world *w = *state;
    int64_t first = id_key(&w->endpoints[0]), second = id_key(&w->endpoints[1]);
    const struct {
        int64_t after;
        size_t limit, count;
        int64_t key; /* of the first that comes */
        int due;
        bool more;
    } ROWS[] = {
        { 0, 10, 2, first, 0, false },      { 0, 1, 1, first, 0, true },
        { first, 10, 1, second, 3, false }, { first - 1, 1, 1, first, 0, true },
        { second, 10, 0, 0, 0, false },
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        struct store_lanes op = { .after_key = ROWS[i].after, .limit = ROWS[i].limit };
        assert_int_equal(STORE_RUN(&w->f, store_lanes, &op), ERR_OK);
        assert_int_equal(op.count, ROWS[i].count);
        assert_int_equal(op.more, ROWS[i].more);
        if (op.count > 0) {
            assert_int_equal(op.lanes[0].endpoint_key, ROWS[i].key);
            assert_int_equal(op.lanes[0].due_at_ms,
                             w->first_ms + (uint64_t)ROWS[i].due * STEP_MS);
        }
        free(op.lanes);
    }
}

static void a_lane_without_endpoint_is_ended_in_bites(void **state)
{
    struct world *w = *state;
    struct store_end_lane op = { .endpoint_key = id_key(&w->endpoints[0]), .limit = 3 };

    record(w, 0, 0, 1, DELIVERY_DELIVERED, 0);
    assert_int_equal(STORE_RUN(&w->f, store_end_lane, &op), ERR_OK);
    assert_int_equal(op.ended, 3);
    assert_int_equal(STORE_RUN(&w->f, store_end_lane, &op), ERR_OK);
    assert_int_equal(op.ended, 1);
    check_due(w, &(struct due_row){ 9, 9, 1000, "", "", false, -1 });

    struct store_lanes lanes = { .limit = 10 };
    assert_int_equal(STORE_RUN(&w->f, store_lanes, &lanes), ERR_OK);
    assert_int_equal(lanes.count, 1);
    free(lanes.lanes);
}

static void the_status_counts_what_is_there(void **state)
{
    struct world *w = *state;
    struct store_end_lane end = { .endpoint_key = id_key(&w->endpoints[1]), .limit = 1 };
    struct store_status *op = xcalloc(1, sizeof *op);

    record(w, 0, 0, 1, DELIVERY_DELIVERED, 0);
    record(w, 0, 0, 2, DELIVERY_DELIVERED, 0);
    record(w, 0, 1, 1, DELIVERY_PENDING, w->first_ms + 60 * STEP_MS);
    record(w, 0, 2, 1, DELIVERY_PENDING, w->first_ms + 60 * STEP_MS);
    record(w, 0, 2, 2, DELIVERY_PENDING, w->first_ms + 90 * STEP_MS);
    record(w, 1, 4, 1, DELIVERY_PENDING, w->first_ms + 90 * STEP_MS);
    assert_int_equal(STORE_RUN(&w->f, store_end_lane, &end), ERR_OK);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(STORE_RUN(&w->f, store_status, op), ERR_OK);
        assert_int_equal(op->messages, 5);
        assert_int_equal(op->attempts, 6);
        assert_int_equal(op->pending, 5 + 2 - 1 - 1);
        assert_int_equal(op->oldest_due_at_ms, w->first_ms + 3 * STEP_MS);
        assert_int_equal(op->failing_count, 2);
        assert_int_equal(op->failing[0].endpoint_key, id_key(&w->endpoints[0]));
        assert_int_equal(op->failing[0].deliveries, 2);
        assert_int_equal(op->failing[0].attempts_most, 2);
        assert_int_equal(op->failing[1].deliveries, 1);
        assert_true(op->global_bytes > 0 && op->regional_bytes > 0);
        assert_int_equal(op->global_schema, 10);
        assert_int_equal(op->regional_schema, 13);
        store_fixture_close(&w->f);
        store_fixture_open(&w->f);
    }
    free(op);
}

static void an_empty_store_has_nothing_to_do(void **state)
{
    struct store_fixture *f = *state;
    struct store_due due = { .endpoint_key = 1, .limit = 1 };
    struct store_lanes lanes = { .limit = 1 };
    struct store_status *status = xcalloc(1, sizeof *status);

    assert_int_equal(STORE_RUN(f, store_due, &due), ERR_OK);
    assert_int_equal(due.count, 0);
    assert_false(due.more);
    assert_int_equal(due.next_due_at_ms, 0);
    free(due.deliveries);
    assert_int_equal(STORE_RUN(f, store_lanes, &lanes), ERR_OK);
    assert_int_equal(lanes.count, 0);
    free(lanes.lanes);
    assert_int_equal(STORE_RUN(f, store_status, status), ERR_OK);
    assert_int_equal(status->pending, 0);
    assert_int_equal(status->oldest_due_at_ms, 0);
    assert_int_equal(status->failing_count, 0);
    free(status);
}

static int start_empty(void **state)
{
    static struct store_fixture f;

    store_fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop_empty(void **state)
{
    store_fixture_stop(*state);
    return 0;
}

/* Hints. */

struct listener {
    struct store_watcher watcher;
    struct inbox inbox;
    bool lost; /* of the last hint */
    unsigned hints, messages;
    size_t keys;
    int64_t last_key;
};

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    struct listener *l = container_of(watcher, struct listener, watcher);

    l->hints++;
    l->lost = hint->lost;
    l->keys += hint->count;
    l->last_key = hint->endpoint_keys[hint->count - 1];
    l->messages += hint->message != NULL;
    assert_int_equal(hint->due_at_ms, store_fixture_ms());
    message_unref(hint->message);
    free(hint);
}

/* Submitted together, so that the hints of all come together. */
static void append_many(struct world *w, size_t count)
{
    struct store_append *ops = xcalloc(count, sizeof *ops);

    for (size_t i = 0; i < count; i++) {
        ops[i] = (struct store_append){
            .application = w->application,
            .event_type = "a",
            .payload = "0123456789",
            .payload_len = 10,
            .retention_hours = PAYLOAD_HOURS_MAX,
        };
        store_fixture_ready(&w->f, &ops[i].req);
        store_append(w->f.store, &ops[i]);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), ERR_OK);
        message_unref(ops[i].message);
    }
    uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
    free(ops);
}

static void start_listening(struct world *w, struct listener *l, size_t hints_max)
{
    *l = (struct listener){ .watcher = { .inbox = &l->inbox, .fresh = on_fresh } };
    assert_int_equal(inbox_open(&l->inbox, &w->f.loop.uv), ERR_OK);
    l->inbox.limit = hints_max;
    store_watch(w->f.store, &l->watcher);
}

static void a_hint_comes_without_a_message_that_is_long(void **state)
{
    static char payload[HINT_PAYLOAD_MAX + 2];
    static struct listener l;
    struct world *w = *state;

    start_listening(w, &l, 3);
    memset(payload, 'x', HINT_PAYLOAD_MAX);
    store_fixture_append(&w->f, &w->application, "a", payload);
    uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(l.messages, 1);
    payload[HINT_PAYLOAD_MAX] = 'x';
    store_fixture_append(&w->f, &w->application, "a", payload);
    uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(l.messages, 1);
    assert_int_equal(l.keys, 2 * 2);
    inbox_close(&l.inbox, NULL);
}

static void put_endpoints(struct world *w, size_t count)
{
    struct store_put *ops = xcalloc(count, sizeof *ops);

    for (size_t i = 0; i < count; i++) {
        ops[i].object = &store_fixture_endpoint(&w->f, &w->application, NULL)->base;
        store_fixture_ready(&w->f, &ops[i].req);
        store_put(w->f.store, &ops[i]);
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), ERR_OK);
        object_unref(ops[i].object);
    }
    free(ops);
}

static void a_message_to_many_endpoints_has_several_hints(void **state)
{
    static struct listener l;
    struct world *w = *state;

    put_endpoints(w, HINT_KEYS_MAX - 1);
    start_listening(w, &l, 3);
    store_fixture_append(&w->f, &w->application, "a", "0123456789");
    uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(l.hints, 2);
    assert_int_equal(l.messages, 2);
    assert_int_equal(l.keys, HINT_KEYS_MAX + 1);
    inbox_close(&l.inbox, NULL);
}

static void hints_come_until_there_are_too_many(void **state)
{
    struct world *w = *state;
    static struct listener l; /* its inbox closes later, with the loop */
    const struct {
        size_t appended;
        unsigned hints;
        bool lost; /* what the last of them says */
    } ROWS[] = {
        { 1, 1, false }, { 3, 3, false }, { 5, 3, false }, { 1, 1, true }, { 2, 2, false },
    };

    start_listening(w, &l, 3);
    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++) {
        l.hints = 0;
        l.keys = 0;
        append_many(w, ROWS[i].appended);
        assert_int_equal(l.hints, ROWS[i].hints);
        assert_int_equal(l.lost, ROWS[i].lost);
        assert_int_equal(l.keys, 2 * l.hints);
        assert_int_equal(l.last_key, id_key(&w->endpoints[1]));
    }
    inbox_close(&l.inbox, NULL);
}

/* Order of reads. */

#define LISTS 5

struct reads {
    struct world *world; /* who asks for the lanes with the first list; NULL = nobody */
    struct store_list_objects lists[LISTS];
    struct store_due due;
    struct store_lanes lanes;
    char story[LISTS + 3]; /* what was answered: l, d or n */
};

static struct reads reads;

static void tell(char what)
{
    reads.story[strlen(reads.story)] = what;
}

static void on_due(struct store_req *req)
{
    assert_int_equal(req->err, ERR_OK);
    for (size_t i = 0; i < reads.due.count; i++)
        message_unref(reads.due.deliveries[i].message);
    free(reads.due.deliveries);
    tell('d');
}

static void on_lanes(struct store_req *req)
{
    assert_int_equal(req->err, ERR_OK);
    free(reads.lanes.lanes);
    tell('n');
}

static void ask_lanes(struct world *w)
{
    reads.lanes = (struct store_lanes){
        .req = { .done = on_lanes, .reply_to = &w->f.inbox },
        .limit = 10,
    };
    store_lanes(w->f.store, &reads.lanes);
}

static void on_list(struct store_req *req)
{
    struct store_list_objects *op = container_of(req, struct store_list_objects, req);

    assert_int_equal(req->err, ERR_OK);
    for (size_t i = 0; i < op->count; i++)
        object_unref(op->objects[i]);
    free(op->objects);
    tell('l');
    if (op == &reads.lists[0] && reads.world)
        ask_lanes(reads.world);
}

static void ask_lists_and_then_due(struct world *w)
{
    reads = (struct reads){ 0 };
    for (int i = 0; i < LISTS; i++) {
        reads.lists[i] = (struct store_list_objects){
            .req = { .done = on_list, .reply_to = &w->f.inbox },
            .kind = OBJECT_ENDPOINT,
            .application = w->application,
            .page.limit = 10,
        };
        store_list_objects(w->f.store, &reads.lists[i]);
    }
    reads.due = (struct store_due){
        .req = { .done = on_due, .reply_to = &w->f.inbox },
        .endpoint_key = id_key(&w->endpoints[0]),
        .now_wall_ms = store_fixture_ms(),
        .limit = 10,
        .bytes_limit = 1000,
    };
    store_due(w->f.store, &reads.due);
}

static void lists_that_wait_delay_the_dispatcher_by_one_at_most(void **state)
{
    struct world *w = *state;

    ask_lists_and_then_due(w);
    reads.world = w;
    while (strlen(reads.story) < LISTS + 2)
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
    assert_string_equal(reads.story, "dlnllll");
}

static void closing_finishes_the_reads_that_wait(void **state)
{
    struct world *w = *state;

    ask_lists_and_then_due(w);
    store_fixture_close(&w->f);
    assert_int_equal(strlen(reads.story), LISTS + 1);
    store_fixture_open(&w->f);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_oldest_due_come_first_within_limits),
        TEST(an_attempt_moves_its_delivery),
        TEST(a_delivery_that_is_final_stays_so),
        TEST(an_endpoint_fails_too_long_when_no_success_comes_between),
        TEST(a_late_outcome_is_written_once_and_only_ends_a_delivery),
        TEST(a_late_outcome_of_what_is_unknown_is_dropped),
        TEST(lanes_are_told_with_their_earliest_due),
        TEST(a_lane_without_endpoint_is_ended_in_bites),
        TEST(the_status_counts_what_is_there),
        TEST(hints_come_until_there_are_too_many),
        TEST(a_hint_comes_without_a_message_that_is_long),
        TEST(a_message_to_many_endpoints_has_several_hints),
        TEST(lists_that_wait_delay_the_dispatcher_by_one_at_most),
        TEST(closing_finishes_the_reads_that_wait),
        cmocka_unit_test_setup_teardown(an_empty_store_has_nothing_to_do, start_empty,
                                        stop_empty),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
