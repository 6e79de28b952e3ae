/* Carry: a client's request to the region that is to answer it.
 *
 *   carry ─► on_errand ─► courier ─► on_heard, on_answered ─► on_done ─► errand->done
 *   (api)    (link)                                            (api)
 *
 * It goes to the API of the other region over the link, which takes it as carried. */
#include "region/private.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/count.h"
#include "core/mem.h"

#define CARRIAGES_MAX     256                 /* at once, to all regions */
#define CARRIED_BYTES_MAX ((size_t)128 << 20) /* of their bodies */
#define CARRY_TIMEOUT_MS  25000               /* a client waits for 30 s, usually */
#define HEADER_LINES_MAX  16
#define HEADER_LINE_MAX   1024 /* bytes, with NUL */

/* One on its way. */
struct carriage {
    struct list link;
    struct link *owner;
    const struct caller *caller;
    struct errand *errand;
    struct target *target;
    struct call call;
};

struct cancellation {
    struct task task;
    struct link *link;
    const struct errand *errand;
};

static void carry(struct elsewhere *e, struct errand *errand);
static void on_errand(struct task *task);
static void on_heard(struct call *call, const char *line, size_t len);
static void on_answered(struct call *call);
static void on_done(struct task *task);
static void cancel(struct elsewhere *e, struct errand *errand);
static void on_cancel(struct task *task);

void carry_open(struct link *link)
{
    link->elsewhere.carry = carry;
    link->elsewhere.cancel = cancel;
    list_init(&link->carriages);
}

struct elsewhere *link_elsewhere(struct link *link)
{
    return &link->elsewhere;
}

bool carry_is_idle(const struct link *link)
{
    return link->carriage_count == 0;
}

/* On the api's loop; the rest on the link's. */
static void carry(struct elsewhere *e, struct errand *errand)
{
    struct link *link = container_of(e, struct link, elsewhere);

    errand->carrying = link;
    errand->task.run = on_errand;
    inbox_post(&link->inbox, &errand->task);
}

static void finish(struct errand *errand, enum err err)
{
    errand->err = err;
    errand->task.run = on_done;
    inbox_post(errand->reply_to, &errand->task);
}

static void on_done(struct task *task)
{
    struct errand *errand = container_of(task, struct errand, task);

    errand->done(errand);
}

/* What of an answer's header concerns the client. */
static bool concerns_client(const char *line)
{
    static const char *const NAMES[] = { "posthaste-", "retry-after:", "allow:" };

    for (size_t i = 0; i < COUNT(NAMES); i++)
        if (strncasecmp(line, NAMES[i], strlen(NAMES[i])) == 0)
            return true;
    return false;
}

static void on_heard(struct call *call, const char *line, size_t len)
{
    struct text_list *kept = &container_of(call, struct carriage, call)->errand->reply_headers;
    char text[HEADER_LINE_MAX];

    if (strncmp(line, "HTTP/", strlen("HTTP/")) == 0)
        text_list_fini(kept); /* those before were of a 100 Continue */
    if (len >= sizeof text || kept->count == HEADER_LINES_MAX)
        return;
    memcpy(text, line, len);
    text[len] = '\0';
    if (concerns_client(text))
        text_list_add(kept, text, len);
}

static struct carriage *begin_carriage(struct link *link, const struct caller *caller,
                                       struct errand *errand)
{
    struct target *target =
        caller_target(caller, errand->method, errand->path, errand->query, &errand->headers);

    if (!target)
        return NULL;
    struct carriage *c = xcalloc(1, sizeof *c);
    c->owner = link;
    c->caller = caller;
    c->errand = errand;
    c->target = target;
    c->call = (struct call){ .target = target,
                             .body = errand->body_len > 0 ? errand->body : NULL,
                             .body_len = errand->body_len,
                             .timeout_ms = CARRY_TIMEOUT_MS,
                             .response_kept = errand->reply_max + 1,
                             .response_max = errand->reply_max,
                             .heard = on_heard,
                             .done = on_answered };
    list_append(&link->carriages, &c->link);
    link->carriage_count++;
    link->carried_bytes += errand->body_len;
    return c;
}

static void on_errand(struct task *task)
{
    struct errand *errand = container_of(task, struct errand, task);
    struct link *link = errand->carrying;
    const struct caller *caller = caller_to(link, errand->region);
    struct carriage *c = NULL;

    if (link->closing)
        finish(errand, ERR_CANCELED);
    else if (!caller || !caller->courier || peer_is_given_up(&caller->health))
        finish(errand, ERR_UNAVAILABLE);
    else if (link->carriage_count == CARRIAGES_MAX ||
             errand->body_len > CARRIED_BYTES_MAX - link->carried_bytes)
        finish(errand, ERR_BUSY);
    else if (!(c = begin_carriage(link, caller, errand)))
        finish(errand, ERR_LIMIT);
    else
        courier_send(caller->courier, &c->call);
}

static enum err verdict_of(const struct call *call, const struct errand *errand)
{
    if (call->err == ERR_OK && (call->status < 200 || call->status > 599))
        return ERR_UNAVAILABLE;
    if (call->err == ERR_OK && call->response.len > errand->reply_max)
        return ERR_LIMIT;
    if (call->err == ERR_OK || call->err == ERR_TIMEOUT || call->err == ERR_CANCELED ||
        call->err == ERR_BUSY || call->err == ERR_LIMIT)
        return call->err;
    return ERR_UNAVAILABLE;
}

static void on_answered(struct call *call)
{
    struct carriage *c = container_of(call, struct carriage, call);
    struct errand *errand = c->errand;
    struct link *link = c->owner;
    enum err err = verdict_of(call, errand);

    if (err) {
        text_list_fini(&errand->reply_headers);
        buf_fini(&call->response);
    } else {
        errand->status = call->status;
        errand->reply = call->response;
    }
    list_remove(&c->link);
    link->carriage_count--;
    link->carried_bytes -= errand->body_len;
    target_unref(c->target);
    free(c);
    finish(errand, err);
    link_settle(link);
}

/* Canceling. */

static void cancel(struct elsewhere *e, struct errand *errand)
{
    struct link *link = container_of(e, struct link, elsewhere);
    struct cancellation *wish = xcalloc(1, sizeof *wish);

    wish->link = link;
    wish->errand = errand;
    wish->task.run = on_cancel;
    inbox_post(&link->inbox, &wish->task);
}

/* It may be answered by now: then it isn't here any more. */
static void on_cancel(struct task *task)
{
    struct cancellation *wish = container_of(task, struct cancellation, task);
    struct link *link = wish->link;

    for (struct list *at = link->carriages.next; at != &link->carriages; at = at->next) {
        struct carriage *c = container_of(at, struct carriage, link);
        if (c->errand != wish->errand)
            continue;
        courier_cancel(c->caller->courier, &c->call);
        break;
    }
    free(wish);
}

/* What is on its way there may be done or not, and nobody will say: its client needn't wait for the
 * timeout to hear that. */
void carry_give_up(struct link *link, const struct caller *caller)
{
    for (struct list *at = link->carriages.next; at != &link->carriages; at = at->next) {
        struct carriage *c = container_of(at, struct carriage, link);
        if (c->caller == caller)
            courier_cancel(c->caller->courier, &c->call);
    }
}
