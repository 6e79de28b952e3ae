/* Operational: what organizations are told.
 *
 * Of an attempt: its message is written in the attempt's transaction. Of a change of the configuration,
 * which is in the other file: it is kept there with the change, and carried over.
 *
 *   operational_tell_change ─► kept ─► (a batch's end) carry ─► on_carried ─► forget ─► on_forgotten
 *                               ▲                                 │ full             │ more
 *   operational_open ─► on_pause_over ◄── pause ──────────────────┘                  │
 *                               └────────────────────────────────────────────────────┘
 *
 * The message has its id from the start, so one that was carried before a crash, and not forgotten,
 * isn't written twice. */
#include "store/private.h"

#include "core/mem.h"
#include "core/operational.h"

#define RETENTION_MS (UINT64_C(90) * 24 * 3600 * 1000) /* as that of other messages */
#define CARRIED_MAX  100                               /* at a time */
#define PAUSE_MS     1000                              /* before a full disk is asked again */

static void on_pause_over(uv_timer_t *pause);
static void on_start(struct task *task);
static enum err run_carry(struct store *s, struct store_req *req);
static void on_carried(struct store_req *req);
static enum err run_forget(struct store *s, struct store_req *req);
static void on_forgotten(struct store_req *req);

static const struct store_verb CARRY = { .side = VERB_WRITES_REGIONAL, .run = run_carry };
static const struct store_verb FORGET = { .side = VERB_WRITES_GLOBAL, .run = run_forget };

/* Who is told: nobody, unless the organization has an endpoint that takes this. */

static struct application *manager_of(const struct store *s, const struct application *of)
{
    return operational_is(of) ? NULL
                              : catalog_application_by_uid(s->catalog, &of->base.organization,
                                                           OPERATIONAL_UID);
}

/* What is told of `fact`, without its id and body; NULL: nobody wants to hear it. */
static struct message *begin_message(struct store *s, const struct application *of,
                                     enum operational_type type)
{
    const struct application *manager = manager_of(s, of);
    struct message *message;

    if (!manager)
        return NULL;
    message = message_new();
    message->application = manager->base.id;
    message->event_type = xstrdup(operational_type_name(type));
    if (append_select(s, message) > 0)
        return message;
    message_unref(message);
    return NULL;
}

static enum err end_message(struct store *s, struct message *message,
                            const struct operational_fact *fact)
{
    struct buf body = BUF_INIT(OPERATIONAL_BODY_MAX);
    enum err err = operational_write(fact, &body);

    message->id = id_new(s->ids, s->now.wall_ms);
    message->created_at_ms = id_instant_ms(&message->id, s->now.wall_ms);
    message->expires_at_ms = message->created_at_ms + RETENTION_MS;
    message->payload = bytes_copy(body.bytes, body.len);
    buf_fini(&body);
    return err;
}

/* Attempts. */

/* Whether the attempt says something, as far as it says it alone. */
static bool is_news(const struct store_record *op, enum operational_type *out)
{
    const struct attempt_record *a = op->attempt;
    bool is_scheduled = a->trigger == TRIGGER_SCHEDULED;

    if (!op->settled)
        return false;
    if (a->status == ATTEMPT_SUCCESS) {
        *out = OPERATIONAL_MESSAGE_RECOVERED;
        return !is_scheduled || a->number > OPERATIONAL_FAILING_AT;
    }
    *out =
        op->next == DELIVERY_DEAD ? OPERATIONAL_MESSAGE_EXHAUSTED : OPERATIONAL_MESSAGE_FAILING;
    return is_scheduled && (op->next == DELIVERY_DEAD || a->number == OPERATIONAL_FAILING_AT);
}

static enum err tell_attempt(struct store *s, struct message *message,
                             struct operational_fact *fact)
{
    const struct attempt_record *a = fact->attempt;
    struct message_past past = { 0 };
    enum err err = s->ops->look_back(s->backend, a, &past);
    bool is_first =
        fact->type != OPERATIONAL_MESSAGE_RECOVERED || (past.told && !past.delivered);

    fact->event_id = past.event_id;
    if (!err && is_first)
        err = end_message(s, message, fact);
    if (!err && is_first)
        err = append_selected(s, message, NULL);
    free(past.event_id);
    return err;
}

enum err operational_tell_attempt(struct store *s, const struct store_record *op)
{
    struct operational_fact fact = { .attempt = op->attempt,
                                     .endpoint = op->attempt->endpoint };
    struct message *message;

    if (!is_news(op, &fact.type))
        return ERR_OK;
    fact.application =
        catalog_application_by_key(s->catalog, id_key(&op->attempt->application));
    message = fact.application ? begin_message(s, fact.application, fact.type) : NULL;
    if (!message)
        return ERR_OK;
    enum err err = tell_attempt(s, message, &fact);
    message_unref(message);
    return err;
}

/* Changes. */

static enum operational_type type_of(const struct object *next, uint64_t fail_since_ms)
{
    if (next->deleted)
        return OPERATIONAL_ENDPOINT_DELETED;
    if (next->version == 1)
        return OPERATIONAL_ENDPOINT_CREATED;
    return fail_since_ms > 0 ? OPERATIONAL_ENDPOINT_DISABLED : OPERATIONAL_ENDPOINT_UPDATED;
}

enum err operational_tell_change(struct store *s, struct object *next, uint64_t fail_since_ms)
{
    struct operational_fact fact = { .endpoint = next->id, .fail_since_ms = fail_since_ms };
    struct message *message;

    if (next->kind != OBJECT_ENDPOINT)
        return ERR_OK;
    fact.type = type_of(next, fail_since_ms);
    fact.endpoint_uid = as_endpoint(next)->uid;
    fact.application =
        catalog_application_by_key(s->catalog, id_key(&as_endpoint(next)->application));
    message = fact.application ? begin_message(s, fact.application, fact.type) : NULL;
    if (!message)
        return ERR_OK;
    enum err err = end_message(s, message, &fact);
    if (!err)
        err = s->ops->keep_told(s->backend, message);
    message_unref(message);
    s->operational.kept = true;
    return err;
}

/* Carrying over. */

enum err operational_load(struct store *s)
{
    struct message *first;
    size_t count = 0;
    enum err err = s->ops->next_told(s->backend, &first, 1, &count);

    s->operational.kept = count > 0;
    if (count > 0)
        message_unref(first);
    return err;
}

void operational_open(struct store *s, uv_loop_t *loop)
{
    struct operational *o = &s->operational;

    o->start.run = on_start;
    uv_timer_init(loop, &o->pause);
    o->pause.data = s;
    if (o->kept)
        uv_timer_start(&o->pause, on_pause_over, 0, 0);
}

static void on_pause_over(uv_timer_t *pause)
{
    struct store *s = pause->data;

    s->operational.kept = true;
    inbox_post(&s->writer, &s->operational.start);
}

/* The end of its batch does the work. */
static void on_start(struct task *task)
{
    (void)task;
}

struct store_req *operational_carry(struct store *s)
{
    struct operational *o = &s->operational;

    if (!o->kept || o->busy || o->closed)
        return NULL;
    o->busy = true;
    o->req = (struct store_req){
        .done = on_carried, .reply_to = &s->writer, .store = s, .verb = &CARRY
    };
    return &o->req;
}

/* Endpoints may have gone since. */
static enum err carry_one(struct store *s, struct message *message)
{
    bool is_there;
    enum err err = s->ops->has_message(s->backend, id_key(&message->id), &is_there);

    if (err || is_there || append_select(s, message) == 0)
        return err;
    message->expires_at_ms = message->created_at_ms + RETENTION_MS;
    return append_selected(s, message, NULL);
}

static enum err run_carry(struct store *s, struct store_req *req)
{
    struct operational *o = &s->operational;
    struct message *messages[CARRIED_MAX];
    size_t count = 0;
    enum err err = s->ops->next_told(s->backend, messages, CARRIED_MAX, &count);

    (void)req;
    o->carried_key = 0;
    for (size_t i = 0; i < count; i++) {
        if (!err)
            err = carry_one(s, messages[i]);
        o->carried_key = id_key(&messages[i]->id);
        message_unref(messages[i]);
    }
    return err;
}

static void close_pause(struct store *s)
{
    uv_close((uv_handle_t *)&s->operational.pause, s->operational.closed);
}

static void end_turn(struct store *s)
{
    s->operational.busy = false;
    if (s->operational.closed)
        close_pause(s);
}

static void on_carried(struct store_req *req)
{
    struct store *s = container_of(req, struct store, operational.req);
    struct operational *o = &s->operational;

    o->kept = false;
    if (!req->err && !o->closed && o->carried_key != 0) {
        o->req = (struct store_req){ .done = on_forgotten, .reply_to = &s->writer };
        store_submit(s, &o->req, &FORGET);
        return;
    }
    if (req->err)
        uv_timer_start(&o->pause, on_pause_over, PAUSE_MS, 0);
    end_turn(s);
}

static enum err run_forget(struct store *s, struct store_req *req)
{
    (void)req;
    return s->ops->forget_told(s->backend, s->operational.carried_key);
}

/* There may be more, which the end of this batch carries. */
static void on_forgotten(struct store_req *req)
{
    struct store *s = container_of(req, struct store, operational.req);

    s->operational.kept = true;
    end_turn(s);
}

void operational_close(struct store *s, uv_close_cb closed)
{
    s->operational.closed = closed;
    if (!s->operational.busy)
        close_pause(s);
}
