/* What survives: kills, closings and floods. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/mem.h"
#include "store/backend.h"
#include "tests/lib/store_fixture.h"

static int start(void **state)
{
    static struct store_fixture f;

    store_fixture_start(&f);
    *state = &f;
    return 0;
}

static int stop(void **state)
{
    store_fixture_stop(*state);
    return 0;
}

/* The only application there is. */
static struct id application_in(struct store_fixture *f)
{
    struct store_list_objects op = {
        .kind = OBJECT_APPLICATION,
        .organization = STORE_FIXTURE_ORGANIZATION,
        .page = { .limit = 1, .ascending = true },
    };

    assert_int_equal(STORE_RUN(f, store_list_objects, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    struct id id = op.objects[0]->id;
    object_unref(op.objects[0]);
    free(op.objects);
    return id;
}

/* Runs in a process of its own until it is killed: says on `out` what was acknowledged. */
static void append_for_ever(struct store_fixture *f, int out)
{
    enum { AT_ONCE = 8 };
    struct store_append ops[AT_ONCE];

    store_fixture_open(f);
    struct id application = application_in(f);
    for (;;) {
        for (int i = 0; i < AT_ONCE; i++) {
            ops[i] = (struct store_append){
                .application = application,
                .event_type = "a",
                .payload = "0123456789",
                .payload_len = 10,
                .retention_hours = PAYLOAD_HOURS_MAX,
            };
            store_fixture_ready(f, &ops[i].req);
            store_append(f->store, &ops[i]);
        }
        for (int i = 0; i < AT_ONCE; i++) {
            if (store_fixture_wait(f, &ops[i].req) != ERR_OK)
                _exit(1);
            if (write(out, ops[i].message->id.bytes, ID_BYTES) != ID_BYTES)
                _exit(1);
            message_unref(ops[i].message);
        }
    }
}

/* Start it, and kill it when so many were acknowledged. All that were, into `acked`. */
static size_t append_and_be_killed(struct store_fixture *f, size_t enough, struct id *acked,
                                   size_t room)
{
    size_t count = 0;
    int pipe_fds[2];

    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    if (child == 0) {
        close(pipe_fds[0]);
        append_for_ever(f, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    while (count < room && read(pipe_fds[0], acked[count].bytes, ID_BYTES) == ID_BYTES)
        if (++count == enough)
            kill(child, SIGKILL);
    close(pipe_fds[0]);

    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return count;
}

static void what_was_answered_survives_a_kill(void **state)
{
    enum { ROUNDS = 8, ROOM = 20000 };
    struct store_fixture *f = *state;
    struct id *acked = xcalloc(ROOM, sizeof *acked);
    struct id application = store_fixture_put_application(f, NULL);
    struct store_status *status = xcalloc(1, sizeof *status);
    size_t count = 0;

    store_fixture_put_endpoint(f, &application);
    for (size_t round = 0; round < ROUNDS; round++) {
        store_fixture_close(f);
        count += append_and_be_killed(f, 10 + 37 * round, acked + count, ROOM - count);
        store_fixture_open(f);
        for (size_t i = 0; i < count; i++) {
            struct store_get_message get = { .application = application, .id = acked[i] };
            assert_int_equal(STORE_RUN(f, store_get_message, &get), ERR_OK);
            message_unref(get.message);
        }
        assert_int_equal(STORE_RUN(f, store_status, status), ERR_OK);
        assert_true(status->messages >= count);
        assert_int_equal(status->pending, status->messages); /* all or nothing */
    }
    free(status);
    free(acked);
}

static void a_second_process_is_refused(void **state)
{
    struct store_fixture *f = *state;
    pid_t child = fork();

    if (child == 0) {
        struct store_fixture second = { .is_closed = true };
        memcpy(second.dir, f->dir, sizeof second.dir);
        _exit((int)store_fixture_try_open(&second));
    }

    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), ERR_IN_USE);
    store_fixture_put_application(f, NULL);
}

static void a_directory_that_cannot_be_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct store_fixture other = { .is_closed = true };

    snprintf(other.dir, sizeof other.dir, "%.200s/lock/below", f->dir);
    assert_int_equal(store_fixture_try_open(&other), ERR_DENIED);
}

static void a_new_id_is_above_all_that_are_stored(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct id before = store_fixture_append(f, &application, "a", "1");

    store_fixture_close(f);
    store_fixture_set_ms(store_fixture_ms() - 24 * 3600 * 1000);
    store_fixture_open(f);
    struct id after = store_fixture_append(f, &application, "a", "2");
    assert_true(id_compare(&before, &after) < 0);
}

/* Twice the bound, submitted before the store runs. */
static void what_is_too_much_is_refused_and_the_rest_is_done(void **state)
{
    enum { SUBMITTED = 2 * STORE_FIXTURE_REQUESTS_MAX };
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct store_append *ops = xcalloc(SUBMITTED, sizeof *ops);
    struct store_lanes *reads = xcalloc(SUBMITTED, sizeof *reads);
    struct store_status *status = xcalloc(1, sizeof *status);

    for (int i = 0; i < SUBMITTED; i++) {
        ops[i] = (struct store_append){ .application = application, .event_type = "a" };
        reads[i] = (struct store_lanes){ .limit = 1 };
        store_fixture_ready(f, &ops[i].req);
        store_fixture_ready(f, &reads[i].req);
        store_append(f->store, &ops[i]);
        store_lanes(f->store, &reads[i]);
        assert_true(ops[i].req.done && reads[i].req.done); /* never inside submit */
    }
    for (int i = 0; i < SUBMITTED; i++) {
        enum err expected = i < STORE_FIXTURE_REQUESTS_MAX ? ERR_OK : ERR_BUSY;
        assert_int_equal(store_fixture_wait(f, &ops[i].req), expected);
        assert_int_equal(store_fixture_wait(f, &reads[i].req), expected);
        if (!expected) {
            message_unref(ops[i].message);
            free(reads[i].lanes);
        }
    }
    assert_int_equal(STORE_RUN(f, store_status, status), ERR_OK);
    assert_int_equal(status->messages, STORE_FIXTURE_REQUESTS_MAX);
    free(status);
    free(reads);
    free(ops);
}

static void closing_finishes_what_came_before(void **state)
{
    struct store_fixture *f = *state;
    struct id application = store_fixture_put_application(f, NULL);
    struct store_append before = { .application = application, .event_type = "a" };

    store_fixture_ready(f, &before.req);
    store_append(f->store, &before);
    store_fixture_begin_close(f);
    assert_int_equal(store_fixture_wait(f, &before.req), ERR_OK);
    store_fixture_end_close(f);

    store_fixture_open(f);
    struct store_get_message get = { .application = application, .id = before.message->id };
    assert_int_equal(STORE_RUN(f, store_get_message, &get), ERR_OK);
    message_unref(get.message);
    message_unref(before.message);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_was_answered_survives_a_kill),
        TEST(a_second_process_is_refused),
        TEST(a_directory_that_cannot_be_is_refused),
        TEST(a_new_id_is_above_all_that_are_stored),
        TEST(what_is_too_much_is_refused_and_the_rest_is_done),
        TEST(closing_finishes_what_came_before),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
