/* What the store promises of decisions which region sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/routes.h"
#include "tests/lib/store_fixture.h"

#define ENDPOINT INT64_C(-7) /* a key */
#define OTHER    INT64_C(8)
#define BATCH    1024

static int start(void **state)
{
    struct store_fixture *f = xcalloc(1, sizeof *f);

    store_fixture_start(f);
    *state = f;
    return 0;
}

static int stop(void **state)
{
    struct store_fixture *f = *state;

    store_fixture_stop(f);
    free(f);
    return 0;
}

static void keep(struct store_fixture *f, int64_t endpoint_key, uint64_t at_ms)
{
    char code[24];
    int len = snprintf(code, sizeof code, "at %llu", (unsigned long long)at_ms);
    struct store_keep_route op = {
        .endpoint_key = endpoint_key,
        .decided_at_ms = at_ms,
        .code = code,
        .code_len = (size_t)len,
    };

    assert_int_equal(STORE_RUN(f, store_keep_route, &op), ERR_OK);
}

/* `want_ms` 0: none. */
static void check(struct store_fixture *f, int64_t endpoint_key, uint64_t at_ms,
                  uint64_t want_ms)
{
    struct store_get_route op = { .endpoint_key = endpoint_key, .at_ms = at_ms };
    char want[24];
    int len = snprintf(want, sizeof want, "at %llu", (unsigned long long)want_ms);
    enum err err = STORE_RUN(f, store_get_route, &op);

    assert_int_equal(err, want_ms ? ERR_OK : ERR_NOT_FOUND);
    if (err)
        return;
    assert_int_equal(op.decided_at_ms, want_ms);
    assert_int_equal(op.code.len, len);
    assert_memory_equal(op.code.data, want, op.code.len);
    bytes_fini(&op.code);
}

static void the_decision_in_force_at_an_instant_is_found(void **state)
{
    static const struct {
        int64_t endpoint_key;
        uint64_t at_ms, want_ms;
    } rows[] = {
        { ENDPOINT, 999, 0 },     { ENDPOINT, 1000, 1000 },      { ENDPOINT, 1999, 1000 },
        { ENDPOINT, 2000, 2000 }, { ENDPOINT, INT64_MAX, 3000 }, { OTHER, INT64_MAX, 2500 },
        { OTHER, 2000, 0 },       { OTHER + 1, INT64_MAX, 0 },
    };
    struct store_fixture *f = *state;

    keep(f, ENDPOINT, 1000);
    keep(f, ENDPOINT, 2000);
    keep(f, OTHER, 2500);
    keep(f, ENDPOINT, 3000);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT(rows); i++)
            check(f, rows[i].endpoint_key, rows[i].at_ms, rows[i].want_ms);
        store_fixture_close(f);
        store_fixture_open(f);
    }
}

/* A clock may step; what was written last was decided last. */
static void the_order_is_that_of_writing(void **state)
{
    struct store_fixture *f = *state;

    keep(f, ENDPOINT, 5000);
    keep(f, ENDPOINT, 4000);
    keep(f, ENDPOINT, 4000);
    check(f, ENDPOINT, 5000, 4000);
}

static void the_newest_of_an_endpoint_are_kept(void **state)
{
    struct store_fixture *f = *state;

    keep(f, OTHER, 1);
    for (uint64_t i = 1; i <= ROUTES_KEPT + 3; i++)
        keep(f, ENDPOINT, i);
    check(f, ENDPOINT, 3, 0);
    check(f, ENDPOINT, 4, 4);
    check(f, ENDPOINT, INT64_MAX, ROUTES_KEPT + 3);
    check(f, OTHER, INT64_MAX, 1);
}

/* Of endpoints 1, 2, 3 … one each, many in one transaction. */
static void keep_many(struct store_fixture *f, int64_t first_key, size_t count)
{
    struct store_keep_route *ops = xcalloc(count, sizeof *ops);

    for (size_t i = 0; i < count; i++) {
        ops[i] = (struct store_keep_route){
            .endpoint_key = first_key + (int64_t)i,
            .decided_at_ms = 1,
            .code = "at 1",
            .code_len = 4,
        };
        store_fixture_ready(f, &ops[i].req);
        store_keep_route(f->store, &ops[i]);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_fixture_wait(f, &ops[i].req), ERR_OK);
    free(ops);
}

static void all_together_are_bounded(void **state)
{
    struct store_fixture *f = *state;

    for (int64_t key = 1; key <= ROUTES_KEPT_ALL; key += BATCH)
        keep_many(f, key, BATCH);
    check(f, 1, 1, 1);
    keep(f, OTHER, 2);
    check(f, 1, 1, 0);
    check(f, 2, 1, 1);
    check(f, OTHER, 2, 2);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(the_decision_in_force_at_an_instant_is_found),
        TEST(the_order_is_that_of_writing),
        TEST(the_newest_of_an_endpoint_are_kept),
        TEST(all_together_are_bounded),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
