#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "lab/control.h"
#include "tests/lib/temp.h"

struct fixture {
    uv_loop_t loop;
    struct control control;
    char dir[TEMP_PATH_MAX];
    unsigned orders;
};

/* Says what it was told; "wait" waits. */
static int order(void *ctx, const char *verb, const char *region, struct buf *text,
                 const void **waits_for)
{
    struct fixture *f = ctx;

    f->orders++;
    if (strcmp(verb, "wait") == 0)
        *waits_for = f;
    assert_int_equal(buf_printf(text, "%s:%s", verb, region ? region : ""), ERR_OK);
    return 3;
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    temp_make(f->dir);
    uv_loop_init(&f->loop);
    f->control.order = order;
    f->control.ctx = f;
    assert_int_equal(control_open(&f->control, &f->loop, f->dir), ERR_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    control_close(&f->control);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    temp_remove(f->dir);
    test_free(f);
    return 0;
}

static int call(const struct fixture *f, const char *bytes, size_t len)
{
    struct sockaddr_un where = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    snprintf(where.sun_path, sizeof where.sun_path, "%.60s/" CONTROL_NAME, f->dir);
    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), len);
    return fd;
}

/* All that it is told until it is hung up on. */
static void expect(struct fixture *f, int fd, const char *answer)
{
    char got[256];
    size_t used = 0;
    ssize_t len;

    while ((len = recv(fd, got + used, sizeof got - used, 0)) != 0) {
        if (len > 0)
            used += (size_t)len;
        else
            uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(used, strlen(answer));
    assert_memory_equal(got, answer, used);
    close(fd);
}

static void an_order_is_a_line_and_its_answer_the_status_and_a_text(void **state)
{
    static const struct {
        const char *line, *answer;
    } rows[] = {
        { "cut sin\n", "3cut:sin\n" },
        { "status\n", "3status:\n" },
        { "\n", "3:\n" },
        { "cut sin gru\n", "3cut:sin gru\n" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++)
        expect(f, call(f, rows[i].line, strlen(rows[i].line)), rows[i].answer);
}

static void what_is_no_line_is_hung_up_on(void **state)
{
    char long_line[CONTROL_LINE_MAX];
    struct fixture *f = *state;

    memset(long_line, 'x', sizeof long_line);
    expect(f, call(f, long_line, sizeof long_line), "");
    int fd = call(f, "cut", 3);
    shutdown(fd, SHUT_WR);
    expect(f, fd, "");
    assert_int_equal(f->orders, 0);
}

static void who_waits_is_answered_when_it_is_over(void **state)
{
    struct fixture *f = *state;
    int one = call(f, "wait a\n", 7), other = call(f, "wait b\n", 7);
    char byte;

    while (f->orders < 2)
        uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(recv(one, &byte, 1, 0), -1);
    control_settle(&f->control, "something else", 0, "no");
    control_settle(&f->control, f, 0, "over");
    expect(f, one, "0over\n");
    expect(f, other, "0over\n");
}

static void callers_beyond_the_limit_are_hung_up_on(void **state)
{
    struct fixture *f = *state;
    int waiting[CONTROL_CALLERS_MAX];

    for (size_t i = 0; i < COUNT(waiting); i++)
        waiting[i] = call(f, "wait\n", 5);
    while (f->orders < COUNT(waiting))
        uv_run(&f->loop, UV_RUN_ONCE);
    expect(f, call(f, "status\n", 7), "");
    control_settle(&f->control, f, 0, "over");
    for (size_t i = 0; i < COUNT(waiting); i++)
        expect(f, waiting[i], "0over\n");
    expect(f, call(f, "status\n", 7), "3status:\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(an_order_is_a_line_and_its_answer_the_status_and_a_text),
        TEST(what_is_no_line_is_hung_up_on),
        TEST(who_waits_is_answered_when_it_is_over),
        TEST(callers_beyond_the_limit_are_hung_up_on),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
