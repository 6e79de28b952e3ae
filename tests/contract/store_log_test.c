/* SQLite's write-ahead log: it is written back between groups, and stays small whoever reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/mem.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_fixture.h"

#define PAYLOAD_LEN (256 * 1024)
#define MEGABYTE    (1024 * 1024)

#define LOG_USUAL_MAX (16 * MEGABYTE)
#define LOG_MAX       (80 * MEGABYTE) /* with readers in the way of the checkpoints */

static char payload[PAYLOAD_LEN];

static int start(void **state)
{
    static struct store_fixture f;

    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_stop(*state);
    return 0;
}

static int64_t size_of(const struct store_fixture *f, const char *name)
{
    struct stat status;

    assert_int_equal(stat(store_fixture_path(f, name), &status), 0);
    return status.st_size;
}

static enum err append(struct store_fixture *f, const struct id *application, size_t len,
                       struct id *out)
{
    struct store_append op = {
        .application = *application,
        .event_type = "a",
        .payload = payload,
        .payload_len = len,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };
    enum err err = STORE_RUN(f, store_append, &op);

    if (!err) {
        *out = op.message->id;
        message_unref(op.message);
    }
    return err;
}

/* How large the log was at most. */
static int64_t append_megabytes(struct store_fixture *f, unsigned count)
{
    struct id application = store_fixture_put_application(f, NULL), id;
    int64_t largest = 0;

    for (unsigned i = 0; i < count * (MEGABYTE / PAYLOAD_LEN); i++) {
        assert_int_equal(append(f, &application, PAYLOAD_LEN, &id), ERR_OK);
        int64_t size = size_of(f, "regional.db-wal");
        largest = size > largest ? size : largest;
    }
    return largest;
}

static void the_log_does_not_grow_with_what_is_written(void **state)
{
    struct store_fixture *f = *state;

    assert_true(append_megabytes(f, 100) < LOG_USUAL_MAX);
    assert_true(size_of(f, "regional.db") > 50 * MEGABYTE);
}

/* Somebody who reads one long list after another. */
struct reader {
    char path[TEMP_PATH_MAX + 32];
    uv_thread_t thread;
    uv_sem_t begun, stop;
};

#define READ_MS 10

static void run_sql(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        abort();
}

static void read_without_rest(void *ctx)
{
    struct reader *r = ctx;
    sqlite3 *db;

    if (sqlite3_open_v2(r->path, &db, SQLITE_OPEN_READONLY, "unix") != SQLITE_OK)
        abort();
    run_sql(db, "BEGIN; SELECT count(*) FROM totals");
    uv_sem_post(&r->begun);
    while (uv_sem_trywait(&r->stop) != 0) {
        uv_sleep(READ_MS);
        run_sql(db, "COMMIT; BEGIN; SELECT count(*) FROM totals");
    }
    sqlite3_close(db);
}

static void the_log_is_bounded_while_somebody_always_reads(void **state)
{
    struct store_fixture *f = *state;
    struct reader r;

    snprintf(r.path, sizeof r.path, "%s", store_fixture_path(f, "regional.db"));
    assert_int_equal(uv_sem_init(&r.begun, 0), 0);
    assert_int_equal(uv_sem_init(&r.stop, 0), 0);
    assert_int_equal(uv_thread_create(&r.thread, read_without_rest, &r), 0);
    uv_sem_wait(&r.begun);
    int64_t largest = append_megabytes(f, 300);
    uv_sem_post(&r.stop);
    uv_thread_join(&r.thread);
    uv_sem_destroy(&r.begun);
    uv_sem_destroy(&r.stop);
    assert_true(largest < LOG_MAX);
}

/* The log found room and the file didn't: what is in the log stays there. */
static void a_checkpoint_without_room_loses_nothing(void **state)
{
    enum { ROOM_MAX = 8000, ROOM_STEP = 400, STORED_MAX = 2000 };
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct id *stored = xcalloc(STORED_MAX, sizeof *stored);
    unsigned count = 0;
    int64_t largest = 0;

    for (unsigned room = 0; room < ROOM_MAX; room += ROOM_STEP) {
        enum err err = ERR_OK;
        faulty_disk_set(DISK_FULL, room);
        while (!err && count < STORED_MAX) {
            err = append(f, &application, PAYLOAD_LEN, &stored[count]);
            count += err == ERR_OK;
        }
        assert_int_equal(err, ERR_FULL);
        int64_t size = size_of(f, "regional.db-wal");
        largest = size > largest ? size : largest;
    }
    faulty_disk_set(DISK_WORKS, 0);
    assert_true(largest > LOG_USUAL_MAX);
    append_megabytes(f, 100);
    for (unsigned i = 0; i < count; i++) {
        struct store_get_message get = { .application = application, .id = stored[i] };
        assert_int_equal(STORE_RUN(f, store_get_message, &get), ERR_OK);
        message_unref(get.message);
    }
    free(stored);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_log_does_not_grow_with_what_is_written),
        TEST(the_log_is_bounded_while_somebody_always_reads),
        TEST(a_checkpoint_without_room_loses_nothing),
    };

    faulty_disk_install();
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
