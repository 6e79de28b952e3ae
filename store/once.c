/* Once: a request runs, or gets what an earlier one was answered. */
#include "store/once.h"

#include <assert.h>

#include "store/private.h"

static enum err run_recall(struct store *s, struct store_req *req);
static size_t recall_bytes(const struct store_req *req);
static void discard_recall(struct store_req *req);

/* Regional, so that it stands behind the writes to either file that were asked for before it. */
static const struct store_verb RECALL = {
    .side = VERB_WRITES_REGIONAL,
    .run = run_recall,
    .bytes = recall_bytes,
    .discard = discard_recall,
};

static enum err find(struct store *s, enum backend_file file, struct store_once *once)
{
    enum err err =
        s->ops->find_answer(s->backend, file, once->hash, s->now.wall_ms, &once->first);

    once->repeated = err == ERR_OK;
    return err;
}

static enum err keep(struct store *s, enum backend_file file, const struct store_once *once)
{
    return s->ops->keep_answer(s->backend, file, once->hash, &once->answer, s->now.wall_ms);
}

enum err once_run(struct store *s, enum backend_file file, struct store_req *req)
{
    struct store_once *once = req->once;
    enum err err;

    if (!once)
        return req->verb->run(s, req);
    assert(once->answer.len > 0);
    err = find(s, file, once);
    if (err != ERR_NOT_FOUND)
        return err;
    err = req->verb->run(s, req);
    if (err)
        return err;
    err = keep(s, file, once);
    if (err)
        once_discard(req);
    return err;
}

size_t once_bytes(const struct store_req *req)
{
    size_t bytes = req->verb->bytes ? req->verb->bytes(req) : 0;

    return req->once ? bytes + req->once->answer.len : bytes;
}

void once_discard(struct store_req *req)
{
    if (req->once && req->once->repeated)
        bytes_fini(&req->once->first);
    else if (req->verb->discard)
        req->verb->discard(req);
}

void store_recall(struct store *s, struct store_recall *op)
{
    store_submit(s, &op->req, &RECALL);
}

static enum err find_message(struct store *s, struct store_recall *op)
{
    enum err err =
        s->ops->find_repeated(s->backend, op->once->hash, s->now.wall_ms, &op->message);

    op->once->repeated = err == ERR_OK;
    return err;
}

static enum err run_recall(struct store *s, struct store_req *req)
{
    struct store_recall *op = container_of(req, struct store_recall, req);
    enum err err = ERR_NOT_FOUND;

    op->message = NULL;
    for (int file = 0; file < BACKEND_FILES && err == ERR_NOT_FOUND; file++)
        err = find(s, (enum backend_file)file, op->once);
    if (err == ERR_NOT_FOUND)
        err = find_message(s, op);
    if (err != ERR_NOT_FOUND)
        return err;
    return op->once->answer.len > 0 ? keep(s, BACKEND_REGIONAL, op->once) : ERR_OK;
}

static size_t recall_bytes(const struct store_req *req)
{
    return container_of(req, struct store_recall, req)->once->answer.len;
}

static void discard_recall(struct store_req *req)
{
    struct store_recall *op = container_of(req, struct store_recall, req);

    if (!op->once->repeated)
        return;
    message_unref(op->message);
    bytes_fini(&op->once->first);
}
