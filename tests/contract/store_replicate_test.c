/* What regions tell each other: several stores in one process, and this test as their network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/dice.h"
#include "tests/lib/journals.h"

#define STEPS 1500
#define SEEDS 4

static void what_is_put_at_home_is_the_same_elsewhere(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme"),
              gone = journals_put_application(fra, "gone");
    struct id endpoint = store_fixture_put_endpoint(fra, &acme);

    store_fixture_put_endpoint(fra, &gone);
    store_fixture_put(fra, &store_fixture_event_type(fra, "order.paid")->base);
    journals_edit_application(fra, &gone, true);
    journals_catch_up(sin, fra);

    for (int opened = 0; opened < 2; opened++) {
        const struct application *a =
            catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "acme");
        assert_non_null(a);
        assert_true(id_equal(&a->base.id, &acme));
        assert_int_equal(a->residency.home, 1);
        assert_string_equal(a->residency.jurisdiction, "eu");
        assert_non_null(catalog_endpoint(sin->catalog, &acme, &endpoint));
        assert_non_null(
            catalog_event_type(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "order.paid"));
        assert_int_equal(catalog_count(sin->catalog), 3);
        journals_assert_same(fra, sin, 1);
        store_fixture_close(sin);
        store_fixture_open(sin);
    }
    assert_int_equal(journals_position(sin, 2).seq, 0); /* what was applied isn't its own */
}

static void entries_are_applied_in_order_and_once(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme");

    for (int i = 0; i < 9; i++)
        journals_edit_application(fra, &acme, false);
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    const struct journal_entry *e = journal.entries;
    assert_int_equal(journal.count, 10);

    assert_int_equal(journals_apply(sin, &journal, e + 1, 3).verdict, APPLY_GAP);
    assert_int_equal(journals_position(sin, 1).seq, 0);
    assert_int_equal(journals_apply(sin, &journal, e, 4).position.seq, 4);
    assert_int_equal(journals_apply(sin, &journal, e, 4).position.seq, 4);
    assert_int_equal(journals_apply(sin, &journal, e + 2, 4).position.seq, 6);
    struct store_apply missing = journals_apply(sin, &journal, e + 8, 1);
    assert_int_equal(missing.verdict, APPLY_GAP);
    assert_int_equal(missing.position.seq, 6);
    assert_int_equal(journals_apply(sin, &journal, e + 6, 4).position.seq, 10);
    journals_assert_same(fra, sin, 1);
    journal_entries_free(journal.entries, journal.count);

    journal = journals_fetch(fra, 3, 2);
    assert_int_equal(journal.count, 2);
    assert_int_equal(journal.entries[0].seq, 4);
    assert_int_equal(journal.end.seq, 10);
    journal_entries_free(journal.entries, journal.count);
}

static void another_history_is_refused(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme");

    journals_edit_application(fra, &acme, false);
    journals_edit_application(fra, &acme, false);
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    struct journal_entry *e = journal.entries;
    assert_int_equal(journals_apply(sin, &journal, e, 2).verdict, APPLY_DONE);

    e[1].chain[0] ^= 1; /* the last one that it has, otherwise */
    assert_int_equal(journals_apply(sin, &journal, e + 1, 1).verdict, APPLY_FORKED);
    e[1].chain[0] ^= 1;
    e[2].chain[5] ^= 1; /* the next one's chain doesn't follow */
    assert_int_equal(journals_apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].chain[5] ^= 1;
    e[2].hlc++; /* nor does what it is stamped */
    assert_int_equal(journals_apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].hlc--;
    e[2].code.data[e[2].code.len - 1] ^= 1; /* nor its content */
    assert_int_equal(journals_apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].code.data[e[2].code.len - 1] ^= 1;
    journal.end.incarnation[0] ^= 1; /* the same numbers of another directory */
    assert_int_equal(journals_apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    journal.end.incarnation[0] ^= 1;

    assert_int_equal(journals_position(sin, 1).seq, 2);
    assert_int_equal(journals_apply(sin, &journal, e + 2, 1).verdict, APPLY_DONE);
    journal_entries_free(journal.entries, journal.count);

    struct store_journal beyond = { .after = 4, .limit = 1, .bytes_limit = 1 };
    assert_int_equal(STORE_RUN(fra, store_journal, &beyond), ERR_STALE);
}

static void another_history_of_the_same_length_is_told_by_its_chain(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0];
    struct id acme = journals_put_application(fra, "acme");

    journals_edit_application(fra, &acme, false);
    journals_edit_application(fra, &acme, false);
    struct store_journal all = journals_fetch(fra, 0, SIZE_MAX);
    for (uint64_t after = 0; after <= all.count; after++) {
        struct store_journal op = {
            .after = after, .has_chain = true, .limit = SIZE_MAX, .bytes_limit = SIZE_MAX
        };
        if (after > 0)
            memcpy(op.chain, all.entries[after - 1].chain, CHAIN_LEN);
        assert_int_equal(STORE_RUN(fra, store_journal, &op), ERR_OK);
        assert_int_equal(op.count, all.count - after);
        journal_entries_free(op.entries, op.count);

        op.chain[CHAIN_LEN - 1] ^= 1;
        if (after > 0) /* where nothing was applied, nothing forked */
            assert_int_equal(STORE_RUN(fra, store_journal, &op), ERR_STALE);
    }
    journal_entries_free(all.entries, all.count);
}

static void a_clock_far_ahead_waits_for_ours(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    uint64_t now_ms = store_fixture_ms();

    journals_put_application(fra, "on-time");
    store_fixture_set_ms(now_ms + 90000);
    journals_put_application(fra, "ahead");
    store_fixture_set_ms(now_ms);

    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    struct store_apply applied = journals_apply(sin, &journal, journal.entries, 2);
    assert_int_equal(applied.verdict, APPLY_AHEAD);
    assert_int_equal(applied.position.seq, 1);
    journals_put_application(sin, "here"); /* which isn't stamped by that clock */
    struct store_journal own = journals_fetch(sin, 0, 1);
    assert_false(hlc_is_ahead(own.end.hlc, now_ms));
    journal_entries_free(own.entries, own.count);

    store_fixture_set_ms(now_ms + 90000 - HLC_AHEAD_MAX_MS);
    assert_int_equal(journals_apply(sin, &journal, journal.entries, 2).verdict, APPLY_DONE);
    journal_entries_free(journal.entries, journal.count);
}

static void what_can_not_be_applied_is_put_aside_and_the_rest_goes_on(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1], *gru = &w->f[2];
    struct id here = journals_put_application(sin, "here");
    struct id acme = journals_put_application(fra, "acme");

    journals_catch_up(gru, sin);
    struct store_journal journal = journals_fetch(fra, 0, SIZE_MAX);
    assert_int_equal(journals_apply(gru, &journal, journal.entries, 1).verdict, APPLY_DONE);

    struct application *stolen =
        application_copy(catalog_application(sin->catalog, &STORE_FIXTURE_ORGANIZATION, &here));
    stolen->base.version++;
    struct endpoint *intruder = store_fixture_endpoint(fra, &here, NULL);
    struct endpoint *good = store_fixture_endpoint(fra, &acme, NULL);
    const struct bytes unknown = { .data = (uint8_t *)"\1\0\0\0\10\0\0\0\0\0\0\0\11",
                                   .len = 13 };
    const struct bytes empty = { .data = (uint8_t *)"\1\0\0\0\10\0\0\0\0\0\0\0\1", .len = 13 };
    const struct bytes torn = { .data = (uint8_t *)"\1\0\0\0\7", .len = 5 };
    const struct bytes nothing = { 0 };
    struct journal_position at = journal.end;
    struct journal_entry entries[] = {
        journals_forge(&at, NULL, &unknown),      journals_forge(&at, NULL, &empty),
        journals_forge(&at, NULL, &torn),         journals_forge(&at, NULL, &nothing),
        journals_forge(&at, &stolen->base, NULL), journals_forge(&at, &intruder->base, NULL),
        journals_forge(&at, &good->base, NULL),
    };

    struct store_apply applied = journals_apply(gru, &journal, entries, COUNT(entries));
    assert_int_equal(applied.verdict, APPLY_DONE);
    assert_int_equal(applied.quarantined, 6);
    assert_int_equal(applied.position.seq, 8);
    assert_non_null(catalog_endpoint(gru->catalog, &acme, &good->base.id));
    assert_null(catalog_endpoint(gru->catalog, &here, &intruder->base.id));
    assert_int_equal(
        catalog_application(gru->catalog, &STORE_FIXTURE_ORGANIZATION, &here)->base.version, 1);

    assert_int_equal(journals_quarantined(gru), 6);
    for (size_t i = 0; i < COUNT(entries); i++)
        bytes_fini(&entries[i].code);
    object_unref(&stolen->base);
    object_unref(&intruder->base);
    object_unref(&good->base);
    journal_entries_free(journal.entries, journal.count);
}

static void two_homes_may_give_out_one_uid(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id first = journals_put_application(fra, "acme");

    store_fixture_set_ms(store_fixture_ms() + 1000);
    struct id second = journals_put_application(sin, "acme");
    journals_catch_up(sin, fra);
    journals_catch_up(fra, sin);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(catalog_count(w->f[i].catalog), 2);
        const struct application *a =
            catalog_application_by_uid(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, "acme");
        assert_true(id_equal(&a->base.id, &first));
        assert_non_null(
            catalog_application(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, &second));
    }
    journals_edit_application(fra, &first, true);
    journals_catch_up(sin, fra);
    assert_true(id_equal(
        &catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "acme")->base.id,
        &second));
}

static void a_region_that_was_alone_begins_with_what_it_has(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture alone = { .alone = true }, *gru = &w->f[2];

    store_fixture_start(&alone);
    struct id id = store_fixture_put_application(&alone, "acme");
    struct id endpoint = store_fixture_put_endpoint(&alone, &id);
    assert_int_equal(journals_position(&alone, 0).seq, 0);
    store_fixture_close(&alone);

    alone.alone = false;
    alone.ordinal = 5;
    store_fixture_open(&alone);
    struct store_journal journal = journals_fetch(&alone, 0, SIZE_MAX);
    assert_int_equal(journal.count, 2);
    assert_int_equal(journal.end.origin, 5);
    journal_entries_free(journal.entries, journal.count);
    journals_catch_up(gru, &alone);
    assert_int_equal(journals_quarantined(gru), 0);
    for (int i = 0; i < 2; i++) {
        const struct catalog *catalog = i == 0 ? alone.catalog : gru->catalog;
        const struct application *a =
            catalog_application(catalog, &STORE_FIXTURE_ORGANIZATION, &id);
        assert_int_equal(a->residency.home, 5);
        assert_int_equal(a->residency.home_epoch, 1);
        assert_string_equal(a->residency.jurisdiction, "eu");
        assert_non_null(catalog_endpoint(catalog, &id, &endpoint));
    }
    journals_edit_application(&alone, &id, false);
    journals_catch_up(gru, &alone);
    journals_assert_same(gru, &alone, 5);
    store_fixture_close(&alone);

    alone.ordinal = 6; /* and is no other's from then on */
    assert_int_equal(store_fixture_try_open(&alone), ERR_CONFLICT);
    alone.ordinal = 5;
    store_fixture_open(&alone);
    store_fixture_stop(&alone);
}

/* What a follower hears, and when. */
struct listener {
    struct store_follower follower;
    struct journal_reach reach[JOURNALS_REGIONS + 1];
    size_t objects_before; /* that were in its catalog when it last heard of a position */
};

static void on_applied(struct store_follower *follower, const struct journal_reach *reach)
{
    struct listener *l = container_of(follower, struct listener, follower);

    l->reach[reach->origin] = *reach;
    l->objects_before = catalog_count(follower->catalog);
}

/* One writer each: whatever this region thinks it has to say about them. */
static void what_has_its_home_elsewhere_is_not_written_here(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = journals_put_application(fra, "acme");
    struct id id = store_fixture_put_endpoint(fra, &acme);

    journals_catch_up(sin, fra);
    struct application *a =
        application_copy(catalog_application(sin->catalog, &STORE_FIXTURE_ORGANIZATION, &acme));
    struct endpoint *edited = endpoint_copy(catalog_endpoint(sin->catalog, &acme, &id));
    struct endpoint *fresh = store_fixture_endpoint(sin, &acme, NULL);
    a->base.version++;
    edited->base.version++;
    edited->disabled = true;
    assert_int_equal(store_fixture_try_put(sin, &a->base), ERR_INVALID);
    assert_int_equal(store_fixture_try_put(sin, &edited->base), ERR_INVALID);
    assert_int_equal(store_fixture_try_put(sin, &fresh->base), ERR_INVALID);
    assert_int_equal(journals_position(sin, 2).seq, 0);
}

static void followers_hear_of_a_position_behind_its_objects(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct listener l = { .follower.applied = on_applied };

    l.follower.inbox = &sin->inbox;
    l.follower.catalog = catalog_new();
    store_follow(sin->store, &l.follower);
    journals_put_application(fra, "acme");
    journals_put_application(fra, "beta");
    journals_catch_up(sin, fra);
    assert_int_equal(l.reach[1].seq, 2);
    assert_int_equal(l.objects_before, 2);
    journals_put_application(sin, "own");
    assert_int_equal(l.reach[2].seq, 1);
    assert_int_equal(l.objects_before, 3);
    catalog_free(l.follower.catalog);
    list_remove(&l.follower.link);

    /* Who comes later is told at once, of the same lives. */
    struct listener later = { .follower.applied = on_applied };
    store_fixture_close(sin);
    store_fixture_open(sin);
    later.follower.inbox = &sin->inbox;
    later.follower.catalog = catalog_new();
    store_follow(sin->store, &later.follower);
    assert_memory_equal(later.reach, l.reach, sizeof l.reach);
    catalog_free(later.follower.catalog);
    list_remove(&later.follower.link);
}

/* Edit something of a region's own, or make it. */
static void edit_something(struct store_fixture *f, struct dice *dice, struct id ids[],
                           size_t *count)
{
    struct id *id = *count ? &ids[dice_between(dice, 0, *count - 1)] : NULL;

    if (!id || dice_chance(dice, 40)) {
        ids[(*count)++] = journals_put_application(f, NULL);
    } else if (dice_chance(dice, 30)) {
        store_fixture_put_endpoint(f, id);
    } else if (dice_chance(dice, 15)) {
        journals_edit_application(f, id, true);
        *id = ids[--*count];
    } else {
        journals_edit_application(f, id, false);
    }
}

/* A batch that may be old, doubled, or too early; or a snapshot, or the beginning of one. */
static void exchange_something(struct journals_world *w, struct dice *dice)
{
    struct store_fixture *from = &w->f[dice_between(dice, 0, JOURNALS_REGIONS - 1)];
    struct store_fixture *to = &w->f[dice_between(dice, 0, JOURNALS_REGIONS - 1)];
    struct journal_position at = journals_position(to, from->ordinal);
    uint64_t after = dice_between(dice, at.seq > 5 ? at.seq - 5 : 0, at.seq + 2);

    if (from == to || after > journals_position(from, from->ordinal).seq)
        return;
    if (dice_chance(dice, 5)) {
        journals_adopt_some(to, from, (unsigned)dice_between(dice, 1, 5));
        return;
    }
    struct store_journal journal = journals_fetch(from, after, dice_between(dice, 1, 20));
    struct store_apply applied = journals_apply(to, &journal, journal.entries, journal.count);
    assert_int_not_equal(applied.verdict, APPLY_FORKED);
    assert_int_equal(applied.verdict == APPLY_WAITS, at.adopting);
    assert_int_equal(applied.verdict == APPLY_GAP,
                     !at.adopting && journal.count > 0 && after > at.seq);
    journal_entries_free(journal.entries, journal.count);
}

static void finish(struct store_fixture *to, struct store_fixture *from)
{
    if (journals_position(to, from->ordinal).adopting)
        journals_adopt(to, from);
    journals_catch_up(to, from);
}

static void regions_agree_whatever_the_network_and_the_machines_do(void **state)
{
    struct journals_world *w = *state;
    static struct id ids[JOURNALS_REGIONS][STEPS];

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dice dice = { .state = seed };
        size_t counts[JOURNALS_REGIONS] = { 0 };
        for (int step = 0; step < STEPS; step++) {
            size_t i = dice_between(&dice, 0, JOURNALS_REGIONS - 1);
            store_fixture_set_ms(store_fixture_ms() + dice_between(&dice, 0, 50));
            if (dice_chance(&dice, 40)) {
                edit_something(&w->f[i], &dice, ids[i], &counts[i]);
            } else if (dice_chance(&dice, 98)) {
                exchange_something(w, &dice);
            } else {
                store_fixture_close(&w->f[i]);
                store_fixture_open(&w->f[i]);
            }
        }
        for (int from = 0; from < JOURNALS_REGIONS; from++)
            for (int to = 0; to < JOURNALS_REGIONS; to++) {
                if (from != to)
                    finish(&w->f[to], &w->f[from]);
                journals_assert_same(&w->f[from], &w->f[to], w->f[from].ordinal);
            }
        for (int i = 1; i < JOURNALS_REGIONS; i++)
            assert_int_equal(catalog_count(w->f[i].catalog), catalog_count(w->f[0].catalog));
    }
}

static int run(const char *name)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, journals_start, journals_stop)
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_at_home_is_the_same_elsewhere),
        TEST(entries_are_applied_in_order_and_once),
        TEST(another_history_is_refused),
        TEST(another_history_of_the_same_length_is_told_by_its_chain),
        TEST(a_clock_far_ahead_waits_for_ours),
        TEST(what_can_not_be_applied_is_put_aside_and_the_rest_goes_on),
        TEST(two_homes_may_give_out_one_uid),
        TEST(a_region_that_was_alone_begins_with_what_it_has),
        TEST(what_has_its_home_elsewhere_is_not_written_here),
        TEST(followers_hear_of_a_position_behind_its_objects),
        TEST(regions_agree_whatever_the_network_and_the_machines_do),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
