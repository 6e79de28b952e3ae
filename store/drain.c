/* Drain: the operator's word about a region, durable and told to every follower. */
#include "store/private.h"

static enum err run_drain(struct store *s, struct store_req *req);

static const struct store_verb DRAIN = { .side = VERB_WRITES_GLOBAL, .run = run_drain };

void store_drain(struct store *s, struct store_drain *op)
{
    store_submit(s, &op->req, &DRAIN);
}

static enum err run_drain(struct store *s, struct store_req *req)
{
    const struct store_drain *op = container_of(req, struct store_drain, req);
    enum err err = s->ops->drain(s->backend, op);

    if (err)
        return err;
    catalog_set_draining(s->catalog, op->ordinal, op->draining);
    changes_add_drain(s, op->ordinal, op->draining);
    return ERR_OK;
}
