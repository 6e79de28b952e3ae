#include "api/bring.h"

#include <stdio.h>
#include <string.h>

#include "api/ingest.h"
#include "api/objects.h"
#include "api/reply.h"

static void on_made(struct store_req *req);

/* Without a tree of the whole body, which may be a message with its payload. */
bool bring_take(struct request *r)
{
    struct scan_member member = { .name = "application" };
    struct scan_fault fault;
    enum scan_type type;
    size_t len;
    const void *body = exchange_body(r->exchange, &len);

    return scan_json(body, len, &member, 1, &type, &fault) == ERR_OK &&
           member.type != SCAN_NONE && member.type != SCAN_NULL &&
           json_parse(member.at, member.len, &r->body, &fault) == ERR_OK;
}

void bring_read(struct request *r, const struct json *body, struct faults *faults)
{
    struct application *next = application_new();

    edit_new(r, &next->base);
    read_application(body, READ_REPLACE, next, faults);
    ingest_read(r, body, NULL, next, faults);
    for (size_t i = 0; i < faults->count; i++) {
        char loc[FAULT_LOC_MAX];
        snprintf(loc, sizeof loc, "body/application%s", faults->items[i].loc + strlen("body"));
        memcpy(faults->items[i].loc, loc, sizeof loc);
    }
    if (faults->count == 0 && (!next->uid || strcmp(next->uid, r->match.parts[0]) != 0))
        faults_add(faults, FAULT_VALUE, "body/application/uid",
                   "must be the application in the path");
}

void bring_make(struct request *r, bool has_payload, void (*then)(struct request *r))
{
    if (!ingest_new(r, as_application(r->edit.object), has_payload))
        return;
    r->edit.then = then;
    edit_store(r, request_waits(r, on_made));
}

/* A conflict: another request was faster. */
static void on_made(struct store_req *req)
{
    struct request *r = request_of(req);

    if ((req->err == ERR_OK || req->err == ERR_CONFLICT) && request_take_application(r))
        r->edit.then(r);
    else
        reply_err(r, req->err);
}
