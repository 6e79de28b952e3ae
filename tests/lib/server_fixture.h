/* Server fixture: a server on a loop, for one test.
 *
 * "/denied" is refused by its header, "/wait" is put off `put_offs` times first, "/later" is
 * answered when the test says so, "/empty" gets a 204, "/peer" the name of the peer, anything else
 * its own body. */
#ifndef TESTS_LIB_SERVER_FIXTURE_H
#define TESTS_LIB_SERVER_FIXTURE_H

#include <string.h>

#include "tests/lib/client.h"
#include "wire/server.h"

#define HOST "Host: localhost\r\n"

struct server_fixture {
    uv_loop_t loop;
    struct server *server;
    unsigned put_offs;        /* to come; 0 = decide */
    struct exchange *put_off; /* the one of "/wait" that waits; NULL = none */
    struct exchange *owed[8]; /* of "/later" */
    unsigned owed_count;
    unsigned abandoned;
    bool closed;

    /* With TLS: the server is fra's, who connects is iad. */
    struct made_certificate fra, iad;
    struct tls_context *tls; /* NULL: in clear */
    unsigned strangers;
    char stranger[256]; /* the last one: "127.0.0.1 shows no certificate" */
};

/* Small enough to reach, and quick enough to wait for. */
extern const struct server_limits server_fixture_limits;

/* The same with a minute for everything: for what a busy machine may take its time for. */
extern const struct server_limits server_fixture_patient;

/* For cmocka; `*state` comes with the limits of the test, or NULL, and is the fixture. */
int server_fixture_setup(void **state);
int server_fixture_teardown(void **state);

/* In, with hands shaken, or refused; or without waiting for that. */
void server_fixture_connect(struct server_fixture *f, struct client *c);
void server_fixture_knock(struct server_fixture *f, struct client *c);

/* Until the owner owes so many answers in all. */
void server_fixture_wait_owed(struct server_fixture *f, unsigned count);
void server_fixture_wait_put_off(struct server_fixture *f);
void server_fixture_go_on(struct server_fixture *f);
void server_fixture_reply(struct exchange *x, unsigned status, const char *text);

/* For server_close(); `ctx` is the fixture. */
void server_fixture_on_closed(void *ctx);
void server_fixture_wait_closed(struct server_fixture *f);

/* For cmocka: the tests of this group go over TLS. */
int server_fixture_secure(void **state);

/* A group of tests in clear, and once more over TLS. */
#define run_server_tests(tests)                                                                \
    (cmocka_run_group_tests_name("in clear", tests, NULL, NULL) +                              \
     cmocka_run_group_tests_name("over TLS", tests, server_fixture_secure, NULL))

#define SERVER_TEST(test)                                                                      \
    cmocka_unit_test_setup_teardown(test, server_fixture_setup, server_fixture_teardown)

#define PATIENT_SERVER_TEST(test)                                                              \
    cmocka_unit_test_prestate_setup_teardown(test, server_fixture_setup,                       \
                                             server_fixture_teardown,                          \
                                             (void *)(uintptr_t)&server_fixture_patient)

#define assert_has(text, part)                                                                 \
    do {                                                                                       \
        const char *has_text_ = (text);                                                        \
        if (!strstr(has_text_, part))                                                          \
            fail_msg("no \"%s\" in \"%s\"", part, has_text_);                                  \
    } while (0)

#endif
