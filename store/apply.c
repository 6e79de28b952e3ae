/* Apply: entries of another region's journal. */
#include "store/journal.h"

#include <string.h>

static enum err run_apply(struct store *s, struct store_req *req);
static enum err apply_next(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry);
static enum err put_newer(struct store *s, uint8_t origin, struct object *object,
                          const struct bytes *code, const char **out_why);

void store_apply(struct store *s, struct store_apply *op)
{
    static const struct store_verb VERB = { .side = VERB_WRITES_GLOBAL, .run = run_apply };
    store_submit(s, &op->req, &VERB);
}

bool journal_is_others(const struct store *s, uint8_t origin)
{
    return origin != 0 && origin != s->ids->ordinal;
}

static enum err run_apply(struct store *s, struct store_req *req)
{
    struct store_apply *op = container_of(req, struct store_apply, req);
    struct journal_position *at = &op->position;

    if (!journal_is_others(s, op->origin))
        return ERR_INVALID;
    enum err err = s->ops->position(s->backend, op->origin, at);
    if (err)
        return err;
    op->verdict = APPLY_DONE;
    op->quarantined = 0;
    if (at->adopting) {
        op->verdict = APPLY_WAITS;
        return ERR_OK;
    }
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
    arrivals_add(s, at);
    return s->ops->set_position(s->backend, at, false);
}

/* Without its secrets: people look at it, and it isn't sealed anew. */
static enum err quarantine(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry, const char *why)
{
    struct journal_entry bare = *entry;

    op->quarantined++;
    bare.code.len = object_code_public(entry->code.data, entry->code.len);
    return s->ops->quarantine(s->backend, op->origin, &bare, why, s->now.wall_ms);
}

static enum err apply_next(struct store *s, struct store_apply *op,
                           const struct journal_entry *entry)
{
    struct journal_position *at = &op->position;
    uint8_t digest[CHAIN_LEN], chain[CHAIN_LEN];
    const char *why;

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

    journal_digest(s, &entry->code, digest);
    journal_chain(s, at->chain, entry, digest, chain);
    if (memcmp(chain, entry->chain, CHAIN_LEN) != 0) {
        op->verdict = APPLY_FORKED;
        return ERR_OK;
    }

    enum err err = journal_put(s, op->origin, &entry->code, &why);
    if (!err && why)
        err = quarantine(s, op, entry, why);
    if (err)
        return err;
    at->seq = entry->seq;
    at->hlc = entry->hlc;
    memcpy(at->chain, chain, CHAIN_LEN);
    return ERR_OK;
}

enum err journal_put(struct store *s, uint8_t origin, const struct bytes *code,
                     const char **out_why)
{
    struct object *object;

    *out_why = NULL;
    enum err err = object_decode(code->data, code->len, &object);

    if (err) {
        *out_why = err == ERR_VERSION ? "it is of an unknown kind" : "it isn't an object";
        return ERR_OK;
    }
    err = put_newer(s, origin, object, code, out_why);
    object_unref(object);
    return err;
}

/* An object that isn't here is made by the region that its id names. Those that a region made when
 * it was alone name none. */
static bool may_make(uint8_t origin, const struct id *id)
{
    return id_ordinal(id) == origin || id_ordinal(id) == 0;
}

static bool is_home_of_application(uint8_t origin, const struct application *next,
                                   const struct application *current)
{
    if (next->residency.home != origin)
        return false;
    return current ? current->residency.home == origin &&
                         current->residency.home_epoch <= next->residency.home_epoch
                   : may_make(origin, &next->base.id);
}

/* It may come before its application. */
static bool is_home_of_endpoint(const struct store *s, uint8_t origin,
                                const struct endpoint *next, const struct endpoint *current)
{
    const struct application *owner =
        catalog_application_by_key(s->catalog, id_key(&next->application));

    if (current && !id_equal(&current->application, &next->application))
        return false;
    if (!current && !may_make(origin, &next->base.id))
        return false;
    return owner ? owner->residency.home == origin &&
                       id_equal(&owner->base.id, &next->application)
                 : may_make(origin, &next->application);
}

/* Whether `origin` may write the object, of which `current` is here; NULL: none is, or not any
 * more. A home doesn't move yet. What belongs to an organization is written by the directory,
 * which may change with the topology. */
static bool is_home(const struct store *s, uint8_t origin, struct object *next,
                    struct object *current)
{
    switch (next->kind) {
    case OBJECT_APPLICATION:
        return is_home_of_application(origin, as_application(next),
                                      current ? as_application(current) : NULL);
    case OBJECT_ENDPOINT:
        return is_home_of_endpoint(s, origin, as_endpoint(next),
                                   current ? as_endpoint(current) : NULL);
    case OBJECT_EVENT_TYPE:
        return true;
    }
    return false;
}

/* Whether it is the newest of all origins', so that all regions keep the same one, whatever they
 * hear of first. Of two equally new ones the lower origin's. */
static enum err is_newest(struct store *s, const struct object_state *state, bool *out)
{
    struct object_state rival = { 0 };
    enum err err = ERR_OK;

    if (state->kind == OBJECT_EVENT_TYPE)
        err = s->ops->rival_state(s->backend, state, &rival);
    *out = rival.version < state->version ||
           (rival.version == state->version && state->origin < rival.origin);
    return err;
}

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
    journal_digest(s, code, state.digest);
    enum err err = s->ops->keep_state(s->backend, &state, &newer);
    if (!err && newer)
        err = is_newest(s, &state, &newer);
    if (err || !newer)
        return err;
    (void)sealing_renew(s, object);
    return put_unchecked(s, object);
}
