/* Resend: a delivery that somebody asks for again. */
#include "store/private.h"

static enum err run_resend(struct store *s, struct store_req *req);

static const struct store_verb RESEND = { .side = VERB_WRITES_REGIONAL, .run = run_resend };

void store_resend(struct store *s, struct store_resend *op)
{
    store_submit(s, &op->req, &RESEND);
}

static enum err run_resend(struct store *s, struct store_req *req)
{
    const struct store_resend *op = container_of(req, struct store_resend, req);
    enum err err;

    if (!catalog_endpoint(s->catalog, &op->application, &op->endpoint))
        return ERR_NOT_FOUND;
    err = s->ops->resend(s->backend, op, s->now.wall_ms);
    if (!err)
        hints_add_due(s, id_key(&op->endpoint));
    return err;
}
