/* Messages and attempts as the API shows them. */
#include "wire/noun_out.h"

#include <string.h>

#include "core/base64.h"
#include "core/utf8.h"

#define RESPONSE_SHOWN_MAX   20000                        /* bytes of text */
#define RESPONSE_ENCODED_MAX (RESPONSE_SHOWN_MAX / 4 * 3) /* bytes that fit into it as base64 */

static void put_status(struct json_writer *w, enum attempt_status status)
{
    json_add_integer(w, "status", status);
    json_add_text(w, "statusText", attempt_status_text(status));
}

void json_add_outcome(struct json_writer *w, const struct delivery_outcome *outcome)
{
    put_status(w, outcome->status);
    json_add_date(w, "nextAttempt", outcome->next_attempt_at_ms);
}

static bool is_object(const struct bytes *payload)
{
    enum scan_type type;
    struct scan_fault fault;

    return scan_json(payload->data, payload->len, NULL, 0, &type, &fault) == ERR_OK &&
           type == SCAN_OBJECT;
}

/* Clients want an object, so a raw payload that is something else is shown inside of one. */
static void put_payload(struct json_writer *w, const struct bytes *payload,
                        enum payload_view view)
{
    if (view == PAYLOAD_TRUSTED || is_object(payload)) {
        json_put_raw(w, payload->data, payload->len);
        return;
    }
    json_open_object(w);
    json_name(w, "rawPayload");
    json_put_bytes(w, payload->data, payload->len);
    json_close_object(w);
}

static void put_message(struct json_writer *w, const struct message *message,
                        enum payload_view view)
{
    json_add_id(w, "id", ID_MESSAGE, &message->id);
    json_add_text(w, "eventType", message->event_type);
    json_add_text(w, "eventId", message->event_id);
    json_add_list(w, "channels", &message->channels);
    json_add_list(w, "tags", &message->tags);
    json_name(w, "payload");
    if (view == PAYLOAD_LEFT_OUT)
        json_put_raw(w, "{}", 2);
    else if (message->payload.len == 0)
        json_put_raw(w, "{\"expired\":true}", 16);
    else
        put_payload(w, &message->payload, view);
    json_add_date(w, "timestamp", message->created_at_ms);
}

void json_put_message(struct json_writer *w, const struct message *message,
                      enum payload_view view)
{
    json_open_object(w);
    put_message(w, message, view);
    json_close_object(w);
}

void json_put_tried_message(struct json_writer *w, const struct message *message,
                            const struct delivery_outcome *outcome, enum payload_view view)
{
    json_open_object(w);
    put_message(w, message, view);
    json_add_outcome(w, outcome);
    json_close_object(w);
}

/* Attempts. */

/* An answer may have been cut in the middle of a character, and is still text then. */
static void put_response(struct json_writer *w, const struct bytes *response)
{
    bool cut = response->len >= RESPONSE_KEPT_MAX;
    size_t shown = response->len < RESPONSE_SHOWN_MAX ? response->len : RESPONSE_SHOWN_MAX;
    size_t valid = utf8_valid_prefix(response->data, shown);

    if (valid == shown || (cut && shown - valid < UTF8_CHARACTER_MAX)) {
        json_put_bytes(w, response->data, valid);
    } else {
        char text[RESPONSE_SHOWN_MAX + 1];
        shown = shown < RESPONSE_ENCODED_MAX ? shown : RESPONSE_ENCODED_MAX;
        base64_encode(response->data, shown, text);
        json_put_text(w, text);
    }
}

static void put_way(struct json_writer *w, const struct attempt_way *way,
                    const struct topology *topology)
{
    const struct region *region = topology_by_ordinal(topology, way->region);

    if (way->region == 0)
        return;
    json_add_text(w, "region", region ? region->name : NULL);
    json_name(w, "timings");
    json_open_object(w);
    json_add_integer(w, "connectUs", way->connect_us);
    json_add_integer(w, "tlsUs", way->tls_us);
    json_add_integer(w, "firstByteUs", way->first_byte_us);
    json_close_object(w);
}

void json_put_attempt(struct json_writer *w, const struct attempt_record *attempt,
                      const struct message *message, const struct topology *topology,
                      bool with_content)
{
    json_open_object(w);
    json_add_id(w, "id", ID_ATTEMPT, &attempt->id);
    json_add_id(w, "msgId", ID_MESSAGE, &attempt->message);
    json_add_id(w, "endpointId", ID_ENDPOINT, &attempt->endpoint);
    json_add_text(w, "url", attempt->url);
    json_name(w, "response");
    if (with_content)
        put_response(w, &attempt->response);
    else
        json_put_text(w, "{}");
    json_add_integer(w, "responseStatusCode", attempt->response_status);
    json_add_integer(w, "responseDurationMs", attempt->duration_ms);
    put_status(w, attempt->status);
    json_add_integer(w, "triggerType", attempt->trigger);
    json_add_date(w, "timestamp", attempt->started_at_ms);
    json_add_date(w, "nextAttempt", attempt->next_attempt_at_ms);
    put_way(w, &attempt->way, topology);
    if (message) {
        json_name(w, "msg");
        json_put_message(w, message, with_content ? PAYLOAD_SHOWN : PAYLOAD_LEFT_OUT);
    }
    json_close_object(w);
}
