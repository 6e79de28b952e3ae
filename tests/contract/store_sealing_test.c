/* What the store promises of values that are sealed at rest, when a newer master key comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/file.h"
#include "core/mem.h"
#include "core/sealed.h"
#include "signer/seal.h"
#include "store/sealing.h"
#include "tests/lib/journals.h"

#define ENDPOINTS 200 /* several bites */
#define FILE_MAX  (16u << 20)

static const char HEADERS[] = "{\"x-key\":\"value\"}";

struct scene {
    struct store_fixture f; /* first: the fixture of the tests of one store */
    struct keyring *old, *both, *newest;
    struct id application;
    struct id endpoints[ENDPOINTS];
};

static size_t again(const void *keyring, struct endpoint *endpoint)
{
    return seal_again(keyring, endpoint);
}

static bool has(const void *keyring, uint32_t key)
{
    return keyring_has(keyring, key);
}

static void take(struct store_fixture *f, const struct keyring *keyring)
{
    store_take_sealer(f->store, &(struct store_sealer){ .key = keyring_newest(keyring),
                                                        .again = again,
                                                        .has = has,
                                                        .ctx = keyring });
}

static struct endpoint *make_endpoint(struct store_fixture *f, const struct id *application,
                                      const struct keyring *keyring)
{
    struct endpoint *e = store_fixture_endpoint(f, application, NULL);
    struct secret secret;

    bytes_fini(&e->secrets[0].sealed);
    secret_generate(&secret);
    seal_secret(keyring, e, &secret, &e->secrets[0].sealed);
    seal_headers(keyring, e, HEADERS);
    return e;
}

static struct id put_endpoint(struct store_fixture *f, const struct id *application,
                              const struct keyring *keyring)
{
    struct endpoint *e = make_endpoint(f, application, keyring);
    struct id id = e->base.id;

    store_fixture_put(f, &e->base);
    return id;
}

static void make_keyrings(struct scene *s)
{
    char one[MASTER_KEY_TEXT_MAX], two[MASTER_KEY_TEXT_MAX];

    keyring_generate(one);
    keyring_generate(two);
    assert_int_equal(keyring_new(one, &s->old), ERR_OK);
    assert_int_equal(keyring_new(one, &s->both), ERR_OK);
    assert_int_equal(keyring_add(s->both, two), ERR_OK);
    assert_int_equal(keyring_new(two, &s->newest), ERR_OK);
}

static int start(void **state)
{
    static struct scene scene;
    struct scene *s = *state = &scene;

    scene = (struct scene){ .f = { .ordinal = 1 } };
    make_keyrings(s);
    store_fixture_start(&s->f);
    take(&s->f, s->old);
    s->application = journals_put_application(&s->f, NULL);
    for (size_t i = 0; i < ENDPOINTS; i++)
        s->endpoints[i] = put_endpoint(&s->f, &s->application, s->old);
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    store_fixture_stop(&s->f);
    keyring_free(s->old);
    keyring_free(s->both);
    keyring_free(s->newest);
    return 0;
}

static struct store_count_sealed count(struct store_fixture *f)
{
    struct store_count_sealed op = { .count = 0 };

    assert_int_equal(STORE_RUN(f, store_count_sealed, &op), ERR_OK);
    return op;
}

static uint64_t count_of(struct store_fixture *f, uint32_t key, enum sealed_place place)
{
    struct store_count_sealed op = count(f);

    for (size_t i = 0; i < op.count; i++)
        if (op.keys[i].key == key)
            return op.keys[i].values[place];
    return 0;
}

static uint64_t count_all(struct store_fixture *f, uint32_t key)
{
    return count_of(f, key, SEALED_ENDPOINTS) + count_of(f, key, SEALED_JOURNAL);
}

static void wait_for_none(struct store_fixture *f, uint32_t key)
{
    while (count_all(f, key) > 0)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void assert_opens(struct scene *s, const struct keyring *keyring, const struct id *id)
{
    const struct endpoint *e = catalog_endpoint(s->f.catalog, &s->application, id);
    struct secret secret;
    struct bytes headers;

    assert_int_equal(unseal_secret(keyring, e, &e->secrets[0].sealed, &secret), ERR_OK);
    assert_int_equal(unseal_headers(keyring, e, &headers), ERR_OK);
    assert_string_equal(headers.data, HEADERS);
    keyring_wipe(&headers);
}

static bool file_names(struct scene *s, const char *name, const struct keyring *keyring)
{
    struct buf text = BUF_INIT(FILE_MAX);
    uint32_t id = keyring_newest(keyring);
    const uint8_t head[SEALED_HEAD_LEN] = { SEALED_NAMED, (uint8_t)(id >> 24),
                                            (uint8_t)(id >> 16), (uint8_t)(id >> 8),
                                            (uint8_t)id };

    assert_int_equal(file_read_all(store_fixture_path(&s->f, name), &text, NULL), ERR_OK);
    bool found = text.len > 0 && memmem(text.bytes, text.len, head, sizeof head);
    buf_fini(&text);
    return found;
}

static void all_is_sealed_anew_under_a_newer_key(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old), newest = keyring_newest(s->newest);

    assert_int_equal(count_of(&s->f, old, SEALED_ENDPOINTS), ENDPOINTS);
    assert_int_equal(count_of(&s->f, old, SEALED_JOURNAL), ENDPOINTS);
    take(&s->f, s->both);
    wait_for_none(&s->f, old);
    assert_int_equal(count_of(&s->f, newest, SEALED_ENDPOINTS), ENDPOINTS);
    assert_int_equal(count_of(&s->f, newest, SEALED_JOURNAL), ENDPOINTS);
    for (size_t i = 0; i < ENDPOINTS; i++)
        assert_opens(s, s->newest, &s->endpoints[i]);
}

static void it_goes_on_after_a_restart(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old);

    take(&s->f, s->both);
    while (count_of(&s->f, old, SEALED_ENDPOINTS) == ENDPOINTS)
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
    store_fixture_close(&s->f);
    store_fixture_open(&s->f);
    assert_true(count_all(&s->f, old) > 0);
    take(&s->f, s->both);
    wait_for_none(&s->f, old);
    for (size_t i = 0; i < ENDPOINTS; i++)
        assert_opens(s, s->newest, &s->endpoints[i]);
}

static void no_version_changes_and_nobody_is_told_of_an_edit(void **state)
{
    struct scene *s = *state;
    struct journal_position before = journals_position(&s->f, 1);

    take(&s->f, s->both);
    wait_for_none(&s->f, keyring_newest(s->old));
    assert_int_equal(journals_position(&s->f, 1).seq, before.seq);
    assert_int_equal(
        catalog_endpoint(s->f.catalog, &s->application, &s->endpoints[0])->base.version, 1);
}

static void another_region_hears_the_same_as_before(void **state)
{
    struct scene *s = *state;
    struct store_fixture sin = { .ordinal = 2 };

    store_fixture_start(&sin);
    take(&s->f, s->both);
    wait_for_none(&s->f, keyring_newest(s->old));
    journals_catch_up(&sin, &s->f);
    journals_assert_same(&s->f, &sin, 1);
    store_fixture_stop(&sin);
}

static void what_is_replaced_is_gone_from_the_files(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old);

    assert_true(file_names(s, "global.db-wal", s->old));
    take(&s->f, s->both);
    wait_for_none(&s->f, old);
    while (file_names(s, "global.db-wal", s->old))
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
    assert_false(file_names(s, "global.db", s->old));
    assert_true(file_names(s, "global.db", s->newest));
}

/* An edit that was begun before, from the old state, or an entry that came from elsewhere. */
static void what_comes_sealed_under_an_older_key_is_kept_under_the_newest(void **state)
{
    struct scene *s = *state;

    take(&s->f, s->both);
    wait_for_none(&s->f, keyring_newest(s->old));
    struct id id = put_endpoint(&s->f, &s->application, s->old);
    assert_int_equal(count_all(&s->f, keyring_newest(s->old)), 0);
    assert_opens(s, s->newest, &id);
}

static void an_edit_of_a_state_whose_key_is_gone_is_stale(void **state)
{
    struct scene *s = *state;
    struct endpoint *late =
        endpoint_copy(catalog_endpoint(s->f.catalog, &s->application, &s->endpoints[0]));

    late->base.version++;
    take(&s->f, s->both);
    wait_for_none(&s->f, keyring_newest(s->old));
    take(&s->f, s->newest);
    assert_int_equal(store_fixture_try_put(&s->f, &late->base), ERR_STALE);
    assert_opens(s, s->newest, &s->endpoints[0]);
}

static void what_opens_by_no_key_is_left_and_counted(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old);
    struct endpoint *e = make_endpoint(&s->f, &s->application, s->old);

    e->sealed_headers.data[e->sealed_headers.len - 1] ^= 1;
    store_fixture_put(&s->f, &e->base);
    take(&s->f, s->both);
    wait_for_none(&s->f, old);
    wait_for_none(&s->f, 0);
    struct store_count_sealed op = count(&s->f);
    assert_int_equal(op.lost[SEALED_ENDPOINTS], 1);
    assert_int_equal(op.lost[SEALED_JOURNAL], 1);
}

static void what_a_missing_key_has_sealed_waits_for_it(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old);
    struct id fresh;

    take(&s->f, s->newest);
    fresh = put_endpoint(&s->f, &s->application, s->newest);
    while (count_of(&s->f, 0, SEALED_ENDPOINTS) > 0)
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
    assert_opens(s, s->newest, &fresh);
    assert_int_equal(count_of(&s->f, old, SEALED_ENDPOINTS), ENDPOINTS);
    take(&s->f, s->both);
    wait_for_none(&s->f, old);
    assert_opens(s, s->newest, &s->endpoints[ENDPOINTS - 1]);
}

static void a_deleted_endpoint_keeps_no_secret(void **state)
{
    struct scene *s = *state;
    uint32_t old = keyring_newest(s->old);
    struct endpoint *e =
        endpoint_copy(catalog_endpoint(s->f.catalog, &s->application, &s->endpoints[0]));

    e->base.deleted = true;
    e->base.version++;
    store_fixture_put(&s->f, &e->base);
    assert_int_equal(count_of(&s->f, old, SEALED_ENDPOINTS), ENDPOINTS - 1);
    journals_edit_application(&s->f, &s->application, true);
    assert_int_equal(count_of(&s->f, old, SEALED_ENDPOINTS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_sealed_anew_under_a_newer_key),
        TEST(it_goes_on_after_a_restart),
        TEST(no_version_changes_and_nobody_is_told_of_an_edit),
        TEST(another_region_hears_the_same_as_before),
        TEST(what_is_replaced_is_gone_from_the_files),
        TEST(what_comes_sealed_under_an_older_key_is_kept_under_the_newest),
        TEST(an_edit_of_a_state_whose_key_is_gone_is_stale),
        TEST(what_opens_by_no_key_is_left_and_counted),
        TEST(what_a_missing_key_has_sealed_waits_for_it),
        TEST(a_deleted_endpoint_keeps_no_secret),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
