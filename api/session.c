#include "api/session.h"

#include <stdio.h>
#include <string.h>

#include "api/reply.h"
#include "core/count.h"
#include "core/mem.h"
#include "core/number.h"

#define WAIT_USUAL_MS 1000
#define WAIT_MAX_MS   5000
#define WAITING_MAX   512 /* requests, each with a connection and what it has sent ahead */
#define RETRY_STALE   "1" /* seconds */
#define DETAIL_MAX    192

static void on_time(uv_timer_t *timer);

void session_open(struct services *services, uv_loop_t *loop)
{
    list_init(&services->waiting);
    services->signer = bookmark_signer_new(services->keyring);
    uv_timer_init(loop, &services->waited);
    services->waited.data = services;
}

void session_take_keyring(struct services *services)
{
    bookmark_signer_free(services->signer);
    services->signer = bookmark_signer_new(services->keyring);
}

/* What a request brings. */

static bool read_consistency(const char *text, enum consistency *out)
{
    static const char *const names[] = { "session", "eventual", "home" };

    for (size_t i = 0; text && i < COUNT(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = (enum consistency)i;
            return true;
        }
    }
    return !text;
}

static bool read_bookmark(struct request *r)
{
    const char *text = exchange_header(r->exchange, "posthaste-bookmark");

    if (!text)
        return true;
    r->session.seen = xcalloc(1, sizeof *r->session.seen);
    return bookmark_read(r->services->signer, text, r->session.seen) == ERR_OK;
}

bool session_read(struct request *r)
{
    const char *consistency = exchange_header(r->exchange, "posthaste-consistency");
    const char *wait = exchange_header(r->exchange, "posthaste-wait-ms");
    struct faults faults = { .count = 0 };
    uint32_t wait_ms = WAIT_USUAL_MS;

    if (topology_is_single(r->services->topology) || r->match.route->access == ACCESS_ANYONE)
        return true;
    if (!read_bookmark(r))
        faults_add(&faults, FAULT_VALUE, "header/posthaste-bookmark",
                   "is no bookmark that these regions gave");
    if (!read_consistency(consistency, &r->session.consistency))
        faults_add(&faults, FAULT_VALUE, "header/posthaste-consistency",
                   "session, eventual or home is expected");
    if (wait && !number_parse(wait, 0, WAIT_MAX_MS, &wait_ms))
        faults_add(&faults, FAULT_VALUE, "header/posthaste-wait-ms",
                   "a number from 0 to %d is expected", WAIT_MAX_MS);
    r->session.until_mono_ms = r->now.mono_ms + wait_ms;
    if (faults.count == 0)
        return true;
    reply_faults(r, &faults);
    return false;
}

/* Waiting. */

/* What it must see and this region hasn't; NULL = nothing. What is answered elsewhere is waited for
 * there. */
static const struct bookmark_mark *missing_mark(const struct request *r)
{
    const struct session *session = &r->session;

    if (!session->seen || session->consistency == CONSISTENCY_EVENTUAL ||
        r->decision.action != RESIDENCY_SERVE)
        return NULL;
    return bookmark_missing(session->seen, &r->services->here);
}

static bool is_ready(const struct request *r, uint64_t mono_ms)
{
    if (mono_ms >= r->session.until_mono_ms)
        return true;
    return !missing_mark(r) && !(r->awaits_application && !request_look_up_application(r));
}

static void reply_stale(struct request *r, const struct bookmark_mark *mark)
{
    const struct region *origin = topology_by_ordinal(r->services->topology, mark->origin);
    const struct bookmark_mark *here = bookmark_find(&r->services->here, mark->origin);
    bool is_same_life =
        here && memcmp(here->incarnation, mark->incarnation, BOOKMARK_INCARNATION_LEN) == 0;
    char detail[DETAIL_MAX];

    if (here && !is_same_life)
        snprintf(detail, sizeof detail, "The bookmark is of another history of %s.",
                 origin ? origin->name : "a region");
    else
        snprintf(detail, sizeof detail,
                 "This region has seen %s up to %llu, the bookmark goes up to %llu.",
                 origin ? origin->name : "a region that it doesn't know",
                 (unsigned long long)(here ? here->seq : 0), (unsigned long long)mark->seq);
    exchange_add_header(r->exchange, "Retry-After", RETRY_STALE);
    reply_error(r, 503, "urn:posthaste:stale", detail);
}

static void wake_at(struct services *services, uint64_t mono_ms, uint64_t now_mono_ms)
{
    services->wake_mono_ms = mono_ms;
    uv_timer_start(&services->waited, on_time,
                   mono_ms > now_mono_ms ? mono_ms - now_mono_ms : 0, 0);
}

static void put_off(struct request *r)
{
    struct services *services = r->services;
    uint64_t until_mono_ms = r->session.until_mono_ms;

    list_append(&services->waiting, &r->session.waiting);
    services->waiting_count++;
    if (services->waiting_count == 1 || until_mono_ms < services->wake_mono_ms)
        wake_at(services, until_mono_ms, r->now.mono_ms);
    exchange_put_off(r->exchange);
}

bool session_holds(struct request *r)
{
    const struct bookmark_mark *missing = missing_mark(r);

    if (is_ready(r, r->now.mono_ms) && !missing)
        return false;
    if (r->now.mono_ms >= r->session.until_mono_ms)
        reply_stale(r, missing);
    else if (r->services->waiting_count == WAITING_MAX)
        reply_err(r, ERR_BUSY);
    else
        put_off(r);
    return true;
}

void session_leave(struct request *r)
{
    if (list_is_empty(&r->session.waiting))
        return;
    list_remove(&r->session.waiting);
    if (--r->services->waiting_count == 0)
        uv_timer_stop(&r->services->waited);
}

/* The exchange asks api_on_headers() again, which decides anew. */
static void let_on(struct request *r)
{
    session_leave(r);
    exchange_go_on(r->exchange);
}

/* Those that became ready; when the next one will by the clock. */
static uint64_t let_ready_on(struct services *services, uint64_t mono_ms)
{
    uint64_t next_mono_ms = UINT64_MAX;

    for (struct list *link = services->waiting.next, *next; link != &services->waiting;
         link = next) {
        struct request *r = container_of(link, struct request, session.waiting);
        next = link->next;
        if (is_ready(r, mono_ms))
            let_on(r);
        else if (r->session.until_mono_ms < next_mono_ms)
            next_mono_ms = r->session.until_mono_ms;
    }
    return next_mono_ms;
}

static void on_time(uv_timer_t *timer)
{
    struct services *services = timer->data;
    uint64_t mono_ms = clock_now().mono_ms;
    uint64_t next_mono_ms = let_ready_on(services, mono_ms);

    if (services->waiting_count > 0)
        wake_at(services, next_mono_ms, mono_ms);
}

void session_reached(struct services *services, const struct bookmark_mark *mark)
{
    bookmark_add(&services->here, mark);
    let_ready_on(services, clock_now().mono_ms);
}

void session_hasten(struct services *services)
{
    while (!list_is_empty(&services->waiting))
        let_on(container_of(services->waiting.next, struct request, session.waiting));
}

void session_close(struct services *services, uv_close_cb closed)
{
    bookmark_signer_free(services->signer);
    uv_close((uv_handle_t *)&services->waited, closed);
}

/* What an answer brings. */

/* Messages have but one place; a bookmark would say nothing about them. */
static bool has_bookmark(const struct request *r, unsigned status)
{
    const struct route *route = r->match.route;

    if (topology_is_single(r->services->topology) || r->relayed || status >= 300 || !route ||
        route->access == ACCESS_ANYONE)
        return false;
    return r->edit.object ||
           (route->ingest != INGEST_INTAKE && route->ingest != INGEST_MESSAGE);
}

void session_sign(struct request *r, unsigned status)
{
    const struct bookmark *here = &r->services->here;
    struct bookmark bookmark = { .count = 0 };
    char text[BOOKMARK_TEXT_MAX];

    if (!has_bookmark(r, status))
        return;
    if (r->session.seen)
        bookmark = *r->session.seen;
    const struct bookmark_mark *mark = r->home ? bookmark_find(here, r->home->ordinal) : NULL;
    if (mark)
        bookmark_add(&bookmark, mark);
    else if (!r->home)
        bookmark_add_all(&bookmark, here);
    if (bookmark.count == 0)
        return;
    bookmark_write(r->services->signer, &bookmark, text);
    exchange_add_header(r->exchange, "Posthaste-Bookmark", text);
}
