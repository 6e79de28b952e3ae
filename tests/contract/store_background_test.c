/* What the store promises of tasks that it works off bite by bite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "store/background.h"
#include "tests/lib/store_fixture.h"

#define STEP_MS  1000
#define MESSAGES 8

/* Messages a second apart, to two endpoints; the first of them is what is looked at. */
struct scene {
    struct store_fixture f;
    struct id application, endpoint, other;
    uint64_t first_ms;
    struct id messages[MESSAGES];
};

static struct id append_tagged(struct scene *s, const char *tag)
{
    struct text_list tags = { 0 };
    struct store_append op = {
        .application = s->application,
        .event_type = "even",
        .tags = &tags,
        .payload = "{}",
        .payload_len = 2,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };

    text_list_add(&tags, tag, strlen(tag));
    assert_int_equal(STORE_RUN(&s->f, store_append, &op), ERR_OK);
    text_list_fini(&tags);
    struct id id = op.message->id;
    message_unref(op.message);
    return id;
}

static int start(void **state)
{
    static struct scene scene;
    struct scene *s = *state = &scene;

    store_fixture_start(&s->f);
    s->application = store_fixture_put_application(&s->f, NULL);
    s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
    s->other = store_fixture_put_endpoint(&s->f, &s->application);
    s->first_ms = store_fixture_ms();
    for (size_t i = 0; i < MESSAGES; i++) {
        s->messages[i] =
            i == 0 ? append_tagged(s, "first")
                   : store_fixture_append(&s->f, &s->application, i % 2 ? "odd" : "even", "{}");
        store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    }
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    store_fixture_stop(&s->f);
    return 0;
}

static void record(struct scene *s, const struct id *endpoint, size_t message, unsigned status)
{
    bool delivered = status / 100 == 2;
    const struct attempt_record a = {
        .message = s->messages[message],
        .endpoint = *endpoint,
        .application = s->application,
        .number = 1,
        .status = delivered ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .response_status = status,
    };

    store_fixture_record(&s->f, &a, delivered ? DELIVERY_DELIVERED : DELIVERY_DEAD, 0);
}

static struct background_task task_of(struct scene *s, enum background_kind kind)
{
    struct background_task task = {
        .organization = STORE_FIXTURE_ORGANIZATION,
        .application = s->application,
        .endpoint = s->endpoint,
        .kind = kind,
        .since_ms = s->first_ms,
        .until_ms = store_fixture_ms(),
    };

    background_task_begin(&task, &s->f.ids, store_fixture_ms());
    return task;
}

static enum err begin(struct scene *s, struct background_task *task)
{
    struct store_start_background op = { .task = task };

    return STORE_RUN(&s->f, store_start_background, &op);
}

static void get(struct scene *s, struct background_task *task)
{
    struct store_get_background op = { .organization = STORE_FIXTURE_ORGANIZATION,
                                       .id = task->id };

    assert_int_equal(STORE_RUN(&s->f, store_get_background, &op), ERR_OK);
    *task = op.task;
    background_task_fini(task);
    background_usages_fini(op.usage, op.usage_count);
}

/* Run it to its end. */
static void finish(struct scene *s, struct background_task *task)
{
    for (get(s, task); task->status == BACKGROUND_RUNNING; get(s, task))
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
}

/* What is due now by hand at the endpoint, one bit for each message. */
static unsigned asked_for(struct scene *s)
{
    struct store_due op = {
        .endpoint_key = id_key(&s->endpoint),
        .now_wall_ms = store_fixture_ms(),
        .limit = MESSAGES,
        .bytes_limit = 1000,
    };
    unsigned bits = 0;

    assert_int_equal(STORE_RUN(&s->f, store_due, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++) {
        for (size_t n = 0; n < MESSAGES; n++)
            if (op.deliveries[i].trigger == TRIGGER_MANUAL &&
                id_equal(&op.deliveries[i].message->id, &s->messages[n]))
                bits |= 1u << n;
        message_unref(op.deliveries[i].message);
    }
    free(op.deliveries);
    return bits;
}

static void what_failed_and_was_not_delivered_is_recovered(void **state)
{
    struct scene *s = *state;
    struct background_task task;

    record(s, &s->endpoint, 0, 500); /* before the window */
    record(s, &s->other, 1, 500);    /* elsewhere */
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    uint64_t since_ms = store_fixture_ms();
    record(s, &s->endpoint, 2, 500);
    record(s, &s->endpoint, 2, 503); /* twice, and once is enough */
    record(s, &s->endpoint, 3, 204);
    record(s, &s->endpoint, 4, 500);
    record(s, &s->endpoint, 4, 204); /* by hand, as it were */
    record(s, &s->endpoint, 5, 0);
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    task = task_of(s, BACKGROUND_RECOVER);
    task.since_ms = since_ms;
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    record(s, &s->endpoint, 6, 500); /* behind it */
    assert_int_equal(begin(s, &task), ERR_OK);
    assert_int_equal(task.status, BACKGROUND_RUNNING);
    finish(s, &task);
    assert_int_equal(task.status, BACKGROUND_FINISHED);
    assert_int_equal(task.looked_at, 6);
    assert_int_equal(task.done, 2);
    assert_int_equal(asked_for(s), 1u << 2 | 1u << 5);
}

static void what_was_never_sent_there_is_replayed_if_it_is_wanted(void **state)
{
    struct scene *s = *state;
    struct endpoint *late = store_fixture_endpoint(&s->f, &s->application, NULL);
    struct background_task task;

    text_list_add(&late->event_types, "odd", 3);
    s->endpoint = late->base.id;
    store_fixture_put(&s->f, &late->base);
    s->messages[MESSAGES - 1] = store_fixture_append(&s->f, &s->application, "odd", "{}");
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    task = task_of(s, BACKGROUND_REPLAY_MISSING);
    task.since_ms = s->first_ms + 2 * STEP_MS;
    assert_int_equal(begin(s, &task), ERR_OK);
    finish(s, &task);
    assert_int_equal(task.done, 3); /* 3, 5, and the eighth of before */
    assert_int_equal(asked_for(s), 1u << 3 | 1u << 5);
}

struct replay_row {
    bool has_status;
    enum attempt_status status;
    bool has_status_class;
    unsigned status_class;
    const char *event_type, *tag;
    unsigned expected;
};

static void what_was_sent_is_replayed_as_narrowly_as_asked(void **state)
{
    static const struct replay_row ROWS[] = {
        { .expected = 0xff },
        { .has_status = true, .status = ATTEMPT_SUCCESS, .expected = 0x01 },
        { .has_status = true, .status = ATTEMPT_FAIL, .expected = 0x0e },
        { .has_status = true, .status = ATTEMPT_PENDING, .expected = 0xf0 },
        { .has_status_class = true, .status_class = 500, .expected = 0x02 },
        { .has_status_class = true, .status_class = 400, .expected = 0x04 },
        { .has_status_class = true, .status_class = 0, .expected = 0x08 },
        { .event_type = "odd", .expected = 0xaa },
        { .event_type = "none", .expected = 0 },
        { .tag = "first", .expected = 0x01 },
        { .tag = "second", .expected = 0 },
    };

    for (size_t i = 0; i < COUNT(ROWS); i++) {
        start(state);
        struct scene *s = *state;
        struct background_task task = task_of(s, BACKGROUND_BULK_REPLAY);
        const unsigned answers[] = { 200, 503, 404, 0 };

        for (size_t n = 0; n < COUNT(answers); n++)
            record(s, &s->endpoint, n, answers[n]);
        task.has_status = ROWS[i].has_status;
        task.message_status = ROWS[i].status;
        task.has_status_class = ROWS[i].has_status_class;
        task.status_class = ROWS[i].status_class;
        if (ROWS[i].event_type)
            text_list_add(&task.event_types, ROWS[i].event_type, strlen(ROWS[i].event_type));
        task.tag = xstrdup(ROWS[i].tag);
        assert_int_equal(begin(s, &task), ERR_OK);
        background_task_fini(&task);
        finish(s, &task);
        assert_int_equal(asked_for(s), ROWS[i].expected);
        stop(state);
    }
}

static void a_dry_run_counts_and_asks_for_nothing(void **state)
{
    struct scene *s = *state;
    struct background_task task = task_of(s, BACKGROUND_BULK_REPLAY);

    task.dry_run = true;
    assert_int_equal(begin(s, &task), ERR_OK);
    finish(s, &task);
    assert_int_equal(task.done, MESSAGES);
    assert_int_equal(asked_for(s), 0);
}

/* More than a bite, and ended in the midst of it. */
static void a_task_goes_on_after_a_restart(void **state)
{
    struct scene *s = *state;
    struct background_task task;

    for (size_t i = 0; i < 3 * BACKGROUND_BITE_ROWS; i++)
        store_fixture_append(&s->f, &s->application, "more", "{}");
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    task = task_of(s, BACKGROUND_BULK_REPLAY);
    assert_int_equal(begin(s, &task), ERR_OK);
    for (get(s, &task); task.looked_at == 0; get(s, &task))
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
    assert_int_equal(task.status, BACKGROUND_RUNNING);
    store_fixture_close(&s->f);
    store_fixture_open(&s->f);
    finish(s, &task);
    assert_int_equal(task.looked_at, 3 * BACKGROUND_BITE_ROWS + MESSAGES);
    assert_int_equal(task.done, 3 * BACKGROUND_BITE_ROWS + MESSAGES);
    assert_int_equal(asked_for(s), 0xff);
}

/* Between two of its bites. */
static void a_task_whose_endpoint_goes_fails(void **state)
{
    struct scene *s = *state;
    struct background_task task;
    struct endpoint *gone;

    for (size_t i = 0; i < 2 * BACKGROUND_BITE_ROWS; i++)
        store_fixture_append(&s->f, &s->application, "more", "{}");
    store_fixture_set_ms(store_fixture_ms() + STEP_MS);
    task = task_of(s, BACKGROUND_BULK_REPLAY);
    assert_int_equal(begin(s, &task), ERR_OK);
    store_fixture_close(&s->f);
    store_fixture_open(&s->f);
    gone = endpoint_copy(catalog_endpoint(s->f.catalog, &s->application, &s->endpoint));
    gone->base.deleted = true;
    gone->base.version++;
    store_fixture_put(&s->f, &gone->base);
    finish(s, &task);
    assert_int_equal(task.status, BACKGROUND_FAILED);
    assert_int_equal(begin(s, &task), ERR_NOT_FOUND);
}

static void tasks_are_listed_newest_first_and_kept_apart(void **state)
{
    struct scene *s = *state;
    struct id ids[3];
    struct store_list_background op = { .organization = STORE_FIXTURE_ORGANIZATION,
                                        .page.limit = 2 };
    struct store_get_background foreign = { .id = { { 0 } } };

    for (size_t i = 0; i < 3; i++) {
        struct background_task task =
            task_of(s, i == 1 ? BACKGROUND_RECOVER : BACKGROUND_BULK_REPLAY);
        assert_int_equal(begin(s, &task), ERR_OK);
        finish(s, &task);
        ids[i] = task.id;
    }
    assert_int_equal(STORE_RUN(&s->f, store_list_background, &op), ERR_OK);
    assert_int_equal(op.count, 2);
    assert_true(op.more);
    assert_true(id_equal(&op.tasks[0].id, &ids[2]));
    assert_true(id_equal(&op.tasks[1].id, &ids[1]));
    free(op.tasks);

    op.has_kind = true;
    op.kind = BACKGROUND_RECOVER;
    assert_int_equal(STORE_RUN(&s->f, store_list_background, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    assert_true(id_equal(&op.tasks[0].id, &ids[1]));
    free(op.tasks);

    op.has_status = true;
    op.status = BACKGROUND_RUNNING;
    assert_int_equal(STORE_RUN(&s->f, store_list_background, &op), ERR_OK);
    assert_int_equal(op.count, 0);
    free(op.tasks);

    foreign.id = ids[0];
    assert_int_equal(STORE_RUN(&s->f, store_get_background, &foreign), ERR_NOT_FOUND);
}

static void only_so_many_run_at_a_time(void **state)
{
    struct scene *s = *state;
    struct store_start_background ops[BACKGROUND_RUNNING_MAX + 1];
    struct background_task tasks[BACKGROUND_RUNNING_MAX + 1];

    for (size_t i = 0; i < COUNT(ops); i++) {
        tasks[i] = task_of(s, BACKGROUND_BULK_REPLAY);
        ops[i] = (struct store_start_background){ .task = &tasks[i] };
        store_fixture_ready(&s->f, &ops[i].req);
        store_start_background(s->f.store, &ops[i]); /* all of them in one group */
    }
    for (size_t i = 0; i < COUNT(ops); i++)
        assert_int_equal(store_fixture_wait(&s->f, &ops[i].req),
                         i < BACKGROUND_RUNNING_MAX ? ERR_OK : ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

/* The task's answer for the application; false without one. */
static bool get_usage(struct scene *s, const struct background_task *task,
                      const struct id *application, struct background_usage *out)
{
    struct store_get_background op = { .organization = STORE_FIXTURE_ORGANIZATION,
                                       .id = task->id };
    bool found = false;

    assert_int_equal(STORE_RUN(&s->f, store_get_background, &op), ERR_OK);
    background_task_fini(&op.task);
    for (size_t i = 0; i < op.usage_count; i++)
        if (id_equal(&op.usage[i].application, application)) {
            *out = op.usage[i];
            out->uid = NULL;
            out->event_types = text_list_copy(&op.usage[i].event_types);
            found = true;
        }
    background_usages_fini(op.usage, op.usage_count);
    return found;
}

static enum err begin_counting(struct scene *s, struct background_task *task,
                               const struct id *const applications[], size_t count)
{
    struct application *found[4];
    struct store_start_background op = {
        .task = task,
        .applications = found,
        .application_count = count,
    };

    for (size_t i = 0; i < count; i++)
        found[i] =
            catalog_application(s->f.catalog, &STORE_FIXTURE_ORGANIZATION, applications[i]);
    return STORE_RUN(&s->f, store_start_background, &op);
}

/* More messages than a bite looks at, before and behind a restart. */
static void destinations_are_counted_by_application(void **state)
{
    struct scene *s = *state;
    struct id empty = store_fixture_put_application(&s->f, "empty");
    struct id busy = store_fixture_put_application(&s->f, "busy");
    struct id uncounted = store_fixture_put_application(&s->f, "uncounted");
    const struct id *const applications[] = { &s->application, &empty, &busy };
    struct background_usage usage;
    struct background_task task;

    record(s, &s->endpoint, 0, 500); /* before the window */
    record(s, &s->endpoint, 2, 500);
    record(s, &s->endpoint, 2, 200);
    record(s, &s->other, 2, 200);
    record(s, &s->other, 3, 500);
    for (size_t i = 0; i < 3 * BACKGROUND_BITE_ROWS; i++)
        store_fixture_append(&s->f, &busy, "a", "{}");
    store_fixture_append(&s->f, &uncounted, "a", "{}");
    task = task_of(s, BACKGROUND_STATS);
    task.since_ms = s->first_ms + STEP_MS;
    assert_int_equal(begin_counting(s, &task, applications, COUNT(applications)), ERR_OK);
    for (get(s, &task); task.looked_at == 0; get(s, &task))
        uv_run(&s->f.loop.uv, UV_RUN_ONCE);
    assert_int_equal(task.status, BACKGROUND_RUNNING);
    store_fixture_close(&s->f);
    store_fixture_open(&s->f);
    finish(s, &task);
    assert_int_equal(task.status, BACKGROUND_FINISHED);
    assert_int_equal(task.looked_at, MESSAGES - 1 + 3 * BACKGROUND_BITE_ROWS);
    assert_int_equal(task.done, COUNT(applications));
    assert_true(get_usage(s, &task, &s->application, &usage));
    assert_int_equal(usage.destinations, 3);
    assert_true(get_usage(s, &task, &empty, &usage));
    assert_int_equal(usage.destinations, 0);
    assert_true(get_usage(s, &task, &busy, &usage));
    assert_int_equal(usage.destinations, 0);
    assert_false(get_usage(s, &task, &uncounted, &usage));
}

static void event_types_are_listed_by_application(void **state)
{
    static const char *const ASKED_FOR[][2] = { { "a", "b" }, { "b", "c" } };
    struct scene *s = *state;
    struct id narrow = store_fixture_put_application(&s->f, NULL);
    const struct id *const applications[] = { &s->application, &narrow };
    struct background_usage usage;
    struct background_task task;

    for (size_t i = 0; i < COUNT(ASKED_FOR); i++) {
        struct endpoint *e = store_fixture_endpoint(&s->f, &narrow, NULL);
        for (size_t j = 0; j < 2; j++)
            text_list_add(&e->event_types, ASKED_FOR[i][j], 1);
        store_fixture_put(&s->f, &e->base);
    }
    task = task_of(s, BACKGROUND_EVENT_TYPES);
    assert_int_equal(begin_counting(s, &task, applications, COUNT(applications)), ERR_OK);
    finish(s, &task);
    assert_int_equal(task.done, 2);
    assert_true(get_usage(s, &task, &s->application, &usage));
    assert_true(usage.has_catch_all);
    assert_int_equal(usage.event_types.count, 0);
    assert_true(get_usage(s, &task, &narrow, &usage));
    assert_false(usage.has_catch_all);
    assert_int_equal(usage.event_types.count, 3);
    assert_string_equal(usage.event_types.items[2], "c");
    background_usage_fini(&usage);
}

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        TEST(destinations_are_counted_by_application),
        TEST(event_types_are_listed_by_application),
        TEST(what_failed_and_was_not_delivered_is_recovered),
        TEST(what_was_never_sent_there_is_replayed_if_it_is_wanted),
        cmocka_unit_test(what_was_sent_is_replayed_as_narrowly_as_asked),
        TEST(a_dry_run_counts_and_asks_for_nothing),
        TEST(a_task_goes_on_after_a_restart),
        TEST(a_task_whose_endpoint_goes_fails),
        TEST(tasks_are_listed_newest_first_and_kept_apart),
        TEST(only_so_many_run_at_a_time),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
