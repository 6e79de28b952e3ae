/* Apply: entries of another region's journal, and snapshots of its objects. */
#include "store/journal.h"

#include "core/mem.h"

#define STRAYS_FIRST 16

/* Objects that their origin doesn't own any more. */
struct strays {
    struct store *store;
    uint8_t origin;
    size_t count, room;
    struct object **objects; /* references */
    enum err err;
};

static enum err run_apply(struct store *s, struct store_req *req);
static enum err apply_next(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry);
static enum err run_adopt(struct store *s, struct store_req *req);
static enum err adopt_object(struct store *s, uint8_t origin, const struct bytes *code,
                             const char **out_why);
static enum err drop_strays(struct store *s, uint8_t origin);
static void look_for_stray(struct object *object, void *ctx);

void store_apply(struct store *s, struct store_apply *op)
{
    static const struct store_verb VERB = { .side = VERB_WRITES_GLOBAL, .run = run_apply };
    store_submit(s, &op->req, &VERB);
}

static enum err run_apply(struct store *s, struct store_req *req)
{
    struct store_apply *op = container_of(req, struct store_apply, req);
    struct journal_position *at = &op->position;
    enum err err = s->ops->position(s->backend, op->origin, at);

    op->verdict = APPLY_DONE;
    op->quarantined = 0;
    if (err)
        return err;
    if (at->origin == 0) {
        at->origin = op->origin;
        memcpy(at->incarnation, op->incarnation, INCARNATION_LEN);
    } else if (memcmp(at->incarnation, op->incarnation, INCARNATION_LEN) != 0) {
        op->verdict = APPLY_FORKED;
        return ERR_OK;
    }

    uint64_t before = at->seq;
    for (size_t i = 0; !err && op->verdict == APPLY_DONE && i < op->count; i++)
        err = apply_next(s, op, &op->entries[i]);
    if (err || at->seq == before)
        return err;
    at->at_ms = s->now.wall_ms;
    hlc_see(&s->journal.clock, at->hlc);
    arrivals_add(s, at->origin, at->seq);
    return s->ops->set_position(s->backend, at, false);
}

static enum err quarantine(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry, const char *why)
{
    op->quarantined++;
    return s->ops->quarantine(s->backend, op->origin, entry, why, s->now.wall_ms);
}

static enum err apply_next(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry)
{
    struct journal_position *at = &op->position;
    uint8_t digest[CHAIN_LEN], chain[CHAIN_LEN];
    const char *why = NULL;

    if (entry->seq <= at->seq) {
        if (entry->seq == at->seq && memcmp(entry->chain, at->chain, CHAIN_LEN) != 0)
            op->verdict = APPLY_FORKED;
        return ERR_OK;
    }
    if (entry->seq != at->seq + 1)
        op->verdict = APPLY_GAP;
    else if (hlc_is_ahead(entry->hlc, s->now.wall_ms))
        op->verdict = APPLY_AHEAD;
    if (op->verdict != APPLY_DONE)
        return ERR_OK;

    if (journal_digest(s, &entry->code, digest) != ERR_OK) {
        op->verdict = APPLY_FORKED; /* the chain can't be followed past it */
        return ERR_OK;
    }
    journal_chain(s, at->chain, entry, digest, chain);
    if (memcmp(chain, entry->chain, CHAIN_LEN) != 0) {
        op->verdict = APPLY_FORKED;
        return ERR_OK;
    }

    enum err err = adopt_object(s, op->origin, &entry->code, &why);
    if (!err && why)
        err = quarantine(s, op, entry, why);
    if (err)
        return err;
    at->seq = entry->seq;
    at->hlc = entry->hlc;
    memcpy(at->chain, chain, CHAIN_LEN);
    return ERR_OK;
}

/* Whether `origin` may write the object, of which `current` is here. What belongs to an
 * organization is written by one region, which may change with the topology. */
static bool is_home(const struct store *s, uint8_t origin, struct object *next,
                    struct object *current)
{
    const struct application *owner;

    if (origin == 0 || origin == s->ids->ordinal)
        return false;
    switch (next->kind) {
    case OBJECT_APPLICATION:
        return as_application(next)->residency.home == origin &&
               (!current || as_application(current)->residency.home_epoch <=
                                as_application(next)->residency.home_epoch);
    case OBJECT_ENDPOINT:
        owner = catalog_application_by_key(s->catalog, id_key(&as_endpoint(next)->application));
        return owner ? owner->residency.home == origin
                     : id_ordinal(&as_endpoint(next)->application) == origin;
    case OBJECT_EVENT_TYPE:
        return true;
    }
    return false;
}

/* `*out_why`: it can't be, and why. */
static enum err put_newer(struct store *s, uint8_t origin, struct object *object,
                          const struct bytes *code, const char **out_why)
{
    struct object *current = catalog_by_key(s->catalog, id_key(&object->id));
    struct object_state state = { .origin = origin };
    bool newer = false;

    if (current && (current->kind != object->kind || !id_equal(&current->id, &object->id)))
        *out_why = "another object has its key";
    else if (!is_home(s, origin, object, current))
        *out_why = "its home is another region";
    if (*out_why)
        return ERR_OK;

    object_state_of(object, &state);
    enum err err = journal_digest(s, code, state.digest);
    if (!err)
        err = s->ops->keep_state(s->backend, &state, &newer);
    if (err || !newer)
        return err;
    err = s->ops->put(s->backend, object);
    if (err == ERR_CONFLICT) {
        *out_why = "its name is taken";
        return s->ops->drop_state(s->backend, &state);
    }
    if (!err) {
        catalog_put(s->catalog, object);
        changes_add(s, object);
    }
    return err;
}

static enum err adopt_object(struct store *s, uint8_t origin, const struct bytes *code,
                             const char **out_why)
{
    struct object *object;
    enum err err = object_decode(code->data, code->len, &object);

    if (err) {
        *out_why = err == ERR_VERSION ? "it is of an unknown kind" : "it isn't an object";
        return ERR_OK;
    }
    err = put_newer(s, origin, object, code, out_why);
    object_unref(object);
    return err;
}

/* Snapshots. */

void store_adopt(struct store *s, struct store_adopt *op)
{
    static const struct store_verb VERB = { .side = VERB_WRITES_GLOBAL, .run = run_adopt };
    store_submit(s, &op->req, &VERB);
}

static enum err run_adopt(struct store *s, struct store_req *req)
{
    struct store_adopt *op = container_of(req, struct store_adopt, req);
    enum err err = op->first ? s->ops->forget(s->backend, op->origin) : ERR_OK;

    op->refused = 0;
    for (size_t i = 0; !err && i < op->count; i++) {
        const char *why = NULL;
        err = adopt_object(s, op->origin, &op->codes[i], &why);
        op->refused += why != NULL;
    }
    if (err || !op->position)
        return err;

    struct journal_position at = *op->position;
    at.origin = op->origin;
    at.at_ms = s->now.wall_ms;
    hlc_see(&s->journal.clock, at.hlc);
    arrivals_add(s, at.origin, at.seq);
    err = drop_strays(s, op->origin);
    return err ? err : s->ops->set_position(s->backend, &at, false);
}

static enum err drop_strays(struct store *s, uint8_t origin)
{
    struct strays strays = { .store = s, .origin = origin };

    catalog_each(s->catalog, look_for_stray, &strays);
    for (size_t i = 0; i < strays.count; i++) {
        struct object *object = strays.objects[i];
        if (!strays.err)
            strays.err = s->ops->put(s->backend, object);
        if (!strays.err) {
            catalog_put(s->catalog, object);
            changes_add(s, object);
        }
        object_unref(object);
    }
    free(strays.objects);
    return strays.err;
}

static struct object *tombstone_of(struct object *object)
{
    struct object *tombstone = object->kind == OBJECT_APPLICATION
                                   ? &application_copy(as_application(object))->base
                                   : &endpoint_copy(as_endpoint(object))->base;

    tombstone->deleted = true;
    tombstone->version++;
    return tombstone;
}

/* An application or an endpoint of this origin's that it didn't name. */
static void look_for_stray(struct object *object, void *ctx)
{
    struct strays *strays = ctx;
    struct store *s = strays->store;
    bool known = false;

    if (strays->err || object->kind == OBJECT_EVENT_TYPE ||
        !is_home(s, strays->origin, object, NULL))
        return;
    strays->err = s->ops->has_state(s->backend, strays->origin, id_key(&object->id), &known);
    if (strays->err || known)
        return;
    if (strays->count == strays->room)
        strays->objects =
            xgrow(strays->objects, &strays->room, STRAYS_FIRST, sizeof(struct object *));
    strays->objects[strays->count++] = tombstone_of(object);
}
