#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/bookmark.h"
#include "core/count.h"

/* Two lives of a data directory. */
#define A                                                                                      \
    {                                                                                          \
        1, 2, 3, 4                                                                             \
    }
#define B                                                                                      \
    {                                                                                          \
        1, 2, 3, 5                                                                             \
    }

static struct keyring *keyring;
static struct bookmark_signer *signer;

static int start(void **state)
{
    char key[MASTER_KEY_TEXT_MAX];

    (void)state;
    keyring_generate(key);
    assert_int_equal(keyring_new(key, &keyring), ERR_OK);
    signer = bookmark_signer_new(keyring);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    bookmark_signer_free(signer);
    keyring_free(keyring);
    return 0;
}

static struct bookmark full(void)
{
    struct bookmark b = { .count = 0 };

    for (unsigned i = REGIONS_MAX; i > 0; i--)
        bookmark_add(&b, &(struct bookmark_mark){ (uint8_t)(10 * i), A, UINT64_MAX - i });
    return b;
}

static void assert_same(const struct bookmark *a, const struct bookmark *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_int_equal(a->marks[i].origin, b->marks[i].origin);
        assert_memory_equal(a->marks[i].incarnation, b->marks[i].incarnation,
                            BOOKMARK_INCARNATION_LEN);
        assert_int_equal(a->marks[i].seq, b->marks[i].seq);
    }
}

static void what_was_written_is_read(void **state)
{
    const struct bookmark rows[] = {
        { .count = 0 },
        { 1, { { 7, A, 1 } } },
        { 2, { { 1, A, 5 }, { 2, B, UINT64_C(0x0123456789abcdef) } } },
        full(),
    };
    char text[BOOKMARK_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bookmark read;
        bookmark_write(signer, &rows[i], text);
        assert_int_equal(bookmark_read(signer, text, &read), ERR_OK);
        assert_same(&read, &rows[i]);
    }
}

/* Regions that share the key for tokens read each other's; others don't. */
static void a_bookmark_holds_where_the_key_is_shared(void **state)
{
    const struct bookmark b = { 1, { { 7, A, 1 } } };
    char master[MASTER_KEY_TEXT_MAX], token[MASTER_KEY_TEXT_MAX], text[BOOKMARK_TEXT_MAX];
    struct keyring *here, *there, *stranger;
    struct bookmark_signer *signers[3];
    struct bookmark read;

    (void)state;
    keyring_generate_token_key(token);
    keyring_generate(master);
    assert_int_equal(keyring_new(master, &here), ERR_OK);
    assert_int_equal(keyring_take_token_key(here, token), ERR_OK);
    keyring_generate(master);
    assert_int_equal(keyring_new(master, &there), ERR_OK);
    assert_int_equal(keyring_take_token_key(there, token), ERR_OK);
    assert_int_equal(keyring_new(master, &stranger), ERR_OK);
    signers[0] = bookmark_signer_new(here);
    signers[1] = bookmark_signer_new(there);
    signers[2] = bookmark_signer_new(stranger);

    bookmark_write(signers[0], &b, text);
    assert_int_equal(bookmark_read(signers[1], text, &read), ERR_OK);
    assert_int_equal(bookmark_read(signers[2], text, &read), ERR_DENIED);
    for (size_t i = 0; i < COUNT(signers); i++)
        bookmark_signer_free(signers[i]);
    keyring_free(here);
    keyring_free(there);
    keyring_free(stranger);
}

/* Every bit of it counts. */
static void a_forged_bookmark_is_refused(void **state)
{
    const struct bookmark b = { 2, { { 1, A, 5 }, { 2, B, 6 } } };
    char text[BOOKMARK_TEXT_MAX], forged[BOOKMARK_TEXT_MAX];
    struct bookmark read = { .count = 99 };

    (void)state;
    bookmark_write(signer, &b, text);
    for (size_t i = 0; text[i]; i++) {
        for (const char *other = "AQgw_"; *other; other++) {
            if (text[i] == *other)
                continue;
            memcpy(forged, text, sizeof forged);
            forged[i] = *other;
            assert_int_not_equal(bookmark_read(signer, forged, &read), ERR_OK);
        }
    }
    assert_int_equal(read.count, 99);
}

static void what_is_no_bookmark_is_refused(void **state)
{
    static const char *const rows[] = { "", "AQ", "nonsense!", "AQ==", "\xff", "    ", "AQAB" };
    const struct bookmark b = { 1, { { 1, A, 5 } } };
    char text[BOOKMARK_TEXT_MAX], longer[2 * BOOKMARK_TEXT_MAX];
    struct bookmark read;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(bookmark_read(signer, rows[i], &read), ERR_INVALID);
    bookmark_write(signer, &b, text);
    snprintf(longer, sizeof longer, "%sAAAA", text);
    assert_int_equal(bookmark_read(signer, longer, &read), ERR_INVALID);
    memset(longer, 'A', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    assert_int_equal(bookmark_read(signer, longer, &read), ERR_INVALID);
}

static void marks_are_kept_by_origin_and_the_later_one_counts(void **state)
{
    struct bookmark b = { .count = 0 };

    (void)state;
    bookmark_add(&b, &(struct bookmark_mark){ 5, A, 10 });
    bookmark_add(&b, &(struct bookmark_mark){ 2, A, 20 });
    bookmark_add(&b, &(struct bookmark_mark){ 9, A, 30 });
    bookmark_add(&b, &(struct bookmark_mark){ 5, A, 9 });
    bookmark_add(&b, &(struct bookmark_mark){ 9, A, 31 });
    bookmark_add(&b, &(struct bookmark_mark){ 2, B, 1 });
    assert_same(&b, &(struct bookmark){ 3, { { 2, B, 1 }, { 5, A, 10 }, { 9, A, 31 } } });

    b = full();
    bookmark_add(&b, &(struct bookmark_mark){ 255, A, 1 });
    assert_null(bookmark_find(&b, 255));
    assert_int_equal(b.count, REGIONS_MAX);
}

static void a_bookmark_is_reached_when_each_of_its_marks_is(void **state)
{
    const struct bookmark here = { 2, { { 1, A, 100 }, { 2, A, 7 } } };
    static const struct {
        struct bookmark wanted;
        unsigned missing; /* the origin; 0 = none */
    } rows[] = {
        { { .count = 0 }, 0 },
        { { 1, { { 1, A, 100 } } }, 0 },
        { { 1, { { 1, A, 101 } } }, 1 },
        { { 2, { { 1, A, 1 }, { 2, A, 7 } } }, 0 },
        { { 2, { { 1, A, 1 }, { 2, A, 8 } } }, 2 },
        { { 1, { { 1, B, 1 } } }, 1 }, /* of a life that is over, or hasn't begun here */
        { { 1, { { 3, A, 1 } } }, 3 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct bookmark_mark *missing = bookmark_missing(&rows[i].wanted, &here);
        assert_int_equal(missing ? missing->origin : 0, rows[i].missing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(a_bookmark_holds_where_the_key_is_shared),
        cmocka_unit_test(a_forged_bookmark_is_refused),
        cmocka_unit_test(what_is_no_bookmark_is_refused),
        cmocka_unit_test(marks_are_kept_by_origin_and_the_later_one_counts),
        cmocka_unit_test(a_bookmark_is_reached_when_each_of_its_marks_is),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
