/* Store fixture: a store on one loop, in a temporary directory, with a clock set by hand.
 *
 * The test is the thread of all: it submits a request and runs the loop until it is done. */
#ifndef TESTS_LIB_STORE_FIXTURE_H
#define TESTS_LIB_STORE_FIXTURE_H

#include "core/catalog.h"
#include "core/loop.h"
#include "store/store.h"
#include "tests/lib/temp.h"

#define STORE_FIXTURE_REQUESTS_MAX 1500 /* that may wait */

struct store_fixture {
    char dir[TEMP_PATH_MAX];
    struct loop loop;
    struct id_source ids;
    bool alone;            /* its ids have no region's ordinal. Set before it is started */
    uint8_t ordinal;       /* of its ids; 0 = 7. Likewise */
    uint64_t journal_kept; /* 0 = as a store has it */
    struct retention retention;
    struct store *store;
    struct inbox inbox;      /* where answers arrive */
    struct catalog *catalog; /* follows the store */
    struct store_follower follower;
    struct task closed;
    bool is_closed;
};

/* Run the tests of a file against every backend; `run` is given its name. The number of failed
 * tests. */
int store_fixture_each_backend(int (*run)(const char *name));

/* Stores that are opened from now on stand on this one. */
void store_fixture_use(const struct backend_ops *backend);

/* What the clock says, on both sides. */
void store_fixture_set_ms(uint64_t wall_ms);
uint64_t store_fixture_ms(void);

/* Make the directory and open a store in it; the clock starts with the year 2027. */
void store_fixture_start(struct store_fixture *f);
void store_fixture_stop(struct store_fixture *f);

/* In parts: the directory stays. */
void store_fixture_open(struct store_fixture *f);
enum err store_fixture_try_open(struct store_fixture *f);
void store_fixture_close(struct store_fixture *f);
void store_fixture_begin_close(struct store_fixture *f);
void store_fixture_end_close(struct store_fixture *f);

/* Where a file of the store is; until the next call. */
const char *store_fixture_path(const struct store_fixture *f, const char *name);

/* Set up a request to be answered here; then submit it, then wait for it. */
void store_fixture_ready(struct store_fixture *f, struct store_req *req);
enum err store_fixture_wait(struct store_fixture *f, struct store_req *req);

/* Submit `op` by its function, and wait: the error that it was answered with. */
#define STORE_RUN(f, function, op)                                                             \
    (store_fixture_ready((f), &(op)->req), function((f)->store, (op)),                         \
     store_fixture_wait((f), &(op)->req))

/* Objects of an organization that is the same in all tests; not in the store yet. */
extern const struct id STORE_FIXTURE_ORGANIZATION;
struct application *store_fixture_application(struct store_fixture *f, const char *uid);
struct endpoint *store_fixture_endpoint(struct store_fixture *f, const struct id *application,
                                        const char *uid);
struct event_type *store_fixture_event_type(struct store_fixture *f, const char *name);

/* Put an object and give back the caller's reference; it must work. */
void store_fixture_put(struct store_fixture *f, struct object *object);
enum err store_fixture_try_put(struct store_fixture *f, struct object *object);

/* An application that is in the store, and endpoints of it. */
struct id store_fixture_put_application(struct store_fixture *f, const char *uid);
struct id store_fixture_put_endpoint(struct store_fixture *f, const struct id *application);

/* Append `payload`, keeping nothing; it must work. */
struct id store_fixture_append(struct store_fixture *f, const struct id *application,
                               const char *event_type, const char *payload);

/* Record the outcome of an attempt, made now; it must work. The attempt's id. */
struct id store_fixture_record(struct store_fixture *f, const struct attempt_record *attempt,
                               enum delivery_state next, uint64_t due_at_ms);

#endif
