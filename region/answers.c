/* Answers: what peers ask us. A peer is who its certificate says; TLS has seen to that.
 *
 *   on_request ─► hello, ping ─► reply
 *       └─► changes ─► store ─► on_journal ─► reply, or wait until our journal has grown
 *       └─► snapshot ─► store ─► on_snapshot ─► reply */
#include "region/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/hex.h"
#include "core/log.h"
#include "core/mem.h"

#define READINGS_MAX 4 /* at once, of one peer: it needs one, the others may be of lost calls */
#define WAIT_MAX_S   30
#define SHORT_MAX    65536 /* bytes of a hello or a ping */

/* A request that the store is asked for. */
struct reading {
    struct list link;
    struct link *owner;
    struct exchange *exchange;
    const struct caller *peer;
    uint64_t until_mono_ms; /* to wait for an entry */
    union {
        struct store_journal journal;
        struct store_snapshot snapshot;
    } op;
};

static void say_hello(struct link *link, struct exchange *x);
static void say_ping(struct link *link, struct exchange *x);
static void read_journal(struct link *link, struct exchange *x, const struct caller *peer);
static void on_journal(struct store_req *req);
static void read_snapshot(struct link *link, struct exchange *x, const struct caller *peer);
static void on_snapshot(struct store_req *req);
static void answer_oldest(struct link *link, const struct caller *peer);

void answers_open(struct link *link)
{
    list_init(&link->readings);
    list_init(&link->waiting);
}

void answers_refuse(struct exchange *x, unsigned status, const char *code, const char *detail)
{
    struct buf body = BUF_INIT(SHORT_MAX);

    if (buf_printf(&body, "{\"code\":\"%s\",\"detail\":\"%s\"}", code, detail) != ERR_OK)
        buf_clear(&body);
    if (status == 503)
        exchange_add_header(x, "Retry-After", "1");
    exchange_reply(x, status, &body);
}

void answers_reply(struct exchange *x, enum err err, struct buf *body)
{
    if (!err) {
        exchange_reply(x, 200, body);
        return;
    }
    buf_fini(body);
    answers_refuse(x, 500, "internal",
                   err == ERR_LIMIT ? "the answer is too long" : err_text(err));
}

/* Whose certificate it was; NULL: answered. */
static struct caller *peer_of(struct link *link, struct exchange *x)
{
    const char *name = exchange_peer(x);

    for (size_t i = 0; name && i < link->caller_count; i++)
        if (strcmp(link->callers[i].region->name, name) == 0)
            return &link->callers[i];
    answers_refuse(x, 403, "not_a_peer", "this certificate is not a peer's");
    return NULL;
}

static bool asks(const struct exchange *x, const char *method, const char *path)
{
    return strcmp(exchange_method(x), method) == 0 && strcmp(exchange_path(x), path) == 0;
}

void answers_on_request(struct exchange *x, void *ctx)
{
    struct link *link = ctx;
    struct caller *peer = peer_of(link, x);

    if (!peer)
        return;
    if (link->closing)
        answers_refuse(x, 503, "closing", "this region is stopping");
    else if (asks(x, "GET", "/link/v1/hello"))
        say_hello(link, x);
    else if (asks(x, "POST", "/link/v1/ping"))
        say_ping(link, x);
    else if (asks(x, "GET", "/link/v1/changes"))
        read_journal(link, x, peer);
    else if (asks(x, "GET", "/link/v1/snapshot"))
        read_snapshot(link, x, peer);
    else if (asks(x, "GET", "/link/v1/digest"))
        auditor_tell(peer, x);
    else if (asks(x, "POST", "/link/v1/forwards"))
        stand_in_take(peer, x);
    else if (asks(x, "GET", "/link/v1/outcomes"))
        stand_in_tell(peer, x);
    else if (asks(x, "POST", "/link/v1/probe"))
        probes_answer(link, x);
    else
        answers_refuse(x, 404, "not_found", "the link has no such path");
}

static void say_hello(struct link *link, struct exchange *x)
{
    const struct region *self = topology_self(link->topology);
    struct hello_words words = { .ordinal = self->ordinal,
                                 .version_least = LINK_VERSION,
                                 .version_most = LINK_VERSION,
                                 .build = POSTHASTE_VERSION };
    struct buf body = BUF_INIT(SHORT_MAX);

    snprintf(words.region, sizeof words.region, "%s", self->name);
    answers_reply(x, hello_write(&words, &body), &body);
}

static void say_ping(struct link *link, struct exchange *x)
{
    struct ping_words words = { .received_us = clock_wall_us() };
    struct buf body = BUF_INIT(SHORT_MAX);

    words.draining = link->retiring ||
                     catalog_is_draining(link->catalog, topology_self(link->topology)->ordinal);
    for (size_t i = 0; i < link->caller_count; i++)
        if (caller_is_heard(&link->callers[i]))
            words.reaches[words.reaches_count++] = link->callers[i].region->ordinal;
    words.replied_us = clock_wall_us();
    answers_reply(x, ping_write(&words, &body), &body);
}

const char *answers_query(const struct exchange *x, const char *name)
{
    const char *at = exchange_query(x);
    size_t len = strlen(name);

    while (strncmp(at, name, len) != 0 || at[len] != '=') {
        at = strchr(at, '&');
        if (!at)
            return NULL;
        at++;
    }
    return at + len + 1;
}

bool answers_query_number(const struct exchange *x, const char *name, int64_t *out)
{
    const char *text = answers_query(x, name);
    char *end;

    if (!text)
        return false;
    *out = strtoll(text, &end, 10);
    return end > text && (*end == '\0' || *end == '&');
}

/* False: there is a chain, and it isn't one. A peer need not say any. */
static bool query_chain(const struct exchange *x, struct store_journal *op)
{
    const char *text = answers_query(x, "chain");

    op->has_chain = text != NULL;
    return !text || hex_decode(text, strcspn(text, "&"), op->chain, CHAIN_LEN) == ERR_OK;
}

static size_t count_of(const struct list *readings, const struct caller *peer)
{
    size_t count = 0;

    for (const struct list *at = readings->next; at != readings; at = at->next)
        count += container_of(at, struct reading, link)->peer == peer;
    return count;
}

/* NULL: answered. A peer at its bound finds room when it asks again. */
static struct reading *begin_reading(struct link *link, struct exchange *x,
                                     const struct caller *peer)
{
    if (count_of(&link->readings, peer) + count_of(&link->waiting, peer) == READINGS_MAX) {
        answers_refuse(x, 503, "busy", "this peer is reading already");
        answer_oldest(link, peer);
        return NULL;
    }
    struct reading *r = xcalloc(1, sizeof *r);
    r->owner = link;
    r->exchange = x;
    r->peer = peer;
    list_append(&link->readings, &r->link);
    link->reading_count++;
    return r;
}

static void end_reading(struct reading *r)
{
    struct link *link = r->owner;

    list_remove(&r->link);
    link->reading_count--;
    free(r);
    link_settle(link);
}

static void ask_journal(struct reading *r)
{
    r->op.journal.req = (struct store_req){ .done = on_journal, .reply_to = &r->owner->inbox };
    store_journal(r->owner->store, &r->op.journal);
}

static void read_journal(struct link *link, struct exchange *x, const struct caller *peer)
{
    struct store_journal op = { .limit = WORDS_COUNT_MAX, .bytes_limit = WORDS_BYTES_MAX };
    int64_t after, wait_s = 0;

    if (!answers_query_number(x, "after", &after) || after < 0) {
        answers_refuse(x, 422, "invalid", "after: expected a position");
        return;
    }
    if (answers_query_number(x, "wait", &wait_s) && (wait_s < 0 || wait_s > WAIT_MAX_S)) {
        answers_refuse(x, 422, "invalid", "wait: expected 0 to 30 seconds");
        return;
    }
    if (!query_chain(x, &op)) {
        answers_refuse(x, 422, "invalid", "chain: expected 64 hex digits");
        return;
    }
    struct reading *r = begin_reading(link, x, peer);
    if (!r)
        return;
    r->until_mono_ms = clock_now().mono_ms + (uint64_t)wait_s * 1000;
    op.after = (uint64_t)after;
    r->op.journal = op;
    ask_journal(r);
}

/* What this peer may see of an object. */
static enum err reseal_code(const struct reading *r, struct bytes *code)
{
    const struct link *link = r->owner;
    const struct reseal reseal = { .topology = link->topology,
                                   .catalog = link->catalog,
                                   .keyring = link->keyring,
                                   .pair = r->peer->pair,
                                   .peer = r->peer->index };
    struct bytes other;
    enum err err = reseal_for_peer(&reseal, code, &other);
    if (err)
        return err;
    bytes_fini(code);
    *code = other;
    return ERR_OK;
}

static void reply_changes(struct reading *r, struct changes_words *words)
{
    struct buf body = BUF_INIT(WORDS_LEN_MAX);
    enum err err = ERR_OK;

    for (size_t i = 0; !err && i < words->count; i++)
        err = reseal_code(r, &words->entries[i].code);
    if (!err)
        err = changes_write(words, &body);
    journal_entries_free(words->entries, words->count);
    answers_reply(r->exchange, err, &body);
    end_reading(r);
}

static void refuse_reading(struct reading *r, enum err err)
{
    switch ((int)err) {
    case ERR_NOT_FOUND:
        answers_refuse(r->exchange, 410, "pruned",
                       "the journal begins later: adopt a snapshot");
        break;
    case ERR_STALE:
        answers_refuse(r->exchange, 409, "forked",
                       "the journal isn't the one that this position is of");
        break;
    default:
        answers_refuse(r->exchange, 503, "busy", "the store is");
    }
    end_reading(r);
}

static void on_journal(struct store_req *req)
{
    struct reading *r = container_of(req, struct reading, op.journal.req);
    struct link *link = r->owner;
    struct store_journal *op = &r->op.journal;

    if (req->err) {
        refuse_reading(r, req->err);
        return;
    }
    if (op->count == 0 && !link->closing && clock_now().mono_ms < r->until_mono_ms) {
        free(op->entries);
        if (link->own_seq > op->after) {
            ask_journal(r); /* it has grown meanwhile */
            return;
        }
        list_remove(&r->link);
        list_append(&link->waiting, &r->link);
        return;
    }
    struct changes_words words = { .end = op->end, .count = op->count, .entries = op->entries };
    reply_changes(r, &words);
}

static void wake(struct reading *r)
{
    list_remove(&r->link);
    list_append(&r->owner->readings, &r->link);
    ask_journal(r);
}

void answers_grown(struct link *link)
{
    struct list *at;

    while ((at = list_pop(&link->waiting)))
        wake(container_of(at, struct reading, link));
}

static void answer_oldest(struct link *link, const struct caller *peer)
{
    for (struct list *at = link->waiting.next; at != &link->waiting; at = at->next) {
        struct reading *r = container_of(at, struct reading, link);
        if (r->peer != peer)
            continue;
        r->until_mono_ms = 0;
        wake(r);
        return;
    }
}

/* The store is asked once more, and then the answer goes out whatever there is. */
void answers_poke(struct link *link, struct now now)
{
    struct list *next;

    for (struct list *at = link->waiting.next; at != &link->waiting; at = next) {
        struct reading *r = container_of(at, struct reading, link);
        next = at->next;
        if (now.mono_ms >= r->until_mono_ms)
            wake(r);
    }
}

/* Snapshots. */

static void read_snapshot(struct link *link, struct exchange *x, const struct caller *peer)
{
    int64_t after;

    if (!answers_query_number(x, "after", &after)) {
        answers_refuse(x, 422, "invalid", "after: expected a key");
        return;
    }
    struct reading *r = begin_reading(link, x, peer);
    if (!r)
        return;
    r->op.snapshot = (struct store_snapshot){
        .req = { .done = on_snapshot, .reply_to = &link->inbox },
        .after = after,
        .limit = WORDS_COUNT_MAX,
        .bytes_limit = WORDS_BYTES_MAX,
    };
    store_snapshot(link->store, &r->op.snapshot);
}

static void on_snapshot(struct store_req *req)
{
    struct reading *r = container_of(req, struct reading, op.snapshot.req);
    struct store_snapshot *op = &r->op.snapshot;

    if (req->err) {
        refuse_reading(r, req->err);
        return;
    }
    struct changes_words words = {
        .end = op->end, .count = op->count, .last = op->last, .more = op->more
    };
    words.entries = xcalloc(op->count, sizeof *words.entries);
    for (size_t i = 0; i < op->count; i++)
        words.entries[i].code = op->codes[i];
    free(op->codes);
    reply_changes(r, &words);
}
