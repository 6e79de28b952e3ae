/*   link_probe ─► on_asked ─┬─► begin ─► on_measured ────────┬─► on_done ─► done
 *   (asker)       (link)    └─► the peer ─► on_answered ─────┘   (asker)
 *   probes_answer ─► begin ─► on_measured ─► the answer to a peer */
#include "region/private.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "wire/json.h"

#define PROBE_TIMEOUT_MS 5000
#define CALL_TIMEOUT_MS  10000
#define WORDS_MAX        4096 /* bytes of a question or an answer */

/* One that we make, for this region or for a peer. */
struct probing {
    struct probe probe;
    struct link *link;
    struct path_probe *asked;  /* either: who asked here */
    struct exchange *exchange; /* or: the peer's question */
    char url[URL_LEN_MAX + 1];
};

/* One that a peer makes for us. */
struct probe_call {
    struct link *link;
    struct path_probe *asked;
    struct target *target;
    struct buf body;
    struct call call;
};

static void on_asked(struct task *task);
static void on_measured(struct probe *probe);
static void on_answered(struct call *call);
static void on_done(struct task *task);

void link_probe(struct link *link, struct path_probe *probe)
{
    probe->carrying = link;
    probe->task.run = on_asked;
    inbox_post(&link->inbox, &probe->task);
}

static void finish(struct path_probe *probe, enum err err)
{
    probe->err = err;
    probe->task.run = on_done;
    inbox_post(probe->reply_to, &probe->task);
}

static void on_done(struct task *task)
{
    struct path_probe *probe = container_of(task, struct path_probe, task);

    probe->done(probe);
}

static struct probing *begin(struct link *link, const char *url)
{
    struct probing *p = xcalloc(1, sizeof *p);

    p->link = link;
    snprintf(p->url, sizeof p->url, "%s", url);
    p->probe =
        (struct probe){ .url = p->url, .timeout_ms = PROBE_TIMEOUT_MS, .done = on_measured };
    link->probe_count++;
    return p;
}

static void ask_peer(struct link *link, struct caller *caller, struct path_probe *asked)
{
    struct probe_call *c = xcalloc(1, sizeof *c);
    struct json_writer w;

    c->link = link;
    c->asked = asked;
    c->body = BUF_INIT(WORDS_MAX);
    json_write_begin(&w, &c->body);
    json_open_object(&w);
    json_add_text(&w, "url", asked->url);
    json_close_object(&w);
    c->target = caller_target(caller, "POST", "/link/v1/probe", "", NULL);
    if (json_write_end(&w) != ERR_OK || !c->target) {
        target_unref(c->target);
        buf_fini(&c->body);
        free(c);
        finish(asked, ERR_LIMIT);
        return;
    }
    c->call = (struct call){ .target = c->target,
                             .body = c->body.bytes,
                             .body_len = c->body.len,
                             .timeout_ms = CALL_TIMEOUT_MS,
                             .response_kept = WORDS_MAX,
                             .response_max = WORDS_MAX,
                             .done = on_answered };
    link->probe_count++;
    courier_send(caller->courier, &c->call);
}

static void on_asked(struct task *task)
{
    struct path_probe *asked = container_of(task, struct path_probe, task);
    struct link *link = asked->carrying;
    struct caller *caller = caller_to(link, asked->region);
    bool is_ours = asked->region == topology_self(link->topology)->ordinal;

    if (is_ours && !link->closing) {
        struct probing *p = begin(link, asked->url);
        p->asked = asked;
        prober_start(link->prober, &p->probe);
    } else if (caller && caller->courier && caller_is_heard(caller) && !link->closing) {
        ask_peer(link, caller, asked);
    } else {
        finish(asked, ERR_CANCELED);
    }
}

/* What a peer is told: the round trip, or whether there is no connection. */
static void tell(struct probing *p)
{
    const struct probe *probe = &p->probe;
    struct buf body = BUF_INIT(WORDS_MAX);
    bool no_way = probe->err == ERR_TIMEOUT || probe->err == ERR_UNAVAILABLE;
    enum err err = probe->err == ERR_OK
                       ? buf_printf(&body, "{\"rttUs\":%u}", probe->rtt_us)
                       : buf_printf(&body, "{\"noWay\":%s}", no_way ? "true" : "false");

    if (!err)
        exchange_reply(p->exchange, 200, &body);
    else
        answers_refuse(p->exchange, 500, "internal", err_text(err));
    buf_fini(&body);
}

static void on_measured(struct probe *probe)
{
    struct probing *p = container_of(probe, struct probing, probe);
    struct link *link = p->link;

    if (p->exchange) {
        tell(p);
    } else {
        p->asked->rtt_us = probe->rtt_us;
        finish(p->asked, probe->err);
    }
    free(p);
    link->probe_count--;
    link_settle(link);
}

/* ERR_LIMIT: it isn't an answer. */
static enum err read_answer(const struct call *call, uint32_t *out_rtt_us)
{
    struct scan_fault fault;
    struct json *root;
    int64_t rtt_us;
    enum err err = ERR_LIMIT;

    if (call->err || call->status != 200 ||
        json_parse(call->response.bytes, call->response.len, &root, &fault) != ERR_OK)
        return ERR_LIMIT;
    if (json_int64(json_member(root, "rttUs"), &rtt_us) && rtt_us > 0 && rtt_us <= UINT32_MAX) {
        *out_rtt_us = (uint32_t)rtt_us;
        err = ERR_OK;
    } else if (json_bool(json_member(root, "noWay"))) {
        err = ERR_UNAVAILABLE;
    }
    json_free(root);
    return err;
}

static void on_answered(struct call *call)
{
    struct probe_call *c = container_of(call, struct probe_call, call);
    struct link *link = c->link;

    finish(c->asked, read_answer(call, &c->asked->rtt_us));
    buf_fini(&call->response);
    buf_fini(&c->body);
    target_unref(c->target);
    free(c);
    link->probe_count--;
    link_settle(link);
}

/* A peer asks. */
void probes_answer(struct link *link, struct exchange *x)
{
    size_t len;
    const void *body = exchange_body(x, &len);
    struct buf normal = BUF_INIT(URL_LEN_MAX);
    struct scan_fault fault;
    struct json *root = NULL;
    const char *url = NULL, *why;

    if (json_parse(body, len, &root, &fault) == ERR_OK)
        url = json_text(json_member(root, "url"));
    if (!url || courier_url(url, &normal, &why) != ERR_OK) {
        answers_refuse(x, 422, "invalid", "url: expected a receiver's");
    } else {
        struct probing *p = begin(link, buf_text(&normal));
        p->exchange = x;
        prober_start(link->prober, &p->probe);
    }
    json_free(root);
    buf_fini(&normal);
}
