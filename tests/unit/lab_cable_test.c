#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/list.h"
#include "lab/cable.h"
#include "lab/passage.h"

#define RTT_MS   40
#define NEAR     "127.0.0.2"
#define FAR      "127.0.0.1"
#define FILL_MAX (64u << 20) /* bytes: more than sockets hold */

/* A cable from NEAR to a server of the test's at FAR. */
struct fixture {
    uv_loop_t loop;
    struct cable cable;
    int server;
    uint16_t port;
};

static int open_socket(const char *address, uint16_t port, struct sockaddr_in *out)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(uv_ip4_addr(address, port, out), 0);
    return fd;
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);
    struct sockaddr_in where;
    socklen_t len = sizeof where;

    uv_loop_init(&f->loop);
    f->server = open_socket(FAR, 0, &where);
    assert_int_equal(bind(f->server, (struct sockaddr *)&where, sizeof where), 0);
    assert_int_equal(listen(f->server, 256), 0);
    assert_int_equal(getsockname(f->server, (struct sockaddr *)&where, &len), 0);
    f->port = ntohs(where.sin_port);
    assert_int_equal(cable_open(&f->cable, &f->loop, NEAR, FAR, f->port, RTT_MS), ERR_OK);
    fcntl(f->server, F_SETFL, O_NONBLOCK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    cable_close(&f->cable);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    assert_int_equal(f->cable.count, 0);
    close(f->server);
    test_free(f);
    return 0;
}

static int connect_near(const struct fixture *f)
{
    struct sockaddr_in where;
    int fd = open_socket(NEAR, f->port, &where);

    assert_int_equal(connect(fd, (struct sockaddr *)&where, sizeof where), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* As it comes out of the cable. */
static int accept_far(struct fixture *f)
{
    int fd;

    while ((fd = accept4(f->server, NULL, NULL, SOCK_NONBLOCK)) < 0) {
        assert_int_equal(errno, EAGAIN);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    return fd;
}

/* Wait for something to read: how much it is, 0 at the end, -1 where it broke. */
static ssize_t receive(struct fixture *f, int fd, char *out, size_t room)
{
    ssize_t len;

    while ((len = recv(fd, out, room, 0)) < 0 && errno == EAGAIN)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    return len;
}

static void expect(struct fixture *f, int fd, const char *text, size_t len)
{
    char got[64];

    assert_int_equal(receive(f, fd, got, sizeof got), len);
    assert_memory_equal(got, text, len);
}

static void run_for(struct fixture *f, uint64_t ms)
{
    uint64_t end_ms = uv_now(&f->loop) + ms;

    while (uv_now(&f->loop) < end_ms)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

static struct passage *only_passage(struct fixture *f)
{
    assert_int_equal(f->cable.count, 1);
    return container_of(f->cable.passages.next, struct passage, link);
}

static void
the_first_bytes_take_a_round_trip_and_a_half_and_later_ones_half_of_one(void **state)
{
    struct fixture *f = *state;
    uint64_t start_ms = uv_now(&f->loop);
    int near = connect_near(f), far;

    send(near, "hello", 5, 0);
    far = accept_far(f);
    assert_true(uv_now(&f->loop) - start_ms >= RTT_MS / 2);
    expect(f, far, "hello", 5);
    assert_true(uv_now(&f->loop) - start_ms >= RTT_MS + RTT_MS / 2);
    start_ms = uv_now(&f->loop);
    send(far, "hi", 2, 0);
    expect(f, near, "hi", 2);
    assert_true(uv_now(&f->loop) - start_ms >= RTT_MS / 2);
    close(near);
    close(far);
}

/* Whenever within the millisecond it went in, by a finer clock than the loop's. */
static void nothing_comes_out_early(void **state)
{
    struct fixture *f = *state;
    int near = connect_near(f), far = accept_far(f);

    for (uint64_t i = 0; i < 20; i++) {
        while (uv_hrtime() / 50000 % 20 != i)
            uv_run(&f->loop, UV_RUN_NOWAIT);
        uint64_t start_ns = uv_hrtime();
        send(far, "hi", 2, 0);
        expect(f, near, "hi", 2);
        assert_true(uv_hrtime() - start_ns >= RTT_MS / 2 * UINT64_C(1000000));
    }
    close(near);
    close(far);
}

static void one_direction_may_end_before_the_other(void **state)
{
    struct fixture *f = *state;
    int near = connect_near(f), far = accept_far(f);
    char byte;

    shutdown(near, SHUT_WR);
    assert_int_equal(receive(f, far, &byte, 1), 0);
    send(far, "still here", 10, 0);
    close(far);
    expect(f, near, "still here", 10);
    assert_int_equal(receive(f, near, &byte, 1), 0);
    close(near);
}

static void nothing_comes_out_of_a_cut_cable_and_all_of_it_once_it_heals(void **state)
{
    struct fixture *f = *state;
    int near = connect_near(f), far = accept_far(f);
    char byte;

    cable_cut(&f->cable, true);
    send(near, "hello", 5, 0);
    int second = connect_near(f);
    run_for(f, (uint64_t)3 * RTT_MS);
    assert_int_equal(recv(far, &byte, 1, 0), -1);
    assert_int_equal(accept(f->server, NULL, NULL), -1);
    cable_cut(&f->cable, false);
    expect(f, far, "hello", 5);
    int second_far = accept_far(f);
    close(near);
    close(far);
    close(second);
    close(second_far);
}

static void a_connection_that_nobody_takes_breaks(void **state)
{
    struct fixture *f = *state;
    char byte;

    close(f->server);
    int near = connect_near(f);
    assert_true(receive(f, near, &byte, 1) <= 0);
    close(near);
    f->server = socket(AF_INET, SOCK_STREAM, 0);
}

/* As much as goes in while nobody takes it out, up to what surely is too much. */
static size_t fill(struct fixture *f, int fd)
{
    static const char bytes[16384];
    size_t total = 0;
    ssize_t len;

    for (unsigned idle = 0; idle < 100 && total < FILL_MAX;) {
        len = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL);
        idle = len > 0 ? 0 : idle + 1;
        total += len > 0 ? (size_t)len : 0;
        run_for(f, len > 0 ? 0 : 1);
    }
    return total;
}

static void what_nobody_takes_out_is_bounded_and_none_of_it_is_lost(void **state)
{
    static char bytes[65536];
    struct fixture *f = *state;
    int near = connect_near(f), far = accept_far(f);
    size_t sent = fill(f, near), received = 0;

    assert_true(only_passage(f)->forth.line.len < DELAY_LINE_MAX + 2 * CABLE_READ_MAX);
    shutdown(near, SHUT_WR);
    for (ssize_t len; (len = receive(f, far, bytes, sizeof bytes)) > 0;)
        received += (size_t)len;
    assert_int_equal(received, sent);
    assert_true(sent > DELAY_LINE_MAX);
    close(near);
    close(far);
}

static void what_a_cut_cable_takes_in_is_bounded_too(void **state)
{
    struct fixture *f = *state;
    int near = connect_near(f), far = accept_far(f);

    cable_cut(&f->cable, true);
    fill(f, near);
    assert_true(only_passage(f)->forth.line.len < DELAY_LINE_MAX + 2 * CABLE_READ_MAX);
    close(near);
    close(far);
}

static void connections_beyond_its_limit_wait(void **state)
{
    struct fixture *f = *state;
    int near[CABLE_PASSAGES_MAX + 1];

    for (size_t i = 0; i <= CABLE_PASSAGES_MAX; i++) {
        near[i] = connect_near(f);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(f->cable.count, CABLE_PASSAGES_MAX);
    assert_true(f->cable.listener.paused);
    passage_end(container_of(f->cable.passages.next, struct passage, link));
    while (f->cable.count < CABLE_PASSAGES_MAX || f->cable.listener.paused == false)
        uv_run(&f->loop, UV_RUN_NOWAIT);
    for (size_t i = 0; i <= CABLE_PASSAGES_MAX; i++)
        close(near[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_first_bytes_take_a_round_trip_and_a_half_and_later_ones_half_of_one),
        TEST(nothing_comes_out_early),
        TEST(one_direction_may_end_before_the_other),
        TEST(nothing_comes_out_of_a_cut_cable_and_all_of_it_once_it_heals),
        TEST(a_connection_that_nobody_takes_breaks),
        TEST(what_nobody_takes_out_is_bounded_and_none_of_it_is_lost),
        TEST(what_a_cut_cable_takes_in_is_bounded_too),
        TEST(connections_beyond_its_limit_wait),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
