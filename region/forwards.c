/* Forwards: attempts that a peer makes for us, each under a lease.
 *
 *   give ─► on_forward ─► queue ─► on_flush ─► POST ─► on_posted ─┬─► refused
 *   (dispatch)           (link)                                   └─► away ─► lost, when its lease ends
 *   (time) ─► GET outcomes ─► on_polled ─► answered; or late: recorded by ourselves
 *
 * A post of which nothing is known is made again: the peer knows what it has by `seq`. An outcome is
 * fetched until the peer hears that we have it. */
#include "region/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define ROWS_FIRST       100 /* at a peer that hasn't said how many it takes */
#define BYTES_FIRST      ((uint64_t)8 << 20)
#define POSTS_MAX        4 /* under way to one peer */
#define POST_TIMEOUT_MS  10000
#define LEASE_EXTRA_MS   5000 /* beyond the attempt's own timeout */
#define REPOST_WITHIN_MS 2500 /* of the lease's begin: later the peer may be too late */
#define REPOST_PAUSE_MS  250
#define POLL_WAIT_S      "25"
#define POLL_TIMEOUT_MS  35000
#define POLL_PAUSE_MS    1000 /* after one that failed, or brought nothing at once */
#define POLL_LEN_MAX     (3 * FRAMES_BYTES) /* bytes of an answer */
#define POST_LEN_MAX     (48 * FRAMES_BYTES)
#define LATE_MAX         1000 /* being recorded */

enum lease_state {
    LEASE_QUEUED, /* in `queue` */
    LEASE_POSTED, /* in a post */
    LEASE_AWAY,   /* the peer has it */
};

/* One attempt that a peer is to make, until its outcome is here or its time is over. */
struct lease {
    struct list link; /* all of the peer's, by seq */
    struct list turn; /* in the queue, or in a post */
    enum lease_state state;
    bool posted_once;
    uint64_t seq;
    uint64_t begun_mono_ms, ends_mono_ms;
    struct forward *forward;
};

/* A batch on its way. */
struct post {
    struct caller *caller;
    struct list leases;
    struct buf body;
    struct target *target;
    struct call call;
};

/* An outcome that nobody waits for any more. */
struct late {
    struct link *owner;
    struct caller *caller;
    struct attempt_record attempt;
    struct store_record write;
};

struct forward_cancellation {
    struct task task;
    struct link *link;
    const struct forward *forward;
};

static void give(struct forwarder *f, struct forward *forward);
static void on_forward(struct task *task);
static void on_flush(struct task *task);
static void on_posted(struct call *call);
static void on_polled(struct call *call);
static void on_late_recorded(struct store_req *req);
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

static void end_lease(struct forwards *f, struct lease *lease, enum forward_fate fate)
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

/* Posting. */

static enum err put_request(struct buf *body, const struct lease *lease)
{
    const struct forward *forward = lease->forward;
    const struct attempt_record *a = forward->attempt;
    const struct request_words words = {
        .seq = lease->seq,
        .attempt = a->id,
        .message = a->message,
        .endpoint = a->endpoint,
        .application = a->application,
        .number = a->number,
        .timeout_ms = forward->timeout_ms,
        .url = a->url,
        .headers = forward->headers,
    };

    return request_put(body, &words, forward->body);
}

/* Before the oldest that is still open. */
static uint64_t floor_of(const struct forwards *f)
{
    if (list_is_empty(&f->leases))
        return f->last_seq;
    return container_of(f->leases.next, struct lease, link)->seq - 1;
}

static void fill(struct post *post)
{
    struct forwards *f = &post->caller->forwards;
    size_t count = 0;

    while (count < FRAMES_COUNT && post->body.len < FRAMES_BYTES && !list_is_empty(&f->queue)) {
        struct lease *lease = container_of(f->queue.next, struct lease, turn);
        if (put_request(&post->body, lease) != ERR_OK) {
            if (count > 0)
                return; /* it has more room in the next */
            end_lease(f, lease, FORWARD_REFUSED);
            continue;
        }
        list_remove(&lease->turn);
        list_append(&post->leases, &lease->turn);
        lease->state = LEASE_POSTED;
        lease->posted_once = true;
        count++;
    }
}

static void post_free(struct post *post)
{
    target_unref(post->target);
    buf_fini(&post->body);
    free(post);
}

static struct post *post_new(struct caller *caller)
{
    struct post *post = xcalloc(1, sizeof *post);
    struct batch_words batch = { .floor = floor_of(&caller->forwards) };

    memcpy(batch.incarnation, caller->link->run, sizeof batch.incarnation);
    post->caller = caller;
    post->body = BUF_INIT(POST_LEN_MAX);
    list_init(&post->leases);
    post->target = caller_target(caller, "POST", "/link/v1/forwards", "", NULL);
    if (post->target && batch_put(&post->body, &batch) == ERR_OK)
        fill(post);
    if (!list_is_empty(&post->leases))
        return post;
    post_free(post);
    return NULL;
}

static void flush(struct caller *caller, struct now now)
{
    struct forwards *f = &caller->forwards;

    while (caller->courier && f->posts < POSTS_MAX && now.mono_ms >= f->post_mono_ms &&
           !list_is_empty(&f->queue)) {
        struct post *post = post_new(caller);
        if (!post)
            return;
        f->posts++;
        post->call = (struct call){ .target = post->target,
                                    .body = post->body.bytes,
                                    .body_len = post->body.len,
                                    .timeout_ms = POST_TIMEOUT_MS,
                                    .response_kept = ACCEPT_LEN_MAX,
                                    .response_max = ACCEPT_LEN_MAX,
                                    .done = on_posted };
        courier_send(caller->courier, &post->call);
    }
}

static void on_flush(struct task *task)
{
    struct forwards *f = container_of(task, struct forwards, flush);

    f->flushing = false;
    flush(container_of(f, struct caller, forwards), clock_now());
}

/* True: the peer isn't the process that it was, if it was one; what that one had is gone. */
static bool meet(struct forwards *f, const char *incarnation)
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
            end_lease(f, lease, FORWARD_LOST);
    }
    return true;
}

static struct lease *lease_by_seq(struct list *leases, uint64_t seq)
{
    for (struct list *at = leases->next; at != leases; at = at->next) {
        struct lease *lease = container_of(at, struct lease, link);
        if (lease->seq == seq)
            return lease;
    }
    return NULL;
}

static void refuse_some(struct caller *caller, const struct accept_words *words)
{
    struct forwards *f = &caller->forwards;

    for (size_t i = 0; i < words->refused_count; i++) {
        struct lease *lease = lease_by_seq(&f->leases, words->refused[i].seq);
        if (!lease || lease->state != LEASE_POSTED)
            continue;
        log_event(LOG_DEBUG, "forward_refused", LOG_STR("region", caller->region->name),
                  LOG_STR("reason", words->refused[i].why));
        end_lease(f, lease, FORWARD_REFUSED);
    }
}

static void settle_post(struct post *post, enum lease_state state)
{
    struct list *link;

    while ((link = list_pop(&post->leases))) {
        struct lease *lease = container_of(link, struct lease, turn);
        list_init(&lease->turn);
        lease->state = state;
    }
}

static void refuse_post(struct post *post)
{
    while (!list_is_empty(&post->leases))
        end_lease(&post->caller->forwards, container_of(post->leases.next, struct lease, turn),
                  FORWARD_REFUSED);
}

/* Nothing is known of it: again, as long as there is time. */
static void repeat_post(struct post *post, struct now now)
{
    struct forwards *f = &post->caller->forwards;

    f->post_mono_ms = now.mono_ms + REPOST_PAUSE_MS;
    while (!list_is_empty(&post->leases)) {
        struct lease *lease = container_of(post->leases.prev, struct lease, turn);
        list_remove(&lease->turn);
        bool again = now.mono_ms < lease->begun_mono_ms + REPOST_WITHIN_MS;
        lease->state = again ? LEASE_QUEUED : LEASE_AWAY;
        if (again)
            list_append(f->queue.next, &lease->turn); /* before the first */
    }
}

static void take_acceptance(struct post *post)
{
    struct caller *caller = post->caller;
    struct accept_words *words = xcalloc(1, sizeof *words);

    if (accept_read(post->call.response.bytes, post->call.response.len, words) == ERR_OK) {
        meet(&caller->forwards, words->incarnation);
        caller->forwards.rows = words->rows;
        caller->forwards.bytes = words->bytes;
        refuse_some(caller, words);
    }
    settle_post(post, LEASE_AWAY);
    free(words);
}

static void on_posted(struct call *call)
{
    struct post *post = container_of(call, struct post, call);
    struct caller *caller = post->caller;
    struct now now = clock_now();

    caller->forwards.posts--;
    if (call->err)
        repeat_post(post, now);
    else if (call->status == 200)
        take_acceptance(post);
    else
        refuse_post(post);
    buf_fini(&call->response);
    post_free(post);
    flush(caller, now);
    link_settle(caller->link);
}

/* Outcomes. */

static void begin_poll(struct caller *caller)
{
    struct forwards *f = &caller->forwards;
    char query[128];

    snprintf(query, sizeof query, "of=%s&after=%llu&wait=" POLL_WAIT_S,
             f->peer[0] ? f->peer : "0", (unsigned long long)f->heard);
    f->poll_target = caller_target(caller, "GET", "/link/v1/outcomes", query, NULL);
    if (!f->poll_target)
        return;
    f->polling = true;
    f->poll = (struct call){ .target = f->poll_target,
                             .timeout_ms = POLL_TIMEOUT_MS,
                             .response_kept = POLL_LEN_MAX,
                             .response_max = POLL_LEN_MAX,
                             .done = on_polled };
    courier_send(caller->courier, &f->poll);
}

static void answer(struct lease *lease, const struct outcome_words *o,
                   const struct frame *frame, struct forwards *f)
{
    struct forward *forward = lease->forward;
    bool is_made = o->err != ERR_CANCELED && o->err != ERR_BUSY;

    forward->err = o->err;
    memcpy(forward->reason, o->reason, sizeof forward->reason);
    forward->status = o->status;
    forward->retry_after_s = o->retry_after_s;
    forward->duration_ms = o->duration_ms;
    forward->times = o->times;
    if (is_made && o->err == ERR_OK)
        forward->response = bytes_copy(frame->body, frame->body_len);
    end_lease(f, lease, is_made ? FORWARD_ANSWERED : FORWARD_REFUSED);
}

static void drop_late(enum err err)
{
    log_event(LOG_WARN, "late_outcome_dropped", LOG_STR("reason", err_text(err)));
}

/* Not of this run's, or its lease is over. */
static void record_late(struct caller *caller, struct outcome_words *o,
                        const struct frame *frame)
{
    struct link *link = caller->link;
    bool good = o->err == ERR_OK && o->status / 100 == 2;

    if (o->err == ERR_CANCELED || o->err == ERR_BUSY ||
        !link_permits(link, &o->application, caller->index))
        return;
    if (link->late_count == LATE_MAX) {
        drop_late(ERR_BUSY);
        return;
    }
    struct late *late = xcalloc(1, sizeof *late);
    late->owner = link;
    late->attempt = (struct attempt_record){
        .id = o->attempt,
        .message = o->message,
        .endpoint = o->endpoint,
        .application = o->application,
        .number = o->number,
        .status = good ? ATTEMPT_SUCCESS : ATTEMPT_FAIL,
        .url = o->url,
        .response_status = o->status,
        .response = o->err ? bytes_copy(o->reason, strlen(o->reason))
                           : bytes_copy(frame->body, frame->body_len),
        .duration_ms = o->duration_ms,
        .started_at_ms = o->started_at_ms,
        .way = { .region = caller->region->ordinal,
                 .connect_us = o->times.connect_us,
                 .tls_us = o->times.tls_us,
                 .first_byte_us = o->times.first_byte_us },
    };
    o->url = NULL;
    late->write = (struct store_record){
        .req = { .done = on_late_recorded, .reply_to = &link->inbox },
        .attempt = &late->attempt,
        .next = good ? DELIVERY_DELIVERED : DELIVERY_PENDING,
        .late = true,
    };
    link->late_count++;
    store_record(link->store, &late->write);
}

static void on_late_recorded(struct store_req *req)
{
    struct late *late = container_of(req, struct late, write.req);
    struct link *link = late->owner;

    if (req->err)
        drop_late(req->err);
    attempt_record_fini(&late->attempt);
    free(late);
    link->late_count--;
    link_settle(link);
}

static void take_outcome(struct caller *caller, struct outcome_words *o,
                         const struct frame *frame)
{
    struct forwards *f = &caller->forwards;
    struct lease *lease =
        strcmp(o->home, caller->link->run) == 0 ? lease_by_seq(&f->leases, o->seq) : NULL;

    if (lease && id_equal(&lease->forward->attempt->id, &o->attempt))
        answer(lease, o, frame, f);
    else
        record_late(caller, o, frame);
}

/* False: it is no batch of outcomes, to its end. `*out_news`: it brought something. */
static bool take_outcomes(struct caller *caller, bool *out_news)
{
    struct forwards *f = &caller->forwards;
    struct frames frames = { .at = f->poll.response.bytes, .len = f->poll.response.len };
    struct batch_words batch;
    struct frame frame;
    enum err err;

    if (frames_next(&frames, &frame) != ERR_OK || batch_read(&frame, &batch) != ERR_OK)
        return false;
    *out_news = meet(f, batch.incarnation);
    while (!(err = frames_next(&frames, &frame))) {
        struct outcome_words outcome;
        if (outcome_read(&frame, &outcome) != ERR_OK)
            return false;
        take_outcome(caller, &outcome, &frame);
        outcome_words_fini(&outcome);
        *out_news = true;
    }
    if (err == ERR_NOT_FOUND)
        f->heard = batch.last;
    return err == ERR_NOT_FOUND;
}

static void on_polled(struct call *call)
{
    struct forwards *f = container_of(call, struct forwards, poll);
    struct caller *caller = container_of(f, struct caller, forwards);
    struct now now = clock_now();
    bool news = false;

    if (call->err == ERR_OK && call->status == 200 && !take_outcomes(caller, &news))
        log_event(LOG_ERROR, "outcomes_unreadable", LOG_STR("region", caller->region->name));
    f->polling = false;
    f->poll_mono_ms = news ? now.mono_ms : now.mono_ms + POLL_PAUSE_MS;
    buf_fini(&call->response);
    target_unref(f->poll_target);
    f->poll_target = NULL;
    forwards_poke(caller, now);
    link_settle(caller->link);
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
            end_lease(f, lease, FORWARD_REFUSED);
        else if (now.mono_ms >= lease->ends_mono_ms)
            end_lease(f, lease, FORWARD_LOST);
    }
}

/* Nobody hears it: what it has is tried from elsewhere, without waiting for the end of the lease. */
void forwards_give_up(struct link *link, const struct region *region)
{
    struct forwards *f = &caller_to(link, region->ordinal)->forwards;

    while (!list_is_empty(&f->leases)) {
        struct lease *lease = container_of(f->leases.next, struct lease, link);
        end_lease(f, lease, lease->posted_once ? FORWARD_LOST : FORWARD_REFUSED);
    }
}

void forwards_poke(struct caller *caller, struct now now)
{
    struct forwards *f = &caller->forwards;

    end_leases(caller, now);
    flush(caller, now);
    if (caller->courier && caller->greeted && !f->polling && !caller->link->closing &&
        now.mono_ms >= f->poll_mono_ms)
        begin_poll(caller);
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
                end_lease(f, lease, FORWARD_LOST);
        }
    }
    free(wish);
}
