/*   start ─► destination, headers, signature ─► forwarder ─► on_done ─► attempt_done
 *                     └─► (can't be prepared) ─► on_refused ──────────────┘ */
#include "dispatcher/forwarding.h"

#include <assert.h>
#include <string.h>

#include "core/mem.h"
#include "dispatcher/attempt.h"
#include "dispatcher/signing.h"

/* One request abroad, reused for the next. */
struct letter {
    struct list spare; /* link */
    struct forwarding *owner;
    struct attempt *attempt;
    struct forward forward;
    struct task refused;
    enum err err;    /* with which it was refused */
    const char *why; /* and why; NULL: it wasn't */
};

struct forwarding {
    struct transport transport;
    struct forwarding_options options;
    struct signing signing;
    struct list spare; /* letters */
    size_t active;
};

static void start(struct transport *t, struct attempt *attempt);
static void cancel(struct transport *t, struct attempt *attempt);
static void on_refused(struct task *task);
static void on_done(struct forward *forward);

struct forwarding *forwarding_new(const struct forwarding_options *options)
{
    struct forwarding *f = xcalloc(1, sizeof *f);

    f->transport = (struct transport){ .start = start, .cancel = cancel };
    f->options = *options;
    signing_init(&f->signing, options->keyring);
    list_init(&f->spare);
    return f;
}

void forwarding_take_keyring(struct forwarding *f, const struct keyring *keyring)
{
    signing_take_keyring(&f->signing, keyring);
}

struct transport *forwarding_transport(struct forwarding *f)
{
    return &f->transport;
}

void forwarding_free(struct forwarding *f)
{
    struct list *link;

    if (!f)
        return;
    assert(f->active == 0);
    while ((link = list_pop(&f->spare)))
        free(container_of(link, struct letter, spare));
    signing_fini(&f->signing);
    free(f);
}

static struct letter *letter_for(struct forwarding *f, struct attempt *attempt)
{
    struct list *link = list_pop(&f->spare);
    struct letter *l = link ? container_of(link, struct letter, spare) : xcalloc(1, sizeof *l);

    *l = (struct letter){ .owner = f, .attempt = attempt };
    list_init(&l->spare);
    attempt->carriage = l;
    f->active++;
    return l;
}

static void add_lines(struct text_list *headers, const struct destination *to,
                      const struct signed_lines *lines)
{
    *headers = text_list_copy(&to->lines);
    text_list_add(headers, lines->id, strlen(lines->id));
    text_list_add(headers, lines->timestamp, strlen(lines->timestamp));
    text_list_add(headers, lines->signature, strlen(lines->signature));
}

static void start(struct transport *t, struct attempt *attempt)
{
    struct forwarding *f = container_of(t, struct forwarding, transport);
    struct letter *l = letter_for(f, attempt);
    const struct destination *to;
    struct signed_lines lines;

    l->err = signing_prepare(&f->signing, attempt, &lines, &to, &l->why);
    if (l->err) {
        l->refused.run = on_refused;
        inbox_post(f->options.inbox, &l->refused);
        return;
    }
    l->forward = (struct forward){
        .attempt = &attempt->record,
        .body = &attempt->claim->delivery.message->payload,
        .timeout_ms = f->options.timeout_ms,
        .reply_to = f->options.inbox,
        .done = on_done,
    };
    add_lines(&l->forward.headers, to, &lines);
    f->options.forwarder->send(f->options.forwarder, &l->forward);
}

/* One that was refused ends soon anyway. */
static void cancel(struct transport *t, struct attempt *attempt)
{
    struct forwarding *f = container_of(t, struct forwarding, transport);
    struct letter *l = attempt->carriage;

    if (!l->why)
        f->options.forwarder->cancel(f->options.forwarder, &l->forward);
}

static void finish(struct letter *l, struct answer *answer)
{
    struct forwarding *f = l->owner;

    attempt_done(l->attempt, answer, clock_now());
    text_list_fini(&l->forward.headers);
    f->active--;
    list_append(&f->spare, &l->spare);
}

static void on_refused(struct task *task)
{
    struct letter *l = container_of(task, struct letter, refused);

    finish(l, &(struct answer){ .err = l->err, .reason = l->why });
}

/* The response's memory changes hands. */
static void on_done(struct forward *forward)
{
    struct letter *l = container_of(forward, struct letter, forward);
    struct forwarding_options *o = &l->owner->options;
    struct answer answer = {
        .err = forward->err,
        .reason = forward->reason,
        .status = forward->status,
        .response = forward->response,
        .retry_after_s = forward->retry_after_s,
        .duration_ms = forward->duration_ms,
        .times = forward->times,
    };

    if (forward->fate != FORWARD_ANSWERED) {
        answer = (struct answer){ .err = ERR_CANCELED };
        o->router->refused(o->router, forward->attempt->way.region, clock_now());
    }
    finish(l, &answer);
}
