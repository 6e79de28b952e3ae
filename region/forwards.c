/* Forwards: attempts that a peer makes for us, each under a lease.
 *
 *   give ─► on_forward ─► lease, queue ─► on_flush ─► posts.c ─┬─► refused
 *   (dispatch)  (link)                                         ├─► answered, by outcomes.c
 *                                                              └─► lost: the lease ended without */
#include "region/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define ROWS_FIRST     100 /* at a peer that hasn't said how many it takes */
#define BYTES_FIRST    ((uint64_t)8 << 20)
#define LEASE_EXTRA_MS 5000 /* beyond the attempt's own timeout */

struct forward_cancellation {
    struct task task;
    struct link *link;
    const struct forward *forward;
};

static void give(struct forwarder *f, struct forward *forward);
static void on_forward(struct task *task);
static void on_flush(struct task *task);
static void on_done(struct task *task);
static void cancel(struct forwarder *f, struct forward *forward);
static void on_cancel(struct task *task);

void forwards_open(struct link *link)
{
    link->forwarder.send = give;
    link->forwarder.cancel = cancel;
}

void forwards_init(struct forwards *f)
{
    list_init(&f->leases);
    list_init(&f->queue);
    f->rows = ROWS_FIRST;
    f->bytes = BYTES_FIRST;
}

struct forwarder *link_forwarder(struct link *link)
{
    return &link->forwarder;
}

/* On the dispatch loop; the rest on the link's. */
static void give(struct forwarder *f, struct forward *forward)
{
    struct link *link = container_of(f, struct link, forwarder);

    forward->carrying = link;
    forward->task.run = on_forward;
    inbox_post(&link->inbox, &forward->task);
}

static void finish(struct forward *forward, enum forward_fate fate)
{
    forward->fate = fate;
    forward->task.run = on_done;
    inbox_post(forward->reply_to, &forward->task);
}

/* On the dispatch loop again. */
static void on_done(struct task *task)
{
    struct forward *forward = container_of(task, struct forward, task);

    forward->done(forward);
}

void forwards_end(struct forwards *f, struct lease *lease, enum forward_fate fate)
{
    list_remove(&lease->link);
    list_remove(&lease->turn);
    f->lease_count--;
    f->byte_count -= lease->forward->body->len;
    finish(lease->forward, fate);
    free(lease);
}

static struct lease *begin_lease(struct forwards *f, struct forward *forward, struct now now)
{
    struct lease *lease = xcalloc(1, sizeof *lease);

    lease->seq = ++f->last_seq;
    lease->forward = forward;
    lease->begun_mono_ms = now.mono_ms;
    lease->ends_mono_ms = now.mono_ms + forward->timeout_ms + LEASE_EXTRA_MS;
    list_append(&f->leases, &lease->link);
    list_append(&f->queue, &lease->turn);
    f->lease_count++;
    f->byte_count += forward->body->len;
    return lease;
}

static bool takes(const struct caller *caller, const struct forward *forward)
{
    const struct forwards *f = &caller->forwards;

    return caller->courier && caller_is_heard(caller) && !caller->link->closing &&
           f->lease_count < f->rows && f->byte_count + forward->body->len <= f->bytes;
}

/* What comes in one batch of the inbox goes out in one. */
static void flush_soon(struct caller *caller)
{
    struct forwards *f = &caller->forwards;

    if (f->flushing)
        return;
    f->flushing = true;
    f->flush.run = on_flush;
    inbox_post(&caller->link->inbox, &f->flush);
}

static void on_forward(struct task *task)
{
    struct forward *forward = container_of(task, struct forward, task);
    struct caller *caller = caller_to(forward->carrying, forward->attempt->way.region);

    if (!caller || !takes(caller, forward)) {
        finish(forward, FORWARD_REFUSED);
        return;
    }
    begin_lease(&caller->forwards, forward, clock_now());
    flush_soon(caller);
}

static void on_flush(struct task *task)
{
    struct forwards *f = container_of(task, struct forwards, flush);

    f->flushing = false;
    posts_start(container_of(f, struct caller, forwards), clock_now());
}

bool forwards_meet(struct forwards *f, const char *incarnation)
{
    struct list *next;

    if (strcmp(f->peer, incarnation) == 0)
        return false;
    bool is_first = f->peer[0] == '\0';
    snprintf(f->peer, sizeof f->peer, "%s", incarnation);
    f->heard = 0;
    for (struct list *at = f->leases.next; !is_first && at != &f->leases; at = next) {
        struct lease *lease = container_of(at, struct lease, link);
        next = at->next;
        if (lease->state == LEASE_AWAY)
            forwards_end(f, lease, FORWARD_LOST);
    }
    return true;
}

struct lease *forwards_find(struct forwards *f, uint64_t seq)
{
    for (struct list *at = f->leases.next; at != &f->leases; at = at->next) {
        struct lease *lease = container_of(at, struct lease, link);
        if (lease->seq == seq)
            return lease;
    }
    return NULL;
}

/* Time. */

/* What was never posted to a peer that we don't hear may be sent from elsewhere at once. */
static void end_leases(struct caller *caller, struct now now)
{
    struct forwards *f = &caller->forwards;
    bool is_heard = caller_is_heard(caller);
    struct list *next;

    for (struct list *at = f->leases.next; at != &f->leases; at = next) {
        struct lease *lease = container_of(at, struct lease, link);
        next = at->next;
        if (!is_heard && !lease->posted_once)
            forwards_end(f, lease, FORWARD_REFUSED);
        else if (now.mono_ms >= lease->ends_mono_ms)
            forwards_end(f, lease, FORWARD_LOST);
    }
}

/* Nobody hears it: what it has is tried from elsewhere, without waiting for the end of the lease. */
void forwards_give_up(struct link *link, const struct region *region)
{
    struct forwards *f = &caller_to(link, region->ordinal)->forwards;

    while (!list_is_empty(&f->leases)) {
        struct lease *lease = container_of(f->leases.next, struct lease, link);
        forwards_end(f, lease, lease->posted_once ? FORWARD_LOST : FORWARD_REFUSED);
    }
}

void forwards_poke(struct caller *caller, struct now now)
{
    struct forwards *f = &caller->forwards;

    end_leases(caller, now);
    posts_start(caller, now);
    if (caller->courier && caller->greeted && !f->polling && !caller->link->closing &&
        now.mono_ms >= f->poll_mono_ms)
        outcomes_poll(caller);
}

bool forwards_are_idle(const struct forwards *f)
{
    return f->posts == 0 && !f->polling && !f->flushing;
}

/* Canceling. */

static void cancel(struct forwarder *f, struct forward *forward)
{
    struct link *link = container_of(f, struct link, forwarder);
    struct forward_cancellation *wish = xcalloc(1, sizeof *wish);

    wish->link = link;
    wish->forward = forward;
    wish->task.run = on_cancel;
    inbox_post(&link->inbox, &wish->task);
}

/* It may be answered by now: then it isn't here any more. */
static void on_cancel(struct task *task)
{
    struct forward_cancellation *wish = container_of(task, struct forward_cancellation, task);
    struct link *link = wish->link;
    struct list *next;

    for (size_t i = 0; i < link->caller_count; i++) {
        struct forwards *f = &link->callers[i].forwards;
        for (struct list *at = f->leases.next; at != &f->leases; at = next) {
            struct lease *lease = container_of(at, struct lease, link);
            next = at->next;
            if (lease->forward == wish->forward)
                forwards_end(f, lease, FORWARD_LOST);
        }
    }
    free(wish);
}
