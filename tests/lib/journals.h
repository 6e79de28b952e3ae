/* Journals: stores of several regions, the test as their network, and entries as no store writes
 * them.
 *
 * What these ask of a store must work; the thread is the test's. */
#ifndef TESTS_LIB_JOURNALS_H
#define TESTS_LIB_JOURNALS_H

#include "store/replicate.h"
#include "tests/lib/store_fixture.h"

#define JOURNALS_REGIONS 3

/* Ordinals 1, 2, 3. */
struct journals_world {
    struct store_fixture f[JOURNALS_REGIONS];
};

/* Of a test that runs in one. */
int journals_start(void **state);
int journals_stop(void **state);

/* Objects at their home, `f`. */
struct application *journals_application(struct store_fixture *f, const char *uid);
struct id journals_put_application(struct store_fixture *f, const char *uid);
void journals_edit_application(struct store_fixture *f, const struct id *id, bool deleted);

/* What a store has of its own journal; journal_entries_free(). */
struct store_journal journals_fetch(struct store_fixture *from, uint64_t after, size_t limit);

/* Entries of the journal that `journal` is of. */
struct store_apply journals_apply(struct store_fixture *to, const struct store_journal *journal,
                                  const struct journal_entry *entries, size_t count);

/* All that `to` doesn't have yet of `from`. */
void journals_catch_up(struct store_fixture *to, struct store_fixture *from);

/* A snapshot of all of `from`, in pages; or the first `pages` of it, as if `to` were ended then. How
 * many of its objects were refused. */
unsigned journals_adopt(struct store_fixture *to, struct store_fixture *from);
unsigned journals_adopt_some(struct store_fixture *to, struct store_fixture *from,
                             unsigned pages);

struct journal_position journals_position(struct store_fixture *f, uint8_t origin);
uint64_t journals_quarantined(struct store_fixture *f);

/* Both have the same of this origin. */
void journals_assert_same(struct store_fixture *a, struct store_fixture *b, uint8_t origin);

/* The entry that follows `at`, chained as it should be, whatever it holds: an object, or `raw`.
 * `at` moves on to it. bytes_fini() its code. */
struct journal_entry journals_forge(struct journal_position *at, const struct object *object,
                                    const struct bytes *raw);

/* Send `to` one forged entry with `object` behind what it has of `origin`; whether it was put
 * into quarantine. */
bool journals_refuses(struct store_fixture *to, uint8_t origin, const struct object *object);

#endif
