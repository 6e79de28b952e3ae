#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "tests/lib/courier_fixture.h"
#include "tests/lib/temp.h"
#include "tests/lib/tls.h"
#include "wire/courier_target.h"

static void a_name_without_an_address_is_unavailable(void **state)
{
    struct courier_fixture *f = *state;
    struct request r = request_carry_to(f, "nowhere.test", f->receiver.port);

    request_assert(&r, ERR_UNAVAILABLE, "name not found: nowhere.test");
}

static void a_silent_name_server_costs_two_seconds_and_nobody_else(void **state)
{
    struct courier_fixture *f = *state;
    struct request silent = request_to(f, target_at("silent.test", f->receiver.port));
    struct request hasty = request_to(f, target_at("silent.test", f->receiver.port));

    hasty.call.timeout_ms = 200;
    courier_send(f->courier, &silent.call);
    courier_send(f->courier, &hasty.call);
    target_unref(silent.call.target);
    target_unref(hasty.call.target);
    struct request other = request_to(f, target_at("receiver.test", f->receiver.port));
    courier_send(f->courier, &other.call);
    target_unref(other.call.target);
    courier_fixture_wait(f, 1);
    request_assert(&other, ERR_OK, "");
    courier_fixture_wait(f, 2);
    request_assert(&hasty, ERR_TIMEOUT, "timed out after 200 ms");
    courier_fixture_wait(f, 3);
    request_assert(&silent, ERR_UNAVAILABLE, "no answer from the name servers for silent.test");
    assert_in_range(silent.call.duration_ms, 1500, 4000);
}

static void a_name_is_resolved_once_for_many_calls(void **state)
{
    struct courier_fixture *f = *state;

    for (int i = 0; i < 5; i++) {
        struct request r = request_carry_to(f, "receiver.test", f->receiver.port);
        request_assert(&r, ERR_OK, "");
    }
    assert_int_equal(f->names.questions, 1);
    assert_int_equal(f->receiver.connections, 1);
    assert_non_null(strstr(buf_text(&f->receiver.last), "\r\nHost: receiver.test:"));
}

static void a_private_address_is_never_connected_to(void **state)
{
    static const struct {
        const char *host, *reason;
    } rows[] = {
        { "127.0.0.1", "127.0.0.1 is not a public address" },
        { "127.1", "127.0.0.1 is not a public address" },
        { "2130706433", "127.0.0.1 is not a public address" },
        { "0x7f000001", "127.0.0.1 is not a public address" },
        { "0", "0.0.0.0 is not a public address" },
        { "[::1]", "::1 is not a public address" },
        { "[::ffff:127.0.0.1]", "::ffff:127.0.0.1 is not a public address" },
        { "[64:ff9b::7f00:1]", "64:ff9b::7f00:1 is not a public address" },
        { "receiver.test", "127.0.0.1 is not a public address" },
        { "private.test", "10.1.2.3 is not a public address" },
        { "metadata.test", "169.254.169.254 is not a public address" },
    };
    struct courier_fixture *f = *state;

    courier_fixture_close(f);
    courier_fixture_open(f, NULL, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct request r = request_carry_to(f, rows[i].host, f->receiver.port);
        request_assert(&r, ERR_DENIED, rows[i].reason);
    }
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->receiver.connections, 0);
}

/* As if libcurl connected to another address than the one that was judged. */
static void the_address_of_the_socket_is_judged_too(void **state)
{
    struct courier_fixture *f = *state;

    courier_fixture_close(f);
    courier_fixture_open(f, NULL, NULL);
    struct target *target = target_at("127.0.0.1", f->other.port);
    assert_true(address_parse("93.184.216.34", &target->address));
    struct request r = request_to(f, target);
    request_carry(f, &r);
    request_assert(&r, ERR_DENIED, "127.0.0.1 is not a public address");
}

static void of_mixed_answers_an_allowed_one_is_chosen(void **state)
{
    struct courier_fixture *f = *state;

    for (int i = 0; i < 3; i++) {
        struct request r = request_carry_to(f, "mixed.test", f->receiver.port);
        request_assert(&r, ERR_OK, "");
    }
    assert_int_equal(f->receiver.requests, 3);
    assert_int_equal(f->receiver.connections, 1);
}

static void after_a_failure_the_next_address_is_tried(void **state)
{
    struct courier_fixture *f = *state;
    struct request first = request_carry_to(f, "half-dead.test", f->receiver.port);

    if (first.call.err != ERR_OK)
        request_assert(&first, ERR_UNAVAILABLE, "connection refused");
    struct request second = request_carry_to(f, "half-dead.test", f->receiver.port);
    request_assert(&second, ERR_OK, "");
}

static void the_environment_has_no_say(void **state)
{
    static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy",
                                         "ALL_PROXY" };
    struct courier_fixture *f = *state;
    char url[64];

    snprintf(url, sizeof url, "http://127.0.0.1:%u", f->other.port);
    for (size_t i = 0; i < COUNT(names); i++)
        setenv(names[i], url, 1);
    courier_fixture_close(f);
    courier_fixture_open(f, "127.0.0.0/8", NULL);
    struct request r = request_carry_here(f);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    request_assert(&r, ERR_OK, "");
    assert_int_equal(f->receiver.requests, 1);
}

static void an_untrusted_certificate_is_refused(void **state)
{
    struct courier_fixture *f = *state;
    char directory[TEMP_PATH_MAX], path[TEMP_PATH_MAX + 16], url[64];

    temp_make(directory);
    snprintf(path, sizeof path, "%s/cert.pem", directory);
    struct tls_server *server = tls_server_open(path);
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", tls_server_port(server));
    struct request r = request_to(f, target_make("POST", url));
    request_carry(f, &r);
    request_assert(&r, ERR_UNAVAILABLE, "certificate not trusted: self-signed certificate");
    assert_int_equal(tls_server_close(server), 0);
    temp_remove(directory);
}

static void a_certificate_must_be_trusted_and_name_the_host(void **state)
{
    static const struct {
        const char *host;
        enum err err;
    } rows[] = {
        { "127.0.0.1", ERR_OK },
        { "receiver.test", ERR_OK },
        { "other.test", ERR_UNAVAILABLE },
        { "127.0.0.2", ERR_UNAVAILABLE },
    };
    struct courier_fixture *f = *state;
    char directory[TEMP_PATH_MAX], path[TEMP_PATH_MAX + 16], url[64];

    temp_make(directory);
    snprintf(path, sizeof path, "%s/cert.pem", directory);
    struct tls_server *server = tls_server_open(path);
    courier_fixture_close(f);
    courier_fixture_open(f, "127.0.0.0/8", path);
    for (size_t i = 0; i < COUNT(rows); i++) {
        snprintf(url, sizeof url, "https://%s:%u/", rows[i].host, tls_server_port(server));
        struct request r = request_to(f, target_make("POST", url));
        request_carry(f, &r);
        if (r.call.err != rows[i].err)
            fail_msg("%s: %s", rows[i].host, r.call.reason);
    }
    assert_int_equal(tls_server_close(server), 2);
    temp_remove(directory);
}

static void a_plain_server_is_not_spoken_to_in_tls(void **state)
{
    struct courier_fixture *f = *state;
    char url[64];

    f->receiver.reaction = REACT_ANSWER_AND_CLOSE;
    snprintf(url, sizeof url, "https://127.0.0.1:%u/", f->receiver.port);
    struct request r = request_to(f, target_make("POST", url));
    r.call.timeout_ms = 500;
    request_carry(f, &r);
    assert_true(r.call.err == ERR_TIMEOUT || r.call.err == ERR_UNAVAILABLE);
    assert_int_equal(f->receiver.requests, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_COURIER(a_name_without_an_address_is_unavailable),
        WITH_COURIER(a_silent_name_server_costs_two_seconds_and_nobody_else),
        WITH_COURIER(a_name_is_resolved_once_for_many_calls),
        WITH_COURIER(a_private_address_is_never_connected_to),
        WITH_COURIER(the_address_of_the_socket_is_judged_too),
        WITH_COURIER(of_mixed_answers_an_allowed_one_is_chosen),
        WITH_COURIER(after_a_failure_the_next_address_is_tried),
        WITH_COURIER(the_environment_has_no_say),
        WITH_COURIER(an_untrusted_certificate_is_refused),
        WITH_COURIER(a_certificate_must_be_trusted_and_name_the_host),
        WITH_COURIER(a_plain_server_is_not_spoken_to_in_tls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
