/* What the store tells organizations, of attempts and of changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/operational.h"
#include "tests/lib/faulty_disk.h"
#include "tests/lib/store_fixture.h"

#define RETRY_MS  60000
#define TOLD_MAX  1024
#define KILLS_MAX 500 /* more than there are writes */

struct world {
    struct store_fixture f;
    struct id application, endpoint;
    struct id manager, pager; /* the pager is told */
};

static int start(void **state)
{
    static struct world w;

    store_fixture_start(&w.f);
    w.application = store_fixture_put_application(&w.f, "shop");
    w.endpoint = store_fixture_put_endpoint(&w.f, &w.application);
    w.manager = store_fixture_put_application(&w.f, OPERATIONAL_UID);
    w.pager = store_fixture_put_endpoint(&w.f, &w.manager);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;

    store_fixture_stop(&w->f);
    faulty_disk_set(DISK_WORKS, 0);
    return 0;
}

/* What was kept is carried, and forgotten, and looked for once more: each in a batch of its own. */
static void pass_batches(struct store_fixture *f)
{
    struct store_end_lane op = { .endpoint_key = 1, .limit = 1 };

    for (int i = 0; i < 6; i++)
        assert_int_equal(STORE_RUN(f, store_end_lane, &op), ERR_OK);
}

/* The messages of the management application, oldest first, as a list of types. */
static void read_told(struct store_fixture *f, const struct id *manager, char out[TOLD_MAX])
{
    struct store_list_messages op = { .application = *manager, .page = { .limit = 250 } };
    size_t len = 0;

    pass_batches(f);
    assert_int_equal(STORE_RUN(f, store_list_messages, &op), ERR_OK);
    out[0] = '\0';
    for (size_t i = op.count; i-- > 0;) {
        len += (size_t)snprintf(out + len, TOLD_MAX - len, "%s%s", len > 0 ? " " : "",
                                op.messages[i]->event_type);
        message_unref(op.messages[i]);
    }
    free(op.messages);
}

static void assert_told(struct world *w, const char *wanted)
{
    char told[TOLD_MAX];

    read_told(&w->f, &w->manager, told);
    assert_string_equal(told, wanted);
}

/* The body of the last one. */
static void assert_told_last(struct world *w, const char *part)
{
    struct store_list_messages op = { .application = w->manager,
                                      .with_content = true,
                                      .page = { .limit = 1 } };
    char body[OPERATIONAL_BODY_MAX];

    assert_int_equal(STORE_RUN(&w->f, store_list_messages, &op), ERR_OK);
    assert_int_equal(op.count, 1);
    snprintf(body, sizeof body, "%.*s", (int)op.messages[0]->payload.len,
             (const char *)op.messages[0]->payload.data);
    message_unref(op.messages[0]);
    free(op.messages);
    if (!strstr(body, part))
        fail_msg("%s isn't in %s", part, body);
}

/* Attempts. */

/* One letter for each attempt: f and F fail, and only f with another to come; s succeeds. m and M are
 * asked for, and fail or succeed. */
struct course {
    const char *attempts, *told;
};

struct progress {
    struct id message;
    unsigned made; /* by the schedule */
    bool ended;
};

static void make_attempt(struct world *w, struct progress *p, char what)
{
    bool manual = what == 'm' || what == 'M', good = what == 's' || what == 'M';
    struct attempt_record a = {
        .message = p->message,
        .endpoint = w->endpoint,
        .application = w->application,
        .number = p->made + 1,
        .status = good ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .trigger = manual ? TRIGGER_MANUAL : TRIGGER_SCHEDULED,
        .response_status = good ? 204 : 500,
    };
    enum delivery_state next = good                 ? DELIVERY_DELIVERED
                               : what == 'F'        ? DELIVERY_DEAD
                               : manual && p->ended ? DELIVERY_DEAD
                                                    : DELIVERY_PENDING;

    if (manual) {
        struct store_resend ask = { .application = w->application,
                                    .message = p->message,
                                    .endpoint = w->endpoint };
        assert_int_equal(STORE_RUN(&w->f, store_resend, &ask), ERR_OK);
    }
    store_fixture_record(&w->f, &a, next, store_fixture_ms() + RETRY_MS);
    p->made += !manual;
    p->ended = p->ended || next != DELIVERY_PENDING;
}

#define FAILING   "message.attempt.failing"
#define EXHAUSTED "message.attempt.exhausted"
#define RECOVERED "message.attempt.recovered"

static void what_becomes_of_a_message_is_told_once(void **state)
{
    static const struct course rows[] = {
        { "s", "" },
        { "fffs", "" },
        { "fff", "" },
        { "ffff", FAILING },
        { "ffffff", FAILING },
        { "ffffs", FAILING " " RECOVERED },
        { "fffffF", FAILING " " EXHAUSTED },
        { "fffF", EXHAUSTED },
        { "F", EXHAUSTED },
        { "FM", EXHAUSTED " " RECOVERED },
        { "FMM", EXHAUSTED " " RECOVERED },
        { "FmM", EXHAUSTED " " RECOVERED },
        { "Fmm", EXHAUSTED },
        { "ffffM", FAILING " " RECOVERED },
        { "ffffsM", FAILING " " RECOVERED },
        { "ffM", "" },
        { "sM", "" },
        { "sm", "" },
        { "mfffs", "" },
        { "mmmmmfff", "" },
    };
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct progress p = { 0 };
        char told[TOLD_MAX];

        stop(state);
        start(state);
        p.message = store_fixture_append(&w->f, &w->application, "order.paid", "{}");
        for (const char *at = rows[i].attempts; *at; at++)
            make_attempt(w, &p, *at);
        read_told(&w->f, &w->manager, told);
        if (strcmp(told, rows[i].told) != 0)
            fail_msg("%s: told \"%s\"", rows[i].attempts, told);
    }
}

static void run_course(struct world *w, const struct id *message, const char *attempts)
{
    struct progress p = { .message = *message };

    for (; *attempts; attempts++)
        make_attempt(w, &p, *attempts);
}

static void what_is_told_names_the_message_by_its_event_id(void **state)
{
    struct world *w = *state;
    struct store_append op = {
        .application = w->application,
        .event_type = "order.paid",
        .event_id = "evt-1",
        .payload = "{}",
        .payload_len = 2,
        .retention_hours = 90 * 24,
    };

    assert_int_equal(STORE_RUN(&w->f, store_append, &op), ERR_OK);
    run_course(w, &op.message->id, "F");
    message_unref(op.message);
    assert_told_last(w, "\"msgEventId\":\"evt-1\"");
    assert_told_last(w, "\"responseStatusCode\":500");
}

static void what_is_told_is_due_at_the_endpoints_that_take_it(void **state)
{
    struct world *w = *state;
    struct endpoint *narrow = store_fixture_endpoint(&w->f, &w->manager, NULL);
    struct store_due due = { .endpoint_key = id_key(&w->pager),
                             .now_wall_ms = UINT64_MAX / 2,
                             .limit = 10,
                             .bytes_limit = SIZE_MAX };
    struct id message = store_fixture_append(&w->f, &w->application, "order.paid", "{}");

    text_list_add(&narrow->event_types, EXHAUSTED, strlen(EXHAUSTED));
    int64_t narrow_key = id_key(&narrow->base.id);
    store_fixture_put(&w->f, &narrow->base);
    run_course(w, &message, "ffffF");
    assert_told(w, FAILING " " EXHAUSTED);

    assert_int_equal(STORE_RUN(&w->f, store_due, &due), ERR_OK);
    assert_int_equal(due.count, 2);
    for (size_t i = 0; i < due.count; i++)
        message_unref(due.deliveries[i].message);
    free(due.deliveries);

    due.endpoint_key = narrow_key;
    assert_int_equal(STORE_RUN(&w->f, store_due, &due), ERR_OK);
    assert_int_equal(due.count, 1);
    assert_string_equal(due.deliveries[0].message->event_type, EXHAUSTED);
    message_unref(due.deliveries[0].message);
    free(due.deliveries);
}

static void without_an_endpoint_that_takes_it_nothing_is_written(void **state)
{
    struct world *w = *state;
    struct endpoint *gone =
        endpoint_copy(catalog_endpoint(w->f.catalog, &w->manager, &w->pager));
    struct id message = store_fixture_append(&w->f, &w->application, "order.paid", "{}");

    gone->base.version++;
    text_list_add(&gone->event_types, "endpoint.deleted", strlen("endpoint.deleted"));
    store_fixture_put(&w->f, &gone->base);
    run_course(w, &message, "ffffF");
    store_fixture_put_endpoint(&w->f, &w->application);
    assert_told(w, "");
}

static void nothing_is_told_of_what_is_told(void **state)
{
    struct world *w = *state;
    struct id told = store_fixture_append(&w->f, &w->manager, FAILING, "{}");
    struct attempt_record a = { .message = told,
                                .endpoint = w->pager,
                                .application = w->manager,
                                .number = 4,
                                .status = ATTEMPT_FAIL };

    store_fixture_record(&w->f, &a, DELIVERY_DEAD, 0);
    store_fixture_put_endpoint(&w->f, &w->manager);
    assert_told(w, FAILING);
}

static void another_organization_is_told_nothing(void **state)
{
    struct world *w = *state;
    struct application *other = store_fixture_application(&w->f, "other");
    struct endpoint *endpoint = store_fixture_endpoint(&w->f, &other->base.id, NULL);

    other->base.organization.bytes[0] ^= 1;
    endpoint->base.organization = other->base.organization;
    store_fixture_put(&w->f, &other->base);
    store_fixture_put(&w->f, &endpoint->base);
    assert_told(w, "");
}

/* Changes. */

static struct endpoint *next_of(struct world *w, const struct id *id)
{
    struct endpoint *next = endpoint_copy(catalog_endpoint(w->f.catalog, &w->application, id));

    next->base.version++;
    return next;
}

static void a_change_is_told_by_what_it_is(void **state)
{
    struct world *w = *state;
    struct id id = store_fixture_put_endpoint(&w->f, &w->application);
    struct endpoint *next = next_of(w, &id);
    struct store_put disable = { .fail_since_ms = 1000 };

    next->disabled = true;
    store_fixture_put(&w->f, &next->base);
    next = next_of(w, &id);
    disable.object = &next->base;
    assert_int_equal(STORE_RUN(&w->f, store_put, &disable), ERR_OK);
    object_unref(&next->base);
    assert_told_last(w, "\"failSince\":\"1970-01-01T00:00:01.000Z\"");
    next = next_of(w, &id);
    next->base.deleted = true;
    store_fixture_put(&w->f, &next->base);
    assert_told(w, "endpoint.created endpoint.updated endpoint.disabled endpoint.deleted");
}

static void endpoints_that_go_with_their_application_are_told(void **state)
{
    struct world *w = *state;
    struct application *next = application_copy(
        catalog_application(w->f.catalog, &STORE_FIXTURE_ORGANIZATION, &w->application));

    store_fixture_put_endpoint(&w->f, &w->application);
    next->base.version++;
    next->base.deleted = true;
    store_fixture_put(&w->f, &next->base);
    assert_told(w, "endpoint.created endpoint.deleted endpoint.deleted");
}

static void what_is_refused_is_not_told(void **state)
{
    struct world *w = *state;
    struct endpoint *next = next_of(w, &w->endpoint);

    next->base.version++;
    assert_int_equal(store_fixture_try_put(&w->f, &next->base), ERR_STALE);
    assert_told(w, "");
}

/* Trouble. */

/* A child makes one endpoint, and is killed before a write. */
static int make_and_be_killed(struct world *w, unsigned writes)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        store_fixture_open(&w->f);
        faulty_disk_set(DISK_WRITE_KILLS, writes);
        store_fixture_put_endpoint(&w->f, &w->application);
        store_fixture_close(&w->f);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static size_t count_endpoints(struct world *w)
{
    struct store_list_objects op = { .kind = OBJECT_ENDPOINT,
                                     .application = w->application,
                                     .page = { .limit = 250 } };

    assert_int_equal(STORE_RUN(&w->f, store_list_objects, &op), ERR_OK);
    for (size_t i = 0; i < op.count; i++)
        object_unref(op.objects[i]);
    free(op.objects);
    return op.count;
}

/* At each write in turn, until there are none left: behind the next start, it was told exactly if it
 * was made. */
static void whatever_kills_it_a_change_is_told_once(void **state)
{
    struct world *w = *state;
    int status = DISK_KILLED;
    unsigned kills = 0, told = 0;

    for (; status == DISK_KILLED && kills < KILLS_MAX; kills++) {
        stop(state);
        start(state);
        store_fixture_close(&w->f);
        status = make_and_be_killed(w, kills);
        store_fixture_open(&w->f);
        bool made = count_endpoints(w) == 2;
        assert_told(w, made ? "endpoint.created" : "");
        told += made;
    }
    assert_int_equal(status, 0);
    assert_true(kills > 3 && told > 1);
}

static void what_does_not_fit_on_the_disk_is_told_when_it_does(void **state)
{
    struct world *w = *state;
    struct store_put op = { .object =
                                &store_fixture_endpoint(&w->f, &w->application, NULL)->base };
    unsigned before = faulty_disk_writes(), writes;

    store_fixture_put_endpoint(&w->f, &w->application);
    pass_batches(&w->f);
    writes = faulty_disk_writes() - before;
    for (unsigned after = 1; after < writes; after++) {
        op.object->id = id_new(&w->f.ids, store_fixture_ms());
        faulty_disk_set(DISK_FULL, after);
        if (STORE_RUN(&w->f, store_put, &op) == ERR_OK)
            break;
    }
    assert_int_equal(op.req.err, ERR_OK);
    faulty_disk_set(DISK_WORKS, 0);
    char told[TOLD_MAX];
    read_told(&w->f, &w->manager, told);
    assert_string_equal(told, "endpoint.created");
    do {
        uv_run(&w->f.loop.uv, UV_RUN_ONCE);
        read_told(&w->f, &w->manager, told);
    } while (strcmp(told, "endpoint.created") == 0);
    assert_string_equal(told, "endpoint.created endpoint.created");
    object_unref(op.object);
}

static int run(const char *backend)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(what_becomes_of_a_message_is_told_once),
        TEST(what_is_told_names_the_message_by_its_event_id),
        TEST(what_is_told_is_due_at_the_endpoints_that_take_it),
        TEST(without_an_endpoint_that_takes_it_nothing_is_written),
        TEST(nothing_is_told_of_what_is_told),
        TEST(another_organization_is_told_nothing),
        TEST(a_change_is_told_by_what_it_is),
        TEST(endpoints_that_go_with_their_application_are_told),
        TEST(what_is_refused_is_not_told),
        TEST(whatever_kills_it_a_change_is_told_once),
        TEST(what_does_not_fit_on_the_disk_is_told_when_it_does),
    };

    return cmocka_run_group_tests_name(backend, tests, NULL, NULL);
}

int main(void)
{
    faulty_disk_install();
    return store_fixture_each_backend(run);
}
