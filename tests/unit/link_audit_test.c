/* Two regions that compare what one has of the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/lib/linked.h"

/* Until iad has compared what it has of fra, with that result. */
static void wait_for_comparison(struct linked *w, bool differs)
{
    const struct region_condition *c;

    do {
        linked_turn(w);
        c = link_site_sees(&w->sites[IAD], "fra");
    } while (c->compared_at_ms == 0 || c->differs != differs);
    assert_int_equal(strstr(c->reason, "sums differ") != NULL, differs);
}

static void wait_for_application(struct linked *w, const struct id *id)
{
    while (!catalog_application_by_key(w->sites[IAD].f->catalog, id_key(id)))
        linked_turn(w);
}

/* As a disk might that loses what was written. */
static void damage(struct linked *w)
{
    const char *path = store_fixture_path(w->sites[IAD].f, "global.db");
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "UPDATE states SET digest = zeroblob(32)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_changes(db), 1);
    sqlite3_close(db);
}

static void reseed(struct linked *w)
{
    struct store_reseed op = { .origin = w->sites[FRA].f->ordinal };

    assert_int_equal(STORE_RUN(w->sites[IAD].f, store_reseed, &op), ERR_OK);
    linked_application(w, "fr"); /* what waits at the peer comes back */
}

static void a_replica_that_differs_is_shown_until_it_is_seeded_anew(void **state)
{
    struct linked *w = *state;
    struct id id = linked_application(w, "eu");

    wait_for_application(w, &id);
    wait_for_comparison(w, false);
    damage(w);
    wait_for_comparison(w, true);
    reseed(w);
    wait_for_comparison(w, false);
    journals_assert_same(w->sites[FRA].f, w->sites[IAD].f, w->sites[FRA].f->ordinal);
}

static void who_is_not_asked_is_not_compared_with(void **state)
{
    struct linked *w = *state;

    linked_application(w, "eu");
    wait_for_comparison(w, false);
    assert_int_equal(link_site_sees(&w->sites[FRA], "iad")->compared_at_ms, 0);
}

#define AUDIT_TEST(test) cmocka_unit_test_setup_teardown(test, linked_start, linked_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        AUDIT_TEST(a_replica_that_differs_is_shown_until_it_is_seeded_anew),
        AUDIT_TEST(who_is_not_asked_is_not_compared_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
