/* Puller: one peer's journal, entry by entry, into the store.
 *
 *   learn ─► fetch ─► reseal ─► apply ─┐             pruned there: snapshot pages, adopt,
 *              ▲                       │             and then its journal from where they began
 *              └───────────────────────┘             forked: halt, and look again now and then
 *
 * A fetch waits at the peer until there is something, so that changes come at once and an idle link
 * carries a request now and then. */
#include "region/private.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/hex.h"
#include "core/log.h"
#include "core/mem.h"

#define WAIT_S           20
#define FETCH_TIMEOUT_MS ((WAIT_S + 20) * 1000)
#define RETRY_MS         1000
#define HALTED_RETRY_MS  5000
#define QUERY_MAX        128

static void learn(struct caller *caller);
static void on_learnt(struct store_req *req);
static void fetch(struct caller *caller);
static void on_fetched(struct call *call);
static void apply(struct caller *caller);
static void on_applied(struct store_req *req);
static void adopt(struct caller *caller);
static void on_adopted(struct store_req *req);
static void adopt_rest(struct caller *caller);
static void adopted_page(struct caller *caller);

static struct caller *caller_of(struct puller *p)
{
    return container_of(p, struct caller, puller);
}

static struct store_req ask(struct caller *caller, store_done *done)
{
    return (struct store_req){ .done = done, .reply_to = &caller->link->inbox };
}

static void rest(struct caller *caller, uint64_t ms)
{
    caller->puller.state = PULL_IDLE;
    caller->puller.next_mono_ms = ms ? clock_now().mono_ms + ms : 0;
    link_settle(caller->link);
}

/* What an operator should know, told once. */
static void trouble(struct caller *caller, const char *what)
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

static void halt(struct caller *caller)
{
    trouble(caller, "its history is another than the one that was applied here");
    rest(caller, HALTED_RETRY_MS);
    caller->puller.state = PULL_HALTED;
}

static void begin_snapshot(struct caller *caller)
{
    caller->puller.adopting = true;
    caller->puller.adopt_begun = false;
    rest(caller, 0);
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

    p->op.positions = (struct store_positions){ .req = ask(caller, on_learnt) };
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
        p->next_mono_ms = clock_now().mono_ms + HALTED_RETRY_MS;
        link_settle(caller->link);
        return;
    }
    p->at = at ? *at : (struct journal_position){ 0 };
    p->adopting = was_halted || (at && at->adopting);
    p->adopt_begun = false;
    rest(caller, 0);
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

    if (p->adopting && !p->adopt_begun)
        p->adopt_after = INT64_MIN;
    if (p->adopting)
        snprintf(query, sizeof query, "after=%" PRId64, p->adopt_after);
    else
        write_position(p, query);
    target_unref(p->target);
    p->target = caller_target(
        caller, "GET", p->adopting ? "/link/v1/snapshot" : "/link/v1/changes", query, NULL);
    p->state = PULL_FETCHING;
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

    if (changes_read(answer->bytes, answer->len, &p->words) != ERR_OK) {
        trouble(caller, "its answer isn't one");
        rest(caller, HALTED_RETRY_MS);
        return;
    }
    if (reseal_all(caller, &p->words) != ERR_OK) {
        journal_entries_free(p->words.entries, p->words.count);
        trouble(caller, "one of its objects is too large");
        rest(caller, HALTED_RETRY_MS);
    } else if (p->adopting) {
        adopt(caller);
    } else {
        apply(caller);
    }
}

static void on_fetched(struct call *call)
{
    struct puller *p = container_of(call, struct puller, call);
    struct caller *caller = caller_of(p);
    bool answered = !caller->link->closing && call->err == ERR_OK;

    call->done = NULL;
    if (answered && call->status == 200) {
        take_words(caller, &call->response);
    } else if (answered && call->status == 410 && !p->adopting) {
        begin_snapshot(caller);
    } else if (answered && call->status == 409) {
        halt(caller);
    } else {
        rest(caller, RETRY_MS);
    }
    buf_fini(&call->response);
}

/* Entries. */

static void apply(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->state = PULL_APPLYING;
    p->op.apply = (struct store_apply){ .req = ask(caller, on_applied),
                                        .origin = caller->region->ordinal,
                                        .entries = p->words.entries,
                                        .count = p->words.count };
    memcpy(p->op.apply.incarnation, p->words.end.incarnation, INCARNATION_LEN);
    store_apply(caller->link->store, &p->op.apply);
}

static void wait_for_clock(struct caller *caller)
{
    trouble(caller, "its clock is far ahead of ours: its changes wait");
    rest(caller, RETRY_MS);
}

static void judge(struct caller *caller, const struct store_apply *op)
{
    switch (op->verdict) {
    case APPLY_DONE:
    case APPLY_GAP: /* another one of us has applied some meanwhile: from there */
        trouble(caller, "");
        rest(caller, 0);
        break;
    case APPLY_AHEAD:
        wait_for_clock(caller);
        break;
    case APPLY_FORKED:
        halt(caller);
        break;
    case APPLY_WAITS: /* an operator has asked for a snapshot */
        begin_snapshot(caller);
        break;
    }
}

static void on_applied(struct store_req *req)
{
    struct puller *p = container_of(req, struct puller, op.apply.req);
    struct caller *caller = caller_of(p);

    req->done = NULL;
    journal_entries_free(p->words.entries, p->words.count);
    if (req->err) {
        rest(caller, RETRY_MS);
        return;
    }
    p->at = p->op.apply.position;
    if (p->op.apply.quarantined > 0)
        log_event(LOG_WARN, "changes_quarantined", LOG_STR("peer", caller->region->name),
                  LOG_NUM("entries", p->op.apply.quarantined));
    judge(caller, &p->op.apply);
    puller_poke(caller, clock_now());
}

/* Snapshots: the journal goes on from where its end was before the first page. */

static void adopt(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->state = PULL_APPLYING;
    if (!p->adopt_begun) {
        p->adopt_end = p->words.end;
        p->adopt_end.origin = caller->region->ordinal;
    }
    p->codes = xcalloc(p->words.count, sizeof *p->codes);
    for (size_t i = 0; i < p->words.count; i++)
        p->codes[i] = p->words.entries[i].code;
    p->op.adopt = (struct store_adopt){ .req = ask(caller, on_adopted),
                                        .position = &p->adopt_end,
                                        .first = !p->adopt_begun,
                                        .last = !p->words.more,
                                        .codes = p->codes,
                                        .count = p->words.count };
    store_adopt(caller->link->store, &p->op.adopt);
}

static void on_adopted(struct store_req *req)
{
    struct puller *p = container_of(req, struct puller, op.adopt.req);
    struct caller *caller = caller_of(p);

    req->done = NULL;
    free(p->codes);
    p->codes = NULL;
    journal_entries_free(p->words.entries, p->words.count);
    p->words.entries = NULL;
    p->words.count = 0;
    if (req->err) {
        p->adopt_begun = false;
        rest(caller, RETRY_MS);
        return;
    }
    if (p->op.adopt.verdict == APPLY_AHEAD)
        wait_for_clock(caller);
    else if (p->op.adopt.more && !caller->link->closing)
        adopt_rest(caller);
    else
        adopted_page(caller);
    puller_poke(caller, clock_now());
}

/* What isn't there any more is deleted bit by bit. */
static void adopt_rest(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->op.adopt = (struct store_adopt){ .req = ask(caller, on_adopted),
                                        .position = &p->adopt_end,
                                        .last = true };
    store_adopt(caller->link->store, &p->op.adopt);
}

static void adopted_page(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->adopt_begun = p->words.more;
    p->adopt_after = p->words.last;
    if (!p->words.more) {
        p->adopting = false;
        p->at = p->adopt_end;
        log_event(LOG_INFO, "snapshot_adopted", LOG_STR("peer", caller->region->name),
                  LOG_NUM("seq", p->at.seq));
    }
    rest(caller, 0);
}

void puller_free(struct caller *caller)
{
    target_unref(caller->puller.target);
}
