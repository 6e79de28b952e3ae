/*   disable_start ─► write_edit ─► on_put ─► done
 *                        ▲            │
 *                        └── stale ◄──┘ */
#include "dispatcher/disable.h"

#include "core/log.h"
#include "core/mem.h"

static void write_edit(struct disable *d, struct inbox *inbox, const struct endpoint *from);
static void on_put(struct store_req *req);

void disable_start(struct store *store, struct inbox *inbox, const struct catalog *catalog,
                   const struct endpoint *endpoint, uint64_t fail_since_ms, const char *why,
                   struct now now, void *owner, void (*done)(struct disable *d))
{
    struct disable *d = xcalloc(1, sizeof *d);

    d->store = store;
    d->catalog = catalog;
    d->wall_ms = now.wall_ms;
    d->fail_since_ms = fail_since_ms;
    d->why = why;
    d->owner = owner;
    d->done = done;
    write_edit(d, inbox, endpoint);
}

static void write_edit(struct disable *d, struct inbox *inbox, const struct endpoint *from)
{
    struct endpoint *edited = endpoint_copy(from);

    edited->disabled = true;
    edited->base.version++;
    edited->base.updated_at_ms = d->wall_ms;
    d->put = (struct store_put){
        .req = { .done = on_put, .reply_to = inbox },
        .object = &edited->base,
        .fail_since_ms = d->fail_since_ms,
    };
    store_put(d->store, &d->put);
}

/* The endpoint to edit instead; NULL when there is no reason any more. */
static const struct endpoint *newer(const struct disable *d, const struct endpoint *tried)
{
    const struct endpoint *current =
        catalog_endpoint_by_key(d->catalog, id_key(&tried->base.id));

    if (!current || current->disabled || current->base.version < tried->base.version ||
        strcmp(current->url, tried->url) != 0)
        return NULL;
    return current;
}

static void on_put(struct store_req *req)
{
    struct store_put *put = container_of(req, struct store_put, req);
    struct disable *d = container_of(put, struct disable, put);
    struct endpoint *tried = as_endpoint(put->object);
    const struct endpoint *again = req->err == ERR_STALE ? newer(d, tried) : NULL;
    char id[ID_TEXT_MAX];

    if (again) {
        write_edit(d, req->reply_to, again);
    } else {
        id_format(ID_ENDPOINT, &tried->base.id, id);
        if (req->err == ERR_OK)
            log_event(LOG_WARN, "endpoint_disabled", LOG_STR("endpoint", id),
                      LOG_STR("reason", d->why));
        else if (req->err != ERR_STALE)
            log_event(LOG_WARN, "endpoint_not_disabled", LOG_STR("endpoint", id),
                      LOG_STR("error", err_text(req->err)));
        d->done(d);
    }
    object_unref(&tried->base);
}
