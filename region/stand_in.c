/* Stand-in: attempts that we make for a peer, from memory.
 *
 *   stand_in_take ─► courier ─► on_sent ─► outcomes ─► stand_in_tell, or who waits there
 *
 * What is being sent is held with its payload, what came of it without; an outcome is kept until its
 * home says that it has it. Nothing of this reaches the disk: with the process it is gone, and its
 * home's lease ends. */
#include "region/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

#define ROWS_MAX          1000               /* of one peer, being sent */
#define BYTES_MAX         ((size_t)32 << 20) /* of their bodies */
#define OUTCOMES_MAX      (2 * ROWS_MAX)     /* of one peer, that it hasn't fetched */
#define RESPONSE_READ_MAX 65536              /* bytes read of an answer */
#define WAIT_MAX_S        30
#define TELL_LEN_MAX      (2 * FRAMES_BYTES) /* of a batch of outcomes */
#define USER_AGENT        "posthaste/" POSTHASTE_VERSION
#define CONNECTIONS       1024 /* to receivers, kept open while idle */

/* One attempt: being sent, or over and not fetched yet. */
struct guest {
    struct list link;
    struct caller *home;
    struct request_words words;
    struct bytes body;
    struct target *target;
    struct call call;
    uint64_t number; /* of the outcome */
    struct outcome_words outcome;
    struct bytes response;
};

static void on_sent(struct call *call);
static void answer_waiting(struct caller *home);

enum err stand_in_open(struct link *link, const struct link_options *options)
{
    return courier_open(&link->away, &(struct courier_options){
                                         .loop = options->loop,
                                         .egress = options->egress,
                                         .user_agent = USER_AGENT,
                                         .ca_file = options->ca_file,
                                         .name_servers = options->name_servers,
                                         .idle_connections = CONNECTIONS,
                                     });
}

void stand_in_init(struct stand_in *s)
{
    list_init(&s->sending);
    list_init(&s->outcomes);
}

static void forget_body(struct guest *g)
{
    if (g->body.len > 0)
        explicit_bzero(g->body.data, g->body.len);
    bytes_fini(&g->body);
    request_words_fini(&g->words);
    target_unref(g->target);
    g->target = NULL;
}

static void guest_free(struct guest *g)
{
    list_remove(&g->link);
    forget_body(g);
    bytes_fini(&g->response);
    outcome_words_fini(&g->outcome);
    free(g);
}

/* Up to this number its home has them. */
static void forget_outcomes(struct stand_in *s, uint64_t number)
{
    while (!list_is_empty(&s->outcomes)) {
        struct guest *g = container_of(s->outcomes.next, struct guest, link);
        if (g->number > number)
            return;
        guest_free(g);
        s->outcome_count--;
    }
}

void stand_in_fini(struct stand_in *s)
{
    forget_outcomes(s, UINT64_MAX);
}

/* Taking. */

static bool holds(const struct list *guests, const struct id *attempt)
{
    for (const struct list *at = guests->next; at != guests; at = at->next) {
        const struct guest *g = container_of(at, struct guest, link);
        if (id_equal(&g->words.attempt, attempt) || id_equal(&g->outcome.attempt, attempt))
            return true;
    }
    return false;
}

/* Only what comes a second time can be there already. */
static bool came_before(struct stand_in *s, const struct request_words *words)
{
    if (words->seq > s->seen) {
        s->seen = words->seq;
        return false;
    }
    return words->seq <= s->floor || holds(&s->sending, &words->attempt) ||
           holds(&s->outcomes, &words->attempt);
}

/* Why this one isn't taken; NULL: it is. */
static const char *obstacle(const struct caller *home, const struct request_words *words,
                            size_t body_len)
{
    const struct link *link = home->link;
    const struct stand_in *s = &home->stand_in;

    if (link->retiring)
        return "this region is stopping";
    if (catalog_is_draining(link->catalog, topology_self(link->topology)->ordinal))
        return "this region is draining";
    if (!link_permits(link, &words->application, home->index) ||
        !link_permits(link, &words->application, link->topology->self))
        return "the application may not be sent for from here";
    if (s->row_count == ROWS_MAX || s->outcome_count >= OUTCOMES_MAX ||
        body_len > BYTES_MAX - s->byte_count)
        return "this region holds as much as it may";
    return NULL;
}

/* NULL: it can't be sent to. */
static struct target *target_of(const struct request_words *words)
{
    struct buf normal = BUF_INIT(URL_LEN_MAX);
    struct target *target = NULL;
    const char *why;

    if (courier_url(words->url, &normal, &why) != ERR_OK ||
        target_new("POST", buf_text(&normal), &words->headers, &target) != ERR_OK)
        target = NULL;
    buf_fini(&normal);
    return target;
}

/* Takes over the words; false: they aren't a request's. */
static bool begin(struct caller *home, struct request_words *words, const struct frame *frame)
{
    struct target *target = target_of(words);

    if (!target)
        return false;
    struct guest *g = xcalloc(1, sizeof *g);
    g->home = home;
    g->words = *words;
    g->body = bytes_copy(frame->body, frame->body_len);
    g->target = target;
    g->outcome.started_at_ms = clock_now().wall_ms;
    memcpy(g->outcome.home, home->stand_in.home, sizeof g->outcome.home);
    g->call = (struct call){ .target = target,
                             .body = g->body.data,
                             .body_len = g->body.len,
                             .timeout_ms = words->timeout_ms,
                             .response_kept = RESPONSE_KEPT_MAX,
                             .response_max = RESPONSE_READ_MAX,
                             .is_timed = true,
                             .done = on_sent };
    list_append(&home->stand_in.sending, &g->link);
    home->stand_in.row_count++;
    home->stand_in.byte_count += g->body.len;
    *words = (struct request_words){ .seq = 0 };
    courier_send(home->link->away, &g->call);
    return true;
}

static void take_one(struct caller *home, struct request_words *words,
                     const struct frame *frame, struct accept_words *accept)
{
    uint64_t seq = words->seq;

    if (came_before(&home->stand_in, words))
        return;
    const char *why = obstacle(home, words, frame->body_len);
    if (!why && !begin(home, words, frame))
        why = "its URL or headers can't be used";
    if (!why)
        return;
    accept->refused[accept->refused_count].seq = seq;
    snprintf(accept->refused[accept->refused_count++].why, FORWARD_WHY_MAX, "%s", why);
}

/* One after the other; a batch that isn't one to its end is refused from there on. */
static enum err take_all(struct caller *home, struct frames *frames,
                         struct accept_words *accept)
{
    struct frame frame;
    enum err err;

    for (size_t count = 0; !(err = frames_next(frames, &frame)); count++) {
        struct request_words words;
        if (count == FRAMES_COUNT || request_read(&frame, &words) != ERR_OK)
            return ERR_INVALID;
        take_one(home, &words, &frame, accept);
        request_words_fini(&words);
    }
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* A home that was started anew counts from the first again. */
static void meet(struct stand_in *s, const struct batch_words *batch)
{
    if (strcmp(s->home, batch->incarnation) != 0) {
        memcpy(s->home, batch->incarnation, sizeof s->home);
        s->seen = s->floor = 0;
    }
    if (batch->floor > s->floor)
        s->floor = batch->floor;
}

void stand_in_take(struct caller *home, struct exchange *x)
{
    size_t len;
    struct frames frames = { .at = exchange_body(x, &len), .len = 0 };
    struct frame first;
    struct batch_words batch;

    frames.len = len;
    if (frames_next(&frames, &first) != ERR_OK || batch_read(&first, &batch) != ERR_OK) {
        answers_refuse(x, 422, "invalid", "this is no batch of requests");
        return;
    }
    meet(&home->stand_in, &batch);
    struct accept_words *accept = xcalloc(1, sizeof *accept);
    struct buf body = BUF_INIT(ACCEPT_LEN_MAX);
    accept->rows = ROWS_MAX;
    accept->bytes = BYTES_MAX;
    memcpy(accept->incarnation, home->link->run, sizeof accept->incarnation);
    if (take_all(home, &frames, accept) == ERR_OK && accept_write(accept, &body) == ERR_OK)
        exchange_reply(x, 200, &body);
    else
        answers_refuse(x, 422, "invalid", "a request of the batch isn't one");
    buf_fini(&body);
    free(accept);
}

/* What came of it. */

static void note_outcome(struct guest *g)
{
    const struct request_words *words = &g->words;
    const struct call *call = &g->call;
    struct outcome_words *o = &g->outcome;

    o->seq = words->seq;
    o->attempt = words->attempt;
    o->message = words->message;
    o->endpoint = words->endpoint;
    o->application = words->application;
    o->number = words->number;
    o->url = xstrdup(words->url);
    o->err = call->err;
    memcpy(o->reason, call->reason, sizeof o->reason);
    o->status = call->err ? 0 : call->status;
    o->retry_after_s = call->retry_after_s;
    o->duration_ms = call->duration_ms;
    o->times = call->times;
}

static void on_sent(struct call *call)
{
    struct guest *g = container_of(call, struct guest, call);
    struct caller *home = g->home;
    struct stand_in *s = &home->stand_in;

    note_outcome(g);
    if (call->err == ERR_OK)
        g->response = bytes_copy(call->response.bytes, call->response.len);
    buf_fini(&call->response);
    s->row_count--;
    s->byte_count -= g->body.len;
    forget_body(g);
    g->number = ++s->last;
    list_remove(&g->link);
    list_append(&s->outcomes, &g->link);
    s->outcome_count++;
    answer_waiting(home);
    link_settle(home->link);
}

static void tell(struct caller *home, struct exchange *x)
{
    struct stand_in *s = &home->stand_in;
    struct buf body = BUF_INIT(TELL_LEN_MAX), records = BUF_INIT(TELL_LEN_MAX);
    struct batch_words batch = { .last = s->last - s->outcome_count };
    size_t count = 0;

    memcpy(batch.incarnation, home->link->run, sizeof batch.incarnation);
    for (struct list *at = s->outcomes.next; at != &s->outcomes; at = at->next) {
        const struct guest *g = container_of(at, struct guest, link);
        if (count++ == FRAMES_COUNT || records.len >= FRAMES_BYTES ||
            outcome_put(&records, &g->outcome, &g->response) != ERR_OK)
            break;
        batch.last = g->number;
    }
    if (batch_put(&body, &batch) == ERR_OK &&
        buf_append(&body, records.bytes, records.len) == ERR_OK)
        exchange_reply(x, 200, &body);
    else
        answers_refuse(x, 500, "internal", "the outcomes can't be told");
    buf_fini(&body);
    buf_fini(&records);
}

static void answer_waiting(struct caller *home)
{
    struct exchange *x = home->stand_in.waiting;

    home->stand_in.waiting = NULL;
    if (x)
        tell(home, x);
}

/* Whether the home speaks of this process. */
static bool is_of_us(const struct link *link, const struct exchange *x)
{
    const char *of = answers_query(x, "of");
    size_t len = strlen(link->run);

    return of && strncmp(of, link->run, len) == 0 && (of[len] == '&' || of[len] == '\0');
}

void stand_in_tell(struct caller *home, struct exchange *x)
{
    struct stand_in *s = &home->stand_in;
    int64_t after, wait_s;

    if (!answers_query_number(x, "after", &after) || after < 0 ||
        !answers_query_number(x, "wait", &wait_s) || wait_s < 0 || wait_s > WAIT_MAX_S) {
        answers_refuse(x, 422, "invalid", "after and wait: expected whole numbers");
        return;
    }
    bool is_known = is_of_us(home->link, x);
    if (is_known)
        forget_outcomes(s, (uint64_t)after);
    answer_waiting(home); /* of a call that was lost */
    /* It hears at once that this is another process than the one it gave something to. */
    if (s->outcome_count > 0 || wait_s == 0 || !is_known) {
        tell(home, x);
        return;
    }
    s->waiting = x;
    s->until_mono_ms = clock_now().mono_ms + (uint64_t)wait_s * 1000;
}

void stand_in_poke(struct caller *home, struct now now)
{
    struct stand_in *s = &home->stand_in;

    if (s->waiting && (home->link->closing || now.mono_ms >= s->until_mono_ms))
        answer_waiting(home);
}

bool stand_in_has_told(const struct stand_in *s)
{
    return s->row_count == 0 && s->outcome_count == 0;
}

bool stand_in_is_idle(const struct stand_in *s)
{
    return s->row_count == 0 && !s->waiting;
}
