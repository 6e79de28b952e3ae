/* Adopter: a snapshot of one peer's objects, page by page, into the store; the puller fetches the
 * pages.
 *
 *   adopter_take ─► on_adopted ─► the next page, or the journal from where its end was before the
 *                       ▲  │      first page
 *                       └──┘      what isn't there any more is deleted bit by bit */
#include "region/private.h"

#include "core/log.h"
#include "core/mem.h"

static void on_adopted(struct store_req *req);
static void adopt_rest(struct caller *caller);
static void adopted_page(struct caller *caller);

int64_t adopter_after(const struct puller *p)
{
    return p->adopt_begun ? p->adopt_after : INT64_MIN;
}

const char *adopter_fault(const struct puller *p)
{
    if (!p->words.more || (p->words.count > 0 && p->words.last > adopter_after(p)))
        return NULL;
    return "its snapshot comes to no end";
}

void adopter_take(struct caller *caller)
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
    p->op.adopt = (struct store_adopt){ .req = puller_ask(caller, on_adopted),
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
    struct caller *caller = container_of(p, struct caller, puller);

    req->done = NULL;
    free(p->codes);
    p->codes = NULL;
    journal_entries_free(p->words.entries, p->words.count);
    p->words.entries = NULL;
    p->words.count = 0;
    if (req->err) {
        p->adopt_begun = false;
        puller_not_stored(caller, req->err);
        return;
    }
    if (p->op.adopt.verdict == APPLY_AHEAD)
        puller_wait_for_clock(caller);
    else if (!p->op.adopt.more)
        adopted_page(caller);
    else if (caller->link->closing)
        puller_rest(caller, 0);
    else
        adopt_rest(caller);
    puller_poke(caller, clock_now());
}

static void adopt_rest(struct caller *caller)
{
    struct puller *p = &caller->puller;

    p->op.adopt = (struct store_adopt){ .req = puller_ask(caller, on_adopted),
                                        .position = &p->adopt_end,
                                        .last = true };
    store_adopt(caller->link->store, &p->op.adopt);
}

static void adopted_page(struct caller *caller)
{
    struct puller *p = &caller->puller;

    puller_trouble(caller, "");
    p->adopt_begun = p->words.more;
    p->adopt_after = p->words.last;
    if (!p->words.more) {
        p->adopting = false;
        p->at = p->adopt_end;
        auditor_hurry(&caller->auditor);
        log_event(LOG_INFO, "snapshot_adopted", LOG_STR("peer", caller->region->name),
                  LOG_NUM("seq", p->at.seq));
    }
    puller_rest(caller, 0);
}
