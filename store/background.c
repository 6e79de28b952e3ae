/* Background: tasks that are worked off bite by bite, in turns. */
#include "store/private.h"

#include <assert.h>

static enum err run_start(struct store *s, struct store_req *req);
static enum err bite(struct store *s);

static const struct store_verb START = { .side = VERB_WRITES_REGIONAL, .run = run_start };

void store_start_background(struct store *s, struct store_start_background *op)
{
    store_submit(s, &op->req, &START);
}

static bool subject_is_there(const struct store *s, const struct background_task *task)
{
    if (background_sends(task->kind))
        return catalog_endpoint(s->catalog, &task->application, &task->endpoint);
    if (background_counts(task->kind))
        return true;
    return catalog_application(s->catalog, &task->organization, &task->application);
}

static enum err run_start(struct store *s, struct store_req *req)
{
    const struct store_start_background *op =
        container_of(req, struct store_start_background, req);
    const struct background_task *task = op->task;
    enum err err;

    assert(!id_is_zero(&task->id));
    if (!subject_is_there(s, task))
        return ERR_NOT_FOUND;
    err = s->ops->start_background(s->backend, task);
    for (size_t i = 0; !err && i < op->application_count; i++)
        err = s->ops->add_usage(s->backend, task, op->applications[i]);
    if (!err)
        bites_wake(&s->background.bites);
    return err;
}

enum err background_load(struct store *s)
{
    struct background_task first;
    enum err err = s->ops->next_background(s->backend, 0, &first);

    s->background.bites.bite = bite;
    s->background.bites.more = err == ERR_OK;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    background_task_fini(&first);
    return ERR_OK;
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

static enum err bite_at(struct store *s, struct background_task *task)
{
    const struct endpoint *endpoint =
        catalog_endpoint(s->catalog, &task->application, &task->endpoint);
    bool sends = background_sends(task->kind);
    uint64_t before = task->done;
    enum err err = ERR_OK;

    task->updated_at_ms = s->now.wall_ms;
    if (task->kind == BACKGROUND_EVENT_TYPES)
        err = usage_bite(s, task);
    else if (endpoint || !sends)
        err = s->ops->bite(s->backend, task, endpoint, s->now.wall_ms);
    else
        task->status = BACKGROUND_FAILED;
    if (!err)
        err = s->ops->keep_background(s->backend, task);
    if (!err && sends && task->done > before && !task->dry_run)
        hints_add_due(s, id_key(&task->endpoint));
    return err;
}

static enum err bite(struct store *s)
{
    struct background_task task;
    enum err err = next_task(s, &task);

    s->background.bites.more = err == ERR_OK;
    if (err)
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    err = bite_at(s, &task);
    background_task_fini(&task);
    return err;
}
