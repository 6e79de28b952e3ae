/* What the store promises of lists while their rows come faster than they are listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/mem.h"
#include "store/background.h"
#include "store/deliveries.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_files.h"

#define PAUSE_MS  1000 /* after it, the next commit lists what came before */
#define BURST     5    /* messages of each application at the same instant */
#define MANY      3000
#define LARGE     (1u << 20)
#define FAULTS    12
#define ROWS_MAX  2048 /* that aren't listed, and so much content: see store/sqlite_listing.c */
#define BYTES_MAX (4u << 20)

/* Two applications, which take turns, with an endpoint each. */
struct world {
    struct store_fixture f;
    struct id applications[2], endpoints[2];
    struct id messages[2][BURST], attempts[2][BURST];
};

static int start(void **state)
{
    static struct world w;

    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_start(&w.f);
    for (int a = 0; a < 2; a++) {
        w.applications[a] = store_fixture_put_application(&w.f, NULL);
        w.endpoints[a] = store_fixture_put_endpoint(&w.f, &w.applications[a]);
    }
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_stop(&w->f);
    return 0;
}

static struct id append(struct world *w, int a)
{
    return store_fixture_append(&w->f, &w->applications[a], "a", "{}");
}

static struct id try_one(struct world *w, int a, const struct id *message, bool delivered)
{
    struct attempt_record attempt = {
        .message = *message,
        .endpoint = w->endpoints[a],
        .application = w->applications[a],
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .response_status = delivered ? 204 : 500,
    };

    return store_fixture_record(&w->f, &attempt, delivered ? DELIVERY_DELIVERED : DELIVERY_DEAD,
                                0);
}

/* Messages of both applications, tried once each; all at the same instant. */
static void burst(struct world *w, bool delivered)
{
    for (int i = 0; i < BURST; i++)
        for (int a = 0; a < 2; a++) {
            w->messages[a][i] = append(w, a);
            w->attempts[a][i] = try_one(w, a, &w->messages[a][i], delivered);
        }
}

static int64_t listed(const struct world *w)
{
    return store_files_rows(&w->f, "messages_listed") +
           store_files_rows(&w->f, "attempts_listed");
}

/* From the newest to the oldest by pages of one, and back: those of the burst, each once. */
static struct page page_at(const struct id *ids, int i, bool back)
{
    int from = back ? i - 1 : i + 1; /* the one that it came from */
    struct page page = { .limit = 1, .before = back, .has_cursor = from >= 0 && from < BURST };

    if (page.has_cursor)
        page.cursor = ids[from];
    return page;
}

static void assert_message(struct world *w, int a, int i, bool back)
{
    struct store_list_messages op = { .application = w->applications[a],
                                      .page = page_at(w->messages[a], i, back) };

    assert_int_equal(STORE_RUN(&w->f, store_list_messages, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_true(id_equal(&op.messages[0]->id, &w->messages[a][i]));
    message_unref(op.messages[0]);
    free(op.messages);
}

static void assert_attempt(struct world *w, int a, int i, bool back)
{
    struct store_list_attempts op = { .application = w->applications[a],
                                      .endpoint = w->endpoints[a],
                                      .by_endpoint = true,
                                      .page = page_at(w->attempts[a], i, back) };

    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_true(id_equal(&op.attempts[0].id, &w->attempts[a][i]));
    attempt_record_fini(&op.attempts[0]);
    free(op.attempts);
}

static void assert_tried(struct world *w, int a, int i, bool back)
{
    struct store_list_tried op = { .application = w->applications[a],
                                   .endpoint = w->endpoints[a],
                                   .page = page_at(w->messages[a], i, back) };

    assert_int_equal(STORE_RUN(&w->f, store_list_tried, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_true(id_equal(&op.tried[0].message->id, &w->messages[a][i]));
    message_unref(op.tried[0].message);
    free(op.tried);
}

static void assert_walks(struct world *w)
{
    for (int a = 0; a < 2; a++)
        for (int i = BURST - 1; i >= 0; i--) {
            assert_message(w, a, i, false);
            assert_attempt(w, a, i, false);
            assert_tried(w, a, i, false);
            if (i == 0)
                continue;
            assert_message(w, a, i, true);
            assert_attempt(w, a, i, true);
            assert_tried(w, a, i, true);
        }
}

static uint64_t count_delivered(struct world *w, int a)
{
    struct store_count_attempts op = { .endpoint = w->endpoints[a],
                                       .until_ms = store_fixture_ms() };

    assert_int_equal(STORE_RUN(&w->f, store_count_attempts, &op), ERR_OK);
    assert_false(op.more);
    return op.counts[ATTEMPT_SUCCESS];
}

static void rows_are_seen_before_they_are_listed(void **state)
{
    struct world *w = *state;

    burst(w, true);
    assert_true(listed(w) < 2 * 2 * BURST);
    assert_walks(w);
    assert_int_equal(count_delivered(w, 0), BURST);
    store_fixture_set_ms(store_fixture_ms() + 100); /* the last is between two instants now */
    assert_int_equal(count_delivered(w, 1), BURST);
    store_files_assert_listed(&w->f);
}

static void they_are_listed_together_in_a_moment(void **state)
{
    struct world *w = *state;
    struct id other = store_fixture_put_application(&w->f, NULL);

    burst(w, true);
    store_fixture_set_ms(store_fixture_ms() + PAUSE_MS);
    store_fixture_append(&w->f, &other, "a", "{}");
    assert_int_equal(store_files_rows(&w->f, "messages_listed"), 2 * BURST + 1);
    assert_walks(w);
    store_files_assert_listed(&w->f);
}

static void few_wait_however_fast_they_come(void **state)
{
    struct world *w = *state;
    char *payload = xcalloc(LARGE + 1, 1);
    unsigned waited = 0;

    for (int i = 0; i < MANY; i++) {
        append(w, i % 2);
        int64_t waiting = i % 100 ? 0 : i + 1 - store_files_rows(&w->f, "messages_listed");
        assert_true(waiting < ROWS_MAX);
        waited += waiting > 100;
    }
    assert_true(waited > 10);
    for (size_t i = 0; i < LARGE; i++)
        payload[i] = ' ';
    for (size_t i = 0; i < 3 * BYTES_MAX / LARGE; i++) {
        store_fixture_append(&w->f, &w->applications[0], "a", payload);
        int64_t waiting = MANY + 1 + (int64_t)i - store_files_rows(&w->f, "messages_listed");
        assert_true(i < BYTES_MAX / LARGE || waiting < BYTES_MAX / LARGE);
    }
    free(payload);
    store_files_assert_listed(&w->f);
}

/* The attempt began before others that are listed when it ends. */
static void what_took_long_is_listed_in_its_place(void **state)
{
    struct world *w = *state;
    struct attempt_record slow = {
        .id = id_new(&w->f.ids, store_fixture_ms()),
        .endpoint = w->endpoints[0],
        .application = w->applications[0],
        .number = 1,
        .started_at_ms = store_fixture_ms(),
    };
    struct store_record op = { .attempt = &slow, .next = DELIVERY_DELIVERED };

    burst(w, true);
    store_fixture_set_ms(store_fixture_ms() + PAUSE_MS);
    slow.message = append(w, 0);
    try_one(w, 1, &w->messages[1][0], true);
    int64_t before = listed(w);
    assert_int_equal(STORE_RUN(&w->f, store_record, &op), ERR_OK);
    assert_int_equal(listed(w), before + 1);

    struct store_list_attempts list = { .application = w->applications[0],
                                        .endpoint = w->endpoints[0],
                                        .by_endpoint = true,
                                        .page = { .limit = BURST + 2 } };
    assert_int_equal(STORE_RUN(&w->f, store_list_attempts, &list), ERR_OK);
    assert_int_equal(list.count, BURST + 1);
    assert_true(id_equal(&list.attempts[BURST].id, &slow.id));
    for (size_t i = 0; i < list.count; i++)
        attempt_record_fini(&list.attempts[i]);
    free(list.attempts);
    store_files_assert_listed(&w->f);
}

static void a_start_lists_what_was_left(void **state)
{
    struct world *w = *state;
    struct id other = store_fixture_put_application(&w->f, NULL);

    burst(w, true);
    store_fixture_close(&w->f);
    store_fixture_open(&w->f);
    assert_walks(w);
    store_fixture_append(&w->f, &other, "a", "{}");
    assert_int_equal(store_files_rows(&w->f, "messages_listed"), 2 * BURST + 1);
    assert_walks(w);
}

/* Whichever write it is that finds no room. */
static void what_was_rolled_back_is_listed_by_the_next(void **state)
{
    struct world *w = *state;
    struct id other = store_fixture_put_application(&w->f, NULL);
    struct store_append op = { .application = other, .event_type = "a", .payload = "{}" };
    unsigned refused = 0, worked = 0;

    op.payload_len = 2;
    burst(w, true);
    for (unsigned room = 0; room < FAULTS; room++) {
        store_fixture_set_ms(store_fixture_ms() + PAUSE_MS);
        faulty_disk_set(DISK_FULL, room);
        enum err err = STORE_RUN(&w->f, store_append, &op);
        faulty_disk_set(DISK_WORKS, 0);
        assert_true(err == ERR_OK || err == ERR_FULL);
        if (!err)
            message_unref(op.message);
        worked += err == ERR_OK;
        refused += err == ERR_FULL;
        assert_walks(w);
        store_files_assert_listed(&w->f);
    }
    assert_true(refused > 0 && worked > 0);
    store_fixture_set_ms(store_fixture_ms() + PAUSE_MS);
    store_fixture_append(&w->f, &other, "a", "{}");
    assert_int_equal(store_files_rows(&w->f, "messages_listed"), 2 * BURST + worked + 1);
}

/* By somebody who wrote into the file: it is there once, and nothing is held up. */
static void what_is_listed_too_early_stays(void **state)
{
    struct world *w = *state;

    burst(w, true);
    store_fixture_close(&w->f);
    store_files_run(&w->f, "regional.db",
                    "INSERT OR IGNORE INTO messages_listed"
                    "     SELECT application_key, key FROM messages");
    store_fixture_open(&w->f);
    append(w, 0);
    assert_int_equal(store_files_rows(&w->f, "messages_listed"), 2 * BURST + 1);
    store_files_assert_listed(&w->f);
}

static void a_task_looks_at_what_is_not_listed_too(void **state)
{
    struct world *w = *state;
    struct background_task task = {
        .organization = STORE_FIXTURE_ORGANIZATION,
        .application = w->applications[0],
        .endpoint = w->endpoints[0],
        .kind = BACKGROUND_RECOVER,
        .since_ms = store_fixture_ms(),
    };
    struct store_start_background op = { .task = &task };
    struct store_get_background get = { .organization = STORE_FIXTURE_ORGANIZATION };

    burst(w, false);
    assert_true(listed(w) < 2 * 2 * BURST);
    store_fixture_set_ms(store_fixture_ms() + 8);
    task.until_ms = store_fixture_ms();
    background_task_begin(&task, &w->f.ids, store_fixture_ms());
    assert_int_equal(STORE_RUN(&w->f, store_start_background, &op), ERR_OK);
    get.id = task.id;
    do {
        uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
        assert_int_equal(STORE_RUN(&w->f, store_get_background, &get), ERR_OK);
        background_task_fini(&get.task);
        background_usages_fini(get.usage, get.usage_count);
    } while (get.task.status == BACKGROUND_RUNNING);
    assert_int_equal(get.task.looked_at, BURST);
    assert_int_equal(get.task.done, BURST);
    assert_walks(w);
    store_files_assert_listed(&w->f);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(rows_are_seen_before_they_are_listed),
        TEST(they_are_listed_together_in_a_moment),
        TEST(few_wait_however_fast_they_come),
        TEST(what_took_long_is_listed_in_its_place),
        TEST(a_start_lists_what_was_left),
        TEST(what_was_rolled_back_is_listed_by_the_next),
        TEST(what_is_listed_too_early_stays),
        TEST(a_task_looks_at_what_is_not_listed_too),
    };

    faulty_disk_install();
    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
