/* Precheck: …/msg/precheck/active, whether a message would go anywhere. */
#include "api/once.h"
#include "api/reply.h"
#include "api/routes.h"
#include "core/match.h"

struct search {
    const struct precheck_in *message;
    bool found;
};

/* A disabled one counts: a message for it waits. */
static void look_at(struct endpoint *endpoint, void *ctx)
{
    struct search *search = ctx;

    search->found = search->found || match_wants(endpoint, search->message->event_type,
                                                 &search->message->channels);
}

void messages_precheck(struct request *r)
{
    struct faults faults = { .count = 0 };
    struct precheck_in in;
    struct search search = { .message = &in };

    once_needless(r);
    if (!request_find_application(r) || !request_read_body(r, true))
        return;
    read_precheck(r->body, &in, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
    } else {
        catalog_each_endpoint(r->services->catalog, &r->application->base.id, look_at, &search);
        json_open_object(reply_begin(r));
        json_add_bool(&r->writer, "active", search.found);
        json_close_object(&r->writer);
        reply_send(r, 200);
    }
    precheck_in_fini(&in);
}
