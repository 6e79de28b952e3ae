#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/list.h"
#include "tests/lib/capture.h"
#include "tests/lib/descriptors.h"
#include "wire/listener.h"

struct fixture {
    uv_loop_t loop;
    struct listener listener;
    unsigned accepted;
};

static void on_accepted(struct listener *l, int fd, const struct sockaddr *address,
                        socklen_t address_len)
{
    (void)address, (void)address_len;
    container_of(l, struct fixture, listener)->accepted++;
    close(fd);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof *f);

    uv_loop_init(&f->loop);
    assert_int_equal(listener_open(&f->listener, &f->loop, "127.0.0.1", 0), ERR_OK);
    f->listener.on_accepted = on_accepted;
    listener_resume(&f->listener);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    listener_close(&f->listener, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    test_free(f);
    return 0;
}

/* It waits in the kernel until the listener takes it. */
static int connect_to(const struct fixture *f)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(listener_port(&f->listener)) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void run_without_descriptors(struct fixture *f)
{
    descriptors_withhold();
    while (!f->listener.paused)
        uv_run(&f->loop, UV_RUN_ONCE);
    descriptors_give_back();
}

static void after_a_shortage_it_accepts_by_itself(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    uv_run(&f->loop, UV_RUN_NOWAIT); /* the loop's own descriptors are there */
    assert_int_equal(f->accepted, 1);
    close(fd);
    fd = connect_to(f);
    run_without_descriptors(f);
    assert_int_equal(f->accepted, 1);
    while (f->accepted < 2)
        uv_run(&f->loop, UV_RUN_ONCE);
    close(fd);
}

static unsigned notices_of_shortages(struct fixture *f, unsigned count)
{
    struct capture capture;
    char text[4096];

    capture_begin(&capture);
    for (; count > 0; count--) {
        run_without_descriptors(f);
        listener_resume(&f->listener); /* as after the pause */
    }
    capture_end(&capture, text, sizeof text);
    return capture_count(text, "accept_paused");
}

static void a_shortage_that_lasts_is_logged_once_a_minute(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    uv_run(&f->loop, UV_RUN_NOWAIT);
    close(fd);
    fd = connect_to(f);
    assert_int_equal(notices_of_shortages(f, 3), 1);
    assert_int_equal(notices_of_shortages(f, 3), 0);
    f->listener.next_notice_ms = uv_now(&f->loop); /* a minute later */
    assert_int_equal(notices_of_shortages(f, 3), 1);
    close(fd);
}

static void a_pause_outlasts_a_shortage(void **state)
{
    struct fixture *f = *state;
    int fd = connect_to(f);

    uv_run(&f->loop, UV_RUN_NOWAIT);
    close(fd);
    fd = connect_to(f);
    run_without_descriptors(f);
    listener_pause(&f->listener);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0); /* nothing is left to wait for */
    assert_int_equal(f->accepted, 1);
    listener_resume(&f->listener);
    while (f->accepted < 2)
        uv_run(&f->loop, UV_RUN_ONCE);
    close(fd);
}

/* 192.0.2.0/24 is for documentation, so no machine's. */
static void an_address_of_another_machine_is_refused_as_such(void **state)
{
    struct fixture *f = *state;
    struct listener other;

    assert_int_equal(listener_open(&other, &f->loop, "192.0.2.1", 0), ERR_FOREIGN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_a_shortage_it_accepts_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_shortage_that_lasts_is_logged_once_a_minute, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pause_outlasts_a_shortage, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_of_another_machine_is_refused_as_such, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
