/* Background tasks: /api/v1/app/{app}/endpoint/{endpoint}/recover and its like, and
 * …/msg/expunge-all-contents, begin one; /api/v1/background-task shows what becomes of it. */
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_in.h"
#include "wire/noun_out.h"

static void begin(struct request *r, enum background_kind kind);
static void start(struct request *r);
static void put_task(struct json_writer *w, const struct background_task *task);
static void on_begun(struct store_req *req);
static void on_got(struct store_req *req);
static void on_listed(struct store_req *req);

void endpoints_recover(struct request *r)
{
    begin(r, BACKGROUND_RECOVER);
}

void endpoints_replay_missing(struct request *r)
{
    begin(r, BACKGROUND_REPLAY_MISSING);
}

void endpoints_bulk_replay(struct request *r)
{
    begin(r, BACKGROUND_BULK_REPLAY);
}

/* Which application, body, endpoint: in the contract's order. */
static void begin(struct request *r, enum background_kind kind)
{
    struct background_task *task = &r->background;
    struct faults faults = { .count = 0 };
    const struct endpoint *endpoint;

    if (!request_find_application(r) || !request_read_body(r, true))
        return;
    task->kind = kind;
    read_background(r->body, r->now.wall_ms, task, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return;
    }
    endpoint = request_find_endpoint(r);
    if (!endpoint)
        return;
    task->endpoint = endpoint->base.id;
    start(r);
}

void messages_expunge_all(struct request *r)
{
    if (!request_find_application(r))
        return;
    r->background.kind = BACKGROUND_PURGE;
    r->background.until_ms = r->now.wall_ms;
    start(r);
}

static void start(struct request *r)
{
    struct background_task *task = &r->background;

    task->organization = r->token.organization;
    task->application = r->application->base.id;
    background_task_begin(task, r->services->ids, r->now.wall_ms);
    put_task(reply_begin(r), task);
    r->op.start_background = (struct store_start_background){
        .req = once_write(r, 202, on_begun),
        .task = task,
    };
    store_start_background(r->services->store, &r->op.start_background);
}

/* How far into its window it has come. */
static uint64_t reached_ms(const struct background_task *task)
{
    return task->status == BACKGROUND_FINISHED ? task->until_ms
           : task->reached_key == 0            ? task->since_ms
                                               : id_key_wall_ms(task->reached_key);
}

static void put_sending(struct json_writer *w, const struct background_task *task)
{
    json_name(w, "endpointId");
    json_put_id(w, ID_ENDPOINT, &task->endpoint);
    json_add_date(w, "since", task->since_ms);
    json_add_date(w, "until", task->until_ms);
    json_add_bool(w, "dryRun", task->dry_run);
    json_add_date(w, "reached", reached_ms(task));
    json_add_unsigned(w, "lookedAt", task->looked_at);
    json_add_unsigned(w, "deliveries", task->done);
}

static void put_purge(struct json_writer *w, const struct background_task *task)
{
    json_add_date(w, "until", task->until_ms);
    json_add_unsigned(w, "lookedAt", task->looked_at);
    json_add_unsigned(w, "messagesPurged", task->done);
}

static void put_task(struct json_writer *w, const struct background_task *task)
{
    json_open_object(w);
    json_name(w, "id");
    json_put_id(w, ID_TASK, &task->id);
    json_add_text(w, "status", background_status_text(task->status));
    json_add_text(w, "task", background_kind_text(task->kind));
    json_name(w, "data");
    json_open_object(w);
    json_name(w, "appId");
    json_put_id(w, ID_APPLICATION, &task->application);
    if (background_sends(task->kind))
        put_sending(w, task);
    else
        put_purge(w, task);
    json_close_object(w);
    json_add_date(w, "createdAt", task->created_at_ms);
    json_add_date(w, "updatedAt", task->updated_at_ms);
    json_close_object(w);
}

static void on_begun(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err == ERR_LIMIT)
        reply_error(r, 400, "limit_reached", "Too many background tasks are running");
    else if (req->err)
        reply_err(r, req->err);
    else
        once_reply(r);
}

void background_get(struct request *r)
{
    struct store_get_background *op = &r->op.get_background;

    *op = (struct store_get_background){
        .req = request_waits(r, on_got),
        .organization = r->token.organization,
    };
    if (id_parse(ID_TASK, r->match.parts[0], &op->id))
        reply_not_found(r);
    else
        store_get_background(r->services->store, op);
}

static void on_got(struct store_req *req)
{
    struct request *r = request_of(req);

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    put_task(reply_begin(r), &r->op.get_background.task);
    background_task_fini(&r->op.get_background.task);
    reply_send(r, 200);
}

void background_list(struct request *r)
{
    r->op.list_background = (struct store_list_background){
        .req = request_waits(r, on_listed),
        .organization = r->token.organization,
        .has_status = r->query.has_task_status,
        .status = r->query.task_status,
        .has_kind = r->query.has_task_kind,
        .kind = r->query.task_kind,
        .page = r->query.page,
    };
    store_list_background(r->services->store, &r->op.list_background);
}

static void on_listed(struct store_req *req)
{
    struct request *r = request_of(req);
    struct store_list_background *op = &r->op.list_background;
    struct page_span span = { .first = { { 0 } } };

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    if (op->count > 0)
        span = (struct page_span){ op->tasks[0].id, op->tasks[op->count - 1].id };
    struct json_writer *w = reply_begin_page(r);
    for (size_t i = 0; i < op->count; i++) {
        put_task(w, &op->tasks[i]);
        background_task_fini(&op->tasks[i]);
    }
    free(op->tasks);
    reply_send_span(r, ID_TASK, &span, op->more);
}
