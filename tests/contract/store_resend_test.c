/* What the store promises of deliveries that are asked for again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/mem.h"
#include "store/backend.h"
#include "tests/lib/store_fixture.h"

#define STEP_MS 1000

struct scene {
    struct store_fixture f;
    struct id application, endpoint, message;
    struct store_watcher watcher;
    int64_t hinted; /* the endpoint of the last hint */
};

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    struct scene *s = container_of(watcher, struct scene, watcher);

    s->hinted = hint->endpoint_keys[0];
    message_unref(hint->message);
    free(hint);
}

static int start(void **state)
{
    static struct scene scene;
    struct scene *s = *state = &scene;

    store_fixture_start(&s->f);
    s->f.inbox.limit = 100; /* hints */
    s->watcher = (struct store_watcher){ .inbox = &s->f.inbox, .fresh = on_fresh };
    store_watch(s->f.store, &s->watcher);
    s->application = store_fixture_put_application(&s->f, NULL);
    s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
    s->message = store_fixture_append(&s->f, &s->application, "a", "{}");
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    store_fixture_stop(&s->f);
    return 0;
}

static enum err resend(struct scene *s)
{
    struct store_resend op = { .application = s->application,
                               .message = s->message,
                               .endpoint = s->endpoint };

    return STORE_RUN(&s->f, store_resend, &op);
}

static bool record(struct scene *s, enum attempt_trigger trigger, enum delivery_state next,
                   uint64_t due_at_ms, bool still_manual)
{
    const struct attempt_record a = {
        .id = id_new(&s->f.ids, store_fixture_ms()),
        .message = s->message,
        .endpoint = s->endpoint,
        .application = s->application,
        .number = 1,
        .trigger = trigger,
        .status = next == DELIVERY_DELIVERED ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
    };
    struct store_record op = {
        .attempt = &a, .next = next, .due_at_ms = due_at_ms, .still_manual = still_manual
    };

    assert_int_equal(STORE_RUN(&s->f, store_record, &op), ERR_OK);
    return op.asked_for;
}

/* What is due now at the endpoint, without its message; due_at_ms 0: nothing. */
static struct delivery due(struct scene *s)
{
    struct delivery found = { .due_at_ms = 0 };
    struct store_due op = {
        .endpoint_key = id_key(&s->endpoint),
        .now_wall_ms = store_fixture_ms(),
        .limit = 2,
        .bytes_limit = 1000,
    };

    assert_int_equal(STORE_RUN(&s->f, store_due, &op), ERR_OK);
    assert_true(op.count <= 1);
    if (op.count == 1) {
        found = op.deliveries[0];
        assert_true(id_equal(&found.message->id, &s->message));
        message_unref(found.message);
    }
    free(op.deliveries);
    return found;
}

static uint64_t pending(struct scene *s)
{
    struct store_status op = { .pending = 0 };

    assert_int_equal(STORE_RUN(&s->f, store_status, &op), ERR_OK);
    return op.pending;
}

static void pass(uint64_t ms)
{
    store_fixture_set_ms(store_fixture_ms() + ms);
}

static void what_has_ended_is_due_once_more(void **state)
{
    static const enum delivery_state ENDS[] = { DELIVERY_DELIVERED, DELIVERY_DEAD };
    struct scene *s = *state;

    record(s, TRIGGER_SCHEDULED, DELIVERY_DEAD, 0, false);
    for (size_t i = 0; i < 2; i++) {
        pass(STEP_MS);
        assert_int_equal(pending(s), 0);
        s->hinted = 0;
        assert_int_equal(resend(s), ERR_OK);
        assert_int_equal(s->hinted, id_key(&s->endpoint));
        assert_int_equal(pending(s), 1);
        struct delivery d = due(s);
        assert_int_equal(d.due_at_ms, store_fixture_ms());
        assert_int_equal(d.trigger, TRIGGER_MANUAL);
        assert_int_equal(d.resume_at_ms, 0);
        assert_int_equal(d.attempts, 1);
        assert_false(record(s, TRIGGER_MANUAL, ENDS[i], 0, false));
        assert_int_equal(due(s).due_at_ms, 0);
        assert_int_equal(pending(s), 0);
    }
}

static void an_endpoint_that_never_had_it_gets_it(void **state)
{
    struct scene *s = *state;

    s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
    assert_int_equal(due(s).due_at_ms, 0);
    assert_int_equal(resend(s), ERR_OK);
    assert_int_equal(due(s).trigger, TRIGGER_MANUAL);
    assert_int_equal(due(s).attempts, 0);
    assert_int_equal(pending(s), 2);
}

static void a_schedule_goes_on_behind_what_was_asked_for(void **state)
{
    struct scene *s = *state;
    uint64_t retry_ms = store_fixture_ms() + 60 * STEP_MS;

    record(s, TRIGGER_SCHEDULED, DELIVERY_PENDING, retry_ms, false);
    assert_int_equal(due(s).due_at_ms, 0);
    assert_int_equal(resend(s), ERR_OK);
    assert_int_equal(due(s).resume_at_ms, retry_ms);
    record(s, TRIGGER_MANUAL, DELIVERY_PENDING, retry_ms, false);
    assert_int_equal(due(s).due_at_ms, 0);
    pass(60 * STEP_MS);
    struct delivery d = due(s);
    assert_int_equal(d.due_at_ms, retry_ms);
    assert_int_equal(d.trigger, TRIGGER_SCHEDULED);
    assert_int_equal(d.attempts, 1);
    assert_int_equal(pending(s), 1);
}

static void asking_twice_before_it_was_made_is_asking_once(void **state)
{
    struct scene *s = *state;
    uint64_t retry_ms = store_fixture_ms() + 60 * STEP_MS, asked_ms = store_fixture_ms();

    record(s, TRIGGER_SCHEDULED, DELIVERY_PENDING, retry_ms, false);
    assert_int_equal(resend(s), ERR_OK);
    pass(STEP_MS);
    assert_int_equal(resend(s), ERR_OK);
    assert_int_equal(due(s).due_at_ms, asked_ms);
    assert_int_equal(due(s).resume_at_ms, retry_ms);
    assert_int_equal(pending(s), 1);
}

static void what_is_asked_for_during_an_attempt_is_made_after_it(void **state)
{
    static const struct {
        enum delivery_state next;
        bool resumes;
    } ROWS[] = { { DELIVERY_DELIVERED, false },
                 { DELIVERY_DEAD, false },
                 { DELIVERY_PENDING, true } };
    struct scene *s = *state;

    for (size_t i = 0; i < 3; i++) {
        uint64_t retry_ms = store_fixture_ms() + 60 * STEP_MS;
        s->message = store_fixture_append(&s->f, &s->application, "a", "{}");
        s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
        assert_int_equal(resend(s), ERR_OK);
        uint64_t before = pending(s);
        assert_true(record(s, TRIGGER_SCHEDULED, ROWS[i].next, retry_ms, false));
        assert_int_equal(due(s).trigger, TRIGGER_MANUAL);
        assert_int_equal(due(s).resume_at_ms, ROWS[i].resumes ? retry_ms : 0);
        assert_int_equal(due(s).attempts, 1);
        assert_int_equal(pending(s), before);
    }
}

static void an_attempt_that_did_not_count_is_still_to_be_made(void **state)
{
    struct scene *s = *state;
    uint64_t retry_ms = store_fixture_ms() + 60 * STEP_MS;

    record(s, TRIGGER_SCHEDULED, DELIVERY_PENDING, retry_ms, false);
    assert_int_equal(resend(s), ERR_OK);
    record(s, TRIGGER_MANUAL, DELIVERY_PENDING, store_fixture_ms(), true);
    assert_int_equal(due(s).trigger, TRIGGER_MANUAL);
    assert_int_equal(due(s).resume_at_ms, retry_ms);
}

static void what_is_not_there_cannot_be_asked_for(void **state)
{
    struct scene *s = *state;
    struct id message = s->message, endpoint = s->endpoint, application = s->application;

    s->message = id_new(&s->f.ids, store_fixture_ms());
    assert_int_equal(resend(s), ERR_NOT_FOUND);
    s->message = message;
    s->endpoint = id_new(&s->f.ids, store_fixture_ms());
    assert_int_equal(resend(s), ERR_NOT_FOUND);
    s->application = store_fixture_put_application(&s->f, NULL);
    s->endpoint = store_fixture_put_endpoint(&s->f, &s->application);
    assert_int_equal(resend(s), ERR_NOT_FOUND); /* the message is another's */
    s->application = application;
    s->endpoint = endpoint;
    s->message = store_fixture_append(&s->f, &s->application, "a", "");
    assert_int_equal(resend(s), ERR_UNAVAILABLE);
}

static void what_was_asked_for_is_still_due_after_a_restart(void **state)
{
    struct scene *s = *state;

    record(s, TRIGGER_SCHEDULED, DELIVERY_DELIVERED, 0, false);
    assert_int_equal(resend(s), ERR_OK);
    store_fixture_close(&s->f);
    store_fixture_open(&s->f);
    assert_int_equal(due(s).trigger, TRIGGER_MANUAL);
    assert_int_equal(pending(s), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

static int run(const char *name)
{
    const struct CMUnitTest tests[] = {
        TEST(what_has_ended_is_due_once_more),
        TEST(an_endpoint_that_never_had_it_gets_it),
        TEST(a_schedule_goes_on_behind_what_was_asked_for),
        TEST(asking_twice_before_it_was_made_is_asking_once),
        TEST(what_is_asked_for_during_an_attempt_is_made_after_it),
        TEST(an_attempt_that_did_not_count_is_still_to_be_made),
        TEST(what_is_not_there_cannot_be_asked_for),
        TEST(what_was_asked_for_is_still_due_after_a_restart),
    };

    return cmocka_run_group_tests_name(name, tests, NULL, NULL);
}

int main(void)
{
    return store_fixture_each_backend(run);
}
