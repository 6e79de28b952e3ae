/* Background: tasks that are worked off bite by bite.
 *
 *   store_start_background ─┐
 *   background_open ────────┴─► (pause) ─► on_pause_over ─► run_bite ─► on_bitten ─┐
 *                                 ▲                                                │
 *                                 └──────────────── more to do ────────────────────┘
 *
 * A bite is a request of the store's own in a group like any other's: what it did and how far it came
 * are in one transaction. Tasks take turns. */
#include "store/private.h"

#include "core/mem.h"

/* A bite is followed by so many times what it took, so that it never has more than a tenth of the
 * writer's time; and by a little at least, for the clock counts in milliseconds. */
#define PAUSE_SHARE    9
#define PAUSE_MS       5
#define PAUSE_ERROR_MS 1000 /* before it is tried again on a full disk */

static enum err run_start(struct store *s, struct store_req *req);
static void wake(struct store *s, uint64_t pause_ms);
static void on_pause_over(uv_timer_t *pause);
static enum err run_bite(struct store *s, struct store_req *req);
static void on_bitten(struct store_req *req);
static void close_pause(struct store *s);

static const struct store_verb START = { .side = VERB_WRITES_REGIONAL, .run = run_start };
static const struct store_verb BITE = { .side = VERB_WRITES_REGIONAL, .run = run_bite };

void store_start_background(struct store *s, struct store_start_background *op)
{
    store_submit(s, &op->req, &START);
}

static enum err run_start(struct store *s, struct store_req *req)
{
    struct background_task *task = container_of(req, struct store_start_background, req)->task;
    enum err err;

    if (!catalog_endpoint(s->catalog, &task->application, &task->endpoint))
        return ERR_NOT_FOUND;
    task->id = id_new(s->ids, s->now.wall_ms);
    task->status = BACKGROUND_RUNNING;
    task->created_at_ms = task->updated_at_ms = id_instant_ms(&task->id, s->now.wall_ms);
    err = s->ops->start_background(s->backend, task);
    if (!err)
        wake(s, 0);
    return err;
}

enum err background_load(struct store *s)
{
    struct background_task first;
    enum err err = s->ops->next_background(s->backend, 0, &first);

    s->background.more = err == ERR_OK;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    background_task_fini(&first);
    return ERR_OK;
}

void background_open(struct store *s, uv_loop_t *loop)
{
    struct background *b = &s->background;

    uv_timer_init(loop, &b->pause);
    b->pause.data = s;
    if (b->more)
        wake(s, 0);
}

static void wake(struct store *s, uint64_t pause_ms)
{
    struct background *b = &s->background;

    if (!b->biting && !b->closed && !uv_is_active((uv_handle_t *)&b->pause))
        uv_timer_start(&b->pause, on_pause_over, pause_ms, 0);
}

static void on_pause_over(uv_timer_t *pause)
{
    struct store *s = pause->data;
    struct background *b = &s->background;

    b->biting = true;
    b->bite = (struct store_req){ .done = on_bitten, .reply_to = &s->writer };
    store_submit(s, &b->bite, &BITE);
}

/* The next one that runs, round and round. */
static enum err next_task(struct store *s, struct background_task *out)
{
    struct background *b = &s->background;
    enum err err = s->ops->next_background(s->backend, b->last_key, out);

    if (err == ERR_NOT_FOUND && b->last_key != 0)
        err = s->ops->next_background(s->backend, 0, out);
    b->last_key = err ? 0 : id_key(&out->id);
    return err;
}

static enum err bite(struct store *s, struct background_task *task)
{
    const struct endpoint *endpoint =
        catalog_endpoint(s->catalog, &task->application, &task->endpoint);
    uint64_t before = task->deliveries;
    enum err err = ERR_OK;

    task->updated_at_ms = s->now.wall_ms;
    if (endpoint)
        err = s->ops->bite(s->backend, task, endpoint, s->now.wall_ms);
    else
        task->status = BACKGROUND_FAILED;
    if (!err)
        err = s->ops->keep_background(s->backend, task);
    if (!err && task->deliveries > before && !task->dry_run)
        hints_add_due(s, id_key(&task->endpoint));
    return err;
}

static enum err run_bite(struct store *s, struct store_req *req)
{
    struct background *b = &s->background;
    struct background_task task;
    uint64_t began_mono_ms = s->clock().mono_ms;
    enum err err = next_task(s, &task);

    (void)req;
    b->more = err == ERR_OK;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = bite(s, &task);
    background_task_fini(&task);
    b->took_ms = s->clock().mono_ms - began_mono_ms;
    return err;
}

static void on_bitten(struct store_req *req)
{
    struct store *s = container_of(req, struct store, background.bite);
    struct background *b = &s->background;

    b->biting = false;
    if (b->closed)
        close_pause(s);
    else if (req->err)
        wake(s, PAUSE_ERROR_MS);
    else if (b->more)
        wake(s, PAUSE_MS + PAUSE_SHARE * b->took_ms);
}

void background_close(struct store *s, uv_close_cb closed)
{
    struct background *b = &s->background;

    b->closed = closed;
    if (!b->biting)
        close_pause(s);
}

static void close_pause(struct store *s)
{
    uv_close((uv_handle_t *)&s->background.pause, s->background.closed);
}
