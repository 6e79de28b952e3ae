/*   ask ─► on_asked ─► [store ─► on_got] ─► tell ─► on_told ─► explanation->done
 *   (api)  (dispatch)                               (api) */
#include "region/explainer.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "region/route_code.h"
#include "region/route_explain.h"
#include "region/route_gather.h"
#include "region/route_what_if.h"
#include "store/routes.h"

#define TEXT_MAX (1u << 14)                              /* bytes of the text */
#define ITEM_MAX (3 * (size_t)ROUTE_CODE_MAX + TEXT_MAX) /* of the whole item, escaped */

#define NOTHING_RECORDED "No decision of that time is recorded.\n"

struct region_explainer {
    struct explainer explainer;
    struct inbox *inbox;
    const struct topology *topology;
    struct store *store;
    struct region_router *router;
    struct now (*clock)(void);
    struct region_health *health; /* of a region that is alone */
};

/* One being explained. */
struct telling {
    struct region_explainer *owner;
    struct explanation *explanation;
    struct store_get_route get;
};

/* A decision that was recorded, and what became of it when it was made again. */
struct recomputed {
    enum err
        err; /* ERR_CONFLICT: it was another; otherwise than ERR_OK the inputs can't be read */
    uint64_t decided_at_ms;
    struct route_inputs in;
    struct route_decision d;
    char *region; /* of the record; NULL: held, or nobody knows */
    char why[ROUTE_WHY_MAX];
};

static void ask(struct explainer *e, struct explanation *explanation);
static void on_asked(struct task *task);
static void on_got(struct store_req *req);
static void on_told(struct task *task);

struct region_explainer *explainer_new(const struct explainer_options *options)
{
    struct region_explainer *e = xcalloc(1, sizeof *e);

    e->explainer.ask = ask;
    e->inbox = options->inbox;
    e->topology = options->topology;
    e->store = options->store;
    e->router = options->router;
    e->clock = options->clock;
    e->health = region_health_new(options->topology);
    return e;
}

void explainer_free(struct region_explainer *explainer)
{
    if (!explainer)
        return;
    region_health_unref(explainer->health);
    free(explainer);
}

struct explainer *explainer_interface(struct region_explainer *explainer)
{
    return &explainer->explainer;
}

static void ask(struct explainer *e, struct explanation *explanation)
{
    struct region_explainer *explainer = container_of(e, struct region_explainer, explainer);

    explanation->explaining = explainer;
    explanation->task.run = on_asked;
    inbox_post(explainer->inbox, &explanation->task);
}

static void finish(struct explanation *explanation, enum err err)
{
    explanation->err = err;
    explanation->task.run = on_told;
    inbox_post(explanation->reply_to, &explanation->task);
}

static void on_told(struct task *task)
{
    struct explanation *explanation = container_of(task, struct explanation, task);

    explanation->done(explanation);
}

/* What is told. */

/* NULL: nobody knows, or there is only one. */
static const char *sender(const struct explanation *x)
{
    const struct region_explainer *e = x->explaining;
    const struct region *region = topology_by_ordinal(e->topology, x->sent_from);

    return region && region->name[0] ? region->name : NULL;
}

/* A decision is the endpoint's; one delivery may go otherwise. */
static enum err add_detour(const struct explanation *x, const char *decided, struct buf *text)
{
    const char *sent_from = sender(x);

    if (x->what_if[0] || !sent_from || !decided || strcmp(sent_from, decided) == 0)
        return ERR_OK;
    return buf_printf(text, " sent from %s all the same: %s was out of reach just then\n",
                      sent_from, decided);
}

static enum err put_text(struct json_writer *w, const struct explanation *x,
                         const struct route_inputs *in, const struct route_decision *d)
{
    const char *decided = d->region == ROUTE_NOWHERE ? NULL : in->regions[d->region].name;
    const struct route_subject subject = {
        .application = x->application ? x->application->uid : NULL,
        .url = x->endpoint ? x->endpoint->url : NULL,
    };
    struct buf text = BUF_INIT(TEXT_MAX);
    enum err err = route_explain(&subject, in, d, &text);

    if (!err)
        err = add_detour(x, decided, &text);
    json_name(w, "text");
    json_put_bytes(w, text.bytes, text.len);
    buf_fini(&text);
    return err;
}

static void put_null(struct json_writer *w, const char *name)
{
    json_name(w, name);
    json_put_null(w);
}

static void put_recorded(struct json_writer *w, const struct recomputed *r)
{
    json_name(w, "recorded");
    if (!r) {
        json_put_null(w);
        return;
    }
    json_open_object(w);
    json_add_date(w, "decidedAt", r->decided_at_ms);
    json_add_text(w, "region", r->region);
    json_add_bool(w, "match", r->err == ERR_OK);
    json_add_text(w, "difference", r->err == ERR_OK ? NULL : r->why);
    json_close_object(w);
}

static void put_endpoint(struct json_writer *w, const struct id *endpoint)
{
    char text[ID_TEXT_MAX];

    id_format(ID_ENDPOINT, endpoint, text);
    json_add_text(w, "endpointId", text);
}

/* `in` NULL: there is nothing to decide on, and `instead` says why. */
static void tell(struct explanation *x, const struct route_inputs *in, const char *instead,
                 const struct recomputed *recorded)
{
    struct route_decision d;
    struct json_writer w;
    enum err err = ERR_OK;

    x->item = BUF_INIT(ITEM_MAX);
    json_write_begin(&w, &x->item);
    json_open_object(&w);
    put_endpoint(&w, in ? &in->endpoint : &x->endpoint_id);
    if (in) {
        route_decide(in, &d);
        err = put_text(&w, x, in, &d);
        json_name(&w, "inputs");
        route_put_inputs(&w, in);
        json_name(&w, "decision");
        route_put_decision(&w, in, &d);
    } else {
        json_add_text(&w, "text", instead);
        put_null(&w, "inputs");
        put_null(&w, "decision");
    }
    put_recorded(&w, recorded);
    json_add_text(&w, "sentFrom", sender(x));
    json_close_object(&w);
    if (!err)
        err = json_write_end(&w);
    if (err)
        buf_fini(&x->item);
    finish(x, err);
}

static void refuse(struct explanation *x, const char *field, const char *why)
{
    x->field = field;
    snprintf(x->why, sizeof x->why, "%s", why);
    finish(x, ERR_INVALID);
}

/* With the suppositions, if there are any. */
static void tell_supposing(struct explanation *x, const struct route_inputs *in,
                           const struct recomputed *recorded)
{
    struct route_inputs supposed = *in;
    char why[ROUTE_WHY_MAX];

    if (route_what_if(x->what_if, &supposed, why))
        refuse(x, "whatIf", why);
    else
        tell(x, &supposed, NULL, recorded);
}

/* What was recorded. */

/* ERR_INVALID: it isn't JSON. */
static void recompute(const void *code, size_t len, struct recomputed *out)
{
    struct scan_fault fault;
    struct json *json;

    out->err = json_parse(code, len, &json, &fault);
    if (out->err) {
        snprintf(out->why, sizeof out->why, "%s at byte %zu", fault.why, fault.offset);
        return;
    }
    const char *region = json_text(json_member(json_member(json, "decision"), "region"));
    out->region = region && region_name_is_valid(region) ? xstrdup(region) : NULL;
    out->err = route_recompute(json, &out->in, &out->d, out->why);
    json_free(json);
}

static bool has_inputs(const struct recomputed *r)
{
    return r->err == ERR_OK || r->err == ERR_CONFLICT;
}

static void tell_given(struct explanation *x)
{
    struct recomputed *given = xcalloc(1, sizeof *given);

    recompute(x->recorded, x->recorded_len, given);
    given->decided_at_ms = given->in.now.wall_ms;
    if (has_inputs(given))
        tell_supposing(x, &given->in, given);
    else
        refuse(x, "recorded", given->why);
    free(given->region);
    free(given);
}

static void gather(const struct region_explainer *e, const struct explanation *x,
                   struct route_inputs *out)
{
    struct now now = e->clock();

    if (e->router) {
        router_gather(e->router, x->application, x->endpoint, now, out);
        return;
    }
    route_gather(
        &(struct route_facts){
            .topology = e->topology,
            .health = e->health,
            .application = x->application,
            .endpoint = x->endpoint,
            .now = now,
        },
        out);
}

static void tell_now(const struct region_explainer *e, struct explanation *x,
                     const struct recomputed *recorded)
{
    struct route_inputs in;

    gather(e, x, &in);
    tell_supposing(x, &in, recorded);
}

static void tell_then(struct explanation *x, const struct recomputed *recorded)
{
    if (!recorded)
        tell(x, NULL, NOTHING_RECORDED, NULL);
    else if (has_inputs(recorded))
        tell_supposing(x, &recorded->in, recorded);
    else
        tell(x, NULL, recorded->why, recorded);
}

static void on_asked(struct task *task)
{
    struct explanation *x = container_of(task, struct explanation, task);
    struct region_explainer *e = x->explaining;

    if (x->recorded) {
        tell_given(x);
        return;
    }
    struct telling *telling = xcalloc(1, sizeof *telling);
    telling->owner = e;
    telling->explanation = x;
    telling->get = (struct store_get_route){
        .req = { .done = on_got, .reply_to = e->inbox },
        .endpoint_key = id_key(&x->endpoint_id),
        .at_ms = x->at_ms ? x->at_ms : INT64_MAX,
    };
    store_get_route(e->store, &telling->get);
}

static void on_got(struct store_req *req)
{
    struct telling *telling = container_of(req, struct telling, get.req);
    struct region_explainer *e = telling->owner;
    struct explanation *x = telling->explanation;
    struct recomputed *recorded = NULL;

    if (req->err == ERR_OK) {
        recorded = xcalloc(1, sizeof *recorded);
        recorded->decided_at_ms = telling->get.decided_at_ms;
        recompute(telling->get.code.data, telling->get.code.len, recorded);
        bytes_fini(&telling->get.code);
    }
    if (req->err && req->err != ERR_NOT_FOUND)
        finish(x, req->err);
    else if (x->at_ms)
        tell_then(x, recorded);
    else
        tell_now(e, x, recorded);
    if (recorded)
        free(recorded->region);
    free(recorded);
    free(telling);
}
