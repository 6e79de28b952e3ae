/*   survey_start ─► ask ─► on_page: found, found, … ─► finished
 *                    ▲        │
 *                    └─ more ◄┘ */
#include "dispatcher/survey.h"

#include <assert.h>
#include <stdlib.h>

#define PAGE_LIMIT 1000

static void ask(struct survey *s, struct inbox *inbox, int64_t after_key);
static void on_page(struct store_req *req);

void survey_start(struct survey *s, struct store *store, struct inbox *inbox)
{
    assert(!s->running);
    s->running = true;
    s->store = store;
    ask(s, inbox, 0);
}

static void ask(struct survey *s, struct inbox *inbox, int64_t after_key)
{
    s->page = (struct store_lanes){
        .req = { .done = on_page, .reply_to = inbox },
        .after_key = after_key,
        .limit = PAGE_LIMIT,
    };
    store_lanes(s->store, &s->page);
}

static void on_page(struct store_req *req)
{
    struct store_lanes *page = container_of(req, struct store_lanes, req);
    struct survey *s = container_of(page, struct survey, page);
    int64_t last_key = 0;

    if (req->err) {
        s->running = false;
        s->finished(s, req->err);
        return;
    }
    for (size_t i = 0; i < page->count; i++) {
        s->found(s, &page->lanes[i]);
        last_key = page->lanes[i].endpoint_key;
    }
    free(page->lanes);
    if (page->more) {
        ask(s, req->reply_to, last_key);
        return;
    }
    s->running = false;
    s->finished(s, ERR_OK);
}
