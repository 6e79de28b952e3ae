#include "tests/lib/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "signer/digest.h"
#include "store/backend.h"

#define FIRST_MS      UINT64_C(1798761600000) /* 2027-01-01 */
#define FILE_NAME_MAX 32                      /* bytes, with the slash before it */

const struct id STORE_FIXTURE_ORGANIZATION = { { 1, 2, 3, 4, 5, 0, 0, 1, 'o', 'r', 'g' } };

static char JURISDICTION[] = "eu";

/* A second database proves itself by a row here. */
static const struct backend_ops *const BACKENDS[] = { &sqlite_backend };

static const struct backend_ops *backend;
static uint64_t wall_ms = FIRST_MS;

int store_fixture_each_backend(int (*run)(const char *name))
{
    int failed = 0;

    for (size_t i = 0; i < COUNT(BACKENDS); i++) {
        backend = BACKENDS[i];
        failed += run(backend->name);
    }
    return failed;
}

void store_fixture_use(const struct backend_ops *ops)
{
    backend = ops;
}

static struct now read_clock(void)
{
    return (struct now){ .mono_ms = wall_ms - FIRST_MS / 2, .wall_ms = wall_ms };
}

void store_fixture_set_ms(uint64_t ms)
{
    wall_ms = ms;
}

uint64_t store_fixture_ms(void)
{
    return wall_ms;
}

void store_fixture_start(struct store_fixture *f)
{
    wall_ms = FIRST_MS;
    temp_make(f->dir);
    store_fixture_open(f);
}

void store_fixture_stop(struct store_fixture *f)
{
    store_fixture_close(f);
    temp_remove(f->dir);
}

void store_fixture_open(struct store_fixture *f)
{
    assert_int_equal(store_fixture_try_open(f), ERR_OK);
}

enum err store_fixture_try_open(struct store_fixture *f)
{
    assert_int_equal(loop_open(&f->loop, "test"), ERR_OK);
    id_source_init(&f->ids, f->alone ? 0 : f->ordinal ? f->ordinal : 7, 0);

    const struct residency residency = { .jurisdiction = JURISDICTION,
                                         .home = f->ids.ordinal,
                                         .home_epoch = 1 };
    const struct store_options options = {
        .dir = f->dir,
        .writer = &f->loop.uv,
        .reader = &f->loop.uv,
        .ids = &f->ids,
        .sha256 = digest_sha256,
        .journal_kept = f->journal_kept,
        .retention = f->retention,
        .residency = &residency,
        .requests_max = STORE_FIXTURE_REQUESTS_MAX,
        .clock = read_clock,
        .backend = backend,
    };
    enum err err = store_open(&f->store, &options);
    if (err) {
        loop_close(&f->loop);
        return err;
    }
    assert_int_equal(inbox_open(&f->inbox, &f->loop.uv), ERR_OK);
    f->catalog = catalog_new();
    f->follower = (struct store_follower){ .inbox = &f->inbox, .catalog = f->catalog };
    store_follow(f->store, &f->follower);
    return ERR_OK;
}

static void on_closed(struct task *task)
{
    container_of(task, struct store_fixture, closed)->is_closed = true;
}

void store_fixture_close(struct store_fixture *f)
{
    store_fixture_begin_close(f);
    store_fixture_end_close(f);
}

void store_fixture_begin_close(struct store_fixture *f)
{
    f->is_closed = false;
    f->closed.run = on_closed;
    store_close(f->store, &f->inbox, &f->closed);
}

void store_fixture_end_close(struct store_fixture *f)
{
    while (!f->is_closed)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
    inbox_close(&f->inbox, NULL);
    catalog_free(f->catalog);
    loop_close(&f->loop);
}

const char *store_fixture_path(const struct store_fixture *f, const char *name)
{
    static char path[TEMP_PATH_MAX + FILE_NAME_MAX];

    snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

static void on_done(struct store_req *req)
{
    assert_non_null(req->done);
    req->done = NULL;
}

void store_fixture_ready(struct store_fixture *f, struct store_req *req)
{
    req->done = on_done;
    req->reply_to = &f->inbox;
}

enum err store_fixture_wait(struct store_fixture *f, struct store_req *req)
{
    while (req->done)
        uv_run(&f->loop.uv, UV_RUN_ONCE);
    return req->err;
}

static void fill_object(struct store_fixture *f, struct object *object)
{
    object->version = 1;
    object->id = id_new(&f->ids, wall_ms);
    object->organization = STORE_FIXTURE_ORGANIZATION;
    object->created_at_ms = object->updated_at_ms = wall_ms;
}

struct application *store_fixture_application(struct store_fixture *f, const char *uid)
{
    struct application *a = application_new();

    fill_object(f, &a->base);
    a->uid = xstrdup(uid);
    a->name = xstrdup("an application");
    a->metadata = xstrdup("{}");
    return a;
}

struct endpoint *store_fixture_endpoint(struct store_fixture *f, const struct id *application,
                                        const char *uid)
{
    struct endpoint *e = endpoint_new();

    fill_object(f, &e->base);
    e->application = *application;
    e->uid = xstrdup(uid);
    e->url = xstrdup("https://receiver.example/hook");
    e->description = xstrdup("");
    e->metadata = xstrdup("{}");
    e->secrets[0].sealed = bytes_copy("sealed", 6);
    e->secret_count = 1;
    return e;
}

struct event_type *store_fixture_event_type(struct store_fixture *f, const char *name)
{
    struct event_type *t = event_type_new();

    fill_object(f, &t->base);
    t->name = xstrdup(name);
    t->description = xstrdup("something happened");
    return t;
}

enum err store_fixture_try_put(struct store_fixture *f, struct object *object)
{
    struct store_put op = { .object = object };
    enum err err = STORE_RUN(f, store_put, &op);

    object_unref(object);
    return err;
}

void store_fixture_put(struct store_fixture *f, struct object *object)
{
    assert_int_equal(store_fixture_try_put(f, object), ERR_OK);
}

struct id store_fixture_append(struct store_fixture *f, const struct id *application,
                               const char *event_type, const char *payload)
{
    struct store_append op = {
        .application = *application,
        .event_type = event_type,
        .payload = payload,
        .payload_len = strlen(payload),
        .retention_hours = PAYLOAD_HOURS_MAX,
    };

    assert_int_equal(STORE_RUN(f, store_append, &op), ERR_OK);
    struct id id = op.message->id;
    message_unref(op.message);
    return id;
}

struct id store_fixture_put_application(struct store_fixture *f, const char *uid)
{
    struct application *a = store_fixture_application(f, uid);
    struct id id = a->base.id;

    store_fixture_put(f, &a->base);
    return id;
}

struct id store_fixture_put_endpoint(struct store_fixture *f, const struct id *application)
{
    struct endpoint *e = store_fixture_endpoint(f, application, NULL);
    struct id id = e->base.id;

    store_fixture_put(f, &e->base);
    return id;
}

struct id store_fixture_record(struct store_fixture *f, const struct attempt_record *attempt,
                               enum delivery_state next, uint64_t due_at_ms)
{
    struct attempt_record made = *attempt;
    struct store_record op = { .attempt = &made, .next = next, .due_at_ms = due_at_ms };

    made.id = id_new(&f->ids, wall_ms);
    made.started_at_ms = wall_ms;
    made.next_attempt_at_ms = next == DELIVERY_PENDING ? due_at_ms : 0;
    assert_int_equal(STORE_RUN(f, store_record, &op), ERR_OK);
    return made.id;
}
