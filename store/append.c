/* Append: a message, and a delivery for each endpoint that wants it. */
#include "store/private.h"

#include "core/match.h"
#include "core/mem.h"

#define HOUR_MS       (UINT64_C(60) * 60 * 1000)
#define FAN_OUT_FIRST 64 /* endpoint keys to begin with */

/* What a delivery counts for in its group: its row, its place in the lane, and its share of the
 * pages that they touch. */
#define DELIVERY_BYTES 256

/* Who gets a message; on the stack of one append. */
struct selection {
    const struct message *message;
    struct fan_out *fan_out;
};

static enum err run_append(struct store *s, struct store_req *req);
static bool application_exists(const struct store *s, const struct id *id);
static struct message *make_message(struct store *s, const struct store_append *op);
static enum err select_receivers(struct store *s, const struct store_append *op);
static void select_endpoint(struct endpoint *endpoint, void *ctx);
static void add_receiver(struct fan_out *fan_out, const struct endpoint *endpoint);
static size_t append_bytes(const struct store_req *req);
static void discard_append(struct store_req *req);

static const struct store_verb APPEND = {
    .side = VERB_WRITES_REGIONAL,
    .run = run_append,
    .bytes = append_bytes,
    .discard = discard_append,
};

void store_append(struct store *s, struct store_append *op)
{
    store_submit(s, &op->req, &APPEND);
}

static enum err run_append(struct store *s, struct store_req *req)
{
    struct store_append *op = container_of(req, struct store_append, req);
    enum err err;

    op->repeated = false;
    op->deliveries = 0;
    if (op->idempotency_hash) {
        err = s->ops->find_repeated(s->backend, op->idempotency_hash, s->now.wall_ms,
                                    &op->message);
        op->repeated = err == ERR_OK;
        if (err != ERR_NOT_FOUND)
            return err;
    }
    if (!application_exists(s, &op->application))
        return ERR_NOT_FOUND;

    op->message = make_message(s, op);
    err = select_receivers(s, op);
    if (!err)
        err = append_selected(s, op->message, op->idempotency_hash);
    op->deliveries = err ? 0 : (unsigned)s->fan_out.count;
    if (err)
        discard_append(req);
    return err;
}

static bool application_exists(const struct store *s, const struct id *id)
{
    struct application *found = catalog_application_by_key(s->catalog, id_key(id));

    return found && id_equal(&found->base.id, id);
}

/* Into s->fan_out. */
static enum err select_receivers(struct store *s, const struct store_append *op)
{
    const struct endpoint *only;

    if (!op->only) {
        append_select(s, op->message);
        return ERR_OK;
    }
    s->fan_out.count = 0;
    only = catalog_endpoint(s->catalog, &op->application, op->only);
    if (!only)
        return ERR_NOT_FOUND;
    add_receiver(&s->fan_out, only);
    return ERR_OK;
}

size_t append_select(struct store *s, const struct message *message)
{
    struct selection selection = { .message = message, .fan_out = &s->fan_out };

    s->fan_out.count = 0;
    catalog_each_endpoint(s->catalog, &message->application, select_endpoint, &selection);
    return s->fan_out.count;
}

static void select_endpoint(struct endpoint *endpoint, void *ctx)
{
    struct selection *selection = ctx;
    const struct message *message = selection->message;

    if (match_wants(endpoint, message->event_type, &message->channels))
        add_receiver(selection->fan_out, endpoint);
}

static void add_receiver(struct fan_out *fan_out, const struct endpoint *endpoint)
{
    if (fan_out->count == fan_out->room)
        fan_out->keys =
            xgrow(fan_out->keys, &fan_out->room, FAN_OUT_FIRST, sizeof *fan_out->keys);
    fan_out->keys[fan_out->count++] = id_key(&endpoint->base.id);
}

enum err append_selected(struct store *s, struct message *message, const uint8_t *hash)
{
    struct append_rows rows = {
        .message = message,
        .endpoint_keys = s->fan_out.keys,
        .endpoint_count = s->fan_out.count,
        .due_at_ms = s->now.wall_ms,
        .idempotency_hash = hash,
    };
    enum err err = s->ops->append(s->backend, &rows);

    if (!err)
        hints_add(s, message, s->fan_out.keys, s->fan_out.count);
    return err;
}

static struct message *make_message(struct store *s, const struct store_append *op)
{
    struct message *m = message_new();

    m->id = id_new(s->ids, s->now.wall_ms);
    m->created_at_ms = id_instant_ms(&m->id, s->now.wall_ms);
    m->expires_at_ms = m->created_at_ms + op->retention_hours * HOUR_MS;
    m->application = op->application;
    m->event_type = xstrdup(op->event_type);
    m->event_id = xstrdup(op->event_id);
    if (op->channels)
        m->channels = text_list_copy(op->channels);
    if (op->tags)
        m->tags = text_list_copy(op->tags);
    m->payload = bytes_copy(op->payload, op->payload_len);
    return m;
}

static size_t append_bytes(const struct store_req *req)
{
    const struct store_append *op = container_of(req, struct store_append, req);

    return op->payload_len + op->deliveries * DELIVERY_BYTES;
}

static void discard_append(struct store_req *req)
{
    struct store_append *op = container_of(req, struct store_append, req);

    message_unref(op->message);
    op->message = NULL;
}
