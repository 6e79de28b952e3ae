/* Adopt: a snapshot of another region's objects, in place of what is known of them.
 *
 *     first page   a new round begins, and the origin's journal waits
 *     each page    objects as from its journal, their states in this round
 *     last page    what still has a state of an earlier round is deleted, some at a time;
 *                  then the position: the journal goes on from there */
#include "store/journal.h"

#include "core/count.h"

#define STRAYS_AT_ONCE 256

static enum err run_reseed(struct store *s, struct store_req *req);
static enum err run_adopt(struct store *s, struct store_req *req);
static enum err begin_round(struct store *s, const struct store_adopt *op);
static enum err put_page(struct store *s, struct store_adopt *op);
static enum err delete_strays(struct store *s, struct store_adopt *op);
static enum err delete_stray(struct store *s, const struct object_state *stray);
static enum err end_round(struct store *s, const struct store_adopt *op);

void store_reseed(struct store *s, struct store_reseed *op)
{
    static const struct store_verb VERB = { .side = VERB_WRITES_GLOBAL, .run = run_reseed };
    store_submit(s, &op->req, &VERB);
}

static enum err run_reseed(struct store *s, struct store_req *req)
{
    uint8_t origin = container_of(req, struct store_reseed, req)->origin;

    return journal_is_others(s, origin) ? s->ops->begin_round(s->backend, origin) : ERR_INVALID;
}

void store_adopt(struct store *s, struct store_adopt *op)
{
    static const struct store_verb VERB = { .side = VERB_WRITES_GLOBAL, .run = run_adopt };
    store_submit(s, &op->req, &VERB);
}

static enum err run_adopt(struct store *s, struct store_req *req)
{
    struct store_adopt *op = container_of(req, struct store_adopt, req);

    op->verdict = APPLY_DONE;
    op->refused = 0;
    op->more = false;
    if (!journal_is_others(s, op->position->origin))
        return ERR_INVALID;
    if (hlc_is_ahead(op->position->hlc, s->now.wall_ms)) {
        op->verdict = APPLY_AHEAD;
        return ERR_OK;
    }
    enum err err = begin_round(s, op);
    if (!err)
        err = put_page(s, op);
    if (!err && op->last)
        err = delete_strays(s, op);
    if (!err && op->last && !op->more)
        err = end_round(s, op);
    return err;
}

static enum err begin_round(struct store *s, const struct store_adopt *op)
{
    struct journal_position at;

    if (op->first)
        return s->ops->begin_round(s->backend, op->position->origin);
    enum err err = s->ops->position(s->backend, op->position->origin, &at);
    if (err)
        return err;
    return at.adopting ? ERR_OK : ERR_STALE;
}

static enum err put_page(struct store *s, struct store_adopt *op)
{
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < op->count; i++) {
        const char *why;
        err = journal_put(s, op->position->origin, &op->codes[i], &why);
        op->refused += why != NULL;
    }
    return err;
}

/* Endpoints first, as when an application is deleted at its home. */
static enum err delete_strays(struct store *s, struct store_adopt *op)
{
    static const enum object_kind ORDER[] = { OBJECT_ENDPOINT, OBJECT_APPLICATION,
                                              OBJECT_EVENT_TYPE };
    struct object_state strays[STRAYS_AT_ONCE];
    size_t count = 0;
    enum err err = ERR_OK;

    for (size_t i = 0; !err && count == 0 && i < COUNT(ORDER); i++)
        err = s->ops->strays(s->backend, op->position->origin, ORDER[i], strays, STRAYS_AT_ONCE,
                             &count);
    for (size_t i = 0; !err && i < count; i++)
        err = delete_stray(s, &strays[i]);
    if (!err)
        op->more = count > 0;
    return err;
}

static struct object *tombstone_of(struct object *object)
{
    struct object *tombstone = NULL;

    switch (object->kind) {
    case OBJECT_APPLICATION:
        tombstone = &application_copy(as_application(object))->base;
        break;
    case OBJECT_ENDPOINT:
        tombstone = &endpoint_copy(as_endpoint(object))->base;
        break;
    case OBJECT_EVENT_TYPE:
        tombstone = &event_type_copy(as_event_type(object))->base;
        break;
    }
    tombstone->deleted = true;
    tombstone->version++;
    return tombstone;
}

/* The loops that follow hear of a tombstone; one that was here before they know nothing of. An event
 * type that another origin knows as well is that one's from now on. */
static enum err delete_stray(struct store *s, const struct object_state *stray)
{
    struct object *object = catalog_by_key(s->catalog, stray->key);
    struct object_state rival = { 0 };
    enum err err = s->ops->drop_state(s->backend, stray);

    if (!err && stray->kind == OBJECT_EVENT_TYPE)
        err = s->ops->rival_state(s->backend, stray, &rival);
    if (err || rival.version > 0)
        return err;
    err = s->ops->bury(s->backend, stray->kind, stray->key);
    if (err || !object)
        return err;

    struct object *tombstone = tombstone_of(object);
    catalog_put(s->catalog, tombstone);
    changes_add(s, tombstone);
    object_unref(tombstone);
    return ERR_OK;
}

static enum err end_round(struct store *s, const struct store_adopt *op)
{
    struct journal_position at = *op->position;

    at.adopting = false;
    at.at_ms = s->now.wall_ms;
    hlc_see(&s->journal.clock, at.hlc);
    arrivals_add(s, &at);
    return s->ops->set_position(s->backend, &at, false);
}
