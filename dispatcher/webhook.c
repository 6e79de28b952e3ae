/*   start ─► destination, headers, signature ─► courier_send ─► on_call_done ─► attempt_done
 *                     └─► (can't be prepared) ─► on_refused ─────────────────────────┘ */
#include "dispatcher/webhook.h"

#include <assert.h>

#include "core/mem.h"
#include "dispatcher/attempt.h"
#include "dispatcher/signing.h"

#define USER_AGENT        "posthaste/" POSTHASTE_VERSION
#define RESPONSE_READ_MAX 65536 /* bytes read of an answer, to keep the connection */

/* One request, reused for the next. */
struct post {
    struct list spare; /* link */
    struct webhook *webhook;
    struct attempt *attempt;
    struct call call;
    struct task refused;
    enum err err;    /* with which it was refused */
    const char *why; /* and why; NULL: it wasn't */
    struct signed_lines lines;
};

struct webhook {
    struct transport transport;
    struct inbox *inbox;
    uint32_t timeout_ms;
    struct courier *courier;
    struct signing signing;
    struct list spare; /* posts */
    size_t active;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static void start(struct transport *t, struct attempt *attempt);
static void cancel(struct transport *t, struct attempt *attempt);
static void on_refused(struct task *task);
static void on_call_done(struct call *call);
static void on_courier_closed(void *ctx);

enum err webhook_open(struct webhook **out, const struct webhook_options *options)
{
    struct webhook *w = xcalloc(1, sizeof *w);

    w->transport = (struct transport){ .start = start, .cancel = cancel };
    w->inbox = options->inbox;
    w->timeout_ms = options->timeout_ms;
    list_init(&w->spare);

    enum err err = courier_open(&w->courier, &(struct courier_options){
                                                 .loop = options->loop,
                                                 .egress = options->egress,
                                                 .user_agent = USER_AGENT,
                                                 .ca_file = options->ca_file,
                                                 .name_servers = options->name_servers,
                                                 .idle_connections = options->connections_max,
                                             });
    if (err) {
        free(w);
        return err;
    }
    signing_init(&w->signing, options->keyring);
    *out = w;
    return ERR_OK;
}

void webhook_take_keyring(struct webhook *w, const struct keyring *keyring)
{
    signing_take_keyring(&w->signing, keyring);
}

struct transport *webhook_transport(struct webhook *w)
{
    return &w->transport;
}

static struct post *post_for(struct webhook *w, struct attempt *attempt)
{
    struct list *link = list_pop(&w->spare);
    struct post *p = link ? container_of(link, struct post, spare) : xcalloc(1, sizeof *p);

    list_init(&p->spare);
    p->webhook = w;
    p->attempt = attempt;
    attempt->carriage = p;
    w->active++;
    return p;
}

static void start(struct transport *t, struct attempt *attempt)
{
    struct webhook *w = container_of(t, struct webhook, transport);
    struct post *p = post_for(w, attempt);
    const struct bytes *payload = &attempt->claim->delivery.message->payload;
    const struct destination *to;

    p->err = signing_prepare(&w->signing, attempt, &p->lines, &to, &p->why);
    if (p->err) {
        p->refused.run = on_refused;
        inbox_post(w->inbox, &p->refused);
        return;
    }
    p->call = (struct call){
        .target = to->target,
        .headers = { p->lines.id, p->lines.timestamp, p->lines.signature },
        .body = payload->data,
        .body_len = payload->len,
        .timeout_ms = w->timeout_ms,
        .response_kept = RESPONSE_KEPT_MAX,
        .response_max = RESPONSE_READ_MAX,
        .is_timed = attempt->record.way.region != 0,
        .done = on_call_done,
    };
    courier_send(w->courier, &p->call);
}

/* A post that was refused ends soon anyway. */
static void cancel(struct transport *t, struct attempt *attempt)
{
    struct webhook *w = container_of(t, struct webhook, transport);
    struct post *p = attempt->carriage;

    if (!p->why)
        courier_cancel(w->courier, &p->call);
}

static void finish(struct post *p, struct answer *answer)
{
    struct webhook *w = p->webhook;
    struct attempt *attempt = p->attempt;

    attempt_done(attempt, answer, clock_now());
    w->active--;
    p->attempt = NULL;
    p->why = NULL;
    list_append(&w->spare, &p->spare);
}

static void on_refused(struct task *task)
{
    struct post *p = container_of(task, struct post, refused);

    finish(p, &(struct answer){ .err = p->err, .reason = p->why });
}

/* The response's memory changes hands. */
static void on_call_done(struct call *call)
{
    struct post *p = container_of(call, struct post, call);
    struct answer answer = {
        .err = call->err,
        .reason = call->reason,
        .retry_after_s = call->retry_after_s,
        .duration_ms = call->duration_ms,
        .times = call->times,
    };

    if (call->err == ERR_OK) {
        answer.status = call->status;
        answer.response =
            (struct bytes){ .data = call->response.bytes, .len = call->response.len };
        call->response = BUF_INIT(0);
    }
    buf_fini(&call->response);
    finish(p, &answer);
}

void webhook_close(struct webhook *w, void (*closed)(void *ctx), void *ctx)
{
    assert(w->active == 0);
    w->closed = closed;
    w->closed_ctx = ctx;
    courier_close(w->courier, on_courier_closed, w);
}

static void on_courier_closed(void *ctx)
{
    struct webhook *w = ctx;
    void (*closed)(void *) = w->closed;
    void *closed_ctx = w->closed_ctx;
    struct list *link;

    signing_fini(&w->signing);
    while ((link = list_pop(&w->spare)))
        free(container_of(link, struct post, spare));
    free(w);
    closed(closed_ctx);
}
