/* What becomes of a group when its transaction fails: at its beginning, in its middle, at its
 * end. The database is a real one, with errors put in where the test says. */
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
#include "tests/lib/store_fixture.h"

#define AT_ONCE 5

enum step { STEP_BEGIN, STEP_PUT, STEP_APPEND, STEP_COMMIT, STEPS };

/* The backend's script: the call of a step that fails, 1 = the next; 0 = none. */
static unsigned fails_at[STEPS];
static unsigned calls[STEPS];
static bool appends_nothing;

static enum err pass(enum step step)
{
    return ++calls[step] == fails_at[step] ? ERR_FULL : ERR_OK;
}

static enum err begin(struct backend *b, enum backend_file file)
{
    enum err err = pass(STEP_BEGIN);

    return err ? err : sqlite_backend.begin(b, file);
}

static enum err put(struct backend *b, struct object *object)
{
    enum err err = pass(STEP_PUT);

    return err ? err : sqlite_backend.put(b, object);
}

static enum err append(struct backend *b, const struct append_rows *rows)
{
    enum err err = pass(STEP_APPEND);

    return err || appends_nothing ? err : sqlite_backend.append(b, rows);
}

static enum err commit(struct backend *b, enum backend_file file)
{
    enum err err = pass(STEP_COMMIT);

    return err ? err : sqlite_backend.commit(b, file);
}

struct world {
    struct store_fixture f;
    struct id application;
    struct store_watcher watcher;
    struct inbox inbox;
    unsigned hints;
};

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    container_of(watcher, struct world, watcher)->hints++;
    message_unref(hint->message);
    free(hint);
}

static void script(enum step step, unsigned call)
{
    memset(calls, 0, sizeof calls);
    memset(fails_at, 0, sizeof fails_at);
    fails_at[step] = call;
}

static int start(void **state)
{
    static struct backend_ops backend;
    static struct world w;

    backend = sqlite_backend;
    backend.begin = begin;
    backend.put = put;
    backend.append = append;
    backend.commit = commit;
    script(STEP_BEGIN, 0);
    appends_nothing = false;
    store_fixture_use(&backend);
    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, "shop");
    store_fixture_put_endpoint(&w.f, &w.application);
    w.hints = 0;
    w.watcher = (struct store_watcher){ .inbox = &w.inbox, .fresh = on_fresh };
    assert_int_equal(inbox_open(&w.inbox, &w.f.loop.uv), ERR_OK);
    w.inbox.limit = 10 * AT_ONCE;
    store_watch(w.f.store, &w.watcher);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    inbox_close(&w->inbox, NULL);
    store_fixture_stop(&w->f);
    return 0;
}

static uint64_t count_messages(struct world *w)
{
    struct store_status *op = xcalloc(1, sizeof *op);

    assert_int_equal(STORE_RUN(&w->f, store_status, op), ERR_OK);
    uint64_t count = op->messages;
    free(op);
    return count;
}

/* Submitted together, into memory that still holds what an earlier use left there. */
static void append_at_once(struct world *w, const enum err expected[AT_ONCE])
{
    struct message *left = (struct message *)(uintptr_t)0x5a;
    struct store_append ops[AT_ONCE];

    for (int i = 0; i < AT_ONCE; i++) {
        ops[i] = (struct store_append){
            .application = w->application,
            .event_type = "a",
            .payload = "1",
            .payload_len = 1,
            .retention_hours = PAYLOAD_HOURS_MAX,
            .message = left,
        };
        store_fixture_ready(&w->f, &ops[i].req);
        store_append(w->f.store, &ops[i]);
    }
    for (int i = 0; i < AT_ONCE; i++) {
        assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), expected[i]);
        if (!expected[i])
            message_unref(ops[i].message);
    }
    uv_run(&w->f.loop.uv, UV_RUN_NOWAIT);
}

static void a_group_that_fails_anywhere_leaves_nothing(void **state)
{
    static const struct {
        enum step step;
        unsigned call;
        enum err expected[AT_ONCE];
    } ROWS[] = {
        { STEP_BEGIN, 1, { ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL } },
        { STEP_APPEND, 1, { ERR_FULL, ERR_OK, ERR_OK, ERR_OK, ERR_OK } },
        { STEP_APPEND, 3, { ERR_FULL, ERR_FULL, ERR_FULL, ERR_OK, ERR_OK } },
        { STEP_APPEND, 5, { ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL } },
        { STEP_COMMIT, 1, { ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL } },
    };
    static const enum err ALL_WELL[AT_ONCE] = { ERR_OK, ERR_OK, ERR_OK, ERR_OK, ERR_OK };
    struct world *w = *state;
    unsigned stored = 0;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        script(ROWS[i].step, ROWS[i].call);
        append_at_once(w, ROWS[i].expected);
        for (int n = 0; n < AT_ONCE; n++)
            stored += ROWS[i].expected[n] == ERR_OK;
        assert_int_equal(count_messages(w), stored);
        assert_int_equal(w->hints, stored);
        append_at_once(w, ALL_WELL);
        stored += AT_ONCE;
        assert_int_equal(count_messages(w), stored);
        assert_int_equal(w->hints, stored);
    }
}

/* Who can't begin doesn't try for each that waits: it may take seconds to learn that. */
static void a_beginning_that_fails_is_tried_once_for_all_that_wait(void **state)
{
    static const enum err EXPECTED[AT_ONCE] = {
        ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL, ERR_FULL,
    };

    script(STEP_BEGIN, 1);
    append_at_once(*state, EXPECTED);
    assert_int_equal(calls[STEP_BEGIN], 1);
}

/* An application that goes takes its endpoints along: three rows, any of which may fail. */
static void configuration_that_was_not_written_is_not_followed(void **state)
{
    static const struct {
        enum step step;
        unsigned call;
    } ROWS[] = {
        { STEP_BEGIN, 1 }, { STEP_PUT, 1 },    { STEP_PUT, 2 },
        { STEP_PUT, 3 },   { STEP_COMMIT, 1 },
    };
    struct world *w = *state;
    store_fixture_put_endpoint(&w->f, &w->application);
    size_t known = catalog_count(w->f.catalog);

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        struct application *next = application_copy(
            catalog_application(w->f.catalog, &STORE_FIXTURE_ORGANIZATION, &w->application));
        next->base.version++;
        next->base.deleted = true;
        script(ROWS[i].step, ROWS[i].call);
        assert_int_equal(store_fixture_try_put(&w->f, &next->base), ERR_FULL);
        assert_int_equal(catalog_count(w->f.catalog), known);

        struct store_append op = { .application = w->application, .event_type = "a" };
        assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
        assert_int_equal(op.deliveries, 2);
        message_unref(op.message);
    }
}

static void a_region_whose_drain_was_not_written_does_not_drain(void **state)
{
    static const enum step ROWS[] = { STEP_BEGIN, STEP_COMMIT };
    struct store_drain op = { .ordinal = 1, .draining = true };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        script(ROWS[i], 1);
        assert_int_equal(STORE_RUN(&w->f, store_drain, &op), ERR_FULL);
        assert_false(catalog_is_draining(w->f.catalog, 1));
    }
    op.ordinal = 2;
    assert_int_equal(STORE_RUN(&w->f, store_drain, &op), ERR_OK);
    assert_false(catalog_is_draining(w->f.catalog, 1));
    assert_true(catalog_is_draining(w->f.catalog, 2));
}

/* Many small messages to many endpoints are many rows: a commit stays short. */
static void a_group_ends_where_its_deliveries_are_many(void **state)
{
    enum { ENDPOINTS = 500, MESSAGES = 400 };
    struct world *w = *state;
    struct store_append *ops = xcalloc(MESSAGES, sizeof *ops);

    for (int i = 0; i < ENDPOINTS; i++)
        store_fixture_put_endpoint(&w->f, &w->application);
    appends_nothing = true;
    script(STEP_COMMIT, 0);
    for (int i = 0; i < MESSAGES; i++) {
        ops[i].application = w->application;
        ops[i].event_type = "a";
        store_fixture_ready(&w->f, &ops[i].req);
        store_append(w->f.store, &ops[i]);
    }
    for (int i = 0; i < MESSAGES; i++) {
        assert_int_equal(store_fixture_wait(&w->f, &ops[i].req), ERR_OK);
        message_unref(ops[i].message);
    }
    free(ops);
    assert_in_range(calls[STEP_COMMIT], 3, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(a_group_that_fails_anywhere_leaves_nothing),
        TEST(a_beginning_that_fails_is_tried_once_for_all_that_wait),
        TEST(configuration_that_was_not_written_is_not_followed),
        TEST(a_region_whose_drain_was_not_written_does_not_drain),
        TEST(a_group_ends_where_its_deliveries_are_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
