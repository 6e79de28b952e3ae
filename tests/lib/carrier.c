#include "tests/lib/carrier.h"

#include <string.h>
#include <strings.h>

#include "core/mem.h"

#define REPLY_MAX 65536 /* bytes */

static void forget(struct carrier *c)
{
    free(c->method);
    free(c->path);
    free(c->query);
    free(c->body);
    text_list_fini(&c->lines);
}

static void on_answered(struct task *task)
{
    struct errand *errand = container_of(task, struct errand, task);

    errand->done(errand);
}

static void answer(struct carrier *c, struct errand *errand, enum err err)
{
    errand->err = err;
    errand->status = c->status;
    errand->reply = BUF_INIT(REPLY_MAX);
    errand->reply_headers = (struct text_list){ 0 };
    if (!err && c->reply && buf_append_text(&errand->reply, c->reply) != ERR_OK)
        abort();
    for (size_t i = 0; !err && c->headers && c->headers[i]; i++)
        text_list_add(&errand->reply_headers, c->headers[i], strlen(c->headers[i]));
    errand->task.run = on_answered;
    inbox_post(errand->reply_to, &errand->task);
}

static void carry(struct elsewhere *e, struct errand *errand)
{
    struct carrier *c = container_of(e, struct carrier, elsewhere);

    forget(c);
    c->errands++;
    c->region = errand->region;
    c->method = xstrdup(errand->method);
    c->path = xstrdup(errand->path);
    c->query = xstrdup(errand->query);
    c->body = xmemdup(errand->body, errand->body_len);
    c->lines = text_list_copy(&errand->headers);
    if (c->waits)
        c->waiting = errand;
    else
        answer(c, errand, c->err);
}

static void cancel(struct elsewhere *e, struct errand *errand)
{
    struct carrier *c = container_of(e, struct carrier, elsewhere);

    c->canceled++;
    c->waiting = NULL;
    answer(c, errand, ERR_CANCELED);
}

void carrier_open(struct carrier *c)
{
    *c = (struct carrier){
        .elsewhere = { .carry = carry, .cancel = cancel },
        .status = 200,
        .reply = "{\"from\":\"elsewhere\"}",
    };
}

void carrier_close(struct carrier *c)
{
    forget(c);
}

void carrier_go_on(struct carrier *c)
{
    struct errand *errand = c->waiting;

    c->waiting = NULL;
    answer(c, errand, c->err);
}

const char *carrier_header(const struct carrier *c, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < c->lines.count; i++) {
        const char *line = c->lines.items[i];
        if (strncasecmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return line + len + 2;
    }
    return NULL;
}
