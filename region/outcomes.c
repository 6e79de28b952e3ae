/* Outcomes: what came of attempts that a peer made for us, fetched as it comes.
 *
 *   outcomes_poll ─► GET ─► on_polled ─┬─► answered
 *                                      └─► late: recorded by ourselves ─► on_late_recorded
 *
 * An outcome is fetched until the peer hears that we have it. */
#include "region/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define WAIT_S     "25"
#define TIMEOUT_MS 35000
#define PAUSE_MS   1000               /* after one that failed, or brought nothing at once */
#define LEN_MAX    (3 * FRAMES_BYTES) /* bytes of an answer */
#define LATE_MAX   1000               /* being recorded */

/* An outcome that nobody waits for any more. */
struct late {
    struct link *owner;
    struct caller *caller;
    struct attempt_record attempt;
    struct store_record write;
};

static void on_polled(struct call *call);
static void on_late_recorded(struct store_req *req);

void outcomes_poll(struct caller *caller)
{
    struct forwards *f = &caller->forwards;
    char query[128];

    snprintf(query, sizeof query, "of=%s&after=%llu&wait=" WAIT_S, f->peer[0] ? f->peer : "0",
             (unsigned long long)f->heard);
    f->poll_target = caller_target(caller, "GET", "/link/v1/outcomes", query, NULL);
    if (!f->poll_target)
        return;
    f->polling = true;
    f->poll = (struct call){ .target = f->poll_target,
                             .timeout_ms = TIMEOUT_MS,
                             .response_kept = LEN_MAX,
                             .response_max = LEN_MAX,
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
    forwards_end(f, lease, is_made ? FORWARD_ANSWERED : FORWARD_REFUSED);
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
        strcmp(o->home, caller->link->run) == 0 ? forwards_find(f, o->seq) : NULL;

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
    *out_news = forwards_meet(f, batch.incarnation);
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
    f->poll_mono_ms = news ? now.mono_ms : now.mono_ms + PAUSE_MS;
    buf_fini(&call->response);
    target_unref(f->poll_target);
    f->poll_target = NULL;
    forwards_poke(caller, now);
    link_settle(caller->link);
}
