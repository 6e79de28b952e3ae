#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/id.h"

#define NOW_MS  UINT64_C(1764000000400)
#define ORDINAL 7

static void texts_are_a_prefix_and_27_characters_of_base62(void **state)
{
    static const struct {
        enum id_kind kind;
        struct id id;
        const char *text;
    } rows[] = {
        { ID_ORGANIZATION, { { 0 } }, "org_000000000000000000000000000" },
        { ID_APPLICATION, { { [19] = 1 } }, "app_000000000000000000000000001" },
        { ID_ENDPOINT, { { [19] = 62 } }, "ep_000000000000000000000000010" },
        { ID_ATTEMPT, { { [18] = 1 } }, "atmpt_000000000000000000000000048" },
        { ID_TASK, { { [19] = 61 } }, "qtask_00000000000000000000000000z" },
        { ID_MESSAGE,
          { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
              0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
          "msg_aWgEPTl1tmebfsQzFP4bxwgy80V" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ID_TEXT_MAX];
        struct id id;

        id_format(rows[i].kind, &rows[i].id, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(id_parse(rows[i].kind, text, &id), ERR_OK);
        assert_true(id_equal(&id, &rows[i].id));
    }
}

static void what_is_no_id_of_the_kind_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "msg_",
        "msg",
        "000000000000000000000000000",
        "app_000000000000000000000000000",
        "MSG_000000000000000000000000000",
        "msg_00000000000000000000000000",
        "msg_0000000000000000000000000000",
        "msg_00000000000000000000000000-",
        "msg_ 00000000000000000000000000",
        "msg_00000000000000000000000000\xc3",
        "msg_aWgEPTl1tmebfsQzFP4bxwgy80W",
        "msg_zzzzzzzzzzzzzzzzzzzzzzzzzzz",
    };
    struct id id;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(id_parse(ID_MESSAGE, rows[i], &id), ERR_INVALID);
}

static void an_id_tells_when_and_where_it_was_made(void **state)
{
    struct id_source source;

    (void)state;
    id_source_init(&source, ORDINAL, 0);
    struct id id = id_new(&source, NOW_MS);
    assert_int_equal(id_wall_ms(&id), NOW_MS);
    assert_int_equal(id_ordinal(&id), ORDINAL);
}

static void a_range_of_time_is_a_range_of_keys(void **state)
{
    static const struct {
        uint64_t bound_ms;
        bool above; /* the id of NOW_MS isn't below the bound */
    } rows[] = {
        { 0, true },
        { NOW_MS - ID_TICK_MS, true },
        { NOW_MS, true },
        { NOW_MS + ID_TICK_MS - 1, true },
        { NOW_MS + ID_TICK_MS, false },
        { NOW_MS + 1000, false },
        { UINT64_MAX, false },
    };
    struct id_source source;

    (void)state;
    id_source_init(&source, 0, 0);
    struct id id = id_new(&source, NOW_MS);
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(id_key(&id) >= id_key_at(rows[i].bound_ms), rows[i].above);
}

static void ids_grow_whatever_the_clock_does(void **state)
{
    static const uint64_t clock[] = { NOW_MS,        NOW_MS, NOW_MS + 4, NOW_MS - 60000,
                                      NOW_MS + 1000, NOW_MS, 0,          NOW_MS + 1000 };
    struct id_source source;

    (void)state;
    id_source_init(&source, ORDINAL, 0);
    struct id before = id_new(&source, 0);
    for (size_t i = 0; i < 200000; i++) {
        uint64_t wall_ms = clock[i % COUNT(clock)];
        struct id id = id_new(&source, wall_ms);
        uint64_t instant_ms = id_instant_ms(&id, wall_ms);
        assert_true(id_compare(&before, &id) < 0);
        assert_true(id_key(&before) < id_key(&id));
        assert_int_equal(id_ordinal(&id), ORDINAL);
        assert_true(instant_ms >= wall_ms);
        assert_true(id_key_at(instant_ms) <= id_key(&id));
        assert_true(id_key_at(instant_ms + ID_TICK_MS) > id_key(&id));
        before = id;
    }
}

static void a_source_continues_above_the_newest_key(void **state)
{
    struct id_source source, restarted;

    (void)state;
    id_source_init(&source, ORDINAL, 0);
    struct id newest = id_new(&source, NOW_MS);
    id_source_init(&restarted, ORDINAL, id_key(&newest));
    struct id next = id_new(&restarted, NOW_MS - 3600000);
    assert_true(id_key(&next) > id_key(&newest));
}

static void ids_of_one_instant_differ_in_their_random_part(void **state)
{
    struct id_source one, other;

    (void)state;
    id_source_init(&one, ORDINAL, 0);
    id_source_init(&other, ORDINAL, 0);
    struct id a = id_new(&one, NOW_MS), b = id_new(&other, NOW_MS);
    assert_int_equal(id_key(&a), id_key(&b));
    assert_false(id_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_a_prefix_and_27_characters_of_base62),
        cmocka_unit_test(what_is_no_id_of_the_kind_is_refused),
        cmocka_unit_test(an_id_tells_when_and_where_it_was_made),
        cmocka_unit_test(a_range_of_time_is_a_range_of_keys),
        cmocka_unit_test(ids_grow_whatever_the_clock_does),
        cmocka_unit_test(a_source_continues_above_the_newest_key),
        cmocka_unit_test(ids_of_one_instant_differ_in_their_random_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
