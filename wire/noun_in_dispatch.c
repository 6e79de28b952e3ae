/* "targets", "dispatch" and "location" of an endpoint. */
#include "wire/noun_in.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/dispatch.h"
#include "core/number.h"
#include "wire/courier.h"
#include "wire/fields.h"

#define DEGREES_TEXT_MAX 32 /* bytes of a number's text; more is no place */

struct target_reader {
    struct endpoint *into;
    struct faults *faults;
    size_t count;
};

/* Whether the member sets what it stands for, which is unset before; `*out_value` NULL: to its
 * default. */
static bool is_given(const struct json *body, enum read_mode mode, const char *name,
                     const struct json **out_value)
{
    const struct json *value = json_member(body, name);

    *out_value = json_type_of(value) == SCAN_NULL ? NULL : value;
    return value || mode == READ_REPLACE;
}

static bool is_object(const struct json *value, const char *loc, struct faults *faults)
{
    if (!value)
        return false;
    if (json_type_of(value) == SCAN_OBJECT)
        return true;
    faults_add(faults, FAULT_JSON, loc, "an object is expected");
    return false;
}

/* Targets. */

/* The endpoint's own URL may be said once more. */
static void check_default(const struct target_reader *reader, const char *url, const char *loc)
{
    if (!reader->into->url || strcmp(reader->into->url, url) != 0)
        faults_add(reader->faults, FAULT_VALUE, loc,
                   "the default is the endpoint's own URL, which \"url\" gives");
}

static void take_target(struct target_reader *reader, const char *label, const char *loc,
                        const char *text)
{
    struct buf url = BUF_INIT(URL_LEN_MAX);
    const char *why = "is too long";

    if (courier_url(text, &url, &why))
        faults_add(reader->faults, FAULT_VALUE, loc, "%s", why);
    else if (strcmp(label, DISPATCH_DEFAULT) == 0)
        check_default(reader, buf_text(&url), loc);
    else
        dispatch_add_target(&reader->into->dispatch, label, buf_text(&url));
    buf_fini(&url);
}

static void read_target(const char *label, const struct json *value, void *ctx)
{
    struct target_reader *reader = ctx;
    const char *text = json_text(value);
    char loc[FAULT_LOC_MAX];

    if (reader->count++ >= DISPATCH_TARGETS_MAX)
        return;
    if (!region_name_is_valid(label)) {
        faults_add(reader->faults, FAULT_VALUE, "body/targets",
                   "a label is the name of a region or a jurisdiction");
        return;
    }
    snprintf(loc, sizeof loc, "body/targets/%s", label);
    if (text)
        take_target(reader, label, loc, text);
    else
        faults_add(reader->faults, FAULT_JSON, loc, "a string is expected");
}

static void read_targets(const struct json *body, enum read_mode mode, struct endpoint *into,
                         struct faults *faults)
{
    struct target_reader reader = { .into = into, .faults = faults };
    const struct json *value;

    if (!is_given(body, mode, "targets", &value))
        return;
    text_list_fini(&into->dispatch.targets);
    if (!is_object(value, "body/targets", faults))
        return;
    json_each(value, read_target, &reader);
    if (reader.count > DISPATCH_TARGETS_MAX)
        faults_add(faults, FAULT_VALUE, "body/targets", "at most %d labels are allowed",
                   DISPATCH_TARGETS_MAX);
}

/* Mode and pins. */

static void read_mode(const struct json *value, struct dispatch *into, struct faults *faults)
{
    const char *loc = "body/dispatch/mode", *text = json_text(value);

    if (!value || json_type_of(value) == SCAN_NULL)
        return;
    if (!text)
        faults_add(faults, FAULT_JSON, loc, "a string is expected");
    else if (!dispatch_mode_find(text, &into->mode))
        faults_add(faults, FAULT_VALUE, loc, "auto, home or pin is expected");
}

static void read_pins(const struct json *value, struct dispatch *into, struct faults *faults)
{
    const char *loc = "body/dispatch/regions";
    bool is_none = !value || json_type_of(value) == SCAN_NULL ||
                   (json_type_of(value) == SCAN_ARRAY && json_count(value) == 0);

    if (!is_none)
        read_names(value, loc, REGIONS_MAX, REGION_NAME_LEN_MAX, &into->regions, faults);
}

/* Regions without a mode are a pin. */
static void read_wish(const struct json *body, enum read_mode mode, struct dispatch *into,
                      struct faults *faults)
{
    const struct json *value;

    if (!is_given(body, mode, "dispatch", &value))
        return;
    into->mode = DISPATCH_AUTO;
    text_list_fini(&into->regions);
    if (!is_object(value, "body/dispatch", faults))
        return;
    read_pins(json_member(value, "regions"), into, faults);
    if (into->regions.count > 0)
        into->mode = DISPATCH_PIN;
    read_mode(json_member(value, "mode"), into, faults);
}

/* Location. */

static bool read_degrees(const struct json *location, const char *name, double most,
                         int32_t *out, struct faults *faults)
{
    const struct json *value = json_member(location, name);
    struct buf text = BUF_INIT(DEGREES_TEXT_MAX);
    char loc[FAULT_LOC_MAX];
    double degrees = 0;

    snprintf(loc, sizeof loc, "body/location/%s", name);
    bool is_good = json_type_of(value) == SCAN_NUMBER &&
                   json_dump(value, false, &text) == ERR_OK &&
                   number_parse_degrees(buf_text(&text), most, &degrees);
    if (is_good)
        *out = (int32_t)lround(degrees * LOCATION_DEGREE);
    else
        faults_add(faults, json_type_of(value) == SCAN_NUMBER ? FAULT_VALUE : FAULT_JSON, loc,
                   "degrees from -%.0f to %.0f are expected", most, most);
    buf_fini(&text);
    return is_good;
}

static void read_location(const struct json *body, enum read_mode mode, struct location *into,
                          struct faults *faults)
{
    struct location location = { .known = true };
    const struct json *value;

    if (!is_given(body, mode, "location", &value))
        return;
    *into = (struct location){ .known = false };
    if (!is_object(value, "body/location", faults))
        return;
    bool has_latitude = read_degrees(value, "latitude", 90, &location.latitude, faults);
    if (read_degrees(value, "longitude", 180, &location.longitude, faults) && has_latitude)
        *into = location;
}

void read_dispatch(const struct json *body, enum read_mode mode, struct endpoint *into,
                   struct faults *faults)
{
    if (json_type_of(body) != SCAN_OBJECT)
        return;
    read_targets(body, mode, into, faults);
    read_wish(body, mode, &into->dispatch, faults);
    read_location(body, mode, &into->dispatch.location, faults);
}
