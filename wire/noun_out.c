#include "wire/noun_out.h"

#include <string.h>
#include <strings.h>

#include "core/count.h"
#include "core/dispatch.h"
#include "core/hex.h"
#include "core/number.h"
#include "core/residency.h"

void json_put_id(struct json_writer *w, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    json_put_text(w, text);
}

void json_add_id(struct json_writer *w, const char *name, enum id_kind kind,
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

void json_add_list(struct json_writer *w, const char *name, const struct text_list *list)
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
    json_add_id(w, "id", ID_APPLICATION, &application->base.id);
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
    json_add_list(w, "regions", &dispatch->regions);
    json_close_object(w);
    put_location(w, &dispatch->location);
}

/* What stands before an endpoint's metadata, and behind. */
static void put_endpoint_head(struct json_writer *w, const struct endpoint *endpoint)
{
    json_add_id(w, "id", ID_ENDPOINT, &endpoint->base.id);
    json_add_text(w, "uid", endpoint->uid);
    json_add_text(w, "url", endpoint->url);
    json_add_text(w, "description", endpoint->description ? endpoint->description : "");
    json_add_bool(w, "disabled", endpoint->disabled);
    json_add_integer(w, "version", 1);
    json_add_list(w, "eventTypes", &endpoint->event_types);
    json_add_list(w, "filterTypes", &endpoint->event_types);
    json_add_list(w, "channels", &endpoint->channels);
    put_throttle_rate(w, endpoint->throttle_rate);
}

static void put_endpoint_tail(struct json_writer *w, const struct endpoint *endpoint,
                              const struct topology *topology)
{
    if (!topology_is_single(topology))
        put_dispatch(w, &endpoint->dispatch);
    put_dates(w, &endpoint->base);
}

void json_put_endpoint(struct json_writer *w, const struct endpoint *endpoint,
                       const struct topology *topology)
{
    json_open_object(w);
    put_endpoint_head(w, endpoint);
    put_stored(w, "metadata", endpoint->metadata, "{}");
    put_endpoint_tail(w, endpoint, topology);
    json_close_object(w);
}

void json_put_destination(struct json_writer *w, const struct endpoint *endpoint,
                          const struct delivery_outcome *outcome,
                          const struct topology *topology)
{
    json_open_object(w);
    put_endpoint_head(w, endpoint);
    put_endpoint_tail(w, endpoint, topology);
    json_add_outcome(w, outcome);
    json_close_object(w);
}

static void put_event_type_head(struct json_writer *w, const struct event_type *type)
{
    json_add_text(w, "name", type->name);
    json_add_text(w, "description", type->description ? type->description : "");
    json_add_bool(w, "deprecated", type->deprecated);
    json_add_text(w, "featureFlag",
                  type->feature_flags.count > 0 ? type->feature_flags.items[0] : NULL);
    json_add_list(w, "featureFlags", &type->feature_flags);
    json_add_text(w, "groupName", type->group_name);
}

void json_put_event_type(struct json_writer *w, const struct event_type *type,
                         bool with_content)
{
    json_open_object(w);
    put_event_type_head(w, type);
    json_add_bool(w, "archived", type->archived);
    put_stored(w, "schemas", with_content ? type->schemas : NULL, "null");
    put_dates(w, &type->base);
    json_close_object(w);
}

void json_put_planned_event_type(struct json_writer *w, const struct event_type *type)
{
    json_open_object(w);
    put_event_type_head(w, type);
    put_stored(w, "schemas", type->schemas, "null");
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
