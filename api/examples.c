/* Examples: …/endpoint/{endpoint}/send-example, a message to one endpoint to see that it arrives.
 *
 *   examples_send ─► messages_append */
#include <string.h>

#include "api/reply.h"
#include "api/routes.h"
#include "core/mem.h"

#define PING         "svix.ping" /* an event type that nobody has to make; the contract's name */
#define PING_PAYLOAD "{\"success\":true}"

static bool take_payload(struct request *r, uint32_t index);

void examples_send(struct request *r)
{
    struct faults faults = { .count = 0 };
    const struct endpoint *endpoint;
    uint32_t index;

    if (!request_find_application(r) || !request_read_body(r, true))
        return;
    read_example(r->body, &r->message, &index, &faults);
    if (faults.count > 0) {
        reply_faults(r, &faults);
        return;
    }
    endpoint = request_find_endpoint(r);
    if (endpoint && take_payload(r, index)) {
        r->receiver = endpoint->base.id;
        messages_append(r, &r->receiver);
    }
}

static void set_payload(struct request *r, const void *payload, size_t len)
{
    struct message_in *in = &r->message;

    in->raw_payload = bytes_copy(payload, len);
    in->payload = in->raw_payload.data;
    in->payload_len = len;
}

/* An example of the first version, if a payload could be that. */
static bool take_example(struct request *r, const struct json *schemas, uint32_t index)
{
    const struct json *examples = json_member(json_member(schemas, "1"), "examples");
    const struct json *example = json_at(examples, index);
    struct buf text = BUF_INIT(REPLY_LEN_MAX);
    bool taken = json_type_of(example) == SCAN_OBJECT && !json_dump(example, false, &text);

    if (taken)
        set_payload(r, text.bytes, text.len);
    buf_fini(&text);
    return taken;
}

/* False: answered. */
static bool take_payload(struct request *r, uint32_t index)
{
    const struct event_type *type;
    struct json *schemas = NULL;
    struct scan_fault fault;

    if (strcmp(r->message.event_type, PING) == 0) {
        set_payload(r, PING_PAYLOAD, strlen(PING_PAYLOAD));
        return true;
    }
    type =
        catalog_event_type(r->services->catalog, &r->token.organization, r->message.event_type);
    if (!type) {
        reply_not_found(r);
        return false;
    }
    bool taken = type->schemas &&
                 json_parse(type->schemas, strlen(type->schemas), &schemas, &fault) == ERR_OK &&
                 take_example(r, schemas, index);
    json_free(schemas);
    if (!taken)
        reply_error(r, 400, "generic_error",
                    "The event type has no such example: its schemas have no object there in "
                    "\"1\".examples");
    return taken;
}
