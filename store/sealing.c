#include "store/sealing.h"

#include "core/object_code.h"
#include "core/sealed.h"
#include "store/private.h"

/* Of one bite. */
#define BITE_ROWS  64
#define BITE_BYTES ((size_t)1 << 20) /* of the journal */

static enum err run_count(struct store *s, struct store_req *req);
static enum err bite(struct store *s);
static enum err seal_row(struct store *s, const struct sealed_row *row);
static enum err seal_endpoint(struct store *s, const struct sealed_row *row);
static enum err seal_entry(struct store *s, const struct sealed_row *row);

void store_count_sealed(struct store *s, struct store_count_sealed *op)
{
    static const struct store_verb VERB = { .side = VERB_READS, .run = run_count };
    store_submit(s, &op->req, &VERB);
}

static enum err run_count(struct store *s, struct store_req *req)
{
    return s->ops->count_sealed(s->backend, container_of(req, struct store_count_sealed, req));
}

static void begin(struct store *s)
{
    s->sealing.at = (struct sealed_cursor){ .by = INT64_MIN, .key = INT64_MIN };
    s->sealing.bites.bite = bite;
    bites_wake(&s->sealing.bites);
}

void store_take_sealer(struct store *s, const struct store_sealer *sealer)
{
    s->sealing.sealer = *sealer;
    if (sealer->again)
        begin(s);
}

/* What is written. */

int64_t sealed_mark(const struct endpoint *endpoint)
{
    uint32_t key;

    return sealed_key_of(endpoint, &key) ? (int64_t)key : SEALED_NOTHING;
}

static size_t again(const struct store *s, struct endpoint *endpoint)
{
    const struct store_sealer *sealer = &s->sealing.sealer;

    return sealer->again ? sealer->again(sealer->ctx, endpoint) : 0;
}

/* How many values of the endpoint as it is now don't open. */
static size_t lost_now(struct store *s, const struct endpoint *next)
{
    const struct endpoint *current =
        catalog_endpoint_by_key(s->catalog, id_key(&next->base.id));

    if (!current)
        return SIZE_MAX;
    struct endpoint *copy = endpoint_copy(current);
    size_t lost = again(s, copy);
    object_unref(&copy->base);
    return lost;
}

bool sealing_renew(struct store *s, struct object *object)
{
    if (object->kind != OBJECT_ENDPOINT)
        return true;
    if (object->deleted) {
        sealed_drop(as_endpoint(object));
        return true;
    }
    size_t lost = again(s, as_endpoint(object));
    if (lost == 0)
        return true;
    if (lost_now(s, as_endpoint(object)) < lost)
        return false;
    begin(s);
    return true;
}

/* What was written before: row by row of each place, first those under keys whose ids are below the
 * newest one's, then those above. */

static bool next_range(struct sealed_cursor *at)
{
    at->by = at->key = INT64_MIN;
    at->above = !at->above;
    if (!at->above)
        at->place++;
    return at->place < SEALED_PLACES;
}

static enum err find_rows(struct store *s, struct sealed_row rows[BITE_ROWS], size_t *out_count)
{
    struct sealed_cursor *at = &s->sealing.at;
    const int64_t newest = s->sealing.sealer.key;
    enum err err;

    *out_count = 0;
    do {
        if (at->above && at->by == INT64_MIN)
            at->by = newest + 1;
        err = s->ops->next_sealed(
            s->backend,
            &(struct sealed_search){ .place = at->place,
                                     .by = at->by,
                                     .key = at->key,
                                     .below = at->above ? INT64_MAX : newest,
                                     .limit = BITE_ROWS,
                                     .bytes_limit = BITE_BYTES },
            rows, out_count);
    } while (!err && *out_count == 0 && next_range(at));
    return err;
}

/* Where nothing is left the old values are to be gone from the file as well. */
static enum err bite(struct store *s)
{
    struct sealing *sealing = &s->sealing;
    struct sealed_row rows[BITE_ROWS];
    size_t count;

    if (sealing->bites.failed) /* what it did was rolled back */
        sealing->at = (struct sealed_cursor){ .by = INT64_MIN, .key = INT64_MIN };
    enum err err = find_rows(s, rows, &count);
    for (size_t i = 0; i < count; i++) {
        if (!err)
            err = seal_row(s, &rows[i]);
        bytes_fini(&rows[i].code);
    }
    if (err)
        return err;
    sealing->bites.more = count > 0;
    if (count == 0)
        return s->ops->end_sealing(s->backend);
    sealing->at.by = rows[count - 1].by;
    sealing->at.key = rows[count - 1].key;
    return ERR_OK;
}

static enum err seal_row(struct store *s, const struct sealed_row *row)
{
    return row->place == SEALED_ENDPOINTS ? seal_endpoint(s, row) : seal_entry(s, row);
}

static size_t value_count(const struct endpoint *e)
{
    return e->secret_count + (e->sealed_headers.len > 0);
}

/* What doesn't open keeps the name of a key that isn't here: it may come back. */
static enum err leave(struct store *s, const struct sealed_row *row)
{
    const struct store_sealer *sealer = &s->sealing.sealer;
    bool is_lost = row->by == 0 || (row->by > 0 && sealer->has(sealer->ctx, (uint32_t)row->by));

    return is_lost ? s->ops->mark_sealed(s->backend, row->place, row->key, SEALED_LOST)
                   : ERR_OK;
}

static enum err seal_endpoint(struct store *s, const struct sealed_row *row)
{
    struct endpoint *current = catalog_endpoint_by_key(s->catalog, row->key);

    if (!current)
        return s->ops->forget_sealed(s->backend, row->key);
    struct endpoint *next = endpoint_copy(current);
    size_t lost = again(s, next);
    enum err err = ERR_OK;
    if (lost < value_count(next)) {
        err = s->ops->reseal_endpoint(s->backend, next);
        catalog_put(s->catalog, &next->base);
        changes_add_quietly(s, &next->base);
    }
    if (!err && lost > 0)
        err = leave(s, row);
    object_unref(&next->base);
    return err;
}

static enum err write_entry(struct store *s, const struct sealed_row *row,
                            const struct endpoint *e)
{
    struct bytes code;
    enum err err = object_code_replace(&row->code, &e->base, &code);

    if (err)
        return leave(s, row);
    err = s->ops->reseal_entry(s->backend, row->key, &code, s->sealing.sealer.key);
    bytes_fini(&code);
    return err;
}

static enum err seal_endpoint_of_entry(struct store *s, const struct sealed_row *row,
                                       struct endpoint *e)
{
    size_t count = value_count(e), lost = again(s, e);
    enum err err = ERR_OK;

    if (count == 0)
        return s->ops->mark_sealed(s->backend, row->place, row->key, SEALED_NOTHING);
    if (lost < count)
        err = write_entry(s, row, e);
    return !err && lost > 0 ? leave(s, row) : err;
}

/* Neither its chain nor its digest is of what is sealed. */
static enum err seal_entry(struct store *s, const struct sealed_row *row)
{
    struct object *object;
    enum err err = object_decode(row->code.data, row->code.len, &object);

    if (err)
        return s->ops->mark_sealed(s->backend, SEALED_JOURNAL, row->key, SEALED_NOTHING);
    if (object->kind == OBJECT_ENDPOINT)
        err = seal_endpoint_of_entry(s, row, as_endpoint(object));
    else
        err = s->ops->mark_sealed(s->backend, SEALED_JOURNAL, row->key, SEALED_NOTHING);
    object_unref(object);
    return err;
}
