#include "api/carry.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/ingest.h"
#include "api/reply.h"
#include "core/count.h"
#include "core/log.h"

#define LINE_ROOM (64u << 10) /* bytes; a whole header is shorter */

/* Of an answer's header, which is a peer's word. */
#define BACK_LINES_MAX 8
#define BACK_NAME_ROOM 64  /* bytes, with NUL */
#define BACK_VALUE_MAX 512 /* bytes */

static void on_carried(struct errand *errand);

/* What of a request's header concerns the region that answers. */
static const char *const ALONG[] = {
    "Authorization",      "Idempotency-Key",       "Content-Type",
    "Posthaste-Bookmark", "Posthaste-Consistency", "Posthaste-Wait-Ms",
};

static void add_line(struct text_list *lines, const char *name, const char *value)
{
    struct buf line = BUF_INIT(LINE_ROOM);

    if (value && buf_printf(&line, "%s: %s", name, value) == ERR_OK)
        text_list_add(lines, buf_text(&line), line.len);
    buf_fini(&line);
}

static void reply_failed(struct request *r, enum err err)
{
    if (err == ERR_BUSY) {
        reply_err(r, err);
        return;
    }
    log_event(LOG_WARN, "carry_failed", LOG_STR("region", r->decision.region->name),
              LOG_STR("path", r->match.route->path), LOG_STR("reason", err_text(err)));
    r->decision.reason = "the region that is to answer can't be reached";
    ingest_hold(r);
}

void carry_request(struct request *r)
{
    struct elsewhere *elsewhere = r->services->elsewhere;
    struct errand *errand = &r->op.errand;

    if (!elsewhere) {
        reply_failed(r, ERR_UNAVAILABLE);
        return;
    }
    list_append(&r->services->carried, &r->carried);
    *errand = (struct errand){
        .region = r->decision.region->ordinal,
        .method = exchange_method(r->exchange),
        .path = exchange_path(r->exchange),
        .query = exchange_query(r->exchange),
        .reply_max = REPLY_LEN_MAX,
        .reply_to = &r->services->inbox,
        .done = on_carried,
    };
    errand->body = exchange_body(r->exchange, &errand->body_len);
    for (size_t i = 0; i < COUNT(ALONG); i++)
        add_line(&errand->headers, ALONG[i], exchange_header(r->exchange, ALONG[i]));
    add_line(&errand->headers, CARRY_HOPS, "1");
    elsewhere->carry(elsewhere, errand);
}

static bool comes_back(const char *name)
{
    return strncasecmp(name, "Posthaste-", strlen("Posthaste-")) == 0 ||
           strcasecmp(name, "Retry-After") == 0 || strcasecmp(name, "Allow") == 0;
}

static void add_reply_header(struct request *r, const char *line)
{
    size_t len = strcspn(line, ":");
    char name[BACK_NAME_ROOM];

    if (line[len] == '\0' || len >= sizeof name)
        return;
    snprintf(name, sizeof name, "%.*s", (int)len, line);
    const char *value = line + len + 1 + strspn(line + len + 1, " ");
    if (strlen(value) <= BACK_VALUE_MAX && comes_back(name) &&
        strcasecmp(name, CARRY_REASON) != 0)
        exchange_add_header(r->exchange, name, value);
}

/* The other region's answer is passed on as it is, but for the reason, which is why it was asked. */
static void on_carried(struct errand *errand)
{
    struct request *r = container_of(errand, struct request, op.errand);

    list_remove(&r->carried);
    text_list_fini(&errand->headers);
    if (errand->err) {
        reply_failed(r, errand->err);
        return;
    }
    assert(errand->status >= 200 && errand->status <= 599);
    r->relayed = true;
    for (size_t i = 0; i < errand->reply_headers.count && i < BACK_LINES_MAX; i++)
        add_reply_header(r, errand->reply_headers.items[i]);
    text_list_fini(&errand->reply_headers);
    struct buf body = errand->reply;
    reply_relay(r, errand->status, &body);
}

void carry_hasten(struct services *services)
{
    for (struct list *link = services->carried.next; link != &services->carried;) {
        struct request *r = container_of(link, struct request, carried);
        link = link->next;
        services->elsewhere->cancel(services->elsewhere, &r->op.errand);
    }
}
