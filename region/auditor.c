/* Auditor: whether what was applied of a peer's journal is what the peer has.
 *
 *   (time) ─► ask ─► on_told ─► on_summed ─► compare ─► health      what we have of a peer
 *   auditor_tell ─► on_own_summed ─► reply                          what a peer has of us
 *
 * At one position of a journal the sums are the same in every region; if not, one of the two has a
 * fault, or a disk that is damaged. Each region compares itself with the origin alone, so all are
 * compared. While an origin writes, positions are seldom the same: then it is tried again sooner. */
#include "region/private.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/random.h"

#define AUDIT_MS       60000 /* from one comparison to the next */
#define RETRY_MS       1000  /* the first pause when there was none */
#define ANSWER_MAX     16384
#define ASK_TIMEOUT_MS 30000
#define TELL_MS        500 /* from one answer to a peer to the next: each reads all that there is */

static void ask(struct caller *caller);
static void on_told(struct call *call);
static void on_summed(struct store_req *req);
static void compare(struct caller *caller);
static void on_own_summed(struct store_req *req);

void auditor_open(struct caller *caller)
{
    uint32_t every_ms = caller->link->audit_ms ? caller->link->audit_ms : AUDIT_MS;

    caller->auditor.every_ms = every_ms;
    caller->auditor.backoff =
        (struct backoff){ .first_ms = every_ms < RETRY_MS ? every_ms : RETRY_MS,
                          .most_ms = every_ms };
}

void auditor_fini(struct auditor *a)
{
    target_unref(a->target);
}

void auditor_hurry(struct auditor *a)
{
    a->backoff.failures = 0;
    a->next_mono_ms = 0;
}

bool auditor_is_idle(const struct auditor *a)
{
    return !a->call.done && !a->here.req.done && !a->asker;
}

void auditor_poke(struct caller *caller, struct now now)
{
    struct auditor *a = &caller->auditor;

    if (now.mono_ms >= a->next_mono_ms && !a->call.done && !a->here.req.done &&
        caller_is_heard(caller))
        ask(caller);
}

/* Until it is asked again. */
static void put_off(struct caller *caller, bool compared)
{
    struct auditor *a = &caller->auditor;
    uint32_t ms = backoff_fail(&a->backoff, random_fraction());

    if (compared) {
        a->backoff.failures = 0;
        ms = (uint32_t)(a->every_ms * (0.75 + random_fraction() / 2));
    }
    a->next_mono_ms = clock_now().mono_ms + ms;
    link_settle(caller->link);
}

static void ask(struct caller *caller)
{
    struct auditor *a = &caller->auditor;

    if (!a->target)
        a->target = caller_target(caller, "GET", "/link/v1/digest", "", NULL);
    a->call = (struct call){ .target = a->target,
                             .timeout_ms = ASK_TIMEOUT_MS,
                             .response_kept = ANSWER_MAX,
                             .response_max = ANSWER_MAX,
                             .done = on_told };
    courier_send(caller->courier, &a->call);
}

static void on_told(struct call *call)
{
    struct auditor *a = container_of(call, struct auditor, call);
    struct caller *caller = container_of(a, struct caller, auditor);
    bool good = !caller->link->closing && !call->err && call->status == 200 &&
                digest_read(call->response.bytes, call->response.len, &a->theirs) == ERR_OK;

    call->done = NULL;
    buf_fini(&call->response);
    if (!good) {
        put_off(caller, false);
        return;
    }
    a->here.req = (struct store_req){ .done = on_summed, .reply_to = &caller->link->inbox };
    a->here.origin = caller->region->ordinal;
    store_digest(caller->link->store, &a->here);
}

static void on_summed(struct store_req *req)
{
    struct auditor *a = container_of(req, struct auditor, here.req);
    struct caller *caller = container_of(a, struct caller, auditor);
    bool comparable =
        !req->err && !a->here.at.adopting && a->here.at.seq == a->theirs.seq &&
        memcmp(a->here.at.incarnation, a->theirs.incarnation, INCARNATION_LEN) == 0;

    req->done = NULL;
    if (comparable)
        compare(caller);
    put_off(caller, comparable);
}

static unsigned count_differing(const struct auditor *a)
{
    unsigned count = 0;

    for (size_t i = 0; i < DIGEST_BUCKETS; i++)
        count += memcmp(a->here.sums[i], a->theirs.sums[i], DIGEST_SUM_LEN) != 0;
    return count;
}

static void compare(struct caller *caller)
{
    struct auditor *a = &caller->auditor;
    unsigned differing = count_differing(a);
    bool changed = differing != a->differing;

    a->compared_at_ms = clock_now().wall_ms;
    a->differing = differing;
    if (!changed)
        return;
    if (differing)
        log_event(LOG_ERROR, "replica_differs", LOG_STR("peer", caller->region->name),
                  LOG_NUM("seq", a->here.at.seq), LOG_NUM("buckets", differing),
                  LOG_NUM("objects_here", a->here.count),
                  LOG_NUM("objects_there", a->theirs.count));
    else
        log_event(LOG_INFO, "replica_agrees", LOG_STR("peer", caller->region->name),
                  LOG_NUM("seq", a->here.at.seq));
}

void auditor_condition(const struct auditor *a, struct region_condition *out)
{
    out->compared_at_ms = a->compared_at_ms;
    out->differs = a->differing > 0;
    if (out->differs && out->reason[0] == '\0')
        snprintf(out->reason, sizeof out->reason,
                 "its objects aren't what is here: %u of %d sums differ", a->differing,
                 DIGEST_BUCKETS);
}

/* Telling. */

void auditor_tell(struct caller *peer, struct exchange *x)
{
    struct auditor *a = &peer->auditor;
    uint64_t mono_ms = clock_now().mono_ms;

    if (a->asker || mono_ms < a->tell_mono_ms) {
        answers_refuse(x, 503, "busy", "this peer has asked a moment ago");
        return;
    }
    a->tell_mono_ms = mono_ms + TELL_MS;
    a->asker = x;
    a->own.req = (struct store_req){ .done = on_own_summed, .reply_to = &peer->link->inbox };
    a->own.origin = topology_self(peer->link->topology)->ordinal;
    store_digest(peer->link->store, &a->own);
}

static void on_own_summed(struct store_req *req)
{
    struct auditor *a = container_of(req, struct auditor, own.req);
    struct caller *peer = container_of(a, struct caller, auditor);
    struct digest_words words = { .seq = a->own.at.seq, .count = a->own.count };
    struct buf body = BUF_INIT(ANSWER_MAX);
    struct exchange *x = a->asker;

    a->asker = NULL;
    if (req->err) {
        answers_refuse(x, 503, "busy", "the store is");
    } else {
        memcpy(words.incarnation, a->own.at.incarnation, INCARNATION_LEN);
        memcpy(words.sums, a->own.sums, sizeof words.sums);
        answers_reply(x, digest_write(&words, &body), &body);
    }
    link_settle(peer->link);
}
