/* A region that is killed while it takes in what another one has to say: at each write in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/lib/faulty_disk.h"
#include "tests/lib/journals.h"

#define BATCH     10
#define BATCHES   3
#define KEPT      5   /* objects of the second life */
#define KILLS_MAX 500 /* more than there are writes: then nothing kills it, and the loop ends */

/* What fra has to say: the journal of one life, then a snapshot of the next. */
struct news {
    struct store_journal journal;
    struct journal_position end;
    struct store_snapshot snapshot;
};

static struct news gather_news(struct store_fixture *fra)
{
    struct news news = { .snapshot = {
                             .after = INT64_MIN, .limit = 100, .bytes_limit = 1 << 20 } };
    uint64_t now_ms = store_fixture_ms();

    for (int i = 0; i < BATCH * BATCHES; i++)
        journals_put_application(fra, NULL);
    news.journal = journals_fetch(fra, 0, SIZE_MAX);
    store_fixture_stop(fra);
    store_fixture_start(fra);
    store_fixture_set_ms(now_ms + 1000);
    for (int i = 0; i < KEPT; i++)
        journals_put_application(fra, NULL);
    news.end = journals_position(fra, fra->ordinal);
    assert_int_equal(STORE_RUN(fra, store_snapshot, &news.snapshot), ERR_OK);
    return news;
}

static void news_fini(struct news *news)
{
    journal_entries_free(news->journal.entries, news->journal.count);
    for (size_t i = 0; i < news->snapshot.count; i++)
        bytes_fini(&news->snapshot.codes[i]);
    free(news->snapshot.codes);
}

static void apply_batches(struct store_fixture *sin, const struct news *news, uint64_t from)
{
    for (uint64_t at = from; at < BATCH * BATCHES; at += BATCH) {
        struct store_apply applied =
            journals_apply(sin, &news->journal, news->journal.entries + at, BATCH);
        assert_int_equal(applied.verdict, APPLY_DONE);
    }
}

static void adopt(struct store_fixture *sin, const struct news *news)
{
    for (size_t i = 0; i < KEPT; i++) {
        struct store_adopt op = { .position = &news->end,
                                  .first = i == 0,
                                  .last = i == KEPT - 1,
                                  .codes = &news->snapshot.codes[i],
                                  .count = 1 };
        do {
            assert_int_equal(STORE_RUN(sin, store_adopt, &op), ERR_OK);
            op.first = false;
            op.count = 0;
        } while (op.more);
    }
}

/* Until it is killed. */
static int listen_to(struct store_fixture *sin, const struct news *news, unsigned writes)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        faulty_disk_set(DISK_WRITE_KILLS, writes);
        store_fixture_open(sin);
        apply_batches(sin, news, BATCH);
        adopt(sin, news);
        store_fixture_close(sin);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Each entry made one object, so the position says how many there are. */
static void assert_whole(struct store_fixture *sin, const struct journal_position *at)
{
    size_t count = catalog_count(sin->catalog);

    if (at->adopting)
        assert_true(at->seq == 0 && count >= KEPT);
    else if (at->seq == KEPT)
        assert_int_equal(count, KEPT);
    else
        assert_true(at->seq % BATCH == 0 && count == at->seq);
}

static void what_was_killed_goes_on_from_its_last_commit(void **state)
{
    struct journals_world *w = *state;
    struct store_fixture *fra = &w->f[0], *sin = &w->f[1];
    struct news news = gather_news(fra);
    int status = DISK_KILLED;
    unsigned kills = 0, halfway = 0;

    for (; status == DISK_KILLED && kills < KILLS_MAX; kills++) {
        uint64_t now_ms = store_fixture_ms();
        store_fixture_stop(sin);
        store_fixture_start(sin);
        store_fixture_set_ms(now_ms);
        journals_apply(sin, &news.journal, news.journal.entries, BATCH);
        store_fixture_close(sin);
        status = listen_to(sin, &news, kills);
        store_fixture_open(sin);

        struct journal_position at = journals_position(sin, 1);
        assert_whole(sin, &at);
        halfway += at.adopting;
        if (!at.adopting && at.seq >= BATCH)
            apply_batches(sin, &news, at.seq);
        adopt(sin, &news);
        assert_int_equal(catalog_count(sin->catalog), KEPT);
        journals_assert_same(fra, sin, 1);
    }
    assert_int_equal(status, 0);
    assert_true(kills > 10 && halfway > 0);
    news_fini(&news);
}

static int stop(void **state)
{
    faulty_disk_set(DISK_WORKS, 0);
    return journals_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_killed_goes_on_from_its_last_commit,
                                        journals_start, stop),
    };

    faulty_disk_install();
    return cmocka_run_group_tests_name("killed", tests, NULL, NULL);
}
