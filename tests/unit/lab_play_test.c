#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "lab/play.h"
#include "tests/lib/capture.h"

struct fixture {
    uv_loop_t loop;
    struct nursery nursery;
    struct play play;
    struct receiver receiver;
    bool is_done, is_true;
};

static void on_emptied(struct nursery *nursery)
{
    (void)nursery;
}

static void on_done(struct play *play, bool is_true)
{
    struct fixture *f = container_of(play, struct fixture, play);

    assert_false(f->is_done);
    f->is_done = true;
    f->is_true = is_true;
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    uv_loop_init(&f->loop);
    f->nursery.emptied = on_emptied;
    nursery_open(&f->nursery, &f->loop);
    f->receiver = (struct receiver){ .region = "fra" };
    f->play = (struct play){
        .done = on_done, .dir_option = " here", .receivers = &f->receiver, .receiver_count = 1
    };
    play_open(&f->play, &f->loop, &f->nursery, "/");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    play_close(&f->play);
    nursery_close(&f->nursery);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    play_fini(&f->play);
    test_free(f);
    return 0;
}

static bool play(struct fixture *f, const struct act *acts, size_t count)
{
    struct capture capture;
    char text[1024];

    f->is_done = false;
    capture_begin(&capture);
    play_start(&f->play, acts, count);
    while (!f->is_done)
        uv_run(&f->loop, UV_RUN_ONCE);
    capture_end(&capture, text, sizeof text);
    assert_int_equal(capture_count(text, "posthaste: '"), f->is_true ? 0 : 1);
    return f->is_true;
}

static void an_act_is_true_when_its_command_ends_and_prints_as_it_says(void **state)
{
    static const struct {
        struct act act;
        bool is_true;
    } rows[] = {
        { { .kind = ACT_RUN, .text = "pwd", .wants = { "^/$" } }, true },
        { { .kind = ACT_RUN, .text = "pwd", .wants = { "^/$", "tmp" } }, false },
        { { .kind = ACT_RUN, .text = "pwd", .lacks = "^/$" }, false },
        { { .kind = ACT_RUN, .text = "echo on stderr >&2", .wants = { "on stderr" } }, true },
        { { .kind = ACT_RUN, .text = "exit 3", .exit = 3 }, true },
        { { .kind = ACT_RUN, .text = "exit 3" }, false },
        { { .kind = ACT_RUN, .text = "kill -9 $$", .exit = 137 }, true },
        { { .kind = ACT_RUN, .text = "no-such-command", .exit = 127 }, true },
        { { .kind = ACT_RUN, .text = "echo{dir} too", .wants = { "^here too$" } }, true },
        { { .kind = ACT_RUN, .text = "true", .receiver = "fra" }, false },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(play(f, &rows[i].act, 1), rows[i].is_true);
}

static void what_isnt_true_ends_the_play(void **state)
{
    static const struct act acts[] = {
        { .kind = ACT_RUN, .text = "true" },
        { .kind = ACT_RUN, .text = "false" },
        { .kind = ACT_RUN, .text = "true" },
    };
    struct fixture *f = *state;

    assert_true(play(f, acts, 1));
    assert_false(play(f, acts, COUNT(acts)));
    assert_int_equal(f->play.index, 1);
}

/* Each run adds a byte. */
static void what_is_awaited_is_asked_for_again(void **state)
{
    static const struct act act = {
        .kind = ACT_MEET,
        .text = "printf x >>\"$POSTHASTE_TEST_FILE\"; cat \"$POSTHASTE_TEST_FILE\"",
        .wants = { "^xxx$" },
    };
    char path[] = "/tmp/posthaste-test-XXXXXX";
    struct fixture *f = *state;

    close(mkstemp(path));
    setenv("POSTHASTE_TEST_FILE", path, 1);
    assert_true(play(f, &act, 1));
    unlink(path);
}

static void a_step_waits_for_a_key_where_there_are_keys(void **state)
{
    static const struct act acts[] = {
        { .kind = ACT_STEP, .text = "one" },
        { .kind = ACT_STEP, .text = "two" },
    };
    struct fixture *f = *state;

    assert_true(play(f, acts, COUNT(acts)));
    f->is_done = false;
    f->play.has_keys = true;
    play_start(&f->play, acts, COUNT(acts));
    play_key(&f->play);
    assert_false(f->is_done);
    play_key(&f->play);
    assert_true(f->is_done);
    play_key(&f->play);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_act_is_true_when_its_command_ends_and_prints_as_it_says),
        TEST(what_isnt_true_ends_the_play),
        TEST(what_is_awaited_is_asked_for_again),
        TEST(a_step_waits_for_a_key_where_there_are_keys),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
