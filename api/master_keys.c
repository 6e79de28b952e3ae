/* Master keys: /api/v1/master-key, under which keys this region's values are sealed.
 *
 *   reload ─► ask ─► on_rekeyed ─┐
 *   list ────────────────────────┴─► count ─► on_counted ─► answer */
#include "api/rekeyer.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"
#include "store/sealing.h"

static void on_rekeyed(struct rekeying *rekeying);
static void count(struct request *r);
static void on_counted(struct store_req *req);

/* Too large to lie in every request. */
struct reload {
    struct rekeying rekeying;
    struct request *request;
};

struct counting {
    struct store_count_sealed op;
    struct request *request;
};

void master_keys_list(struct request *r)
{
    if (regions_is_operator(r))
        count(r);
}

void master_keys_reload(struct request *r)
{
    if (!regions_is_operator(r))
        return;
    struct reload *reload = xcalloc(1, sizeof *reload);

    reload->request = r;
    reload->rekeying.reply_to = &r->services->inbox;
    reload->rekeying.done = on_rekeyed;
    r->services->rekeyer->ask(r->services->rekeyer, &reload->rekeying);
}

static void on_rekeyed(struct rekeying *rekeying)
{
    struct reload *reload = container_of(rekeying, struct reload, rekeying);
    struct request *r = reload->request;

    if (!rekeying->err)
        count(r);
    else if (rekeying->err == ERR_UNAVAILABLE)
        reply_err(r, ERR_BUSY);
    else
        reply_error(r, 409, "conflict", rekeying->why);
    free(reload);
}

static void count(struct request *r)
{
    struct counting *counting = xcalloc(1, sizeof *counting);

    counting->request = r;
    counting->op.req =
        (struct store_req){ .done = on_counted, .reply_to = &r->services->inbox };
    store_count_sealed(r->services->store, &counting->op);
}

static void put(struct json_writer *w, const char *id, const char *state,
                const uint64_t values[SEALED_PLACES])
{
    json_open_object(w);
    json_add_text(w, "id", id);
    json_add_text(w, "state", state);
    json_add_unsigned(w, "endpoints", values[SEALED_ENDPOINTS]);
    json_add_unsigned(w, "journalEntries", values[SEALED_JOURNAL]);
    json_close_object(w);
}

static void put_key(struct json_writer *w, uint32_t key, const char *state,
                    const uint64_t values[SEALED_PLACES])
{
    char id[KEY_ID_TEXT_MAX];

    keyring_id_text(key, id);
    put(w, key > 0 ? id : NULL, state, values);
}

static void put_own(struct json_writer *w, const struct keyring *keyring, uint32_t key,
                    const struct store_count_sealed *op)
{
    static const uint64_t NONE[SEALED_PLACES] = { 0 };
    const uint64_t *values = NONE;

    for (size_t i = 0; i < op->count; i++)
        if (op->keys[i].key == key)
            values = op->keys[i].values;
    put_key(w, key, key == keyring_newest(keyring) ? "current" : "old", values);
}

/* The keys that are here, oldest first, and behind them what is under none of them. */
static void reply_keys(struct request *r, const struct store_count_sealed *op)
{
    const struct keyring *keyring = r->services->keyring;
    struct json_writer *w = &r->writer;

    reply_begin_page(r);
    for (size_t i = 0; i < keyring_count(keyring); i++)
        put_own(w, keyring, keyring_id(keyring, i), op);
    for (size_t i = 0; i < op->count; i++)
        if (!keyring_has(keyring, op->keys[i].key))
            put_key(w, op->keys[i].key, op->keys[i].key > 0 ? "missing" : "unread",
                    op->keys[i].values);
    if (op->lost[SEALED_ENDPOINTS] + op->lost[SEALED_JOURNAL] > 0)
        put(w, NULL, "lost", op->lost);
    reply_send_page(r, "", "", false);
}

static void on_counted(struct store_req *req)
{
    struct counting *counting = container_of(req, struct counting, op.req);
    struct request *r = counting->request;

    if (req->err)
        reply_err(r, req->err);
    else
        reply_keys(r, &counting->op);
    free(counting);
}
