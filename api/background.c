/* Background tasks: /api/v1/app/{app}/endpoint/{endpoint}/recover and its like, and
 * …/msg/expunge-all-contents, begin one; /api/v1/background-task shows what becomes of it. */
#include "api/background.h"

#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "wire/noun_in.h"
#include "wire/noun_out.h"

static void begin(struct request *r, enum background_kind kind);
static void put_task(struct json_writer *w, const struct background_task *task,
                     const struct background_usage *usage, size_t count,
                     const struct text_list *unresolved);
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
    task->application = r->application->base.id;
    task->endpoint = endpoint->base.id;
    background_begin(r);
}

void messages_expunge_all(struct request *r)
{
    if (!request_find_application(r))
        return;
    r->background.kind = BACKGROUND_PURGE;
    r->background.application = r->application->base.id;
    r->background.until_ms = r->now.wall_ms;
    background_begin(r);
}

void background_begin(struct request *r)
{
    struct background_task *task = &r->background;

    task->organization = r->token.organization;
    background_task_begin(task, r->services->ids, r->now.wall_ms);
    put_task(reply_begin(r), task, NULL, 0,
             task->kind == BACKGROUND_STATS ? &r->usage.unresolved : NULL);
    r->op.start_background = (struct store_start_background){
        .req = once_write(r, 202, on_begun),
        .task = task,
        .applications = r->usage.applications,
        .application_count = r->usage.count,
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

static void put_application(struct json_writer *w, const struct background_task *task)
{
    json_add_id(w, "appId", ID_APPLICATION, &task->application);
}

static void put_sending(struct json_writer *w, const struct background_task *task)
{
    put_application(w, task);
    json_add_id(w, "endpointId", ID_ENDPOINT, &task->endpoint);
    json_add_date(w, "since", task->since_ms);
    json_add_date(w, "until", task->until_ms);
    json_add_bool(w, "dryRun", task->dry_run);
    json_add_date(w, "reached", reached_ms(task));
    json_add_unsigned(w, "lookedAt", task->looked_at);
    json_add_unsigned(w, "deliveries", task->done);
}

static void put_purge(struct json_writer *w, const struct background_task *task)
{
    put_application(w, task);
    json_add_date(w, "until", task->until_ms);
    json_add_unsigned(w, "lookedAt", task->looked_at);
    json_add_unsigned(w, "messagesPurged", task->done);
}

static void put_stats(struct json_writer *w, const struct background_task *task,
                      const struct background_usage *usage, size_t count)
{
    json_add_date(w, "since", task->since_ms);
    json_add_date(w, "until", task->until_ms);
    json_add_unsigned(w, "lookedAt", task->looked_at);
    json_name(w, "appStats");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        json_open_object(w);
        json_add_id(w, "appId", ID_APPLICATION, &usage[i].application);
        json_add_text(w, "appUid", usage[i].uid);
        json_add_unsigned(w, "messageDestinations", usage[i].destinations);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_event_types(struct json_writer *w, const struct background_usage *usage,
                            size_t count)
{
    json_name(w, "event_types");
    json_open_array(w);
    for (size_t i = 0; i < count; i++) {
        json_open_object(w);
        json_add_id(w, "appId", ID_APPLICATION, &usage[i].application);
        json_name(w, "explicitlySubscribedEventTypes");
        json_open_array(w);
        for (size_t j = 0; j < usage[i].event_types.count; j++)
            json_put_text(w, usage[i].event_types.items[j]);
        json_close_array(w);
        json_add_bool(w, "hasCatchAllEndpoint", usage[i].has_catch_all);
        json_close_object(w);
    }
    json_close_array(w);
}

static void put_data(struct json_writer *w, const struct background_task *task,
                     const struct background_usage *usage, size_t count)
{
    json_name(w, "data");
    json_open_object(w);
    switch (task->kind) {
    case BACKGROUND_RECOVER:
    case BACKGROUND_REPLAY_MISSING:
    case BACKGROUND_BULK_REPLAY:
        put_sending(w, task);
        break;
    case BACKGROUND_PURGE:
        put_purge(w, task);
        break;
    case BACKGROUND_STATS:
        put_stats(w, task, usage, count);
        break;
    case BACKGROUND_EVENT_TYPES:
        put_event_types(w, usage, count);
        break;
    case BACKGROUND_KINDS:
        break;
    }
    json_close_object(w);
}

/* `unresolved`: of a task that begins, what it was to be about and isn't; or NULL. */
static void put_task(struct json_writer *w, const struct background_task *task,
                     const struct background_usage *usage, size_t count,
                     const struct text_list *unresolved)
{
    json_open_object(w);
    json_name(w, "id");
    json_put_id(w, ID_TASK, &task->id);
    json_add_text(w, "status", background_status_text(task->status));
    json_add_text(w, "task", background_kind_text(task->kind));
    put_data(w, task, usage, count);
    if (unresolved) {
        json_name(w, "unresolvedAppIds");
        json_open_array(w);
        for (size_t i = 0; i < unresolved->count; i++)
            json_put_text(w, unresolved->items[i]);
        json_close_array(w);
    }
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
    struct store_get_background *op = &r->op.get_background;

    if (req->err) {
        reply_err(r, req->err);
        return;
    }
    put_task(reply_begin(r), &op->task, op->usage, op->usage_count, NULL);
    background_task_fini(&op->task);
    background_usages_fini(op->usage, op->usage_count);
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
        put_task(w, &op->tasks[i], NULL, 0, NULL);
        background_task_fini(&op->tasks[i]);
    }
    free(op->tasks);
    reply_send_span(r, ID_TASK, &span, op->more);
}
