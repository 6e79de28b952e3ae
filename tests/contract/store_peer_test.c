/* What a peer may not do to us, whether its programmer erred, its clock, or its owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/journals.h"

static const struct application *application_in(struct store_fixture *f, const struct id *id)
{
    return catalog_application(f->catalog, &STORE_FIXTURE_ORGANIZATION, id);
}

/* A next state of it that says it lives at `home`. */
static struct application *moved(struct store_fixture *f, const struct id *id, uint8_t home,
                                 uint64_t epoch)
{
    struct application *a = application_copy(application_in(f, id));

    a->base.version++;
    a->residency.home = home;
    a->residency.home_epoch = epoch;
    return a;
}

static void an_application_is_written_by_its_home_alone(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *gru = &w->f[2];
    struct id acme = journals_put_application(fra, "acme");

    journals_catch_up(gru, fra);
    for (uint64_t epoch = 0; epoch <= 2; epoch++) {
        struct application *a = moved(fra, &acme, 2, epoch);
        assert_true(journals_refuses(fra, 2, &a->base)); /* not ours */
        assert_true(journals_refuses(gru, 2, &a->base)); /* nor one of another's */
        object_unref(&a->base);
    }
    assert_int_equal(application_in(fra, &acme)->residency.home, 1);
    assert_int_equal(application_in(gru, &acme)->residency.home, 1);

    struct application *made = journals_application(fra, "made");
    made->residency.home = 2; /* by its id it is another's */
    assert_true(journals_refuses(gru, 2, &made->base));
    object_unref(&made->base);
}

static void what_was_deleted_does_not_come_back_from_elsewhere(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *gru = &w->f[2];
    struct id acme = journals_put_application(fra, "acme");
    struct id endpoint = store_fixture_put_endpoint(fra, &acme);

    journals_catch_up(gru, fra);
    struct application *a = moved(fra, &acme, 2, 1);
    struct endpoint *e = endpoint_copy(catalog_endpoint(fra->catalog, &acme, &endpoint));
    a->base.version = e->base.version = 99;
    journals_edit_application(fra, &acme, true);
    journals_catch_up(gru, fra);
    assert_int_equal(catalog_count(gru->catalog), 0);

    assert_true(journals_refuses(gru, 2, &a->base));
    assert_true(journals_refuses(gru, 2, &e->base));
    e->application = journals_put_application(&w->f[1], "another");
    assert_true(journals_refuses(gru, 2, &e->base));
    object_unref(&a->base);
    object_unref(&e->base);
}

static void an_endpoint_stays_with_its_application(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1], *gru = &w->f[2];
    struct id acme = journals_put_application(fra, "acme");
    struct id endpoint = store_fixture_put_endpoint(fra, &acme);
    struct id other = journals_put_application(sin, "other");

    journals_catch_up(gru, fra);
    journals_catch_up(gru, sin);
    struct endpoint *e = endpoint_copy(catalog_endpoint(fra->catalog, &acme, &endpoint));
    e->base.version++;
    e->application = other;
    assert_true(journals_refuses(gru, 2, &e->base));
    assert_non_null(catalog_endpoint(gru->catalog, &acme, &endpoint));
    object_unref(&e->base);
}

/* The directory moves to a region that joined with a lower ordinal. */
static void the_newest_event_type_stays_whatever_comes_last(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1], *gru = &w->f[2];
    struct event_type *t = store_fixture_event_type(sin, "order.paid");

    store_fixture_put(sin, object_ref(&t->base));
    journals_catch_up(fra, sin);
    struct event_type *next = event_type_copy(t);
    next->base.version = 2;
    next->deprecated = true;
    store_fixture_put(fra, object_ref(&next->base));

    journals_catch_up(gru, fra); /* the newer one first */
    journals_catch_up(gru, sin);
    const struct event_type *kept =
        catalog_event_type(gru->catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid");
    assert_int_equal(kept->base.version, 2);
    assert_true(kept->deprecated);
    journals_assert_same(gru, sin, 2);
    journals_assert_same(gru, fra, 1);

    struct event_type *gone = event_type_copy(next);
    gone->base.version = 3;
    gone->base.deleted = true;
    store_fixture_put(fra, object_ref(&gone->base));
    journals_catch_up(gru, fra);
    assert_false(journals_refuses(gru, 2, &next->base));
    assert_int_equal(catalog_count(gru->catalog), 0);
    object_unref(&t->base);
    object_unref(&next->base);
    object_unref(&gone->base);
}

/* Each region alone had made it. */
static void an_event_type_of_two_regions_is_the_older_one_everywhere(void **state)
{
    struct journals_world *w = *state;
    struct event_type *first = store_fixture_event_type(&w->f[0], "order.paid");
    struct event_type *second = store_fixture_event_type(&w->f[1], "order.paid");

    second->deprecated = true;
    store_fixture_put(&w->f[0], &first->base);
    store_fixture_put(&w->f[1], &second->base);
    for (int to = 0; to < JOURNALS_REGIONS; to++)
        for (int step = 1; step < JOURNALS_REGIONS; step++)
            journals_catch_up(&w->f[to], &w->f[(to + step) % JOURNALS_REGIONS]);
    for (int i = 0; i < JOURNALS_REGIONS; i++) {
        assert_int_equal(journals_quarantined(&w->f[i]), 0);
        assert_false(
            catalog_event_type(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid")
                ->deprecated);
        journals_assert_same(&w->f[i], &w->f[0], 1);
        journals_assert_same(&w->f[i], &w->f[1], 2);
    }
}

/* Two directories at once: the same version, and the lower ordinal's counts. */
static void of_two_equal_event_types_all_keep_the_same(void **state)
{
    struct journals_world *w = *state;
    struct event_type *t = store_fixture_event_type(&w->f[0], "order.paid");

    store_fixture_put(&w->f[0], object_ref(&t->base));
    journals_catch_up(&w->f[1], &w->f[0]);
    journals_catch_up(&w->f[2], &w->f[0]);
    for (int i = 0; i < 2; i++) {
        struct event_type *next = event_type_copy(t);
        next->base.version = 2;
        next->archived = i == 0;
        next->deprecated = i == 1;
        store_fixture_put(&w->f[i], &next->base);
    }
    journals_catch_up(&w->f[2], &w->f[1]);
    for (int to = 0; to < JOURNALS_REGIONS; to++)
        for (int step = 1; step < JOURNALS_REGIONS; step++)
            journals_catch_up(&w->f[to], &w->f[(to + step) % JOURNALS_REGIONS]);
    for (int opened = 0; opened < 2; opened++)
        for (int i = 0; i < JOURNALS_REGIONS; i++) {
            const struct event_type *kept =
                catalog_event_type(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid");
            assert_true(kept->archived && !kept->deprecated);
            store_fixture_close(&w->f[i]);
            store_fixture_open(&w->f[i]);
        }
    object_unref(&t->base);
}

static void a_snapshot_from_a_clock_far_ahead_is_not_adopted(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    uint64_t now_ms = store_fixture_ms();

    journals_put_application(fra, "acme");
    struct journal_position far = journals_position(fra, 1);
    far.hlc = UINT64_MAX;
    struct store_adopt op = { .position = &far, .first = true, .last = true };
    assert_int_equal(STORE_RUN(sin, store_adopt, &op), ERR_OK);
    assert_int_equal(op.verdict, APPLY_AHEAD);
    assert_int_equal(journals_position(sin, 1).seq, 0);

    journals_put_application(sin, "own");
    uint64_t own = journals_position(sin, 2).hlc;
    assert_int_equal(hlc_wall_ms(own), now_ms);
}

static void stamps_follow_what_was_seen_before_a_restart(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    uint64_t now_ms = store_fixture_ms();

    store_fixture_set_ms(now_ms + 1900);
    journals_put_application(fra, "ahead");
    store_fixture_set_ms(now_ms);
    journals_catch_up(sin, fra);
    store_fixture_close(sin);
    store_fixture_open(sin);
    journals_put_application(sin, "after");
    assert_true(journals_position(sin, 2).hlc > journals_position(fra, 1).hlc);
}

/* Whatever instant a peer's ids name. */
static void ids_follow_our_own_only(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *sin = &w->f[1];
    uint64_t now_ms = store_fixture_ms();
    struct application *a = journals_application(&w->f[0], "acme");

    memset(a->base.id.bytes, 0x7f, 4);
    assert_false(journals_refuses(sin, 1, &a->base));
    object_unref(&a->base);
    store_fixture_close(sin);
    store_fixture_open(sin);
    struct id id = id_new(&sin->ids, now_ms);
    assert_true(id_wall_ms(&id) <= now_ms);
}

static void who_shares_a_uid_can_still_be_edited(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];

    journals_put_application(fra, "acme");
    store_fixture_set_ms(store_fixture_ms() + 1000);
    struct id second = journals_put_application(sin, "acme");
    journals_catch_up(sin, fra);
    journals_edit_application(sin, &second, false);
    journals_edit_application(sin, &second, true);

    struct application *third = journals_application(sin, "acme");
    assert_int_equal(store_fixture_try_put(sin, &third->base), ERR_CONFLICT);
}

static void our_own_journal_is_not_for_peers_to_write(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0];

    journals_put_application(fra, "acme");
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    for (uint8_t origin = 0; origin <= 1; origin++) {
        struct journal_position at = journal.end;
        at.origin = origin;
        struct store_apply apply = { .origin = origin,
                                     .entries = journal.entries,
                                     .count = journal.count };
        struct store_adopt adopt = { .position = &at, .first = true, .last = true };
        memcpy(apply.incarnation, journal.end.incarnation, INCARNATION_LEN);
        assert_int_equal(STORE_RUN(fra, store_apply, &apply), ERR_INVALID);
        assert_int_equal(STORE_RUN(fra, store_adopt, &adopt), ERR_INVALID);
    }
    journal_entries_free(journal.entries, journal.count);
    assert_int_equal(journals_position(fra, 1).seq, 1);
}

static void quarantine_has_an_end(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *sin = &w->f[1];
    struct application *a = journals_application(sin, "not fra's");

    for (int i = 0; i < 120; i++)
        assert_true(journals_refuses(sin, 1, &a->base));
    assert_int_equal(journals_quarantined(sin), 100);
    object_unref(&a->base);
}

static void a_region_with_a_journal_does_not_go_on_without(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0];

    journals_put_application(fra, "acme");
    store_fixture_close(fra);
    fra->alone = true;
    assert_int_equal(store_fixture_try_open(fra), ERR_CONFLICT);
    fra->alone = false;
    store_fixture_open(fra);
}

static int run(const char *name)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journals_start, journals_stop)
    const struct CMUnitTest tests[] = {
        TEST(an_application_is_written_by_its_home_alone),
        TEST(what_was_deleted_does_not_come_back_from_elsewhere),
        TEST(an_endpoint_stays_with_its_application),
        TEST(the_newest_event_type_stays_whatever_comes_last),
        TEST(an_event_type_of_two_regions_is_the_older_one_everywhere),
        TEST(of_two_equal_event_types_all_keep_the_same),
        TEST(a_snapshot_from_a_clock_far_ahead_is_not_adopted),
        TEST(stamps_follow_what_was_seen_before_a_restart),
        TEST(ids_follow_our_own_only),
        TEST(who_shares_a_uid_can_still_be_edited),
        TEST(our_own_journal_is_not_for_peers_to_write),
        TEST(quarantine_has_an_end),
        TEST(a_region_with_a_journal_does_not_go_on_without),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
