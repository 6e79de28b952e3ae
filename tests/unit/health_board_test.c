#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/health_board.h"
#include "core/loop.h"
#include "core/mem.h"

#define FOLLOWERS 2

struct reader {
    struct health_follower follower;
    unsigned heard;
    unsigned heard_before_left;
    bool left;
    struct task leave;
};

struct fixture {
    struct loop loop;
    struct topology *topology;
    struct health_board board;
    struct reader readers[FOLLOWERS];
};

static void on_changed(struct health_follower *follower)
{
    container_of(follower, struct reader, follower)->heard++;
}

static void on_left(struct task *task)
{
    struct reader *reader = container_of(task, struct reader, leave);

    reader->left = true;
    reader->heard_before_left = reader->heard;
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    assert_int_equal(loop_open(&f->loop, "test"), ERR_OK);
    f->topology = topology_new_single();
    health_board_open(&f->board, f->topology);
    f->board.inbox = &f->loop.inbox;
    for (size_t i = 0; i < FOLLOWERS; i++) {
        struct reader *reader = &f->readers[i];

        reader->follower.inbox = &f->loop.inbox;
        reader->follower.changed = on_changed;
        reader->leave.run = on_left;
        health_follow(&f->board, &reader->follower);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < FOLLOWERS; i++)
        region_health_unref(f->readers[i].follower.health);
    health_board_close(&f->board);
    topology_free(f->topology);
    loop_close(&f->loop);
    free(f);
    return 0;
}

static void post(struct fixture *f, uint32_t rtt_us)
{
    struct region_health *next = region_health_copy(f->readers[0].follower.health);

    next->regions[1].state = REGION_ALIVE;
    next->regions[1].rtt_us = rtt_us;
    health_post(&f->board, next);
}

static void leave(struct fixture *f, size_t reader)
{
    health_unfollow(&f->readers[reader].follower, &f->readers[reader].leave);
    while (!f->readers[reader].left)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
}

static void at_first_all_but_this_region_are_unknown(void **state)
{
    const struct fixture *f = *state;
    const struct region_health *health = f->readers[0].follower.health;

    assert_string_equal(region_state_name(health->regions[0].state), "self");
    for (size_t i = 1; i < REGIONS_MAX; i++)
        assert_string_equal(region_state_name(health->regions[i].state), "unknown");
}

static void whoever_follows_has_what_was_posted_last(void **state)
{
    struct fixture *f = *state;

    for (uint32_t rtt_us = 1; rtt_us <= 3; rtt_us++)
        post(f, rtt_us);
    assert_int_equal(f->readers[0].heard, 0);
    uv_run(&f->loop.uv, UV_RUN_ONCE);
    for (size_t i = 0; i < FOLLOWERS; i++) {
        assert_int_equal(f->readers[i].heard, 3);
        assert_int_equal(f->readers[i].follower.health->regions[1].rtt_us, 3);
    }
}

static void whoever_left_hears_nothing_more(void **state)
{
    struct fixture *f = *state;

    post(f, 1);
    leave(f, 0);
    assert_int_equal(f->readers[0].heard_before_left, 1);
    post(f, 2);
    uv_run(&f->loop.uv, UV_RUN_ONCE);
    assert_int_equal(f->readers[0].heard, 1);
    assert_int_equal(f->readers[1].heard, 2);
}

static void where_nobody_posts_one_may_leave_as_well(void **state)
{
    struct fixture *f = *state;

    f->board.inbox = NULL;
    leave(f, 0);
    leave(f, 1);
    assert_int_equal(f->readers[1].heard, 0);
}

#define BOARD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOARD_TEST(at_first_all_but_this_region_are_unknown),
        BOARD_TEST(whoever_follows_has_what_was_posted_last),
        BOARD_TEST(whoever_left_hears_nothing_more),
        BOARD_TEST(where_nobody_posts_one_may_leave_as_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
