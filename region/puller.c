/* Puller: one peer's journal, entry by entry, into the store.
 *
 *   learn ─► fetch ─► reseal ─► apply ─┐         pruned there: a snapshot (adopter.c), and then
 *              ▲                       │         its journal from where that began
 *              └───────────────────────┘         forked: halt, and look again now and then
 *
 * A fetch waits at the peer until there is something, so that changes come at once and an idle link
 * carries a request now and then. */
#include "region/private.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/hex.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/random.h"

#define WAIT_S           20
#define FETCH_TIMEOUT_MS ((WAIT_S + 20) * 1000)
#define RETRY_MS         500   /* the first pause after a failure, … */
#define RETRY_MS_MAX     30000 /* … and the longest */
#define FAILURES_QUIET   3     /* of those that may pass by themselves */
#define LOOK_MS          5000  /* at whether an operator, or a clock, has changed things */
#define QUERY_MAX        128

static void learn(struct caller *caller);
static void on_learnt(struct store_req *req);
static void fetch(struct caller *caller);
static void on_fetched(struct call *call);
static void apply(struct caller *caller);
static void on_applied(struct store_req *req);

static struct caller *caller_of(struct puller *p)
{
    return container_of(p, struct caller, puller);
}

struct store_req puller_ask(struct caller *caller, store_done *done)
{
    return (struct store_req){ .done = done, .reply_to = &caller->link->inbox };
}

void puller_open(struct caller *caller)
{
    caller->puller.backoff = (struct backoff){ .first_ms = RETRY_MS, .most_ms = RETRY_MS_MAX };
}

void puller_resume(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->backoff.failures = 0;
    if (p->state == PULL_IDLE)
        p->next_mono_ms = 0;
}

void puller_rest(struct caller *caller, uint64_t ms)
{
    caller->puller.state = PULL_IDLE;
    caller->puller.next_mono_ms = ms ? clock_now().mono_ms + ms : 0;
    link_settle(caller->link);
}

/* What an operator should know, told once. */
void puller_trouble(struct caller *caller, const char *what)
{
    struct puller *p = &caller->puller;

    if (strcmp(p->trouble, what) == 0)
        return;
    snprintf(p->trouble, sizeof p->trouble, "%s", what);
    if (what[0])
        log_event(LOG_WARN, "replication_stopped", LOG_STR("peer", caller->region->name),
                  LOG_STR("reason", what));
    else
        log_event(LOG_INFO, "replication_goes_on", LOG_STR("peer", caller->region->name));
}

static void retry(struct caller *caller)
{
    puller_rest(caller, backoff_fail(&caller->puller.backoff, random_fraction()));
}

/* What doesn't pass by itself. */
static void fail(struct caller *caller, const char *what)
{
    puller_trouble(caller, what);
    retry(caller);
}

/* What may. */
static void stumble(struct caller *caller, const char *what)
{
    if (caller->puller.backoff.failures >= FAILURES_QUIET)
        puller_trouble(caller, what);
    retry(caller);
}

static void halt(struct caller *caller)
{
    puller_trouble(caller, "its history is another than the one that was applied here");
    puller_rest(caller, LOOK_MS);
    caller->puller.state = PULL_HALTED;
}

/* Not at once: a peer may say after each snapshot that there is another to adopt. */
static void begin_snapshot(struct caller *caller)
{
    caller->puller.adopting = true;
    caller->puller.adopt_begun = false;
    retry(caller);
}

bool puller_is_idle(const struct caller *caller)
{
    return !caller->puller.call.done && !caller->puller.op.apply.req.done;
}

void puller_poke(struct caller *caller, struct now now)
{
    struct puller *p = &caller->puller;

    if (caller->link->closing || now.mono_ms < p->next_mono_ms || !puller_is_idle(caller))
        return;
    if (p->state == PULL_LEARNING || p->state == PULL_HALTED)
        learn(caller);
    else if (p->state == PULL_IDLE && caller_is_heard(caller))
        fetch(caller);
}

/* Where we are. */

static void learn(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->op.positions = (struct store_positions){ .req = puller_ask(caller, on_learnt) };
    store_positions(caller->link->store, &p->op.positions);
}

/* A peer whose history forked goes on with a snapshot once an operator has asked for one. So does one
 * whose last snapshot came to no end. */
static void on_learnt(struct store_req *req)
{
    struct puller *p = container_of(req, struct puller, op.positions.req);
    struct caller *caller = caller_of(p);
    const struct journal_position *at = NULL;
    bool was_halted = p->state == PULL_HALTED;

    for (size_t i = 0; !req->err && i < p->op.positions.count; i++)
        if (p->op.positions.positions[i].origin == caller->region->ordinal)
            at = &p->op.positions.positions[i];
    req->done = NULL;
    if (req->err || (was_halted && at && !at->adopting)) {
        p->next_mono_ms = clock_now().mono_ms + LOOK_MS;
        link_settle(caller->link);
        return;
    }
    p->at = at ? *at : (struct journal_position){ 0 };
    p->adopting = was_halted || (at && at->adopting);
    p->adopt_begun = false;
    puller_rest(caller, 0);
    puller_poke(caller, clock_now());
}

/* What there is. */

/* The chain tells a peer that lost what we have, and wrote as much anew. */
static void write_position(const struct puller *p, char out[QUERY_MAX])
{
    char chain[HEX_LEN(CHAIN_LEN) + 1];

    hex_encode(p->at.chain, CHAIN_LEN, chain);
    snprintf(out, QUERY_MAX, "after=%" PRIu64 "&wait=%d%s%s", p->at.seq, WAIT_S,
             p->at.seq ? "&chain=" : "", p->at.seq ? chain : "");
}

static void fetch(struct caller *caller)
{
    struct puller *p = &caller->puller;
    char query[QUERY_MAX];

    if (p->adopting)
        snprintf(query, sizeof query, "after=%" PRId64, adopter_after(p));
    else
        write_position(p, query);
    target_unref(p->target);
    p->target = caller_target(
        caller, "GET", p->adopting ? "/link/v1/snapshot" : "/link/v1/changes", query, NULL);
    p->state = PULL_FETCHING;
    p->asked_mono_ms = clock_now().mono_ms;
    p->call = (struct call){ .target = p->target,
                             .timeout_ms = FETCH_TIMEOUT_MS,
                             .response_kept = WORDS_LEN_MAX,
                             .response_max = WORDS_LEN_MAX,
                             .done = on_fetched };
    courier_send(caller->courier, &p->call);
}

static struct reseal reseal_of(const struct caller *caller)
{
    return (struct reseal){ .topology = caller->link->topology,
                            .catalog = caller->link->catalog,
                            .keyring = caller->link->keyring,
                            .pair = caller->pair,
                            .peer = caller->index };
}

/* The entries as they are to be kept here. */
static enum err reseal_all(struct caller *caller, struct changes_words *words)
{
    const struct reseal reseal = reseal_of(caller);
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < words->count; i++) {
        struct bytes kept;
        err = reseal_from_peer(&reseal, &words->entries[i].code, &kept);
        if (err)
            break;
        bytes_fini(&words->entries[i].code);
        words->entries[i].code = kept;
    }
    return err;
}

static void take_words(struct caller *caller, const struct buf *answer)
{
    struct puller *p = &caller->puller;
    const char *fault = NULL;

    if (changes_read(answer->bytes, answer->len, &p->words) != ERR_OK) {
        fail(caller, "what it answers isn't its journal");
        return;
    }
    if (p->adopting)
        fault = adopter_fault(p);
    if (!fault && reseal_all(caller, &p->words) != ERR_OK)
        fault = "one of its objects is too large";
    if (fault) {
        journal_entries_free(p->words.entries, p->words.count);
        p->adopt_begun = false;
        fail(caller, fault);
    } else if (p->adopting) {
        adopter_take(caller);
    } else {
        apply(caller);
    }
}

static void refused(struct caller *caller, const struct call *call)
{
    char what[REGION_REASON_MAX];

    if (call->err) {
        snprintf(what, sizeof what, "its journal can't be fetched: %.90s", call->reason);
        stumble(caller, what);
    } else if (call->status == 503) {
        stumble(caller, "it is too busy to tell its journal");
    } else {
        snprintf(what, sizeof what, "asked for its journal, it answers with status %u",
                 call->status);
        fail(caller, what);
    }
}

static void on_fetched(struct call *call)
{
    struct puller *p = container_of(call, struct puller, call);
    struct caller *caller = caller_of(p);
    unsigned status = call->err ? 0 : call->status;

    call->done = NULL;
    if (caller->link->closing)
        puller_rest(caller, 0);
    else if (status == 200)
        take_words(caller, &call->response);
    else if (status == 410 && !p->adopting)
        begin_snapshot(caller);
    else if (status == 409)
        halt(caller);
    else
        refused(caller, call);
    buf_fini(&call->response);
}

/* Entries. */

static void apply(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->state = PULL_APPLYING;
    p->op.apply = (struct store_apply){ .req = puller_ask(caller, on_applied),
                                        .origin = caller->region->ordinal,
                                        .entries = p->words.entries,
                                        .count = p->words.count };
    memcpy(p->op.apply.incarnation, p->words.end.incarnation, INCARNATION_LEN);
    store_apply(caller->link->store, &p->op.apply);
}

void puller_wait_for_clock(struct caller *caller)
{
    puller_trouble(caller, "its clock is far ahead of ours: its changes wait");
    puller_rest(caller, LOOK_MS);
}

/* Nothing new comes when the wait is over. From a peer that says so at once, again and again, it is
 * asked for less and less often. */
static void go_on(struct caller *caller, bool is_news)
{
    struct puller *p = &caller->puller;

    puller_trouble(caller, "");
    if (!is_news && clock_now().mono_ms < p->asked_mono_ms + WAIT_S * 1000 / 2) {
        retry(caller);
        return;
    }
    p->backoff.failures = 0;
    puller_rest(caller, 0);
}

static void judge(struct caller *caller, const struct store_apply *op, bool is_news)
{
    switch (op->verdict) {
    case APPLY_DONE:
    case APPLY_GAP: /* another one of us has applied some meanwhile: from there */
        go_on(caller, is_news);
        break;
    case APPLY_AHEAD:
        puller_wait_for_clock(caller);
        break;
    case APPLY_FORKED:
        halt(caller);
        break;
    case APPLY_WAITS: /* an operator has asked for a snapshot */
        begin_snapshot(caller);
        break;
    }
}

void puller_not_stored(struct caller *caller, enum err err)
{
    char what[REGION_REASON_MAX];

    snprintf(what, sizeof what, "its changes can't be stored here: %s", err_text(err));
    stumble(caller, what);
}

static void on_applied(struct store_req *req)
{
    struct puller *p = container_of(req, struct puller, op.apply.req);
    struct caller *caller = caller_of(p);

    req->done = NULL;
    journal_entries_free(p->words.entries, p->words.count);
    if (req->err) {
        puller_not_stored(caller, req->err);
        return;
    }
    bool is_news = p->op.apply.position.seq != p->at.seq;
    p->at = p->op.apply.position;
    if (p->op.apply.quarantined > 0)
        log_event(LOG_WARN, "changes_quarantined", LOG_STR("peer", caller->region->name),
                  LOG_NUM("entries", p->op.apply.quarantined));
    judge(caller, &p->op.apply, is_news);
    puller_poke(caller, clock_now());
}

void puller_free(struct caller *caller)
{
    target_unref(caller->puller.target);
}
