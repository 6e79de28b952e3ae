#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/inbox.h"
#include "core/loop.h"
#include "core/mem.h"

#define SENDERS        4
#define TASKS_PER_EACH 20000

struct fixture {
    uv_loop_t loop;
    struct inbox inbox;
    char story[128]; /* what happened, a letter each */
};

struct note {
    struct task task;
    struct fixture *fixture;
    char letter;
    struct note *then; /* posted by this one when it runs */
};

static void tell(struct fixture *f, char letter)
{
    size_t len = strlen(f->story);

    assert_true(len + 1 < sizeof f->story);
    f->story[len] = letter;
    f->story[len + 1] = '\0';
}

static void run_note(struct task *task)
{
    struct note *note = container_of(task, struct note, task);

    tell(note->fixture, note->letter);
    if (note->then)
        inbox_post(&note->fixture->inbox, &note->then->task);
}

static void before_batch(struct inbox *inbox)
{
    tell(container_of(inbox, struct fixture, inbox), '[');
}

static void after_batch(struct inbox *inbox)
{
    tell(container_of(inbox, struct fixture, inbox), ']');
}

static void on_closed(struct inbox *inbox)
{
    tell(container_of(inbox, struct fixture, inbox), '.');
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(inbox_open(&f->inbox, &f->loop), ERR_OK);
    f->inbox.before_batch = before_batch;
    f->inbox.after_batch = after_batch;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    inbox_close(&f->inbox, on_closed);
    assert_null(strchr(f->story, '.'));
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_non_null(strchr(f->story, '.'));
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static struct note note_of(struct fixture *f, char letter)
{
    return (struct note){ .task = { .run = run_note }, .fixture = f, .letter = letter };
}

static void what_waits_runs_in_order_as_one_batch(void **state)
{
    struct fixture *f = *state;
    struct note a = note_of(f, 'a'), b = note_of(f, 'b'), c = note_of(f, 'c');

    inbox_post(&f->inbox, &a.task);
    inbox_post(&f->inbox, &b.task);
    inbox_post(&f->inbox, &c.task);
    assert_string_equal(f->story, "");
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_string_equal(f->story, "[abc]");
}

static void what_a_task_posts_runs_in_the_next_batch(void **state)
{
    struct fixture *f = *state;
    struct note a = note_of(f, 'a'), b = note_of(f, 'b'), c = note_of(f, 'c');

    a.then = &c;
    inbox_post(&f->inbox, &a.task);
    inbox_post(&f->inbox, &b.task);
    while (!strchr(f->story, 'c'))
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_string_equal(f->story, "[ab][c]");
}

static void offers_are_refused_at_the_limit_and_posts_are_not(void **state)
{
    struct fixture *f = *state;
    struct note notes[5];

    for (size_t i = 0; i < 5; i++)
        notes[i] = note_of(f, (char)('a' + i));
    assert_false(inbox_offer(&f->inbox, &notes[0].task));

    f->inbox.limit = 2;
    assert_true(inbox_offer(&f->inbox, &notes[0].task));
    assert_true(inbox_offer(&f->inbox, &notes[1].task));
    assert_false(inbox_offer(&f->inbox, &notes[2].task));
    inbox_post(&f->inbox, &notes[3].task);
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_string_equal(f->story, "[abd]");

    assert_true(inbox_offer(&f->inbox, &notes[4].task));
    uv_run(&f->loop, UV_RUN_ONCE);
    assert_string_equal(f->story, "[abd][e]");
}

/* Several threads. */

struct sender;

struct parcel {
    struct task task;
    struct sender *sender;
    unsigned number;
};

struct sender {
    uv_thread_t thread;
    struct inbox *inbox;
    struct parcel *parcels;
    unsigned received; /* the owner's: the next number that is due */
    unsigned refused;  /* the sender's */
};

static void run_parcel(struct task *task)
{
    struct parcel *parcel = container_of(task, struct parcel, task);

    assert_int_equal(parcel->number, parcel->sender->received);
    parcel->sender->received++;
}

/* Every second parcel is offered, and posted when it is refused. */
static void send_all(void *arg)
{
    struct sender *sender = arg;

    for (unsigned i = 0; i < TASKS_PER_EACH; i++) {
        struct parcel *parcel = &sender->parcels[i];
        *parcel = (struct parcel){ { .run = run_parcel }, sender, i };
        if (i % 2 && inbox_offer(sender->inbox, &parcel->task))
            continue;
        sender->refused += i % 2;
        inbox_post(sender->inbox, &parcel->task);
    }
}

static unsigned received_by_all(const struct sender *senders)
{
    unsigned sum = 0;

    for (size_t i = 0; i < SENDERS; i++)
        sum += senders[i].received;
    return sum;
}

static void each_of_several_senders_keeps_its_order_and_nothing_is_lost(void **state)
{
    struct sender senders[SENDERS];
    struct inbox inbox;
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(inbox_open(&inbox, &loop), ERR_OK);
    inbox.limit = 8;
    for (size_t i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){ .inbox = &inbox };
        senders[i].parcels = xcalloc(TASKS_PER_EACH, sizeof *senders[i].parcels);
        assert_int_equal(uv_thread_create(&senders[i].thread, send_all, &senders[i]), 0);
    }
    while (received_by_all(senders) < SENDERS * TASKS_PER_EACH)
        uv_run(&loop, UV_RUN_ONCE);

    for (size_t i = 0; i < SENDERS; i++) {
        uv_thread_join(&senders[i].thread);
        assert_int_equal(senders[i].received, TASKS_PER_EACH);
        free(senders[i].parcels);
    }
    inbox_close(&inbox, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_stopped_loop_has_run_what_was_posted_before(void **state)
{
    struct sender sender = { .parcels = xcalloc(TASKS_PER_EACH, sizeof *sender.parcels) };
    struct loop loop;

    (void)state;
    assert_int_equal(loop_open(&loop, "test"), ERR_OK);
    sender.inbox = &loop.inbox;
    assert_int_equal(loop_start(&loop), ERR_OK);
    send_all(&sender);
    loop_stop(&loop);
    assert_int_equal(sender.received, TASKS_PER_EACH);
    assert_int_equal(sender.refused, TASKS_PER_EACH / 2); /* no limit was set: no offers */
    free(sender.parcels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_waits_runs_in_order_as_one_batch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_task_posts_runs_in_the_next_batch, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(offers_are_refused_at_the_limit_and_posts_are_not,
                                        set_up, tear_down),
        cmocka_unit_test(each_of_several_senders_keeps_its_order_and_nothing_is_lost),
        cmocka_unit_test(a_stopped_loop_has_run_what_was_posted_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
