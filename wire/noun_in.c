#include "wire/noun_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/courier.h"
#include "wire/fields.h"

/* Objects live in every loop's catalog, so all of their texts are bounded. */
#define LABEL_LEN_MAX       1024
#define DESCRIPTION_LEN_MAX 16384
#define SCHEMAS_LEN_MAX     262144
#define METADATA_LEN_MAX    4096
#define EVENT_TYPES_MAX     1000
#define CHANNELS_MAX        10
#define FEATURE_FLAGS_MAX   50
#define THROTTLE_RATE_MAX   65535
#define GRACE_DEFAULT_S     86400
#define GRACE_MAX_S         604800

static const struct text_rule LABEL = { .form = TEXT_PROSE,
                                        .max = LABEL_LEN_MAX,
                                        .required = true };
static const struct text_rule DESCRIPTION = { .form = TEXT_PROSE,
                                              .max = DESCRIPTION_LEN_MAX,
                                              .fallback = "" };
static const struct text_rule APPLICATION_UID = { .form = TEXT_NAME,
                                                  .max = NAME_LEN_MAX,
                                                  .not_prefix = "app_" };
static const struct text_rule ENDPOINT_UID = { .form = TEXT_NAME,
                                               .max = NAME_LEN_MAX,
                                               .not_prefix = "ep_" };
static const struct text_rule EVENT_TYPE_NAME = { .form = TEXT_NAME,
                                                  .max = NAME_LEN_MAX,
                                                  .required = true };
static const struct text_rule GROUP_NAME = { .form = TEXT_NAME, .max = NAME_LEN_MAX };
static const struct text_rule FEATURE_FLAG = { .form = TEXT_NAME, .max = NAME_LEN_MAX };
static const struct text_rule URL = { .form = TEXT_UNCHECKED,
                                      .max = LABEL_LEN_MAX * 2,
                                      .required = true };

/* Two names for one field, as the clients' generations have it: the newer one wins. */
static const char *newer_of(const struct json *body, const char *newer, const char *older)
{
    return !json_member(body, newer) && json_member(body, older) ? older : newer;
}

static void field_throttle_rate(const struct fields *f, uint32_t *into)
{
    const char *name = newer_of(f->body, "throttleRate", "rateLimit");

    field_number(f, name, 1, THROTTLE_RATE_MAX, into);
}

void read_application(const struct json *body, enum read_mode mode, struct application *into,
                      struct faults *faults)
{
    struct fields f;

    if (!fields_begin(&f, body, mode, faults))
        return;
    field_text(&f, "name", &LABEL, &into->name);
    field_text(&f, "uid", &APPLICATION_UID, &into->uid);
    field_throttle_rate(&f, &into->throttle_rate);
    field_object(&f, "metadata", METADATA_LEN_MAX, true, "{}", &into->metadata);
}

static void read_wish(const struct json *residency, enum residency_field field,
                      const char **into, struct faults *faults)
{
    const struct json *value = json_member(residency, residency_field_name(field));
    char loc[FAULT_LOC_MAX];

    *into = json_text(value);
    if (*into || !value || json_type_of(value) == SCAN_NULL)
        return;
    snprintf(loc, sizeof loc, "body/residency/%s", residency_field_name(field));
    faults_add(faults, FAULT_JSON, loc, "a string is expected");
}

void read_residency(const struct json *body, struct residency_wish *into, struct faults *faults)
{
    const struct json *residency = json_member(body, "residency");

    *into = (struct residency_wish){ 0 };
    if (!residency || json_type_of(residency) == SCAN_NULL)
        return;
    if (json_type_of(residency) != SCAN_OBJECT) {
        faults_add(faults, FAULT_JSON, "body/residency", "an object is expected");
        return;
    }
    read_wish(residency, RESIDENCY_FIELD_JURISDICTION, &into->jurisdiction, faults);
    read_wish(residency, RESIDENCY_FIELD_HOME, &into->home, faults);
    read_wish(residency, RESIDENCY_FIELD_MODE, &into->mode, faults);
    read_wish(residency, RESIDENCY_FIELD_FAILOVER, &into->failover, faults);
}

/* One flag as the older name has it, or several. */
static void field_feature_flags(const struct fields *f, struct text_list *into)
{
    const char *name = newer_of(f->body, "featureFlags", "featureFlag");
    char *flag = NULL;

    if (strcmp(name, "featureFlags") == 0) {
        field_names(f, name, FEATURE_FLAGS_MAX, NAME_LEN_MAX, into);
        return;
    }
    field_text(f, name, &FEATURE_FLAG, &flag);
    text_list_fini(into);
    if (flag)
        text_list_add(into, flag, strlen(flag));
    free(flag);
}

void read_event_type(const struct json *body, enum read_mode mode, struct event_type *into,
                     struct faults *faults)
{
    struct fields f;

    if (!fields_begin(&f, body, mode, faults))
        return;
    if (!into->name)
        field_text(&f, "name", &EVENT_TYPE_NAME, &into->name);
    field_text(&f, "description", &DESCRIPTION, &into->description);
    field_bool(&f, "archived", &into->archived);
    field_bool(&f, "deprecated", &into->deprecated);
    field_object(&f, "schemas", SCHEMAS_LEN_MAX, false, NULL, &into->schemas);
    field_feature_flags(&f, &into->feature_flags);
    field_text(&f, "groupName", &GROUP_NAME, &into->group_name);
}

static void read_extras(const struct fields *f, struct endpoint_extras *into)
{
    const struct json *secret = json_member(f->body, "secret");
    const struct json *headers = json_member(f->body, "headers");

    *into = (struct endpoint_extras){ .secret = json_text(secret) };
    if (secret && !into->secret && json_type_of(secret) != SCAN_NULL)
        faults_add(f->faults, FAULT_JSON, "body/secret", "a string is expected");
    if (headers && json_type_of(headers) != SCAN_NULL) {
        into->has_headers = true;
        read_endpoint_headers(f->body, READ_REPLACE, NULL, &into->headers, f->faults);
    }
}

void read_endpoint(const struct json *body, enum read_mode mode, struct endpoint *into,
                   struct endpoint_extras *extras, struct faults *faults)
{
    struct fields f;

    *extras = (struct endpoint_extras){ 0 };
    if (!fields_begin(&f, body, mode, faults))
        return;

    const char *event_types = newer_of(body, "eventTypes", "filterTypes");
    field_text(&f, "url", &URL, &into->url);
    field_text(&f, "description", &DESCRIPTION, &into->description);
    field_text(&f, "uid", &ENDPOINT_UID, &into->uid);
    field_bool(&f, "disabled", &into->disabled);
    field_throttle_rate(&f, &into->throttle_rate);
    field_names(&f, event_types, EVENT_TYPES_MAX, NAME_LEN_MAX, &into->event_types);
    field_names(&f, "channels", CHANNELS_MAX, CHANNEL_LEN_MAX, &into->channels);
    field_object(&f, "metadata", METADATA_LEN_MAX, true, "{}", &into->metadata);
    read_extras(&f, extras);
}

void endpoint_extras_fini(struct endpoint_extras *extras)
{
    free(extras->headers);
    *extras = (struct endpoint_extras){ 0 };
}

void read_rotation(const struct json *body, struct rotation_in *into, struct faults *faults)
{
    struct fields f;
    enum read_mode mode = READ_PATCH; /* an absent period keeps the default */

    *into = (struct rotation_in){ .grace_s = GRACE_DEFAULT_S };
    if (!body || !fields_begin(&f, body, mode, faults))
        return;

    const struct json *key = json_member(body, "key");
    into->key = json_text(key);
    if (key && !into->key && json_type_of(key) != SCAN_NULL)
        faults_add(faults, FAULT_JSON, "body/key", "a string is expected");
    if (json_type_of(json_member(body, "gracePeriodSeconds")) != SCAN_NULL)
        field_number(&f, "gracePeriodSeconds", 0, GRACE_MAX_S, &into->grace_s);
}
