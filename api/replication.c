/* Replication: /api/v1/replication, how far the other regions' configuration is here.
 *
 * Each region speaks for itself. */
#include "api/reply.h"
#include "api/routes.h"
#include "core/hex.h"
#include "core/hlc.h"
#include "core/mem.h"
#include "signer/digest.h"
#include "store/replicate.h"

/* What the store is asked, too large to be a part of every request. */
struct inquiry {
    struct request *request;
    const struct region *region; /* of the path */
    union {
        struct store_positions positions;
        struct store_digest digest;
        struct store_reseed reseed;
    } op;
};

static void on_positions(struct store_req *req);
static void on_digest(struct store_req *req);
static void on_reseeded(struct store_req *req);

static struct inquiry *begin(struct request *r, const struct region *region)
{
    struct inquiry *inquiry = xcalloc(1, sizeof *inquiry);

    inquiry->request = r;
    inquiry->region = region;
    return inquiry;
}

/* The request that the answer goes to; NULL: answered, for the store couldn't. */
static struct request *end(struct inquiry *inquiry, enum err err)
{
    struct request *r = inquiry->request;

    if (!err)
        return r;
    reply_err(r, err);
    free(inquiry);
    return NULL;
}

static void put_hex(struct json_writer *w, const char *name, const uint8_t *bytes, size_t len)
{
    char text[HEX_LEN(CHAIN_LEN) + 1];

    hex_encode(bytes, len, text);
    json_add_text(w, name, text);
}

static void put_region(struct request *r, const char *name, uint8_t ordinal)
{
    const struct region *region = topology_by_ordinal(r->services->topology, ordinal);

    json_add_text(&r->writer, name, region ? region->name : NULL);
}

/* What is here of a region with what it has: known of those that are asked. */
static void put_comparison(struct request *r, uint8_t ordinal)
{
    const struct topology *t = r->services->topology;
    const struct region *region = topology_by_ordinal(t, ordinal);
    struct region_condition unknown = { .state = REGION_UNKNOWN };
    const struct region_condition *c =
        region ? &r->services->health.health->regions[topology_index(t, region)] : &unknown;

    json_add_text(&r->writer, "digest",
                  c->compared_at_ms == 0 ? NULL
                  : c->differs           ? "different"
                                         : "equal");
    json_add_date(&r->writer, "comparedAt", c->compared_at_ms);
}

static void put_position(struct request *r, const struct journal_position *p,
                         unsigned quarantined)
{
    struct json_writer *w = &r->writer;

    json_open_object(w);
    put_region(r, "region", p->origin);
    json_add_integer(w, "ordinal", p->origin);
    put_hex(w, "incarnation", p->incarnation, INCARNATION_LEN);
    json_add_unsigned(w, "seq", p->seq);
    json_add_date(w, "madeAt", hlc_wall_ms(p->hlc));
    json_add_date(w, "appliedAt", p->at_ms);
    json_add_bool(w, "adopting", p->adopting);
    json_add_integer(w, "quarantined", quarantined);
    put_comparison(r, p->origin);
    json_close_object(w);
}

void replication_list(struct request *r)
{
    struct inquiry *inquiry = begin(r, NULL);

    inquiry->op.positions.req = request_waits(r, on_positions);
    store_positions(r->services->store, &inquiry->op.positions);
}

static void on_positions(struct store_req *req)
{
    struct inquiry *inquiry = container_of(req, struct inquiry, op.positions.req);
    struct request *r = end(inquiry, req->err);

    if (!r)
        return;
    reply_begin_page(r);
    for (size_t i = 0; i < inquiry->op.positions.count; i++)
        put_position(r, &inquiry->op.positions.positions[i],
                     inquiry->op.positions.quarantined[i]);
    free(inquiry);
    reply_send_page(r, "", "", false);
}

/* A page of them, for they are to be settled and not to be collected. */
struct conflicts {
    struct request *request;
    size_t count;
};

/* Event types have no public id. */
static void put_id(struct json_writer *w, const char *name, const struct object *object)
{
    char text[ID_TEXT_MAX];

    if (object->kind != OBJECT_EVENT_TYPE)
        id_format(object->kind == OBJECT_APPLICATION ? ID_APPLICATION : ID_ENDPOINT,
                  &object->id, text);
    json_add_text(w, name, object->kind == OBJECT_EVENT_TYPE ? NULL : text);
}

static const char *kind_of(const struct object *object)
{
    static const char *const NAMES[] = { [OBJECT_APPLICATION] = "application",
                                         [OBJECT_ENDPOINT] = "endpoint",
                                         [OBJECT_EVENT_TYPE] = "event-type" };

    return NAMES[object->kind];
}

static const char *name_of(struct object *object)
{
    switch (object->kind) {
    case OBJECT_APPLICATION:
        return as_application(object)->uid;
    case OBJECT_ENDPOINT:
        return as_endpoint(object)->uid;
    case OBJECT_EVENT_TYPE:
        return as_event_type(object)->name;
    }
    return NULL;
}

static bool put_conflict(struct object *object, struct object *holder, void *ctx)
{
    struct conflicts *conflicts = ctx;
    struct request *r = conflicts->request;
    struct json_writer *w = &r->writer;

    if (!id_equal(&object->organization, &r->token.organization))
        return true;
    if (conflicts->count++ == PAGE_LIMIT_MAX)
        return false;
    json_open_object(w);
    json_add_text(w, "kind", kind_of(object));
    json_add_text(w, "name", name_of(object));
    put_id(w, "id", object);
    put_region(r, "region", id_ordinal(&object->id));
    put_id(w, "heldBy", holder);
    put_region(r, "heldByRegion", id_ordinal(&holder->id));
    json_close_object(w);
    return true;
}

/* What two regions gave one name. */
void replication_conflicts(struct request *r)
{
    struct conflicts conflicts = { .request = r };

    reply_begin_page(r);
    catalog_each_conflict(r->services->catalog, put_conflict, &conflicts);
    reply_send_page(r, "", "", conflicts.count > PAGE_LIMIT_MAX);
}

void replication_digest(struct request *r)
{
    const struct region *region = regions_find(r);

    if (!region)
        return;
    struct inquiry *inquiry = begin(r, region);
    inquiry->op.digest.req = request_waits(r, on_digest);
    inquiry->op.digest.origin = region->ordinal;
    store_digest(r->services->store, &inquiry->op.digest);
}

static void on_digest(struct store_req *req)
{
    struct inquiry *inquiry = container_of(req, struct inquiry, op.digest.req);
    const struct store_digest *op = &inquiry->op.digest;
    struct request *r = end(inquiry, req->err);
    uint8_t whole[DIGEST_LEN];

    if (!r)
        return;
    digest_sha256(op->sums, sizeof op->sums, whole);
    struct json_writer *w = reply_begin(r);
    json_open_object(w);
    json_add_text(w, "region", inquiry->region->name);
    json_add_unsigned(w, "seq", op->at.seq);
    json_add_unsigned(w, "objects", op->count);
    put_hex(w, "digest", whole, DIGEST_LEN);
    json_close_object(w);
    free(inquiry);
    reply_send(r, 200);
}

/* Whoever follows its journal hears that it waits for a snapshot with the next entries. */
void replication_reseed(struct request *r)
{
    const struct region *region = regions_find(r);

    if (!region || !regions_is_operator(r))
        return;
    if (region == topology_self(r->services->topology)) {
        reply_error(r, 409, "own_journal", "a region's own journal comes from nowhere else");
        return;
    }
    struct inquiry *inquiry = begin(r, region);
    inquiry->op.reseed = (struct store_reseed){ .req = request_waits(r, on_reseeded),
                                                .origin = region->ordinal };
    store_reseed(r->services->store, &inquiry->op.reseed);
}

static void on_reseeded(struct store_req *req)
{
    struct inquiry *inquiry = container_of(req, struct inquiry, op.reseed.req);
    struct request *r = end(inquiry, req->err);

    if (!r)
        return;
    free(inquiry);
    reply_empty(r);
}
