/* What the store promises to whoever looks at messages and attempts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/backend.h"
#include "store/page.h"
#include "tests/lib/store_fixture.h"

#define LISTED  7
#define STEP_MS 1001 /* between two messages; no multiple of the grain of ids */

/* Messages 0 … 6, even ones of type "even", each third for the channel "eu"; each tried once at
 * each of two endpoints, of which the second answers 500 + its number. */
struct world {
    struct store_fixture f;
    struct id application, other;
    struct id endpoints[2];
    uint64_t first_ms;
    struct id messages[LISTED];
    struct id attempts[2][LISTED];
};

static struct id append_one(struct world *w, int i)
{
    struct text_list channels = { 0 };
    struct store_append op = {
        .application = w->application,
        .event_type = i % 2 ? "odd" : "even",
        .channels = &channels,
        .payload = "[]",
        .payload_len = 2,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };

    if (i % 3 == 0)
        text_list_add(&channels, "eu", 2);
    text_list_add(&channels, "europe", 6);
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    struct id id = op.message->id;
    message_unref(op.message);
    text_list_fini(&channels);
    return id;
}

static struct id try_one(struct world *w, int endpoint, int i)
{
    struct attempt_record a = {
        .message = w->messages[i],
        .endpoint = w->endpoints[endpoint],
        .application = w->application,
        .number = 1,
        .status = endpoint ? ATTEMPT_FAIL : ATTEMPT_SUCCESS,
        .url = (char *)(uintptr_t) "https://receiver.example/hook",
        .response_status = endpoint ? 500 + (unsigned)i : 204,
        .response = { (uint8_t *)(uintptr_t) "answer", 6 },
        .duration_ms = 42,
        .way = { .region = endpoint ? 3 : 0,
                 .connect_us = 900,
                 .tls_us = 2100,
                 .first_byte_us = 4000 },
    };

    return store_fixture_record(&w->f, &a, endpoint ? DELIVERY_DEAD : DELIVERY_DELIVERED, 0);
}

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    w.other = store_fixture_put_application(&w.f, NULL);
    w.endpoints[0] = store_fixture_put_endpoint(&w.f, &w.application);
    w.endpoints[1] = store_fixture_put_endpoint(&w.f, &w.application);
    w.first_ms = store_fixture_ms() + STEP_MS;
    for (int i = 0; i < LISTED; i++) {
        store_fixture_set_ms(w.first_ms + (uint64_t)i * STEP_MS);
        w.messages[i] = append_one(&w, i);
        store_fixture_append(&w.f, &w.other, "even", "{}");
        w.attempts[0][i] = try_one(&w, 0, i);
        w.attempts[1][i] = try_one(&w, 1, i);
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

/* What is asked for, and which of the seven come: one digit each, in their order. Instants are
 * those of a message; 0 is none. */
struct row {
    int cursor; /* -1 = none */
    bool before;
    const char *event_type, *channel;
    int after, before_time; /* exclusive; -1 = none */
    const char *expected;
    bool more;
};

static const struct row ROWS[] = {
    { -1, false, NULL, NULL, -1, -1, "654", true },
    { 4, false, NULL, NULL, -1, -1, "321", true },
    { 1, false, NULL, NULL, -1, -1, "0", false },
    { 0, false, NULL, NULL, -1, -1, "", false },
    { 1, true, NULL, NULL, -1, -1, "432", true },
    { 4, true, NULL, NULL, -1, -1, "65", false },
    { 6, true, NULL, NULL, -1, -1, "", false },
    { -1, false, "even", NULL, -1, -1, "642", true },
    { 2, false, "even", NULL, -1, -1, "0", false },
    { -1, false, "odd", NULL, -1, -1, "531", false },
    { -1, false, "none", NULL, -1, -1, "", false },
    { -1, false, NULL, "eu", -1, -1, "630", false },
    { -1, false, NULL, "europe", -1, -1, "654", true },
    { -1, false, NULL, "e", -1, -1, "", false },
    { -1, false, "odd", "eu", -1, -1, "3", false },
    { -1, false, NULL, NULL, 1, -1, "432", true }, /* the oldest three, newest first */
    { -1, false, NULL, NULL, 4, -1, "65", false },
    { 4, false, NULL, NULL, 1, -1, "32", false },
    { 2, true, NULL, NULL, 1, -1, "543", true },
    { -1, false, NULL, NULL, -1, 3, "210", false },
    { -1, false, NULL, NULL, -1, 5, "432", true },
    { -1, false, NULL, NULL, 1, 4, "32", false },
    { -1, false, NULL, NULL, 0, 6, "543", true },
    { 5, false, NULL, NULL, -1, 4, "321", true },
    { 0, true, NULL, NULL, -1, 3, "21", false },
};

static struct page page_of(const struct row *row, const struct id *ids)
{
    struct page page = { .limit = 3, .before = row->before, .has_cursor = row->cursor >= 0 };

    if (page.has_cursor)
        page.cursor = ids[row->cursor];
    return page;
}

static struct message_filter filter_of(const struct world *w, const struct row *row)
{
    struct message_filter filter = { .channel = row->channel };

    if (row->event_type)
        text_list_add(&filter.event_types, row->event_type, strlen(row->event_type));
    if (row->after >= 0)
        filter.after_ms = w->first_ms + (uint64_t)row->after * STEP_MS;
    if (row->before_time >= 0)
        filter.before_ms = w->first_ms + (uint64_t)row->before_time * STEP_MS;
    return filter;
}

static void messages_are_listed_by_page_time_type_and_channel(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_list_messages op = {
            .application = w->application,
            .filter = filter_of(w, &ROWS[i]),
            .with_content = i % 2,
            .page = page_of(&ROWS[i], w->messages),
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_messages, &op), ERR_OK);
        assert_int_equal(op.count, strlen(ROWS[i].expected));
        assert_int_equal(op.more, ROWS[i].more);
        for (size_t m = 0; m < op.count; m++) {
            assert_true(id_equal(&op.messages[m]->id, &w->messages[ROWS[i].expected[m] - '0']));
            assert_int_equal(op.messages[m]->payload.len, op.with_content ? 2 : 0);
            message_unref(op.messages[m]);
        }
        free(op.messages);
        text_list_fini(&op.filter.event_types);
    }
}

static void attempts_of_an_endpoint_are_listed_likewise(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct store_list_attempts op = {
            .application = w->application,
            .by_endpoint = true,
            .endpoint = w->endpoints[1],
            .filter.message = filter_of(w, &ROWS[i]),
            .with_content = i % 2,
            .page = page_of(&ROWS[i], w->attempts[1]),
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
        assert_int_equal(op.count, strlen(ROWS[i].expected));
        assert_int_equal(op.more, ROWS[i].more);
        for (size_t a = 0; a < op.count; a++) {
            int which = ROWS[i].expected[a] - '0';
            assert_true(id_equal(&op.attempts[a].id, &w->attempts[1][which]));
            assert_true(id_equal(&op.attempts[a].message, &w->messages[which]));
            assert_int_equal(op.attempts[a].response.len, op.with_content ? 6 : 0);
            attempt_record_fini(&op.attempts[a]);
        }
        free(op.attempts);
        text_list_fini(&op.filter.message.event_types);
    }
}

static void attempts_of_a_message_are_narrowed_by_outcome(void **state)
{
    struct world *w = *state;
    const struct {
        bool by_endpoint, has_status;
        enum attempt_status status;
        bool has_class;
        unsigned status_class;
        const char *expected; /* endpoints, newest attempt first */
    } OUTCOMES[] = {
        { false, false, 0, false, 0, "10" },
        { true, false, 0, false, 0, "0" },
        { false, true, ATTEMPT_SUCCESS, false, 0, "0" },
        { false, true, ATTEMPT_FAIL, false, 0, "1" },
        { false, true, ATTEMPT_PENDING, false, 0, "" },
        { false, false, 0, true, 500, "1" },
        { false, false, 0, true, 200, "0" },
        { false, false, 0, true, 0, "" },
        { false, true, ATTEMPT_SUCCESS, true, 500, "" },
    };

    for (size_t i = 0; i < COUNT(OUTCOMES); i++) {
        struct store_list_attempts op = {
            .application = w->application,
            .by_message = true,
            .message = w->messages[3],
            .by_endpoint = OUTCOMES[i].by_endpoint,
            .endpoint = w->endpoints[0],
            .filter = { .has_status = OUTCOMES[i].has_status,
                        .status = OUTCOMES[i].status,
                        .has_status_class = OUTCOMES[i].has_class,
                        .status_class = OUTCOMES[i].status_class },
            .page = { .limit = 10 },
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
        assert_int_equal(op.count, strlen(OUTCOMES[i].expected));
        assert_false(op.more);
        for (size_t a = 0; a < op.count; a++) {
            int endpoint = OUTCOMES[i].expected[a] - '0';
            assert_true(id_equal(&op.attempts[a].endpoint, &w->endpoints[endpoint]));
            attempt_record_fini(&op.attempts[a]);
        }
        free(op.attempts);
    }
}

/* Endpoint 0 took everything; endpoint 1 failed, with another answer to each message. A success at it,
 * among the failures, isn't one of them. */
static void attempts_of_an_endpoint_are_narrowed_by_outcome(void **state)
{
    struct world *w = *state;
    struct attempt_record success = {
        .message = w->messages[2],
        .endpoint = w->endpoints[1],
        .application = w->application,
        .number = 2,
        .status = ATTEMPT_SUCCESS,
        .response_status = 200,
    };
    const struct {
        int endpoint;
        struct attempt_filter filter;
        size_t count;
    } OUTCOMES[] = {
        { 0, { 0 }, LISTED },
        { 0, { .has_status = true, .status = ATTEMPT_SUCCESS }, LISTED },
        { 0, { .has_status = true, .status = ATTEMPT_FAIL }, 0 },
        { 0, { .has_status_class = true, .status_class = 500 }, 0 },
        { 0, { .has_status_class = true, .status_class = 200 }, LISTED },
        { 1, { 0 }, LISTED + 1 },
        { 1, { .has_status = true, .status = ATTEMPT_SUCCESS }, 1 },
        { 1, { .has_status = true, .status = ATTEMPT_FAIL }, LISTED },
        { 1, { .has_status = true, .status = ATTEMPT_PENDING }, 0 },
        { 1, { .has_status_class = true, .status_class = 500 }, LISTED },
        { 1, { .has_status_class = true, .status_class = 200 }, 1 },
        { 1, { .has_status_class = true, .status_class = 400 }, 0 },
        { 1, { .has_status_class = true, .status_class = 0 }, 0 },
    };

    store_fixture_record(&w->f, &success, DELIVERY_DELIVERED, 0);
    for (size_t i = 0; i < COUNT(OUTCOMES); i++) {
        struct store_list_attempts op = {
            .application = w->application,
            .by_endpoint = true,
            .endpoint = w->endpoints[OUTCOMES[i].endpoint],
            .filter = OUTCOMES[i].filter,
            .page.limit = LISTED + 1,
        };
        assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
        assert_int_equal(op.count, OUTCOMES[i].count);
        assert_false(op.more);
        for (size_t a = 0; a < op.count; a++)
            attempt_record_fini(&op.attempts[a]);
        free(op.attempts);
    }
}

/* Both instants included, to the millisecond, whatever the grain of keys is. */
static void attempts_are_counted_from_one_instant_to_another(void **state)
{
    struct world *w = *state;

    for (int from = 0; from < LISTED; from++)
        for (int until = from; until < LISTED; until++)
            for (int off_ms = -1; off_ms <= 1; off_ms++) {
                struct store_count_attempts op = {
                    .endpoint = w->endpoints[until % 2],
                    .from_ms = w->first_ms + (uint64_t)from * STEP_MS,
                    .until_ms = w->first_ms + (uint64_t)until * STEP_MS,
                };
                op.from_ms += (uint64_t)off_ms;
                op.until_ms += (uint64_t)off_ms;
                int expected = until - from + (off_ms == 0);
                assert_int_equal(STORE_RUN(&w->f, store_count_attempts, &op), ERR_OK);
                assert_int_equal(op.counts[until % 2 ? ATTEMPT_FAIL : ATTEMPT_SUCCESS],
                                 expected);
                assert_int_equal(op.counts[until % 2 ? ATTEMPT_SUCCESS : ATTEMPT_FAIL], 0);
                assert_false(op.more);
            }
}

static void an_attempt_comes_back_as_it_was_recorded(void **state)
{
    struct world *w = *state;
    struct store_get_attempt op = {
        .application = w->application,
        .message = w->messages[2],
        .id = w->attempts[1][2],
    };

    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &op), ERR_OK);
    assert_true(id_equal(&op.attempt.id, &w->attempts[1][2]));
    assert_true(id_equal(&op.attempt.message, &w->messages[2]));
    assert_true(id_equal(&op.attempt.endpoint, &w->endpoints[1]));
    assert_true(id_equal(&op.attempt.application, &w->application));
    assert_int_equal(op.attempt.number, 1);
    assert_int_equal(op.attempt.status, ATTEMPT_FAIL);
    assert_int_equal(op.attempt.trigger, TRIGGER_SCHEDULED);
    assert_string_equal(op.attempt.url, "https://receiver.example/hook");
    assert_int_equal(op.attempt.response_status, 502);
    assert_memory_equal(op.attempt.response.data, "answer", 6);
    assert_int_equal(op.attempt.duration_ms, 42);
    assert_int_equal(op.attempt.way.region, 3);
    assert_int_equal(op.attempt.way.connect_us, 900);
    assert_int_equal(op.attempt.way.tls_us, 2100);
    assert_int_equal(op.attempt.way.first_byte_us, 4000);
    assert_int_equal(op.attempt.started_at_ms, w->first_ms + 2 * STEP_MS);
    assert_int_equal(op.attempt.next_attempt_at_ms, 0);
    attempt_record_fini(&op.attempt);
}

static void another_application_finds_nothing(void **state)
{
    struct world *w = *state;
    struct store_get_message get = { .application = w->other, .id = w->messages[0] };
    struct store_get_message event = { .application = w->application, .event_id = "none" };
    struct store_get_attempt attempt = {
        .application = w->other,
        .message = w->messages[0],
        .id = w->attempts[0][0],
    };
    struct store_list_attempts list = {
        .application = w->other,
        .by_message = true,
        .message = w->messages[0],
        .page.limit = 10,
    };

    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_NOT_FOUND);
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &event), ERR_NOT_FOUND);
    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &attempt), ERR_NOT_FOUND);
    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &list), ERR_OK);
    assert_int_equal(list.count, 0);
    free(list.attempts);
}

/* The eight bytes of the key could be guessed; the others not. */
static void an_id_with_another_tail_is_not_found(void **state)
{
    struct world *w = *state;
    struct store_get_message get = { .application = w->application, .id = w->messages[0] };
    struct store_get_attempt attempt = {
        .application = w->application,
        .message = w->messages[0],
        .id = w->attempts[0][0],
    };

    get.id.bytes[ID_BYTES - 1] ^= 1;
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_NOT_FOUND);
    attempt.id.bytes[ID_BYTES - 1] ^= 1;
    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &attempt), ERR_NOT_FOUND);
    attempt.id = w->attempts[0][0];
    attempt.message = w->messages[1];
    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &attempt), ERR_NOT_FOUND);
}

/* Append `count` messages of a type, as many at a time as may wait. */
static void append_many(struct world *w, const char *event_type, size_t count,
                        const char *payload, size_t payload_len)
{
    struct store_append *ops = xcalloc(STORE_FIXTURE_REQUESTS_MAX, sizeof *ops);

    for (size_t left = count, now; left > 0; left -= now) {
        now = left < STORE_FIXTURE_REQUESTS_MAX ? left : STORE_FIXTURE_REQUESTS_MAX;
        for (size_t i = 0; i < now; i++) {
            ops[i] = (struct store_append){
                .application = w->other,
                .event_type = event_type,
                .payload = payload,
                .payload_len = payload_len,
                .retention_hours = PAYLOAD_HOURS_MAX,
            };
            store_fixture_ready(&w->f, &ops[i].req);
            store_append(w->f.store, &ops[i]);
        }
        for (size_t i = 0; i < now; i++) {
            assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), ERR_OK);
            message_unref(ops[i].message);
        }
    }
    free(ops);
}

static void check_list(struct world *w, struct store_list_messages *op, size_t count, bool more)
{
    assert_int_equal(STORE_RUN(&w->f, store_list_messages, op), ERR_OK);
    assert_int_equal(op->count, count);
    assert_int_equal(op->more, more);
    for (size_t i = 0; i < op->count; i++)
        message_unref(op->messages[i]);
    free(op->messages);
}

/* The reader is shared: one list may not keep it for long, nor fill the memory. */
static void a_page_ends_early_rather_than_take_too_much(void **state)
{
    struct world *w = *state;
    char *mebibyte = xcalloc(1024, 1024);
    struct store_list_messages op = { .application = w->other, .page.limit = PAGE_LIMIT_MAX };

    append_many(w, "large", 20, mebibyte, 1024 * 1024);
    op.with_content = true;
    check_list(w, &op, PAGE_BYTES_MAX / 1024 / 1024 + 1, true);
    op.with_content = false;
    check_list(w, &op, LISTED + 20, false);
    free(mebibyte);
}

/* Go on from an empty page to the next one, until there is something or no more. */
static void list_on(struct world *w, struct store_list_messages *op, size_t count, bool more,
                    size_t *out_pages)
{
    *out_pages = 1;
    while (STORE_RUN(&w->f, store_list_messages, op) == ERR_OK && op->count == 0 && op->more) {
        free(op->messages);
        op->page.has_cursor = true;
        op->page.cursor = op->page.before ? op->span.first : op->span.last;
        assert_true(id_is_zero(op->page.before ? &op->span.last : &op->span.first));
        (*out_pages)++;
    }
    assert_int_equal(op->count, count);
    assert_int_equal(op->more, more);
    for (size_t i = 0; i < op->count; i++)
        message_unref(op->messages[i]);
    free(op->messages);
}

/* Who follows the cursors finds everything, from both sides. */
static void what_is_rare_is_found_behind_empty_pages(void **state)
{
    struct world *w = *state;
    struct store_list_messages op = { .application = w->other, .page.limit = 1 };
    size_t pages;

    append_many(w, "rare", 1, "", 0);
    append_many(w, "many", 15000, "", 0);
    text_list_add(&op.filter.event_types, "rare", 4);
    list_on(w, &op, 1, false, &pages);
    assert_in_range(pages, 2, 100);
    struct id rare = op.span.first;

    op.page = (struct page){ .limit = 1, .has_cursor = true, .cursor = rare, .before = true };
    list_on(w, &op, 0, false, &pages);
    assert_in_range(pages, 2, 100);

    append_many(w, "rare", 1, "", 0);
    op.page = (struct page){ .limit = 1, .has_cursor = true, .cursor = rare, .before = true };
    list_on(w, &op, 1, false, &pages);
    assert_false(id_equal(&op.span.first, &rare));
    text_list_fini(&op.filter.event_types);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(messages_are_listed_by_page_time_type_and_channel),
        TEST(attempts_of_an_endpoint_are_listed_likewise),
        TEST(attempts_of_a_message_are_narrowed_by_outcome),
        TEST(attempts_of_an_endpoint_are_narrowed_by_outcome),
        TEST(attempts_are_counted_from_one_instant_to_another),
        TEST(an_attempt_comes_back_as_it_was_recorded),
        TEST(another_application_finds_nothing),
        TEST(an_id_with_another_tail_is_not_found),
        TEST(a_page_ends_early_rather_than_take_too_much),
        TEST(what_is_rare_is_found_behind_empty_pages),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
