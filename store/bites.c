#include "store/bites.h"

#include "core/mem.h"
#include "store/private.h"

/* A bite is followed by so many times what it took, so that it never has more than a tenth of the
 * writer's time; and by a little at least, for the clock counts in milliseconds. */
#define PAUSE_SHARE    9
#define PAUSE_MS       5
#define PAUSE_ERROR_MS 1000 /* before it is tried again on a full disk */

static void wake(struct bites *b, uint64_t pause_ms);
static void on_pause_over(uv_timer_t *pause);
static enum err run_bite(struct store *s, struct store_req *req);
static void on_bitten(struct store_req *req);
static void close_pause(struct bites *b);

static const struct store_verb GLOBAL = { .side = VERB_WRITES_GLOBAL, .run = run_bite };
static const struct store_verb REGIONAL = { .side = VERB_WRITES_REGIONAL, .run = run_bite };

void bites_open(struct bites *b, struct store *s, uv_loop_t *loop, bool global)
{
    b->store = s;
    b->verb = global ? &GLOBAL : &REGIONAL;
    uv_timer_init(loop, &b->pause);
    b->pause.data = s;
    if (b->more || b->rest_ms > 0)
        wake(b, b->more ? 0 : b->rest_ms);
}

void bites_wake(struct bites *b)
{
    b->more = true;
    wake(b, 0);
}

static void wake(struct bites *b, uint64_t pause_ms)
{
    if (b->store && !b->biting && !b->closed && !uv_is_active((uv_handle_t *)&b->pause))
        uv_timer_start(&b->pause, on_pause_over, pause_ms, 0);
}

static void on_pause_over(uv_timer_t *pause)
{
    struct bites *b = container_of(pause, struct bites, pause);

    b->biting = true;
    b->req = (struct store_req){ .done = on_bitten, .reply_to = &b->store->writer };
    store_submit_own(b->store, &b->req, b->verb);
}

static enum err run_bite(struct store *s, struct store_req *req)
{
    struct bites *b = container_of(req, struct bites, req);
    uint64_t began_mono_ms = s->clock().mono_ms;
    enum err err = b->bite(s);

    b->took_ms = s->clock().mono_ms - began_mono_ms;
    return err;
}

static void on_bitten(struct store_req *req)
{
    struct bites *b = container_of(req, struct bites, req);

    b->biting = false;
    b->failed = req->err != ERR_OK;
    if (b->closed)
        close_pause(b);
    else if (req->err)
        wake(b, PAUSE_ERROR_MS);
    else if (b->more)
        wake(b, PAUSE_MS + PAUSE_SHARE * b->took_ms);
    else if (b->rest_ms > 0)
        wake(b, b->rest_ms);
}

void bites_close(struct bites *b, uv_close_cb closed)
{
    b->closed = closed;
    if (!b->biting)
        close_pause(b);
}

static void close_pause(struct bites *b)
{
    uv_close((uv_handle_t *)&b->pause, b->closed);
}
