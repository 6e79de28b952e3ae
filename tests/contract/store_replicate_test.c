/* What regions tell each other: several stores in one process, and this test as their network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/object_code.h"
#include "signer/digest.h"
#include "store/replicate.h"
#include "tests/lib/dice.h"
#include "tests/lib/store_fixture.h"

#define REGIONS 3
#define STEPS   1500
#define SEEDS   4

/* Ordinals 1, 2, 3. */
struct world {
    struct store_fixture f[REGIONS];
};

static int start(void **state)
{
    static struct world w;

    w = (struct world){ 0 };
    for (uint8_t i = 0; i < REGIONS; i++) {
        w.f[i].ordinal = i + 1;
        store_fixture_start(&w.f[i]);
    }
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < REGIONS; i++)
        store_fixture_stop(&w->f[i]);
    return 0;
}

/* Objects of a region's own. */

static struct id put_application(struct store_fixture *f, const char *uid)
{
    struct application *a = store_fixture_application(f, uid);
    struct id id = a->base.id;

    a->residency = (struct residency){ .jurisdiction = xstrdup("eu"),
                                       .home = f->ordinal,
                                       .home_epoch = 1 };
    store_fixture_put(f, &a->base);
    return id;
}

static void edit_application(struct store_fixture *f, const struct id *id, bool deleted)
{
    struct application *a =
        application_copy(catalog_application(f->catalog, &STORE_FIXTURE_ORGANIZATION, id));

    a->base.version++;
    a->base.deleted = deleted;
    free(a->name);
    a->name = xstrdup("another name");
    store_fixture_put(f, &a->base);
}

/* The network. */

static struct store_journal fetch(struct store_fixture *from, uint64_t after, size_t limit)
{
    struct store_journal op = { .after = after, .limit = limit, .bytes_limit = 1 << 20 };

    assert_int_equal(STORE_RUN(from, store_journal, &op), ERR_OK);
    return op;
}

static struct store_apply apply(struct store_fixture *to, const struct store_journal *journal,
                                const struct journal_entry *entries, size_t count)
{
    struct store_apply op = { .origin = journal->end.origin,
                              .entries = entries,
                              .count = count };

    memcpy(op.incarnation, journal->end.incarnation, INCARNATION_LEN);
    assert_int_equal(STORE_RUN(to, store_apply, &op), ERR_OK);
    return op;
}

static uint64_t position_of(struct store_fixture *f, uint8_t origin)
{
    static struct store_positions op;

    assert_int_equal(STORE_RUN(f, store_positions, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        if (op.positions[i].origin == origin)
            return op.positions[i].seq;
    return 0;
}

static void catch_up(struct store_fixture *to, struct store_fixture *from)
{
    struct store_journal journal = fetch(from, position_of(to, from->ordinal), SIZE_MAX);
    struct store_apply applied = apply(to, &journal, journal.entries, journal.count);

    assert_int_equal(applied.verdict, APPLY_DONE);
    assert_int_equal(applied.position.seq, journal.end.seq);
    journal_entries_free(journal.entries, journal.count);
}

static void assert_same(struct store_fixture *a, struct store_fixture *b, uint8_t origin)
{
    static struct store_digest left, right;

    left.origin = right.origin = origin;
    assert_int_equal(STORE_RUN(a, store_digest, &left), ERR_OK);
    assert_int_equal(STORE_RUN(b, store_digest, &right), ERR_OK);
    assert_int_equal(left.seq, right.seq);
    assert_int_equal(left.count, right.count);
    assert_memory_equal(left.sums, right.sums, sizeof left.sums);
}

/* Tests. */

static void what_is_put_at_home_is_the_same_elsewhere(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = put_application(fra, "acme"), gone = put_application(fra, "gone");
    struct id endpoint = store_fixture_put_endpoint(fra, &acme);

    store_fixture_put_endpoint(fra, &gone);
    store_fixture_put(fra, &store_fixture_event_type(fra, "order.paid")->base);
    edit_application(fra, &gone, true);
    catch_up(sin, fra);

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
        assert_same(fra, sin, 1);
        store_fixture_close(sin);
        store_fixture_open(sin);
    }
    assert_int_equal(position_of(sin, 2), 0); /* what was applied isn't its own */
}

static void entries_are_applied_in_order_and_once(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = put_application(fra, "acme");

    for (int i = 0; i < 9; i++)
        edit_application(fra, &acme, false);
    struct store_journal journal = fetch(fra, 0, SIZE_MAX);
    const struct journal_entry *e = journal.entries;
    assert_int_equal(journal.count, 10);

    assert_int_equal(apply(sin, &journal, e + 1, 3).verdict, APPLY_GAP);
    assert_int_equal(position_of(sin, 1), 0);
    assert_int_equal(apply(sin, &journal, e, 4).position.seq, 4);
    assert_int_equal(apply(sin, &journal, e, 4).position.seq, 4);
    assert_int_equal(apply(sin, &journal, e + 2, 4).position.seq, 6);
    struct store_apply missing = apply(sin, &journal, e + 8, 1);
    assert_int_equal(missing.verdict, APPLY_GAP);
    assert_int_equal(missing.position.seq, 6);
    assert_int_equal(apply(sin, &journal, e + 6, 4).position.seq, 10);
    assert_same(fra, sin, 1);
    journal_entries_free(journal.entries, journal.count);

    journal = fetch(fra, 3, 2);
    assert_int_equal(journal.count, 2);
    assert_int_equal(journal.entries[0].seq, 4);
    assert_int_equal(journal.end.seq, 10);
    journal_entries_free(journal.entries, journal.count);
}

static void another_history_is_refused(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id acme = put_application(fra, "acme");

    edit_application(fra, &acme, false);
    edit_application(fra, &acme, false);
    struct store_journal journal = fetch(fra, 0, SIZE_MAX);
    struct journal_entry *e = journal.entries;
    assert_int_equal(apply(sin, &journal, e, 2).verdict, APPLY_DONE);

    e[1].chain[0] ^= 1; /* the last one that it has, otherwise */
    assert_int_equal(apply(sin, &journal, e + 1, 1).verdict, APPLY_FORKED);
    e[1].chain[0] ^= 1;
    e[2].chain[5] ^= 1; /* the next one's chain doesn't follow */
    assert_int_equal(apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].chain[5] ^= 1;
    e[2].hlc++; /* nor does what it is stamped */
    assert_int_equal(apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].hlc--;
    e[2].code.data[e[2].code.len - 1] ^= 1; /* nor its content */
    assert_int_equal(apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    e[2].code.data[e[2].code.len - 1] ^= 1;
    journal.end.incarnation[0] ^= 1; /* the same numbers of another directory */
    assert_int_equal(apply(sin, &journal, e + 2, 1).verdict, APPLY_FORKED);
    journal.end.incarnation[0] ^= 1;

    assert_int_equal(position_of(sin, 1), 2);
    assert_int_equal(apply(sin, &journal, e + 2, 1).verdict, APPLY_DONE);
    journal_entries_free(journal.entries, journal.count);

    struct store_journal beyond = { .after = 4, .limit = 1, .bytes_limit = 1 };
    assert_int_equal(STORE_RUN(fra, store_journal, &beyond), ERR_STALE);
}

static void a_clock_far_ahead_waits_for_ours(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    uint64_t now_ms = store_fixture_ms();

    put_application(fra, "on-time");
    store_fixture_set_ms(now_ms + 90000);
    put_application(fra, "ahead");
    store_fixture_set_ms(now_ms);

    struct store_journal journal = fetch(fra, 0, SIZE_MAX);
    struct store_apply applied = apply(sin, &journal, journal.entries, 2);
    assert_int_equal(applied.verdict, APPLY_AHEAD);
    assert_int_equal(applied.position.seq, 1);
    put_application(sin, "here"); /* which isn't stamped by that clock */
    struct store_journal own = fetch(sin, 0, 1);
    assert_false(hlc_is_ahead(own.end.hlc, now_ms));
    journal_entries_free(own.entries, own.count);

    store_fixture_set_ms(now_ms + 90000 - HLC_AHEAD_MAX_MS);
    assert_int_equal(apply(sin, &journal, journal.entries, 2).verdict, APPLY_DONE);
    journal_entries_free(journal.entries, journal.count);
}

/* An entry that is chained as it should be, whatever it holds: as a peer could send it. */
static void forge(struct journal_entry *entry, const struct journal_entry *before,
                  const struct object *object, const char *raw)
{

    struct buf code = BUF_INIT(OBJECT_CODE_MAX), bare = BUF_INIT(OBJECT_CODE_MAX);
    uint8_t link[CHAIN_LEN + 16 + CHAIN_LEN];

    if (object)
        assert_int_equal(object_encode(object, &code), ERR_OK);
    else
        assert_int_equal(buf_append(&code, raw, 13), ERR_OK);
    *entry = (struct journal_entry){ .seq = before->seq + 1, .hlc = before->hlc + 1 };
    entry->code = bytes_copy(code.bytes, code.len);
    memcpy(link, before->chain, CHAIN_LEN);
    for (int i = 0; i < 8; i++) {
        link[CHAIN_LEN + i] = (uint8_t)(entry->seq >> (56 - 8 * i));
        link[CHAIN_LEN + 8 + i] = (uint8_t)(entry->hlc >> (56 - 8 * i));
    }
    assert_int_equal(object_code_public(code.bytes, code.len, &bare), ERR_OK);
    digest_sha256(bare.bytes, bare.len, link + CHAIN_LEN + 16);
    digest_sha256(link, sizeof link, entry->chain);
    buf_fini(&code);
    buf_fini(&bare);
}

static void what_can_not_be_applied_is_put_aside_and_the_rest_goes_on(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1], *gru = &w->f[2];
    struct id here = put_application(sin, "here");
    struct id acme = put_application(fra, "acme");
    struct journal_entry entries[5];

    catch_up(gru, sin);
    struct store_journal journal = fetch(fra, 0, SIZE_MAX);
    assert_int_equal(apply(gru, &journal, journal.entries, 1).verdict, APPLY_DONE);

    struct application *stolen =
        application_copy(catalog_application(sin->catalog, &STORE_FIXTURE_ORGANIZATION, &here));
    stolen->base.version++;
    struct endpoint *intruder = store_fixture_endpoint(fra, &here, NULL);
    struct endpoint *good = store_fixture_endpoint(fra, &acme, NULL);
    forge(&entries[0], &journal.entries[0], NULL, "\1\0\0\0\10\0\0\0\0\0\0\0\11");
    forge(&entries[1], &entries[0], NULL, "\1\0\0\0\10\0\0\0\0\0\0\0\1");
    forge(&entries[2], &entries[1], &stolen->base, NULL);
    forge(&entries[3], &entries[2], &intruder->base, NULL);
    forge(&entries[4], &entries[3], &good->base, NULL);

    struct store_apply applied = apply(gru, &journal, entries, COUNT(entries));
    assert_int_equal(applied.verdict, APPLY_DONE);
    assert_int_equal(applied.quarantined, 4);
    assert_int_equal(applied.position.seq, 6);
    assert_non_null(catalog_endpoint(gru->catalog, &acme, &good->base.id));
    assert_null(catalog_endpoint(gru->catalog, &here, &intruder->base.id));
    assert_int_equal(
        catalog_application(gru->catalog, &STORE_FIXTURE_ORGANIZATION, &here)->base.version, 1);

    static struct store_positions positions;
    assert_int_equal(STORE_RUN(gru, store_positions, &positions), ERR_OK);
    assert_int_equal(positions.quarantined, 4);
    for (size_t i = 0; i < COUNT(entries); i++)
        bytes_fini(&entries[i].code);
    object_unref(&stolen->base);
    object_unref(&intruder->base);
    object_unref(&good->base);
    journal_entries_free(journal.entries, journal.count);
}

static void two_homes_may_give_out_one_uid(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id first = put_application(fra, "acme");

    store_fixture_set_ms(store_fixture_ms() + 1000);
    struct id second = put_application(sin, "acme");
    catch_up(sin, fra);
    catch_up(fra, sin);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(catalog_count(w->f[i].catalog), 2);
        const struct application *a =
            catalog_application_by_uid(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, "acme");
        assert_true(id_equal(&a->base.id, &first));
        assert_non_null(
            catalog_application(w->f[i].catalog, &STORE_FIXTURE_ORGANIZATION, &second));
    }
    edit_application(fra, &first, true);
    catch_up(sin, fra);
    assert_true(id_equal(
        &catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "acme")->base.id,
        &second));
}

/* Adopt all of `from`, in pages. */
static void adopt(struct store_fixture *to, struct store_fixture *from)
{
    struct store_journal end = { .after = UINT64_MAX, .limit = 1, .bytes_limit = 1 };
    struct store_snapshot page = { .after = INT64_MIN, .limit = 7, .bytes_limit = 1 << 20 };

    (void)STORE_RUN(from, store_journal, &end); /* for its end alone */
    do {
        assert_int_equal(STORE_RUN(from, store_snapshot, &page), ERR_OK);
        struct store_adopt op = { .origin = from->ordinal,
                                  .first = page.after == INT64_MIN,
                                  .codes = page.codes,
                                  .count = page.count,
                                  .position = page.more ? NULL : &end.end };
        assert_int_equal(STORE_RUN(to, store_adopt, &op), ERR_OK);
        assert_int_equal(op.refused, 0);
        for (size_t i = 0; i < page.count; i++)
            bytes_fini(&page.codes[i]);
        free(page.codes);
        page.after = page.last;
    } while (page.more);
}

static void who_is_too_far_behind_adopts_a_snapshot(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id ids[40];

    store_fixture_close(fra);
    fra->journal_kept = 10;
    store_fixture_open(fra);
    for (size_t i = 0; i < COUNT(ids); i++)
        ids[i] = put_application(fra, NULL);
    catch_up(sin, &w->f[2]);
    edit_application(fra, &ids[3], true);

    struct store_journal journal = { .after = 5, .limit = 1, .bytes_limit = 1 };
    assert_int_equal(STORE_RUN(fra, store_journal, &journal), ERR_NOT_FOUND);
    adopt(sin, fra);
    assert_int_equal(position_of(sin, 1), 41);
    assert_same(fra, sin, 1);
    assert_int_equal(catalog_count(sin->catalog), 39);
    edit_application(fra, &ids[4], false);
    catch_up(sin, fra);
    assert_same(fra, sin, 1);
}

static void a_snapshot_of_another_life_takes_the_place_of_the_last(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct id old = put_application(fra, "old");

    store_fixture_put_endpoint(fra, &old);
    catch_up(sin, fra);
    uint64_t now_ms = store_fixture_ms();
    store_fixture_stop(fra); /* the directory is lost */
    store_fixture_start(fra);
    store_fixture_set_ms(now_ms + 1000);
    put_application(fra, "new");
    struct store_journal journal = fetch(fra, 0, SIZE_MAX);
    assert_int_equal(apply(sin, &journal, journal.entries, 1).verdict, APPLY_FORKED);
    journal_entries_free(journal.entries, journal.count);

    adopt(sin, fra);
    assert_int_equal(catalog_count(sin->catalog), 1);
    assert_non_null(
        catalog_application_by_uid(sin->catalog, &STORE_FIXTURE_ORGANIZATION, "new"));
    assert_same(fra, sin, 1);
}

static void a_region_that_was_alone_begins_with_what_it_has(void **state)
{
    struct store_fixture alone = { .alone = true };

    (void)state;
    store_fixture_start(&alone);
    struct id id = store_fixture_put_application(&alone, "acme");
    store_fixture_put_endpoint(&alone, &id);
    assert_int_equal(position_of(&alone, 0), 0);
    store_fixture_close(&alone);

    alone.alone = false;
    alone.ordinal = 5;
    store_fixture_open(&alone);
    struct store_journal journal = fetch(&alone, 0, SIZE_MAX);
    assert_int_equal(journal.count, 2);
    assert_int_equal(journal.end.origin, 5);
    journal_entries_free(journal.entries, journal.count);
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
    uint64_t seq[REGIONS + 1];
    size_t objects_before; /* that were in its catalog when it last heard of a position */
};

static void on_applied(struct store_follower *follower, uint8_t origin, uint64_t seq)
{
    struct listener *l = container_of(follower, struct listener, follower);

    l->seq[origin] = seq;
    l->objects_before = catalog_count(follower->catalog);
}

static void followers_hear_of_a_position_behind_its_objects(void **state)
{
    struct world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct listener l = { .follower.applied = on_applied };

    l.follower.inbox = &sin->inbox;
    l.follower.catalog = catalog_new();
    store_follow(sin->store, &l.follower);
    put_application(fra, "acme");
    put_application(fra, "beta");
    catch_up(sin, fra);
    assert_int_equal(l.seq[1], 2);
    assert_int_equal(l.objects_before, 2);
    put_application(sin, "own");
    assert_int_equal(l.seq[2], 1);
    assert_int_equal(l.objects_before, 3);
    catalog_free(l.follower.catalog);
    list_remove(&l.follower.link);
}

/* Edit something of a region's own, or make it. */
static void edit_something(struct store_fixture *f, struct dice *dice, struct id ids[],
                           size_t *count)
{
    struct id *id = *count ? &ids[dice_between(dice, 0, *count - 1)] : NULL;

    if (!id || dice_chance(dice, 40)) {
        ids[(*count)++] = put_application(f, NULL);
    } else if (dice_chance(dice, 30)) {
        store_fixture_put_endpoint(f, id);
    } else if (dice_chance(dice, 15)) {
        edit_application(f, id, true);
        *id = ids[--*count];
    } else {
        edit_application(f, id, false);
    }
}

/* A batch that may be old, doubled, or too early. */
static void exchange_something(struct world *w, struct dice *dice)
{
    struct store_fixture *from = &w->f[dice_between(dice, 0, REGIONS - 1)];
    struct store_fixture *to = &w->f[dice_between(dice, 0, REGIONS - 1)];
    uint64_t at = position_of(to, from->ordinal), end = position_of(from, from->ordinal);
    uint64_t after = dice_between(dice, at > 5 ? at - 5 : 0, at + 2);

    if (from == to || after > end)
        return;
    struct store_journal journal = fetch(from, after, dice_between(dice, 1, 20));
    struct store_apply applied = apply(to, &journal, journal.entries, journal.count);
    assert_int_not_equal(applied.verdict, APPLY_FORKED);
    assert_int_equal(applied.verdict == APPLY_GAP, journal.count > 0 && after > at);
    journal_entries_free(journal.entries, journal.count);
}

static void regions_agree_whatever_the_network_and_the_machines_do(void **state)
{
    struct world *w = *state;
    static struct id ids[REGIONS][STEPS];

    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct dice dice = { .state = seed };
        size_t counts[REGIONS] = { 0 };
        for (int step = 0; step < STEPS; step++) {
            size_t i = dice_between(&dice, 0, REGIONS - 1);
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
        for (int from = 0; from < REGIONS; from++)
            for (int to = 0; to < REGIONS; to++) {
                if (from != to)
                    catch_up(&w->f[to], &w->f[from]);
                assert_same(&w->f[from], &w->f[to], w->f[from].ordinal);
            }
        for (int i = 1; i < REGIONS; i++)
            assert_int_equal(catalog_count(w->f[i].catalog), catalog_count(w->f[0].catalog));
    }
}

static int run(const char *name)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_is_put_at_home_is_the_same_elsewhere),
        TEST(entries_are_applied_in_order_and_once),
        TEST(another_history_is_refused),
        TEST(a_clock_far_ahead_waits_for_ours),
        TEST(what_can_not_be_applied_is_put_aside_and_the_rest_goes_on),
        TEST(two_homes_may_give_out_one_uid),
        TEST(who_is_too_far_behind_adopts_a_snapshot),
        TEST(a_snapshot_of_another_life_takes_the_place_of_the_last),
        TEST(a_region_that_was_alone_begins_with_what_it_has),
        TEST(followers_hear_of_a_position_behind_its_objects),
        TEST(regions_agree_whatever_the_network_and_the_machines_do),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
