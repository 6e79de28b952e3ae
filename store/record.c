/* Record: the outcome of an attempt, and what is to be told of it. */
#include "store/private.h"

static enum err run_record(struct store *s, struct store_req *req);

static const struct store_verb RECORD = { .side = VERB_WRITES_REGIONAL, .run = run_record };

void store_record(struct store *s, struct store_record *op)
{
    store_submit(s, &op->req, &RECORD);
}

static enum err run_record(struct store *s, struct store_req *req)
{
    struct store_record *op = container_of(req, struct store_record, req);
    enum err err = s->ops->record(s->backend, op);

    return err ? err : operational_tell_attempt(s, op);
}
