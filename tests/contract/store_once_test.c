/* What the store promises of a request that is sent again under its key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/background.h"
#include "store/once.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_fixture.h"

#define AT_ONCE   8
#define KILLS_MAX 100 /* more than there are writes: then nothing kills it, and the loop ends */

static char FIRST[] = "the first answer", OTHER[] = "another";

struct scene {
    struct store_fixture f;
    struct id application, endpoint, message;
};

/* Requests that write, one into each file, with their key. */
struct twin {
    uint8_t hash[IDEMPOTENCY_HASH_LEN];
    struct store_once once;
    struct background_task task;
    struct store_put put;
    struct store_start_background start;
};

static int start(void **state)
{
    static struct scene scene;
    struct scene *s = *state = &scene;

    store_fixture_start(&s->f);
    s->application = store_fixture_put_application(&s->f, NULL);
    s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
    s->message = store_fixture_append(&s->f, &s->application, "a", "{}");
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    faulty_disk_set(DISK_WORKS, 0);
    store_fixture_stop(&s->f);
    return 0;
}

static struct bytes bytes_of(char *text)
{
    return (struct bytes){ (uint8_t *)text, strlen(text) };
}

/* `first` and `last` are the ends of the hash. */
static void set_key(struct twin *t, uint8_t first, uint8_t last, char *answer)
{
    memset(t->hash, first, sizeof t->hash);
    t->hash[IDEMPOTENCY_HASH_LEN - 1] = last;
    t->once = (struct store_once){ .hash = t->hash, .answer = bytes_of(answer) };
}

/* A new application each time. */
static void ready_put(struct scene *s, struct twin *t)
{
    t->put = (struct store_put){ .object = &store_fixture_application(&s->f, NULL)->base };
    store_fixture_ready(&s->f, &t->put.req);
    t->put.req.once = &t->once;
}

static void ready_start(struct scene *s, struct twin *t)
{
    t->task = (struct background_task){
        .organization = STORE_FIXTURE_ORGANIZATION,
        .application = s->application,
        .endpoint = s->endpoint,
        .kind = BACKGROUND_RECOVER,
    };
    background_task_begin(&t->task, &s->f.ids, store_fixture_ms());
    t->start = (struct store_start_background){ .task = &t->task };
    store_fixture_ready(&s->f, &t->start.req);
    t->start.req.once = &t->once;
}

static enum err put(struct scene *s, struct twin *t)
{
    ready_put(s, t);
    store_put(s->f.store, &t->put);
    enum err err = store_fixture_wait(&s->f, &t->put.req);
    object_unref(t->put.object);
    return err;
}

static enum err begin(struct scene *s, struct twin *t)
{
    ready_start(s, t);
    store_start_background(s->f.store, &t->start);
    return store_fixture_wait(&s->f, &t->start.req);
}

static size_t count_tasks(struct scene *s)
{
    struct store_list_background op = { .organization = STORE_FIXTURE_ORGANIZATION,
                                        .page = { .limit = PAGE_LIMIT_MAX } };

    assert_int_equal(STORE_RUN(&s->f, store_list_background, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        background_task_fini(&op.tasks[i]);
    free(op.tasks);
    return op.count;
}

/* What both of them have made. */
static size_t count_made(struct scene *s)
{
    return catalog_count(s->f.catalog) - 2 + count_tasks(s);
}

static void assert_first(struct store_once *once, const char *answer)
{
    assert_true(once->repeated);
    assert_int_equal(once->first.len, strlen(answer));
    assert_memory_equal(once->first.data, answer, once->first.len);
    bytes_fini(&once->first);
}

static enum err (*const WRITES[])(struct scene *, struct twin *) = { put, begin };

static void what_is_repeated_writes_nothing_and_gets_the_first_answer(void **state)
{
    struct scene *s = *state;
    struct twin t;

    for (size_t i = 0; i < COUNT(WRITES); i++) {
        set_key(&t, (uint8_t)(1 + i), 0, FIRST);
        assert_int_equal(WRITES[i](s, &t), ERR_OK);
        assert_false(t.once.repeated);
        for (int again = 0; again < 2; again++) {
            t.once.answer = bytes_of(OTHER);
            assert_int_equal(WRITES[i](s, &t), ERR_OK);
            assert_first(&t.once, FIRST);
        }
        assert_int_equal(count_made(s), i + 1);
    }
}

static void keys_are_told_apart_by_all_of_their_hash(void **state)
{
    struct scene *s = *state;
    struct twin t;

    for (size_t i = 0; i < COUNT(WRITES); i++)
        for (uint8_t last = 0; last < 3; last++) {
            set_key(&t, 1, last, FIRST);
            assert_int_equal(WRITES[i](s, &t), ERR_OK);
            assert_false(t.once.repeated);
        }
    assert_int_equal(count_made(s), 6);
}

static void of_those_at_once_one_is_done_and_all_get_its_answer(void **state)
{
    struct scene *s = *state;
    struct twin puts[AT_ONCE], starts[AT_ONCE];

    for (size_t i = 0; i < AT_ONCE; i++) {
        set_key(&puts[i], 1, 0, i == 0 ? FIRST : OTHER);
        set_key(&starts[i], 2, 0, i == 0 ? FIRST : OTHER);
        ready_put(s, &puts[i]);
        ready_start(s, &starts[i]);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        store_put(s->f.store, &puts[i].put);
        store_start_background(s->f.store, &starts[i].start);
    }
    for (size_t i = 0; i < AT_ONCE; i++) {
        assert_int_equal(store_fixture_wait(&s->f, &puts[i].put.req), ERR_OK);
        assert_int_equal(store_fixture_wait(&s->f, &starts[i].start.req), ERR_OK);
        object_unref(puts[i].put.object);
        assert_int_equal(puts[i].once.repeated, i > 0);
        if (i > 0) {
            assert_first(&puts[i].once, FIRST);
            assert_first(&starts[i].once, FIRST);
        }
    }
    assert_int_equal(count_made(s), 2);
}

static void what_fails_leaves_its_key_unused(void **state)
{
    struct scene *s = *state;
    struct id endpoint = s->endpoint;
    struct twin t;

    set_key(&t, 1, 0, FIRST);
    s->endpoint = s->message;
    assert_int_equal(begin(s, &t), ERR_NOT_FOUND);
    s->endpoint = endpoint;
    assert_int_equal(begin(s, &t), ERR_OK);
    assert_false(t.once.repeated);
}

static void a_repetition_succeeds_though_what_it_asks_for_would_fail_now(void **state)
{
    struct scene *s = *state;
    struct twin t;

    set_key(&t, 1, 0, FIRST);
    assert_int_equal(begin(s, &t), ERR_OK);
    s->endpoint = s->message;
    assert_int_equal(begin(s, &t), ERR_OK);
    assert_first(&t.once, FIRST);
}

static void a_full_disk_keeps_neither_the_write_nor_the_key(void **state)
{
    struct scene *s = *state;
    struct twin t;

    for (size_t i = 0; i < COUNT(WRITES); i++) {
        set_key(&t, (uint8_t)(1 + i), 0, FIRST);
        faulty_disk_set(DISK_FULL, 0);
        assert_int_equal(WRITES[i](s, &t), ERR_FULL);
        faulty_disk_set(DISK_WORKS, 0);
        assert_int_equal(WRITES[i](s, &t), ERR_OK);
        assert_false(t.once.repeated);
        assert_int_equal(count_made(s), i + 1);
    }
}

static void a_key_is_forgotten_after_its_time(void **state)
{
    struct scene *s = *state;
    uint64_t start_ms = store_fixture_ms();
    const struct {
        uint64_t at_ms;
        bool repeated;
    } ROWS[] = {
        { start_ms, false },
        { start_ms + IDEMPOTENCY_MS - 1, true },
        { start_ms + IDEMPOTENCY_MS, false },
        { start_ms + IDEMPOTENCY_MS + 1, true },
    };
    struct twin t;

    for (size_t i = 0; i < COUNT(WRITES); i++)
        for (size_t row = 0; row < COUNT(ROWS); row++) {
            set_key(&t, (uint8_t)(1 + i), 0, FIRST);
            store_fixture_set_ms(ROWS[row].at_ms);
            assert_int_equal(WRITES[i](s, &t), ERR_OK);
            assert_int_equal(t.once.repeated, ROWS[row].repeated);
            bytes_fini(&t.once.first);
        }
}

/* Whichever write the process ended before: the request was done with its key, or neither is there. */
static void who_was_killed_has_done_it_with_its_key_or_not_at_all(void **state)
{
    struct scene *s = *state;
    int status = DISK_KILLED;
    size_t done = 0, undone = 0;
    struct twin t;

    for (uint8_t kills = 0; status == DISK_KILLED && kills < KILLS_MAX; kills++) {
        size_t before = count_made(s);
        set_key(&t, kills, 1, FIRST);
        store_fixture_close(&s->f);
        pid_t child = fork();
        if (child == 0) {
            faulty_disk_set(DISK_WRITE_KILLS, kills);
            store_fixture_open(&s->f);
            put(s, &t);
            t.hash[0]++;
            begin(s, &t);
            store_fixture_close(&s->f);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        status = WEXITSTATUS(status);
        store_fixture_open(&s->f);

        size_t made = count_made(s) - before;
        t.once.answer = bytes_of(OTHER);
        assert_int_equal(put(s, &t), ERR_OK);
        assert_int_equal(t.once.repeated, made > 0);
        bytes_fini(&t.once.first);
        t.hash[0]++;
        assert_int_equal(begin(s, &t), ERR_OK);
        assert_int_equal(t.once.repeated, made > 1);
        bytes_fini(&t.once.first);
        assert_int_equal(count_made(s) - before, 2);
        done += made;
        undone += 2 - made;
    }
    assert_int_equal(status, 0);
    assert_true(done > 2 && undone > 2);
}

/* Recalling. */

static enum err recall(struct scene *s, struct twin *t, struct store_recall *op)
{
    *op = (struct store_recall){ .once = &t->once };
    return STORE_RUN(&s->f, store_recall, op);
}

static void an_answer_is_recalled_from_wherever_it_was_kept(void **state)
{
    struct scene *s = *state;
    struct store_recall op;
    struct twin t;

    for (size_t i = 0; i < COUNT(WRITES); i++) {
        set_key(&t, (uint8_t)(1 + i), 0, FIRST);
        assert_int_equal(WRITES[i](s, &t), ERR_OK);
        t.once.answer = bytes_of(OTHER);
        assert_int_equal(recall(s, &t, &op), ERR_OK);
        assert_null(op.message);
        assert_first(&t.once, FIRST);
    }
}

static void a_message_is_recalled_as_what_it_is(void **state)
{
    struct scene *s = *state;
    struct store_recall op;
    struct twin t;

    set_key(&t, 1, 0, FIRST);
    struct store_append append = { .application = s->application,
                                   .event_type = "a",
                                   .payload = "{}",
                                   .payload_len = 2,
                                   .idempotency_hash = t.hash };
    assert_int_equal(STORE_RUN(&s->f, store_append, &append), ERR_OK);
    assert_int_equal(recall(s, &t, &op), ERR_OK);
    assert_true(t.once.repeated);
    assert_true(id_equal(&op.message->id, &append.message->id));
    message_unref(op.message);
    message_unref(append.message);
}

static void where_nothing_was_kept_an_answer_is_kept_if_there_is_one(void **state)
{
    static char NOTHING[] = "";
    static const struct {
        char *answer;
        const char *first; /* NULL: none was there */
    } ROWS[] = {
        { NOTHING, NULL }, { NOTHING, NULL },  { FIRST, NULL },
        { OTHER, FIRST },  { NOTHING, FIRST },
    };
    struct scene *s = *state;
    struct store_recall op;
    struct twin t;

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        set_key(&t, 1, 0, ROWS[i].answer);
        assert_int_equal(recall(s, &t, &op), ERR_OK);
        assert_int_equal(t.once.repeated, ROWS[i].first != NULL);
        if (ROWS[i].first)
            assert_first(&t.once, ROWS[i].first);
    }
}

/* Of those that ask at once one keeps its answer; and it sees the writes asked for before it. */
static void a_recall_stands_behind_what_was_asked_for_before(void **state)
{
    struct scene *s = *state;
    struct twin t, after;
    struct store_recall op = { .once = &after.once };

    set_key(&t, 1, 0, FIRST);
    set_key(&after, 1, 0, OTHER);
    ready_put(s, &t);
    store_fixture_ready(&s->f, &op.req);
    store_put(s->f.store, &t.put);
    store_recall(s->f.store, &op);
    assert_int_equal(store_fixture_wait(&s->f, &t.put.req), ERR_OK);
    assert_int_equal(store_fixture_wait(&s->f, &op.req), ERR_OK);
    assert_first(&after.once, FIRST);
    object_unref(t.put.object);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_repeated_writes_nothing_and_gets_the_first_answer),
        TEST(keys_are_told_apart_by_all_of_their_hash),
        TEST(of_those_at_once_one_is_done_and_all_get_its_answer),
        TEST(what_fails_leaves_its_key_unused),
        TEST(a_repetition_succeeds_though_what_it_asks_for_would_fail_now),
        TEST(a_full_disk_keeps_neither_the_write_nor_the_key),
        TEST(a_key_is_forgotten_after_its_time),
        TEST(who_was_killed_has_done_it_with_its_key_or_not_at_all),
        TEST(an_answer_is_recalled_from_wherever_it_was_kept),
        TEST(a_message_is_recalled_as_what_it_is),
        TEST(where_nothing_was_kept_an_answer_is_kept_if_there_is_one),
        TEST(a_recall_stands_behind_what_was_asked_for_before),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    faulty_disk_install();
    return store_fixture_each_backend(run);
}
