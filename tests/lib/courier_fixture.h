/* Courier fixture: a courier, a receiver and a name server on one loop, for one test.
 *
 * The courier starts with 127.0.0.0/8 allowed. The names are in the .c: receiver.test and others. */
#ifndef TESTS_LIB_COURIER_FIXTURE_H
#define TESTS_LIB_COURIER_FIXTURE_H

#include "tests/lib/name_server.h"
#include "tests/lib/receiver.h"
#include "wire/courier.h"

struct courier_fixture {
    uv_loop_t loop;
    struct egress *egress;
    struct name_server names;
    struct receiver receiver;
    struct receiver other; /* where nothing should arrive */
    struct courier *courier;
    unsigned done;
    unsigned closed;
};

/* A call that counts; its target is its own. */
struct request {
    struct call call;
    struct courier_fixture *fixture;
    unsigned again; /* times to send it again from `done` */
};

/* For cmocka; `*state` is the fixture. */
int courier_fixture_setup(void **state);
int courier_fixture_teardown(void **state);

/* Another courier in its place: close it first. NULL: no subnet, the system's certificates. */
void courier_fixture_open(struct courier_fixture *f, const char *subnet, const char *ca_file);
void courier_fixture_close(struct courier_fixture *f);

/* Until so many calls are done in all. */
void courier_fixture_wait(struct courier_fixture *f, unsigned done);

struct target *target_make(const char *method, const char *url);

/* "http://HOST:PORT/path?secret=1", by POST. */
struct target *target_at(const char *host, uint16_t port);

struct request request_to(struct courier_fixture *f, struct target *target);

/* Send it and wait; the target is given up. */
void request_carry(struct courier_fixture *f, struct request *r);

/* The same in one, without the answer's body. */
struct request request_carry_to(struct courier_fixture *f, const char *host, uint16_t port);
struct request request_carry_here(struct courier_fixture *f);

void request_assert(const struct request *r, enum err err, const char *reason);

#define WITH_COURIER(test)                                                                     \
    cmocka_unit_test_setup_teardown(test, courier_fixture_setup, courier_fixture_teardown)

#endif
