#include "tests/lib/journals.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/big_endian.h"
#include "core/mem.h"
#include "core/object_code.h"
#include "signer/digest.h"

#define SNAPSHOT_PAGE 7
#define PAGE_BYTES    (1 << 20)

int journals_start(void **state)
{
    static struct journals_world w;

    w = (struct journals_world){ 0 };
    for (uint8_t i = 0; i < JOURNALS_REGIONS; i++) {
        w.f[i].ordinal = i + 1;
        store_fixture_start(&w.f[i]);
    }
    *state = &w;
    return 0;
}

int journals_stop(void **state)
{
    struct journals_world *w = *state;

    for (int i = 0; i < JOURNALS_REGIONS; i++)
        store_fixture_stop(&w->f[i]);
    return 0;
}

/* Objects. */

struct application *journals_application(struct store_fixture *f, const char *uid)
{
    struct application *a = store_fixture_application(f, uid);

    a->residency = (struct residency){ .jurisdiction = xstrdup("eu"),
                                       .home = f->ordinal,
                                       .home_epoch = 1 };
    return a;
}

struct id journals_put_application(struct store_fixture *f, const char *uid)
{
    struct application *a = journals_application(f, uid);
    struct id id = a->base.id;

    store_fixture_put(f, &a->base);
    return id;
}

void journals_edit_application(struct store_fixture *f, const struct id *id, bool deleted)
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

struct store_journal journals_fetch(struct store_fixture *from, uint64_t after, size_t limit)
{
    struct store_journal op = { .after = after, .limit = limit, .bytes_limit = PAGE_BYTES };

    assert_int_equal(STORE_RUN(from, store_journal, &op), ERR_OK);
    return op;
}

struct store_apply journals_apply(struct store_fixture *to, const struct store_journal *journal,
                                  const struct journal_entry *entries, size_t count)
{
    struct store_apply op = { .origin = journal->end.origin,
                              .entries = entries,
                              .count = count };

    memcpy(op.incarnation, journal->end.incarnation, INCARNATION_LEN);
    assert_int_equal(STORE_RUN(to, store_apply, &op), ERR_OK);
    return op;
}

struct journal_position journals_position(struct store_fixture *f, uint8_t origin)
{
    static struct store_positions op;

    assert_int_equal(STORE_RUN(f, store_positions, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        if (op.positions[i].origin == origin)
            return op.positions[i];
    return (struct journal_position){ .origin = origin };
}

uint64_t journals_quarantined(struct store_fixture *f)
{
    static struct store_positions op;

    uint64_t sum = 0;

    assert_int_equal(STORE_RUN(f, store_positions, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        sum += op.quarantined[i];
    return sum;
}

void journals_catch_up(struct store_fixture *to, struct store_fixture *from)
{
    struct journal_position at = journals_position(to, from->ordinal);

    do {
        struct store_journal journal = journals_fetch(from, at.seq, SIZE_MAX);
        struct store_apply applied =
            journals_apply(to, &journal, journal.entries, journal.count);
        assert_int_equal(applied.verdict, APPLY_DONE);
        at.seq = applied.position.seq == journal.end.seq ? UINT64_MAX : applied.position.seq;
        journal_entries_free(journal.entries, journal.count);
    } while (at.seq != UINT64_MAX);
}

static void adopt_page(struct store_fixture *to, struct store_adopt *op, unsigned *refused)
{
    do {
        assert_int_equal(STORE_RUN(to, store_adopt, op), ERR_OK);
        assert_int_equal(op->verdict, APPLY_DONE);
        *refused += op->refused;
        op->first = false;
        op->count = 0;
    } while (op->more);
}

unsigned journals_adopt_some(struct store_fixture *to, struct store_fixture *from,
                             unsigned pages)
{
    const struct journal_position end = journals_position(from, from->ordinal);
    struct store_snapshot page = { .after = INT64_MIN,
                                   .limit = SNAPSHOT_PAGE,
                                   .bytes_limit = PAGE_BYTES };
    unsigned refused = 0;

    do {
        assert_int_equal(STORE_RUN(from, store_snapshot, &page), ERR_OK);
        struct store_adopt op = { .position = &end,
                                  .first = page.after == INT64_MIN,
                                  .last = !page.more,
                                  .codes = page.codes,
                                  .count = page.count };
        adopt_page(to, &op, &refused);
        for (size_t i = 0; i < page.count; i++)
            bytes_fini(&page.codes[i]);
        free(page.codes);
        page.after = page.last;
    } while (page.more && --pages > 0);
    return refused;
}

unsigned journals_adopt(struct store_fixture *to, struct store_fixture *from)
{
    return journals_adopt_some(to, from, UINT_MAX);
}

void journals_assert_same(struct store_fixture *a, struct store_fixture *b, uint8_t origin)
{
    static struct store_digest left, right;

    left.origin = right.origin = origin;
    assert_int_equal(STORE_RUN(a, store_digest, &left), ERR_OK);
    assert_int_equal(STORE_RUN(b, store_digest, &right), ERR_OK);
    assert_int_equal(left.at.seq, right.at.seq);
    assert_int_equal(left.count, right.count);
    assert_memory_equal(left.sums, right.sums, sizeof left.sums);
}

/* Forgeries. */

/* As docs/replication.md has it, written a second time. */
static void chain(struct journal_position *at, const struct bytes *code)
{
    uint8_t link[CHAIN_LEN + 16 + CHAIN_LEN];

    memcpy(link, at->chain, CHAIN_LEN);
    big_endian_put(link + CHAIN_LEN, at->seq, 8);
    big_endian_put(link + CHAIN_LEN + 8, at->hlc, 8);
    digest_sha256(code->data, object_code_public(code->data, code->len), link + CHAIN_LEN + 16);
    digest_sha256(link, sizeof link, at->chain);
}

struct journal_entry journals_forge(struct journal_position *at, const struct object *object,
                                    const struct bytes *raw)
{
    struct journal_entry entry = { 0 };
    struct buf code = BUF_INIT(OBJECT_CODE_MAX);

    if (object)
        assert_int_equal(object_encode(object, &code), ERR_OK);
    else
        assert_int_equal(buf_append(&code, raw->data, raw->len), ERR_OK);
    entry.code = (struct bytes){ .data = code.bytes, .len = code.len };
    entry.seq = ++at->seq;
    entry.hlc = ++at->hlc;
    chain(at, &entry.code);
    memcpy(entry.chain, at->chain, CHAIN_LEN);
    return entry;
}

bool journals_refuses(struct store_fixture *to, uint8_t origin, const struct object *object)
{
    struct store_journal journal = { .end = journals_position(to, origin) };
    struct journal_entry entry = journals_forge(&journal.end, object, NULL);
    struct store_apply applied = journals_apply(to, &journal, &entry, 1);

    assert_int_equal(applied.verdict, APPLY_DONE);
    assert_int_equal(applied.position.seq, entry.seq);
    bytes_fini(&entry.code);
    return applied.quarantined == 1;
}
