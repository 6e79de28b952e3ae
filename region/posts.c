/* Posts: what a peer is to send, on its way there in batches.
 *
 *   posts_start ─► POST ─► on_posted ─┬─► refused
 *                    ▲                ├─► away: the peer has it
 *                    └── again ◄──────┘   (nothing is known of it)
 *
 * A post of which nothing is known is made again: the peer knows what it has by `seq`. */
#include "region/private.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/mem.h"

#define POSTS_MAX        4 /* under way to one peer */
#define TIMEOUT_MS       10000
#define REPOST_WITHIN_MS 2500 /* of the lease's begin: later the peer may be too late */
#define REPOST_PAUSE_MS  250
#define POST_LEN_MAX     (48 * FRAMES_BYTES)

/* A batch on its way. */
struct post {
    struct caller *caller;
    struct list leases;
    struct buf body;
    struct target *target;
    struct call call;
};

static void on_posted(struct call *call);

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
            forwards_end(f, lease, FORWARD_REFUSED);
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

void posts_start(struct caller *caller, struct now now)
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
                                    .timeout_ms = TIMEOUT_MS,
                                    .response_kept = ACCEPT_LEN_MAX,
                                    .response_max = ACCEPT_LEN_MAX,
                                    .done = on_posted };
        courier_send(caller->courier, &post->call);
    }
}

static void refuse_some(struct caller *caller, const struct accept_words *words)
{
    struct forwards *f = &caller->forwards;

    for (size_t i = 0; i < words->refused_count; i++) {
        struct lease *lease = forwards_find(f, words->refused[i].seq);
        if (!lease || lease->state != LEASE_POSTED)
            continue;
        log_event(LOG_DEBUG, "forward_refused", LOG_STR("region", caller->region->name),
                  LOG_STR("reason", words->refused[i].why));
        forwards_end(f, lease, FORWARD_REFUSED);
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
        forwards_end(&post->caller->forwards,
                     container_of(post->leases.next, struct lease, turn), FORWARD_REFUSED);
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
        forwards_meet(&caller->forwards, words->incarnation);
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
    posts_start(caller, now);
    link_settle(caller->link);
}
