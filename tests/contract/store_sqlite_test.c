/* What the SQLite backend does when its files or its disk misbehave. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/count.h"
#include "core/embedded.h"
#include "core/hex.h"
#include "core/mem.h"
#include "store/backend.h"
#include "tests/lib/capture.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_files.h"

/* More writes or fsyncs than a scenario needs: then nothing fails, and a loop over all ends. */
#define CALLS_MAX 2000

static int start(void **state)
{
    static struct store_fixture f;

    faulty_disk_set(DISK_WORKS, 0);
    f.alone = false;
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

static enum err append(struct store_fixture *f, const struct id *application, struct id *out)
{
    struct store_append op = {
        .application = *application,
        .event_type = "a",
        .payload = "0123456789",
        .payload_len = 10,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };
    enum err err = STORE_RUN(f, store_append, &op);

    if (!err) {
        *out = op.message->id;
        message_unref(op.message);
    }
    return err;
}

static void assert_stored(struct store_fixture *f, const struct id *application,
                          const struct id *message)
{
    struct store_get_message get = { .application = *application, .id = *message };

    assert_int_equal(STORE_RUN(f, store_get_message, &get), ERR_OK);
    message_unref(get.message);
}

static uint64_t count_messages(struct store_fixture *f)
{
    struct store_status *op = xcalloc(1, sizeof *op);

    assert_int_equal(STORE_RUN(f, store_status, op), ERR_OK);
    uint64_t count = op->messages;
    free(op);
    return count;
}

static int status_of(pid_t child)
{
    int status;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void the_files_are_ours_alone(void **state)
{
    static const struct {
        const char *name;
        unsigned mode;
    } ROWS[] = {
        { "lock", 0600 },        { "global.db", 0600 },       { "global.db-wal", 0600 },
        { "regional.db", 0600 }, { "regional.db-wal", 0600 },
    };
    struct store_fixture *f = *state;
    struct stat status;
    mode_t mask = umask(0);

    store_fixture_close(f);
    temp_remove(f->dir);
    store_fixture_open(f);
    store_fixture_put_application(f, NULL);
    umask(mask);
    assert_int_equal(stat(f->dir, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    for (size_t i = 0; i < COUNT(ROWS); i++) {
        assert_int_equal(stat(store_fixture_path(f, ROWS[i].name), &status), 0);
        assert_int_equal(status.st_mode & 0777, ROWS[i].mode);
    }
}

static void files_that_are_open_to_others_are_warned_of(void **state)
{
    static const struct {
        mode_t directory, file;
        unsigned warnings;
    } ROWS[] = { { 0700, 0600, 0 }, { 0750, 0600, 1 }, { 0700, 0604, 1 }, { 0755, 0640, 2 } };
    struct store_fixture *f = *state;
    char text[4096];

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct capture capture;

        store_fixture_close(f);
        assert_int_equal(chmod(f->dir, ROWS[i].directory), 0);
        assert_int_equal(chmod(store_fixture_path(f, "regional.db"), ROWS[i].file), 0);
        capture_begin(&capture);
        store_fixture_open(f);
        capture_end(&capture, text, sizeof text);
        assert_int_equal(capture_count(text, "open_to_others"), ROWS[i].warnings);
    }
}

static void a_newer_schema_is_refused(void **state)
{
    static const char *const NAMES[] = { "global.db", "regional.db" };
    struct store_fixture *f = *state;

    store_fixture_close(f);
    for (int i = 0; i < 2; i++) {
        int64_t version = store_files_run(f, NAMES[i], "PRAGMA user_version");
        store_files_run(f, NAMES[i], "PRAGMA user_version = 9999");
        assert_int_equal(store_fixture_try_open(f), ERR_VERSION);
        assert_int_equal(store_files_run(f, NAMES[i], "PRAGMA user_version"), 9999);
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", (int)version);
        store_files_run(f, NAMES[i], sql);
    }
    store_fixture_open(f);
}

/* The file as an old schema made it; `folder` has its migrations. */
static void make_old(const struct store_fixture *f, const char *name, const char *folder,
                     unsigned version)
{
    char sql[64];
    sqlite3 *db;

    unlink(store_fixture_path(f, name));
    assert_int_equal(sqlite3_open(store_fixture_path(f, name), &db), SQLITE_OK);
    for (const struct embedded_file *m = embedded_migrations_sqlite; m->path; m++) {
        size_t len = strlen(folder);
        if (strncmp(m->path, folder, len) == 0 &&
            strtoul(m->path + len + 1, NULL, 10) <= version)
            assert_int_equal(sqlite3_exec(db, m->begin, NULL, NULL, NULL), SQLITE_OK);
    }
    snprintf(sql, sizeof sql, "PRAGMA user_version = %u", version);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void an_application_of_the_first_schema_belongs_to_a_region_alone(void **state)
{
    struct store_fixture *f = *state;

    store_fixture_close(f);
    make_old(f, "global.db", "global", 1);
    store_files_run(
        f, "global.db",
        "INSERT INTO applications (key, tail, organization, version, deleted,"
        "                          created_at_ms, updated_at_ms, uid, name, throttle_rate)"
        "     VALUES (1, zeroblob(12), zeroblob(20), 1, 0, 0, 0, 'shop', 'a shop', 0)");
    f->alone = true;
    store_fixture_open(f);

    const struct application *a =
        catalog_application_by_uid(f->catalog, &(struct id){ { 0 } }, "shop");
    assert_non_null(a);
    assert_string_equal(a->name, "a shop");
    assert_null(a->residency.jurisdiction);
    assert_int_equal(a->residency.home, 0);
    assert_int_equal(a->residency.home_epoch, 0);
    assert_int_equal(a->residency.mode, RESIDENCY_AT_REST);
    assert_int_equal(a->residency.failover, FAILOVER_NONE);
}

/* Before it, tags didn't say whose they are. */
static void tags_of_an_old_schema_are_found_in_their_application(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    char sql[512], tail[2 * (ID_BYTES - 8) + 1];

    store_fixture_close(f);
    make_old(f, "regional.db", "regional", 11);
    hex_encode(application.bytes + 8, ID_BYTES - 8, tail);
    snprintf(sql, sizeof sql,
             "INSERT INTO messages (key, tail, application_key, application_tail, event_type,"
             "                      created_at_ms, expires_at_ms)"
             "     VALUES (1, zeroblob(12), %lld, x'%s', 'x', 0, 0),"
             "            (2, zeroblob(12), 5, zeroblob(12), 'x', 0, 0)",
             (long long)id_key(&application), tail);
    store_files_run(f, "regional.db", sql);
    store_files_run(f, "regional.db",
                    "INSERT INTO message_tags (key, tags) VALUES (1, 'a'), (2, 'a'), (3, 'a')");
    store_fixture_open(f);

    struct store_list_messages op = {
        .application = application,
        .filter.tag = "a",
        .page.limit = 10,
    };
    assert_int_equal(STORE_RUN(f, store_list_messages, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_int_equal(id_key(&op.messages[0]->id), 1);
    assert_string_equal(op.messages[0]->tags.items[0], "a");
    message_unref(op.messages[0]);
    free(op.messages);
    assert_int_equal(store_files_run(f, "regional.db", "SELECT count(*) FROM message_tags"), 2);
    assert_int_equal(store_files_run(f, "regional.db", "SELECT count(*) FROM messages_listed"),
                     2);
    store_files_assert_listed(f);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct store_fixture *f = *state;

    store_fixture_close(f);
    FILE *file = fopen(store_fixture_path(f, "regional.db"), "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database, it is a letter; ", file);
    fclose(file);
    assert_int_equal(store_fixture_try_open(f), ERR_CORRUPT);
    unlink(store_fixture_path(f, "regional.db"));
    store_fixture_open(f);
}

/* Kill it at each write in turn; the next start takes up whatever is there. */
static void a_kill_at_any_moment_of_a_migration_is_harmless(void **state)
{
    struct store_fixture *f = *state;
    int status = DISK_KILLED;
    unsigned kills = 0;

    for (; status == DISK_KILLED && kills < CALLS_MAX; kills++) {
        store_fixture_close(f);
        temp_remove(f->dir);
        pid_t child = fork();
        if (child == 0) {
            faulty_disk_set(DISK_WRITE_KILLS, kills);
            _exit((int)store_fixture_try_open(f));
        }
        status = status_of(child);
        store_fixture_open(f);
        struct id application = store_fixture_put_application(f, NULL);
        store_fixture_append(f, &application, "a", "1");
    }
    assert_int_equal(status, 0);
    assert_true(kills > 10);
}

static void a_full_disk_refuses_and_loses_nothing(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, "shop");
    struct id stored[64], other;
    size_t count = 0, elsewhere = 0;
    unsigned refused = 0;

    store_fixture_put_endpoint(f, &application);
    for (unsigned room = 0; room < 16; room++) {
        struct application *late = store_fixture_application(f, NULL);
        struct id late_id = late->base.id;
        size_t known = catalog_count(f->catalog);

        faulty_disk_set(DISK_FULL, room);
        enum err err = append(f, &application, &other);
        assert_true(err == ERR_OK || err == ERR_FULL);
        if (!err)
            stored[count++] = other;
        refused += err == ERR_FULL;
        object_ref(&late->base);
        err = store_fixture_try_put(f, &late->base);
        refused += err == ERR_FULL;
        assert_true(err == ERR_OK || err == ERR_FULL);
        assert_int_equal(catalog_count(f->catalog), known + (err == ERR_OK));
        enum err then = append(f, &late_id, &other);
        assert_true(err ? then == ERR_NOT_FOUND : then == ERR_OK || then == ERR_FULL);
        refused += then == ERR_FULL;
        elsewhere += then == ERR_OK;

        faulty_disk_set(DISK_WORKS, 0); /* and so again, without a restart */
        if (err)
            assert_int_equal(store_fixture_try_put(f, &late->base), ERR_OK);
        else
            object_unref(&late->base);
        assert_int_equal(append(f, &late_id, &other), ERR_OK);
        elsewhere++;
        assert_int_equal(append(f, &application, &stored[count++]), ERR_OK);
    }
    assert_true(refused > 2);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < count; i++)
            assert_stored(f, &application, &stored[i]);
        assert_int_equal(count_messages(f), count + elsewhere);
        store_fixture_close(f);
        store_fixture_open(f);
    }
}

/* In a process of its own: what it acknowledged before the fault, on `out`. */
static void append_until_lost(struct store_fixture *f, const struct id *application, int out,
                              enum disk_fault fault, unsigned after)
{
    struct id id;

    store_fixture_open(f);
    faulty_disk_set(fault, after);
    for (int i = 0; i < 4; i++) {
        if (append(f, application, &id) != ERR_OK)
            _exit(99);
        if (write(out, id.bytes, ID_BYTES) != ID_BYTES)
            _exit(98);
    }
    _exit(0);
}

static size_t append_with_fault(struct store_fixture *f, const struct id *application,
                                enum disk_fault fault, unsigned after, struct id acked[4],
                                int *out_status)
{
    size_t count = 0;
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    if (child == 0)
        append_until_lost(f, application, fds[1], fault, after);
    close(fds[1]);
    while (count < 4 && read(fds[0], acked[count].bytes, ID_BYTES) == ID_BYTES)
        count++;
    close(fds[0]);
    *out_status = status_of(child);
    return count;
}

static void an_io_error_ends_the_process_and_is_never_acknowledged(void **state)
{
    static const enum disk_fault FAULTS[] = { DISK_WRITE_FAILS, DISK_SYNC_FAILS };
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);

    store_fixture_put_endpoint(f, &application);
    for (int i = 0; i < 2; i++) {
        unsigned after = 0;
        int status = EXIT_FAILURE;
        for (; status == EXIT_FAILURE && after < CALLS_MAX; after++) {
            struct id acked[4];
            store_fixture_close(f);
            size_t count = append_with_fault(f, &application, FAULTS[i], after, acked, &status);
            assert_true(status == EXIT_FAILURE || (status == 0 && count == 4));
            store_fixture_open(f);
            for (size_t a = 0; a < count; a++)
                assert_stored(f, &application, &acked[a]);
        }
        assert_int_equal(status, 0);
        assert_true(after > 3);
    }
}

/* One of each kind. */
static void use_hash(struct store_fixture *f, const struct id *application, const uint8_t *hash)
{
    static char answer[] = "answer";
    struct store_append append = {
        .application = *application,
        .event_type = "a",
        .idempotency_hash = hash,
    };
    struct store_once once = { .hash = hash, .answer = { (uint8_t *)answer, sizeof answer } };
    struct store_drain drain = { .ordinal = 9 };

    assert_int_equal(STORE_RUN(f, store_append, &append), ERR_OK);
    assert_false(append.repeated);
    message_unref(append.message);
    store_fixture_ready(f, &drain.req);
    drain.req.once = &once;
    store_drain(f->store, &drain);
    assert_int_equal(store_fixture_wait(f, &drain.req), ERR_OK);
    assert_false(once.repeated);
}

static void hashes_that_were_forgotten_are_swept_from_the_files(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);

    for (uint32_t i = 0; i < 2000; i++) {
        uint8_t hash[IDEMPOTENCY_HASH_LEN] = { 0 };
        uint32_t scattered = i * 2654435761u;
        memcpy(hash, &scattered, sizeof scattered);
        memcpy(hash + 4, &scattered, sizeof scattered);
        use_hash(f, &application, hash);
        if (i == 1000)
            store_fixture_set_ms(store_fixture_ms() + IDEMPOTENCY_MS + 1);
    }
    store_fixture_close(f);
    assert_in_range(store_files_run(f, "regional.db", "SELECT count(*) FROM idempotency"), 999,
                    1200);
    assert_in_range(store_files_run(f, "global.db", "SELECT count(*) FROM answers"), 999, 1200);
    store_fixture_open(f);
}

/* The log is written in pieces of at most 127 KiB, whatever the size of its pages. */
static void a_commit_is_written_in_few_pieces(void **state)
{
    static const struct {
        size_t payload_len;
        unsigned writes;
    } CASES[] = { { 10, 1 }, { 100 * 1024, 2 }, { 1024 * 1024, 10 } };
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct id stored[COUNT(CASES)];

    store_fixture_append(f, &application, "a", "1"); /* after which the log is emptied */
    store_fixture_append(f, &application, "a", "1"); /* which begins it */
    for (size_t i = 0; i < COUNT(CASES); i++) {
        char *payload = xcalloc(CASES[i].payload_len + 1, 1);
        memset(payload, '1', CASES[i].payload_len);
        unsigned before = faulty_disk_writes();
        stored[i] = store_fixture_append(f, &application, "a", payload);
        assert_in_range(faulty_disk_writes() - before, 1, CASES[i].writes);
        free(payload);
    }
    store_fixture_close(f);
    store_fixture_open(f);
    for (size_t i = 0; i < COUNT(CASES); i++)
        assert_stored(f, &application, &stored[i]);
}

/* A payload lies on pages of its own, and is none of the business of a row that is passed over, or
 * shown without it. */
static void a_list_reads_no_payload_but_those_it_shows(void **state)
{
    enum { MESSAGES = 40, PAYLOAD_LEN = 100 * 1024, PAYLOAD_PAGES = PAYLOAD_LEN / 4096 };
    static const struct {
        const char *event_type;
        bool with_content;
        size_t count;
        unsigned reads;
    } CASES[] = {
        { "a", false, MESSAGES, 4 * MESSAGES },
        { "b", true, 1, 4 * MESSAGES + 2 * PAYLOAD_PAGES },
        { "c", true, 0, 4 * MESSAGES },
    };
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    char *payload = xcalloc(PAYLOAD_LEN + 1, 1);

    memset(payload, '1', PAYLOAD_LEN);
    for (int i = 0; i < MESSAGES; i++)
        store_fixture_append(f, &application, "a", payload);
    store_fixture_append(f, &application, "b", payload);
    free(payload);
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct store_list_messages op = { .application = application, .page.limit = 50 };
        store_fixture_close(f);
        store_fixture_open(f);
        text_list_add(&op.filter.event_types, CASES[i].event_type, 1);
        op.with_content = CASES[i].with_content;
        unsigned before = faulty_disk_reads();
        assert_int_equal(STORE_RUN(f, store_list_messages, &op), ERR_OK);
        assert_in_range(faulty_disk_reads() - before, 1, CASES[i].reads);
        assert_int_equal(op.count, CASES[i].count);
        for (size_t at = 0; at < op.count; at++)
            message_unref(op.messages[at]);
        free(op.messages);
        text_list_fini(&op.filter.event_types);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_files_are_ours_alone),
        TEST(files_that_are_open_to_others_are_warned_of),
        TEST(a_newer_schema_is_refused),
        TEST(an_application_of_the_first_schema_belongs_to_a_region_alone),
        TEST(tags_of_an_old_schema_are_found_in_their_application),
        TEST(a_file_that_is_no_database_is_refused),
        TEST(a_kill_at_any_moment_of_a_migration_is_harmless),
        TEST(a_full_disk_refuses_and_loses_nothing),
        TEST(an_io_error_ends_the_process_and_is_never_acknowledged),
        TEST(hashes_that_were_forgotten_are_swept_from_the_files),
        TEST(a_commit_is_written_in_few_pieces),
        TEST(a_list_reads_no_payload_but_those_it_shows),
    };

    faulty_disk_install();
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
