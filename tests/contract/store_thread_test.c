/* A store as it is in service: writer, reader and submitters each on a thread of their own. For
 * the thread sanitizer, and for what only many at once can show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "signer/digest.h"
#include "store/backend.h"
#include "store/deliveries.h"
#include "tests/lib/store_fixture.h"

#define SUBMITTERS 4
#define MESSAGES   200 /* of each */
#define LINES      8   /* each has under way at once */

/* One submitter's line: append, read it back, record that its delivery failed, and again. */
struct line {
    struct submitter *submitter;
    union {
        struct store_append append;
        struct store_get_message get;
        struct store_record record;
    };
    struct id message;
    struct attempt_record attempt;
};

struct submitter {
    struct world *world;
    struct loop loop;
    struct inbox inbox;
    struct store_follower follower;
    struct id application, endpoint;
    struct task start, enough, finished, stop;
    struct line lines[LINES];
    unsigned started, lines_left;
    bool has_enough; /* submits nothing more */
};

struct world {
    struct store *store;
    struct id_source ids;
    struct loop writer, reader;
    struct submitter submitters[SUBMITTERS];
    struct store_watcher watcher; /* on the first submitter's loop */
    unsigned hinted;

    /* the test's own thread */
    struct loop main;
    struct inbox inbox;
    struct task closed;
    unsigned waiting_for;
    unsigned submitting; /* who hasn't had enough */
    bool counting;
};

static void next_append(struct line *line);
static void on_appended(struct store_req *req);
static void on_got(struct store_req *req);
static void on_recorded(struct store_req *req);

/* cmocka's assertions belong to the main thread. */
static void must(bool true_thing)
{
    if (!true_thing)
        abort();
}

static void on_start(struct task *task)
{
    struct submitter *s = container_of(task, struct submitter, start);

    s->lines_left = LINES;
    for (int i = 0; i < LINES; i++) {
        s->lines[i].submitter = s;
        next_append(&s->lines[i]);
    }
}

static void on_finished(struct task *task)
{
    container_of(task, struct submitter, finished)->world->waiting_for--;
}

static void on_has_enough(struct task *task)
{
    container_of(task, struct submitter, enough)->world->submitting--;
}

static void on_enough(struct task *task)
{
    struct submitter *s = container_of(task, struct submitter, enough);

    s->has_enough = true;
    s->enough.run = on_has_enough;
    inbox_post(&s->world->inbox, &s->enough);
}

static void end_line(struct line *line)
{
    struct submitter *s = line->submitter;

    if (--s->lines_left == 0)
        inbox_post(&s->world->inbox, &s->finished);
}

static void next_append(struct line *line)
{
    struct submitter *s = line->submitter;

    if (s->started == MESSAGES || s->has_enough) {
        end_line(line);
        return;
    }
    s->started++;
    line->append = (struct store_append){
        .req = { .done = on_appended, .reply_to = &s->inbox },
        .application = s->application,
        .event_type = "a",
        .payload = "0123456789",
        .payload_len = 10,
        .retention_hours = PAYLOAD_HOURS_MAX,
    };
    store_append(s->world->store, &line->append);
}

static void on_appended(struct store_req *req)
{
    struct store_append *op = container_of(req, struct store_append, req);
    struct line *line = container_of(op, struct line, append);
    struct submitter *s = line->submitter;

    must(req->err == ERR_OK && op->deliveries == 1);
    line->message = op->message->id;
    message_unref(op->message);
    if (s->has_enough) {
        end_line(line);
        return;
    }
    line->get = (struct store_get_message){
        .req = { .done = on_got, .reply_to = &s->inbox },
        .application = s->application,
        .id = line->message,
        .with_content = true,
    };
    store_get_message(s->world->store, &line->get);
}

/* A read sees every commit that was answered before it was submitted. */
static void on_got(struct store_req *req)
{
    struct store_get_message *op = container_of(req, struct store_get_message, req);
    struct line *line = container_of(op, struct line, get);
    struct submitter *s = line->submitter;
    struct world *w = s->world;

    must(req->err == ERR_OK && op->message->payload.len == 10);
    message_unref(op->message);
    if (s->has_enough) {
        end_line(line);
        return;
    }
    line->attempt = (struct attempt_record){
        .id = id_new(&w->ids, clock_now().wall_ms),
        .message = line->message,
        .endpoint = s->endpoint,
        .application = s->application,
        .number = 1,
        .status = ATTEMPT_FAIL,
        .started_at_ms = clock_now().wall_ms,
    };
    line->record = (struct store_record){
        .req = { .done = on_recorded, .reply_to = &s->inbox },
        .attempt = &line->attempt,
        .next = DELIVERY_DEAD,
    };
    store_record(w->store, &line->record);
}

static void on_recorded(struct store_req *req)
{
    struct store_record *op = container_of(req, struct store_record, req);

    must(req->err == ERR_OK);
    next_append(container_of(op, struct line, record));
}

static void on_fresh(struct store_watcher *watcher, struct store_hint *hint)
{
    container_of(watcher, struct world, watcher)->hinted++;
    message_unref(hint->message);
    free(hint);
}

/* Setting up and taking down. */

static void open_store(struct world *w, const char *dir)
{
    assert_int_equal(loop_open(&w->main, "main"), ERR_OK);
    assert_int_equal(loop_open(&w->writer, "writer"), ERR_OK);
    assert_int_equal(loop_open(&w->reader, "reader"), ERR_OK);
    assert_int_equal(inbox_open(&w->inbox, &w->main.uv), ERR_OK);

    const struct store_options options = {
        .dir = dir,
        .writer = &w->writer.uv,
        .reader = &w->reader.uv,
        .ids = &w->ids,
        .sha256 = digest_sha256,
        .requests_max = 1000,
        .clock = clock_now,
    };
    assert_int_equal(store_open(&w->store, &options), ERR_OK);
}

static void open_submitter(struct world *w, struct submitter *s)
{
    s->world = w;
    s->start.run = on_start;
    s->enough.run = on_enough;
    s->finished.run = on_finished;
    assert_int_equal(loop_open(&s->loop, "submitter"), ERR_OK);
    assert_int_equal(inbox_open(&s->inbox, &s->loop.uv), ERR_OK);
    s->inbox.limit = 1000;
    s->follower.inbox = &s->inbox;
    s->follower.catalog = catalog_new();
    store_follow(w->store, &s->follower);
}

static void start_threads(struct world *w)
{
    assert_int_equal(loop_start(&w->writer), ERR_OK);
    assert_int_equal(loop_start(&w->reader), ERR_OK);
    for (int i = 0; i < SUBMITTERS; i++)
        assert_int_equal(loop_start(&w->submitters[i].loop), ERR_OK);
}

static void wait_for(struct world *w, unsigned what)
{
    w->waiting_for = what;
    while (w->waiting_for > 0)
        uv_run(&w->main.uv, UV_RUN_ONCE);
}

static void on_done(struct store_req *req)
{
    container_of(req->reply_to, struct world, inbox)->waiting_for--;
}

static void put(struct world *w, struct object *object)
{
    struct store_put op = {
        .req = { .done = on_done, .reply_to = &w->inbox },
        .object = object,
    };

    object->version = 1;
    object->id = id_new(&w->ids, clock_now().wall_ms);
    object->organization = STORE_FIXTURE_ORGANIZATION;
    store_put(w->store, &op);
    wait_for(w, 1);
    assert_int_equal(op.req.err, ERR_OK);
    object_unref(object);
}

static void put_configuration(struct world *w, struct submitter *s)
{
    struct application *a = application_new();
    struct endpoint *e = endpoint_new();

    a->name = xstrdup("an application");
    object_ref(&a->base);
    put(w, &a->base);
    s->application = a->base.id;
    object_unref(&a->base);

    e->application = s->application;
    e->url = xstrdup("https://receiver.example/hook");
    object_ref(&e->base);
    put(w, &e->base);
    s->endpoint = e->base.id;
    object_unref(&e->base);
}

/* Posted behind the hints and changes that the store may have left there. */
static void on_stop(struct task *task)
{
    inbox_close(&container_of(task, struct submitter, stop)->inbox, NULL);
}

static void stop_submitter(struct submitter *s)
{
    s->stop.run = on_stop;
    inbox_post(&s->inbox, &s->stop);
    loop_stop(&s->loop);
    assert_int_equal(catalog_count(s->follower.catalog), 2 * SUBMITTERS);
    catalog_free(s->follower.catalog);
}

static void on_closed(struct task *task)
{
    container_of(task, struct world, closed)->waiting_for--;
}

static void begin_close(struct world *w)
{
    w->closed.run = on_closed;
    store_close(w->store, &w->inbox, &w->closed);
}

static void close_loops(struct world *w)
{
    loop_stop(&w->writer);
    loop_stop(&w->reader);
    inbox_close(&w->inbox, NULL);
    loop_close(&w->main);
}

static void open_world(struct world *w, const char *dir)
{
    *w = (struct world){ .watcher = { .inbox = &w->submitters[0].inbox, .fresh = on_fresh } };
    open_store(w, dir);
    for (int i = 0; i < SUBMITTERS; i++)
        open_submitter(w, &w->submitters[i]);
    store_watch(w->store, &w->watcher);
    start_threads(w);
    for (int i = 0; i < SUBMITTERS; i++)
        put_configuration(w, &w->submitters[i]);
    for (int i = 0; i < SUBMITTERS; i++)
        inbox_post(&w->submitters[i].loop.inbox, &w->submitters[i].start);
}

static void on_counted(struct store_req *req)
{
    container_of(req->reply_to, struct world, inbox)->counting = false;
}

/* Until all are done: no attempt is counted for what it isn't, whatever comes meanwhile. */
static void count_while_they_record(struct world *w)
{
    w->waiting_for = SUBMITTERS;
    while (w->waiting_for > 0) {
        struct store_count_attempts op = {
            .req = { .done = on_counted, .reply_to = &w->inbox },
            .endpoint = w->submitters[0].endpoint,
            .until_ms = clock_now().wall_ms + 1000,
        };
        w->counting = true;
        store_count_attempts(w->store, &op);
        while (w->counting)
            uv_run(&w->main.uv, UV_RUN_ONCE);
        assert_int_equal(op.req.err, ERR_OK);
        assert_int_equal(op.counts[ATTEMPT_SUCCESS], 0);
        assert_true(op.counts[ATTEMPT_FAIL] <= MESSAGES);
    }
}

static void many_threads_append_read_and_record(void **state)
{
    static struct world w;
    struct store_status *status = xcalloc(1, sizeof *status);
    char dir[TEMP_PATH_MAX];

    (void)state;
    temp_make(dir);
    open_world(&w, dir);
    count_while_they_record(&w);

    status->req = (struct store_req){ .done = on_done, .reply_to = &w.inbox };
    store_status(w.store, status);
    wait_for(&w, 1);
    assert_int_equal(status->req.err, ERR_OK);
    assert_int_equal(status->messages, SUBMITTERS * MESSAGES);
    assert_int_equal(status->attempts, SUBMITTERS * MESSAGES);
    assert_int_equal(status->pending, 0);
    free(status);

    for (int i = 0; i < SUBMITTERS; i++)
        stop_submitter(&w.submitters[i]);
    assert_int_equal(w.hinted, SUBMITTERS * MESSAGES);
    begin_close(&w);
    wait_for(&w, 1);
    close_loops(&w);
    temp_remove(dir);
}

/* Each submitter has said that it submits nothing more, and still waits for what it has. */
static void closing_finishes_what_many_threads_have_under_way(void **state)
{
    static struct world w;
    char dir[TEMP_PATH_MAX];

    (void)state;
    for (int round = 0; round < 20; round++) {
        temp_make(dir);
        open_world(&w, dir);
        w.submitting = SUBMITTERS;
        w.waiting_for = SUBMITTERS + 1; /* each that finishes, and the closing */
        for (int i = 0; i < SUBMITTERS; i++)
            inbox_post(&w.submitters[i].loop.inbox, &w.submitters[i].enough);
        while (w.submitting > 0)
            uv_run(&w.main.uv, UV_RUN_ONCE);
        begin_close(&w);
        wait_for(&w, w.waiting_for);
        for (int i = 0; i < SUBMITTERS; i++)
            stop_submitter(&w.submitters[i]);
        close_loops(&w);
        temp_remove(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_append_read_and_record),
        cmocka_unit_test(closing_finishes_what_many_threads_have_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
