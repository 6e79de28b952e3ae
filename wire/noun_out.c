#include "wire/noun_out.h"

#include <string.h>
#include <strings.h>

#include "core/base64.h"
#include "core/count.h"
#include "core/dispatch.h"
#include "core/hex.h"
#include "core/number.h"
#include "core/residency.h"
#include "core/utf8.h"

#define RESPONSE_SHOWN_MAX   20000                        /* bytes of text */
#define RESPONSE_ENCODED_MAX (RESPONSE_SHOWN_MAX / 4 * 3) /* bytes that fit into it as base64 */

void json_put_id(struct json_writer *w, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    json_put_text(w, text);
}

static void put_id(struct json_writer *w, const char *name, enum id_kind kind,
                   const struct id *id)
{
    json_name(w, name);
    json_put_id(w, kind, id);
}

/* An object that is stored as text. */
static void put_stored(struct json_writer *w, const char *name, const char *json,
                       const char *fallback)
{
    const char *text = json ? json : fallback;

    json_name(w, name);
    json_put_raw(w, text, strlen(text));
}

static void put_list(struct json_writer *w, const char *name, const struct text_list *list)
{
    json_name(w, name);
    if (list->count == 0) {
        json_put_null(w);
        return;
    }
    json_open_array(w);
    for (size_t i = 0; i < list->count; i++)
        json_put_text(w, list->items[i]);
    json_close_array(w);
}

static void put_throttle_rate_as(struct json_writer *w, const char *name, uint32_t rate)
{
    json_name(w, name);
    if (rate > 0)
        json_put_integer(w, rate);
    else
        json_put_null(w);
}

/* Under the names of both generations of clients. */
static void put_throttle_rate(struct json_writer *w, uint32_t rate)
{
    put_throttle_rate_as(w, "throttleRate", rate);
    put_throttle_rate_as(w, "rateLimit", rate);
}

static void put_dates(struct json_writer *w, const struct object *object)
{
    json_add_date(w, "createdAt", object->created_at_ms);
    json_add_date(w, "updatedAt", object->updated_at_ms);
}

static void put_degrees(struct json_writer *w, const char *name, bool given, double degrees)
{
    char text[NUMBER_DEGREES_MAX] = "null";

    if (given)
        number_format_degrees(degrees, text);
    json_name(w, name);
    json_put_raw(w, text, strlen(text));
}

static void put_residency(struct json_writer *w, const struct residency *residency,
                          const struct topology *topology)
{
    const struct region *home = residency_home(topology, residency);

    json_name(w, "residency");
    json_open_object(w);
    json_add_text(w, "jurisdiction", residency->jurisdiction);
    json_add_text(w, "home", home ? home->name : NULL);
    json_add_text(w, "mode", residency_mode_name(residency->mode));
    json_add_text(w, "failover", residency_failover_name(residency->failover));
    json_close_object(w);
}

void json_put_application(struct json_writer *w, const struct application *application,
                          const struct topology *topology)
{
    json_open_object(w);
    put_id(w, "id", ID_APPLICATION, &application->base.id);
    if (application->uid)
        json_add_text(w, "uid", application->uid);
    json_add_text(w, "name", application->name);
    put_throttle_rate(w, application->throttle_rate);
    put_stored(w, "metadata", application->metadata, "{}");
    if (!topology_is_single(topology))
        put_residency(w, &application->residency, topology);
    put_dates(w, &application->base);
    json_close_object(w);
}

static void put_targets(struct json_writer *w, const struct text_list *targets)
{
    struct dispatch_target target;

    json_name(w, "targets");
    json_open_object(w);
    for (size_t i = 0; i < targets->count; i++)
        if (dispatch_read_target(targets->items[i], &target))
            json_add_text(w, target.label, target.url);
    json_close_object(w);
}

static void put_location(struct json_writer *w, const struct location *location)
{
    json_name(w, "location");
    if (!location->known) {
        json_put_null(w);
        return;
    }
    json_open_object(w);
    put_degrees(w, "latitude", true, (double)location->latitude / LOCATION_DEGREE);
    put_degrees(w, "longitude", true, (double)location->longitude / LOCATION_DEGREE);
    json_close_object(w);
}

static void put_dispatch(struct json_writer *w, const struct dispatch *dispatch)
{
    put_targets(w, &dispatch->targets);
    json_name(w, "dispatch");
    json_open_object(w);
    json_add_text(w, "mode", dispatch_mode_name(dispatch->mode));
    put_list(w, "regions", &dispatch->regions);
    json_close_object(w);
    put_location(w, &dispatch->location);
}

void json_put_endpoint(struct json_writer *w, const struct endpoint *endpoint,
                       const struct topology *topology)
{
    json_open_object(w);
    put_id(w, "id", ID_ENDPOINT, &endpoint->base.id);
    json_add_text(w, "uid", endpoint->uid);
    json_add_text(w, "url", endpoint->url);
    json_add_text(w, "description", endpoint->description ? endpoint->description : "");
    json_add_bool(w, "disabled", endpoint->disabled);
    json_add_integer(w, "version", 1);
    put_list(w, "eventTypes", &endpoint->event_types);
    put_list(w, "filterTypes", &endpoint->event_types);
    put_list(w, "channels", &endpoint->channels);
    put_throttle_rate(w, endpoint->throttle_rate);
    put_stored(w, "metadata", endpoint->metadata, "{}");
    if (!topology_is_single(topology))
        put_dispatch(w, &endpoint->dispatch);
    put_dates(w, &endpoint->base);
    json_close_object(w);
}

void json_put_event_type(struct json_writer *w, const struct event_type *type,
                         bool with_content)
{
    json_open_object(w);
    json_add_text(w, "name", type->name);
    json_add_text(w, "description", type->description ? type->description : "");
    json_add_bool(w, "archived", type->archived);
    json_add_bool(w, "deprecated", type->deprecated);
    put_stored(w, "schemas", with_content ? type->schemas : NULL, "null");
    json_add_text(w, "featureFlag", type->feature_flag);
    put_dates(w, &type->base);
    json_close_object(w);
}

/* Messages. */

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

void json_put_message(struct json_writer *w, const struct message *message,
                      enum payload_view view)
{
    json_open_object(w);
    put_id(w, "id", ID_MESSAGE, &message->id);
    json_add_text(w, "eventType", message->event_type);
    json_add_text(w, "eventId", message->event_id);
    put_list(w, "channels", &message->channels);
    json_name(w, "payload");
    if (view == PAYLOAD_LEFT_OUT)
        json_put_raw(w, "{}", 2);
    else if (message->payload.len == 0)
        json_put_raw(w, "{\"expired\":true}", 16);
    else
        put_payload(w, &message->payload, view);
    json_add_date(w, "timestamp", message->created_at_ms);
    json_close_object(w);
}

/* Attempts. */

static const char *status_text(enum attempt_status status)
{
    switch (status) {
    case ATTEMPT_SUCCESS:
        return "success";
    case ATTEMPT_PENDING:
        return "pending";
    case ATTEMPT_FAIL:
        return "fail";
    case ATTEMPT_SENDING:
        return "sending";
    }
    return "fail";
}

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
                      const struct topology *topology, bool with_content)
{
    json_open_object(w);
    put_id(w, "id", ID_ATTEMPT, &attempt->id);
    put_id(w, "msgId", ID_MESSAGE, &attempt->message);
    put_id(w, "endpointId", ID_ENDPOINT, &attempt->endpoint);
    json_add_text(w, "url", attempt->url);
    json_name(w, "response");
    if (with_content)
        put_response(w, &attempt->response);
    else
        json_put_text(w, "{}");
    json_add_integer(w, "responseStatusCode", attempt->response_status);
    json_add_integer(w, "responseDurationMs", attempt->duration_ms);
    json_add_integer(w, "status", attempt->status);
    json_add_text(w, "statusText", status_text(attempt->status));
    json_add_integer(w, "triggerType", attempt->trigger);
    json_add_date(w, "timestamp", attempt->started_at_ms);
    json_add_date(w, "nextAttempt", attempt->next_attempt_at_ms);
    put_way(w, &attempt->way, topology);
    json_close_object(w);
}

/* Regions. */

static void put_digest(struct json_writer *w, const char *name, const struct region *region)
{
    char text[HEX_LEN(REGION_DIGEST_LEN) + 1];

    hex_encode(region->certificate_sha256, REGION_DIGEST_LEN, text);
    json_add_text(w, name, region->certificate_pem ? text : NULL);
}

/* What was never measured is null, not zero. */
static void put_measured(struct json_writer *w, const char *name, bool measured, int64_t value)
{
    json_name(w, name);
    if (measured)
        json_put_integer(w, value);
    else
        json_put_null(w);
}

void json_put_region(struct json_writer *w, const struct region *region,
                     const struct region_condition *condition, bool draining)
{
    bool measured = condition->rtt_us > 0;

    json_open_object(w);
    json_add_text(w, "name", region->name[0] ? region->name : NULL);
    json_add_integer(w, "ordinal", region->ordinal);
    json_name(w, "jurisdictions");
    json_open_array(w);
    for (size_t i = 0; i < region->jurisdictions.count; i++)
        json_put_text(w, region->jurisdictions.items[i]);
    json_close_array(w);
    put_degrees(w, "latitude", region->has_place, region->place.latitude);
    put_degrees(w, "longitude", region->has_place, region->place.longitude);
    json_add_text(w, "publicUrl", region->public_url);
    json_add_text(w, "linkUrl", region->link_url);
    put_digest(w, "certificateSha256", region);
    json_add_text(w, "state", region_state_name(condition->state));
    json_add_text(w, "reason", condition->reason[0] ? condition->reason : NULL);
    json_add_bool(w, "draining", draining);
    put_measured(w, "rttUs", measured, condition->rtt_us);
    put_measured(w, "clockOffsetUs", measured, condition->clock_offset_us);
    json_add_date(w, "heardAt", condition->heard_at_ms);
    json_close_object(w);
}

/* Headers. */

static bool is_sensitive(const char *name)
{
    static const char *const SENSITIVE[] = {
        "x-auth-token",  "x-api-key",          "www-authenticate",
        "authorization", "proxy-authenticate", "proxy-authorization",
    };

    for (size_t i = 0; i < COUNT(SENSITIVE); i++)
        if (strcasecmp(name, SENSITIVE[i]) == 0)
            return true;
    return false;
}

static void put_shown(const char *name, const struct json *value, void *ctx)
{
    struct json_writer *w = ctx;

    if (!is_sensitive(name))
        json_add_text(w, name, json_text(value));
}

static void put_hidden(const char *name, const struct json *value, void *ctx)
{
    (void)value;
    if (is_sensitive(name))
        json_put_text(ctx, name);
}

void json_put_endpoint_headers(struct json_writer *w, const struct json *headers)
{
    json_open_object(w);
    json_name(w, "headers");
    json_open_object(w);
    json_each(headers, put_shown, w);
    json_close_object(w);
    json_name(w, "sensitive");
    json_open_array(w);
    json_each(headers, put_hidden, w);
    json_close_array(w);
    json_close_object(w);
}

enum err json_error_body(const char *code, const char *detail, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_add_text(&w, "code", code);
    json_add_text(&w, "detail", detail);
    json_close_object(&w);
    return json_write_end(&w);
}
