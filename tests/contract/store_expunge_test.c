/* What the store promises to whoever wants content gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/background.h"
#include "store/expunge.h"
#include "tests/lib/store_files.h"

#define SECRET     "what-nobody-may-read"
#define SECRET_LEN (sizeof SECRET - 1)

struct world {
    struct store_fixture f;
    struct id application, endpoint;
};

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, NULL);
    w.endpoint = store_fixture_put_endpoint(&w.f, &w.application);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    store_fixture_stop(&w->f);
    return 0;
}

/* A payload of so many bytes, the secret again and again. */
static struct id append_secret(struct world *w, size_t len)
{
    char *payload = xcalloc(len, 1);
    struct store_append op = {
        .application = w->application,
        .event_type = "a",
        .payload = payload,
        .payload_len = len,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };

    for (size_t i = 0; i < len; i++)
        payload[i] = SECRET[i % SECRET_LEN];
    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    struct id id = op.message->id;
    message_unref(op.message);
    free(payload);
    return id;
}

static enum err expunge(struct world *w, const struct id *message)
{
    struct store_expunge_message op = { .application = w->application, .message = *message };

    return STORE_RUN(&w->f, store_expunge_message, &op);
}

static void a_payload_that_is_expunged_is_in_no_file(void **state)
{
    static const size_t sizes[] = { 100, 4000, 8192, 300000 };
    struct world *w = *state;
    struct id messages[COUNT(sizes)];

    for (size_t i = 0; i < COUNT(sizes); i++)
        messages[i] = append_secret(w, sizes[i]);
    assert_true(store_files_count(&w->f, SECRET) > 0);
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_int_equal(expunge(w, &messages[i]), ERR_OK);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

/* The pages had been written back before, so that the log alone wouldn't tell. */
static void so_is_one_that_has_been_in_the_file_for_long(void **state)
{
    struct world *w = *state;
    struct id small = append_secret(w, 200), large = append_secret(w, 300000);

    store_fixture_close(&w->f);
    store_fixture_open(&w->f);
    assert_true(store_files_count_in(&w->f, "regional.db", SECRET) > 0);
    assert_int_equal(expunge(w, &small), ERR_OK);
    assert_int_equal(expunge(w, &large), ERR_OK);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

/* Some pages more, where the log is tried again. */
static void append_pages(struct world *w)
{
    for (unsigned i = 0; i < 150; i++)
        store_fixture_append(&w->f, &w->application, "a", "{}");
}

static void a_reader_in_the_way_puts_it_off(void **state)
{
    struct world *w = *state;
    struct id message = append_secret(w, 3000);
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(store_fixture_path(&w->f, "regional.db"), &db,
                                     SQLITE_OPEN_READONLY, "unix"),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT * FROM totals", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(expunge(w, &message), ERR_OK);
    append_pages(w);
    assert_true(store_files_count(&w->f, SECRET) > 0);
    sqlite3_close(db);
    append_pages(w);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

/* In a process of its own, which a reader keeps from emptying the log. */
static void expunge_and_die(struct world *w)
{
    sqlite3 *db;

    store_fixture_open(&w->f);
    struct id message = append_secret(w, 3000);
    if (sqlite3_open_v2(store_fixture_path(&w->f, "regional.db"), &db, SQLITE_OPEN_READONLY,
                        "unix") != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN; SELECT * FROM totals", NULL, NULL, NULL) != SQLITE_OK)
        _exit(1);
    _exit(expunge(w, &message) == ERR_OK ? 0 : 1);
}

static void
what_a_process_that_died_left_in_the_log_is_gone_with_the_next_ones_first_write(void **state)
{
    struct world *w = *state;
    int status;

    store_fixture_close(&w->f);
    pid_t child = fork();
    if (child == 0)
        expunge_and_die(w);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_true(store_files_count(&w->f, SECRET) > 0);

    store_fixture_open(&w->f);
    store_fixture_append(&w->f, &w->application, "a", "{}");
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
}

static void the_message_stays_without_its_payload(void **state)
{
    struct world *w = *state;
    struct id message = append_secret(w, 100);
    struct store_get_message get = {
        .application = w->application,
        .id = message,
        .with_content = true,
    };
    struct store_resend resend = {
        .application = w->application,
        .message = message,
        .endpoint = w->endpoint,
    };

    assert_int_equal(expunge(w, &message), ERR_OK);
    assert_int_equal(STORE_RUN(&w->f, store_get_message, &get), ERR_OK);
    assert_int_equal(get.message->payload.len, 0);
    assert_string_equal(get.message->event_type, "a");
    message_unref(get.message);
    assert_int_equal(STORE_RUN(&w->f, store_resend, &resend), ERR_UNAVAILABLE);
    assert_int_equal(expunge(w, &message), ERR_OK);
}

static void nothing_of_it_is_sent_any_more(void **state)
{
    struct world *w = *state;
    struct id message = append_secret(w, 100), other = append_secret(w, 100);
    struct store_status *status = xcalloc(1, sizeof *status);
    struct store_due due = {
        .endpoint_key = id_key(&w->endpoint),
        .now_wall_ms = store_fixture_ms(),
        .limit = 10,
        .bytes_limit = 1000,
    };

    assert_int_equal(expunge(w, &message), ERR_OK);
    assert_int_equal(STORE_RUN(&w->f, store_due, &due), ERR_OK);
    assert_int_equal(due.count, 1);
    assert_true(id_equal(&due.deliveries[0].message->id, &other));
    message_unref(due.deliveries[0].message);
    free(due.deliveries);
    assert_int_equal(STORE_RUN(&w->f, store_status, status), ERR_OK);
    assert_int_equal(status->pending, 1);
    free(status);
}

static void a_response_that_is_expunged_is_in_no_file(void **state)
{
    struct world *w = *state;
    struct id message = store_fixture_append(&w->f, &w->application, "a", "{}");
    struct attempt_record a = {
        .message = message,
        .endpoint = w->endpoint,
        .application = w->application,
        .number = 1,
        .status = ATTEMPT_FAIL,
        .response_status = 500,
        .response = { (uint8_t *)(uintptr_t)SECRET, SECRET_LEN },
    };
    struct id attempt = store_fixture_record(&w->f, &a, DELIVERY_DEAD, 0);
    struct store_expunge_attempt op = { .message = message, .attempt = attempt };
    struct store_get_attempt get = {
        .application = w->application,
        .message = message,
        .id = attempt,
    };

    assert_int_equal(STORE_RUN(&w->f, store_expunge_attempt, &op), ERR_OK);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
    assert_int_equal(STORE_RUN(&w->f, store_get_attempt, &get), ERR_OK);
    assert_int_equal(get.attempt.response.len, strlen(EXPUNGED_RESPONSE));
    assert_memory_equal(get.attempt.response.data, EXPUNGED_RESPONSE, get.attempt.response.len);
    assert_int_equal(get.attempt.response_status, 500);
    attempt_record_fini(&get.attempt);
}

static void what_is_not_there_or_anothers_is_not_found(void **state)
{
    struct world *w = *state;
    struct id message = append_secret(w, 100), other = append_secret(w, 100);
    struct attempt_record a = {
        .message = message,
        .endpoint = w->endpoint,
        .application = w->application,
        .number = 1,
    };
    struct store_expunge_attempt attempt = {
        .message = other,
        .attempt = store_fixture_record(&w->f, &a, DELIVERY_DEAD, 0),
    };
    struct store_expunge_message foreign = {
        .application = store_fixture_put_application(&w->f, NULL),
        .message = message,
    };

    assert_int_equal(STORE_RUN(&w->f, store_expunge_attempt, &attempt), ERR_NOT_FOUND);
    attempt.message = message;
    attempt.attempt.bytes[ID_BYTES - 1] ^= 1;
    assert_int_equal(STORE_RUN(&w->f, store_expunge_attempt, &attempt), ERR_NOT_FOUND);
    assert_int_equal(STORE_RUN(&w->f, store_expunge_message, &foreign), ERR_NOT_FOUND);
    message.bytes[ID_BYTES - 1] ^= 1;
    assert_int_equal(expunge(w, &message), ERR_NOT_FOUND);
}

static enum err purge(struct world *w, struct background_task *task)
{
    struct store_start_background op = { .task = task };

    *task = (struct background_task){
        .organization = STORE_FIXTURE_ORGANIZATION,
        .application = w->application,
        .kind = BACKGROUND_PURGE,
        .until_ms = store_fixture_ms(),
    };
    background_task_begin(task, &w->f.ids, store_fixture_ms());
    return STORE_RUN(&w->f, store_start_background, &op);
}

static void look_at(struct world *w, struct background_task *task)
{
    struct store_get_background op = { .organization = STORE_FIXTURE_ORGANIZATION,
                                       .id = task->id };

    assert_int_equal(STORE_RUN(&w->f, store_get_background, &op), ERR_OK);
    *task = op.task;
}

static void finish(struct world *w, struct background_task *task)
{
    for (look_at(w, task); task->status == BACKGROUND_RUNNING; look_at(w, task))
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
}

static uint64_t pending(struct world *w)
{
    struct store_status *status = xcalloc(1, sizeof *status);

    assert_int_equal(STORE_RUN(&w->f, store_status, status), ERR_OK);
    uint64_t count = status->pending;
    free(status);
    return count;
}

/* Small and large ones, more than a bite by their number and by their bytes; and its store is closed and
 * opened in the midst of it. */
static void all_payloads_of_an_application_are_in_no_file(void **state)
{
    struct world *w = *state;
    struct background_task task;

    for (size_t i = 0; i < 2 * BACKGROUND_BITE_ROWS; i++)
        append_secret(w, i % 20 == 0 ? 600000 : 100);
    struct id gone = append_secret(w, 100);
    assert_int_equal(expunge(w, &gone), ERR_OK);
    struct id other = store_fixture_put_application(&w->f, NULL);
    store_fixture_append(&w->f, &other, "a", "{\"other\":1}");
    assert_int_equal(pending(w), 2 * BACKGROUND_BITE_ROWS);
    store_fixture_set_ms(store_fixture_ms() + 1000);

    assert_int_equal(purge(w, &task), ERR_OK);
    for (look_at(w, &task); task.done == 0; look_at(w, &task))
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
    assert_int_equal(task.status, BACKGROUND_RUNNING);
    assert_true(task.looked_at < BACKGROUND_BITE_ROWS); /* enough bytes */
    store_fixture_set_ms(store_fixture_ms() + 1000);
    store_fixture_append(&w->f, &w->application, "a", "{\"later\":1}");
    store_fixture_close(&w->f);
    store_fixture_open(&w->f);
    finish(w, &task);
    assert_int_equal(task.status, BACKGROUND_FINISHED);
    assert_int_equal(task.looked_at, 2 * BACKGROUND_BITE_ROWS + 1);
    assert_int_equal(task.done, 2 * BACKGROUND_BITE_ROWS);
    assert_int_equal(store_files_count(&w->f, SECRET), 0);
    assert_int_equal(store_files_count(&w->f, "{\"other\":1}") > 0, true);
    assert_true(store_files_count(&w->f, "{\"later\":1}") > 0);
    assert_int_equal(pending(w), 1);
}

static void a_purge_of_nobody_does_not_begin(void **state)
{
    struct world *w = *state;
    struct background_task task;

    w->application.bytes[ID_BYTES - 1] ^= 1;
    assert_int_equal(purge(w, &task), ERR_NOT_FOUND);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_payload_that_is_expunged_is_in_no_file),
        TEST(so_is_one_that_has_been_in_the_file_for_long),
        TEST(a_reader_in_the_way_puts_it_off),
        TEST(what_a_process_that_died_left_in_the_log_is_gone_with_the_next_ones_first_write),
        TEST(the_message_stays_without_its_payload),
        TEST(nothing_of_it_is_sent_any_more),
        TEST(a_response_that_is_expunged_is_in_no_file),
        TEST(what_is_not_there_or_anothers_is_not_found),
        TEST(all_payloads_of_an_application_are_in_no_file),
        TEST(a_purge_of_nobody_does_not_begin),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
