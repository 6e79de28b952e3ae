/* Snapshots: what is known of a region, replaced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/journals.h"

#define MANY    300 /* more than are deleted at once */
#define WEEK_MS (UINT64_C(7) * 24 * 3600 * 1000)

static size_t count_of(const struct store_fixture *f)
{
    return catalog_count(f->catalog);
}

/* A region's directory is lost, and it begins again later. */
static void lose(struct store_fixture *f)
{
    uint64_t now_ms = store_fixture_ms();

    store_fixture_stop(f);
    store_fixture_start(f);
    store_fixture_set_ms(now_ms + 1000);
}

static void who_is_too_far_behind_adopts_a_snapshot(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id ids[40];

    store_fixture_close(fra);
    fra->journal_kept = 10;
    store_fixture_open(fra);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = journals_put_application(fra, NULL);
    journals_catch_up(sin, &w->f[2]);
    journals_edit_application(fra, &ids[3], true);

    struct store_journal journal = { .after = 5, .limit = 1, .bytes_limit = 1 };
    assert_int_equal(STORE_RUN(fra, store_journal, &journal), ERR_NOT_FOUND);
    assert_int_equal(journals_adopt(sin, fra), 0);
    assert_int_equal(journals_position(sin, 1).seq, 41);
    journals_assert_same(fra, sin, 1);
    assert_int_equal(catalog_count(sin->catalog), 39);
    journals_edit_application(fra, &ids[4], false);
    journals_catch_up(sin, fra);
    journals_assert_same(fra, sin, 1);
}

static void a_snapshot_of_another_life_takes_the_place_of_the_last(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id old = journals_put_application(fra, "old");

    store_fixture_put_endpoint(fra, &old);
    journals_catch_up(sin, fra);
    lose(fra);
    journals_put_application(fra, "new");
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    assert_int_equal(journals_apply(sin, &journal, journal.entries, 1).verdict, APPLY_FORKED);
    journal_entries_free(journal.entries, journal.count);

    assert_int_equal(journals_adopt(sin, fra), 0);
    assert_int_equal(catalog_count(sin->catalog), 1);
    assert_non_null(
        catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "new"));
    journals_assert_same(fra, sin, 1);
}

static void put_endpoint(struct store_fixture *f, const struct id *application,
                         const struct id *id, const char *uid)
{
    struct endpoint *e = endpoint_copy(catalog_endpoint(f->catalog, application, id));

    e->base.version++;
    free(e->uid);
    e->uid = xstrdup(uid);
    store_fixture_put(f, &e->base);
}

/* What holds a name here may be older than what is about to come. */
static void a_snapshot_may_give_a_name_to_another_endpoint(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme");
    struct id one = store_fixture_put_endpoint(fra, &acme);
    struct id two = store_fixture_put_endpoint(fra, &acme);

    put_endpoint(fra, &acme, &two, "primary");
    journals_catch_up(sin, fra);
    put_endpoint(fra, &acme, &two, "secondary");
    put_endpoint(fra, &acme, &one, "primary");

    assert_int_equal(journals_adopt(sin, fra), 0);
    assert_int_equal(catalog_count(sin->catalog), 3);
    const struct endpoint *e = catalog_endpoint_by_uid(sin->catalog, &acme, "primary");
    assert_non_null(e);
    assert_true(id_equal(&e->base.id, &one));
    journals_assert_same(sin, fra, 1);
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    char bytes[8192];
    size_t len;

    assert_true(in && out);
    while ((len = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, len, out), len);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static char *path_of(const struct store_fixture *f, const char *name)
{
    return xstrdup(store_fixture_path(f, name));
}

/* Lower versions than are known elsewhere. */
static void a_region_that_is_restored_takes_the_others_back(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme");
    struct id gone = journals_put_application(fra, "gone");
    char *path = path_of(fra, "global.db"), *copy = path_of(fra, "copy");

    store_fixture_close(fra);
    copy_file(path, copy);
    store_fixture_open(fra);
    for (int i = 0; i < 5; i++)
        journals_edit_application(fra, &acme, false);
    journals_edit_application(fra, &gone, true);
    journals_put_application(fra, "later");
    journals_catch_up(sin, fra);

    store_fixture_close(fra);
    copy_file(copy, path);
    store_fixture_open(fra);
    struct store_journal journal = { .after = journals_position(sin, 1).seq,
                                     .limit = 1,
                                     .bytes_limit = 1 };
    assert_int_equal(STORE_RUN(fra, store_journal, &journal), ERR_STALE);
    assert_int_equal(journals_adopt(sin, fra), 0);
    journals_edit_application(fra, &acme, false);
    journals_catch_up(sin, fra);
    for (int opened = 0; opened < 2; opened++) {
        const struct application *a =
            catalog_application(sin->catalog, &STORE_FIXTURE_ORGANIZATION, &acme);
        assert_int_equal(a->base.version, 2);
        assert_int_equal(count_of(sin), 2);
        assert_non_null(catalog_application(sin->catalog, &STORE_FIXTURE_ORGANIZATION, &gone));
        store_fixture_close(sin);
        store_fixture_open(sin);
    }
    journals_assert_same(fra, sin, 1);
    free(path);
    free(copy);
}

static void what_a_snapshot_does_not_name_is_gone(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];

    for (int i = 0; i < MANY; i++) {
        struct id id = journals_put_application(fra, NULL);
        store_fixture_put_endpoint(fra, &id);
    }
    store_fixture_put(fra, &store_fixture_event_type(fra, "order.paid")->base);
    journals_put_application(sin, "its own");
    journals_catch_up(sin, fra);
    assert_int_equal(count_of(sin), 2 * MANY + 2);

    lose(fra);
    journals_put_application(fra, "new");
    assert_int_equal(journals_adopt(sin, fra), 0);
    assert_int_equal(count_of(sin), 2);
    journals_assert_same(fra, sin, 1);
    store_fixture_close(sin);
    store_fixture_open(sin);
    assert_int_equal(count_of(sin), 2);
}

/* The directory was another one when it was made. */
static void an_event_type_stays_that_another_region_knows_as_well(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1], *gru = &w->f[2];
    struct event_type *t = store_fixture_event_type(fra, "order.paid");

    store_fixture_put(fra, object_ref(&t->base));
    journals_catch_up(sin, fra);
    struct event_type *next = event_type_copy(t);
    next->base.version = 2;
    store_fixture_put(sin, &next->base);
    journals_catch_up(gru, fra);
    journals_catch_up(gru, sin);

    lose(fra);
    assert_int_equal(journals_adopt(gru, fra), 0);
    assert_int_equal(count_of(gru), 1);
    object_unref(&t->base);
}

static void a_snapshot_that_came_to_no_end_is_begun_again(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id ids[20];

    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = journals_put_application(fra, NULL);
    journals_catch_up(sin, fra);
    lose(fra);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = journals_put_application(fra, NULL);
    journals_adopt_some(sin, fra, 1);
    store_fixture_close(sin);
    store_fixture_open(sin);

    struct journal_position at = journals_position(sin, 1);
    assert_true(at.adopting);
    assert_int_equal(at.seq, 0);
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    assert_int_equal(journals_apply(sin, &journal, journal.entries, journal.count).verdict,
                     APPLY_WAITS);
    journal_entries_free(journal.entries, journal.count);

    journals_edit_application(fra, &ids[0], true);
    assert_int_equal(journals_adopt(sin, fra), 0);
    assert_false(journals_position(sin, 1).adopting);
    assert_int_equal(count_of(sin), COUNT(ids) - 1);
    journals_assert_same(fra, sin, 1);
}

static void a_peer_that_forked_goes_on_once_it_is_reseeded(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct store_reseed reseed = { .origin = 1 };

    journals_put_application(fra, "old");
    journals_catch_up(sin, fra);
    lose(fra);
    journals_put_application(fra, "new");
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    assert_int_equal(journals_apply(sin, &journal, journal.entries, 1).verdict, APPLY_FORKED);
    assert_int_equal(STORE_RUN(sin, store_reseed, &reseed), ERR_OK);
    assert_int_equal(journals_apply(sin, &journal, journal.entries, 1).verdict, APPLY_WAITS);
    assert_non_null(
        catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "old"));
    journals_adopt(sin, fra);
    journals_assert_same(fra, sin, 1);
    assert_int_equal(count_of(sin), 1);
    journal_entries_free(journal.entries, journal.count);

    reseed.origin = 2;
    assert_int_equal(STORE_RUN(sin, store_reseed, &reseed), ERR_INVALID);
}

static void the_journal_forgets_what_is_a_week_old(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct store_journal journal = { .after = 1, .limit = 1, .bytes_limit = 1 };
    uint64_t now_ms = store_fixture_ms();
    struct id acme = journals_put_application(fra, "acme");

    journals_edit_application(fra, &acme, false);
    store_fixture_set_ms(now_ms + WEEK_MS);
    journals_edit_application(fra, &acme, false);
    journal_entries_free(journals_fetch(fra, 0, SIZE_MAX).entries, 3);
    store_fixture_set_ms(now_ms + WEEK_MS + 1);
    journals_edit_application(fra, &acme, false);
    assert_int_equal(STORE_RUN(fra, store_journal, &journal), ERR_NOT_FOUND);
    journal.after = 2;
    assert_int_equal(STORE_RUN(fra, store_journal, &journal), ERR_OK);
    journal_entries_free(journal.entries, journal.count);
    journals_adopt(sin, fra);
    journals_assert_same(fra, sin, 1);
}

static void a_page_without_a_first_one_is_refused(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];

    journals_put_application(fra, "acme");
    struct journal_position at = journals_position(fra, 1);
    struct store_adopt op = { .position = &at, .last = true };
    assert_int_equal(STORE_RUN(sin, store_adopt, &op), ERR_STALE);
    journals_catch_up(sin, fra);
    assert_int_equal(STORE_RUN(sin, store_adopt, &op), ERR_STALE);
    assert_int_equal(count_of(sin), 1);
}

static int run(const char *name)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journals_start, journals_stop)
    const struct CMUnitTest tests[] = {
        TEST(who_is_too_far_behind_adopts_a_snapshot),
        TEST(a_snapshot_of_another_life_takes_the_place_of_the_last),
        TEST(a_snapshot_may_give_a_name_to_another_endpoint),
        TEST(a_region_that_is_restored_takes_the_others_back),
        TEST(what_a_snapshot_does_not_name_is_gone),
        TEST(an_event_type_stays_that_another_region_knows_as_well),
        TEST(a_snapshot_that_came_to_no_end_is_begun_again),
        TEST(a_peer_that_forked_goes_on_once_it_is_reseeded),
        TEST(the_journal_forgets_what_is_a_week_old),
        TEST(a_page_without_a_first_one_is_refused),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
