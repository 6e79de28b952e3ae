#include "wire/noun_in.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "wire/fields.h"

#define CHANNELS_MAX       5
#define TAGS_MAX           10
#define RETENTION_DAYS_MIN 5
#define RETENTION_DAYS_MAX (PAYLOAD_HOURS_MAX / DAY_HOURS)
#define DAY_HOURS          24

/* The longest text that can still be a name: quotes, and each character an escape. */
#define NAME_TEXT_MAX (2 + 6 * NAME_LEN_MAX)

static const struct text_rule EVENT_TYPE = { .form = TEXT_NAME,
                                             .max = NAME_LEN_MAX,
                                             .required = true };
static const struct text_rule EVENT_ID = { .form = TEXT_NAME,
                                           .max = NAME_LEN_MAX,
                                           .not_prefix = "msg_" };

static bool is_absent(const struct scan_member *member)
{
    return member->type == SCAN_NONE || member->type == SCAN_NULL;
}

static char *read_name(const struct scan_member *member, const char *loc,
                       const struct text_rule *rule, struct faults *faults)
{
    char name[NAME_TEXT_MAX + 1];
    size_t len = member->len;

    if (is_absent(member) && !rule->required)
        return NULL;
    if (member->type == SCAN_NONE) {
        faults_add(faults, FAULT_VALUE, loc, "field required");
        return NULL;
    }
    if (member->type != SCAN_STRING) {
        faults_add(faults, FAULT_JSON, loc, "a string is expected");
        return NULL;
    }
    if (member->len <= NAME_TEXT_MAX) {
        len = scan_unescape(member->at, member->len, (uint8_t *)name);
        name[len] = '\0';
    } else {
        name[0] = '\0';
    }
    return text_fits(rule, loc, name, len, faults) ? xmemdup(name, len) : NULL;
}

static void read_list(const struct scan_member *member, const char *loc, size_t count_max,
                      struct text_list *into, struct faults *faults)
{
    struct scan_fault fault;
    struct json *tree;

    if (is_absent(member))
        return;
    if (json_parse(member->at, member->len, &tree, &fault) != ERR_OK) {
        faults_add(faults, FAULT_JSON, loc, "%s", fault.why);
        return;
    }
    read_names(tree, loc, count_max, CHANNEL_LEN_MAX, into, faults);
    json_free(tree);
}

/* 0 with a fault. */
static uint32_t read_whole(const struct scan_member *member, const char *loc, uint32_t least,
                           uint32_t most, struct faults *faults)
{
    uint32_t number = 0;

    if (member->type != SCAN_NUMBER) {
        faults_add(faults, FAULT_JSON, loc, "an integer is expected");
        return 0;
    }
    for (size_t i = 0; i < member->len && number <= most; i++) {
        if (member->at[i] < '0' || member->at[i] > '9')
            number = UINT32_MAX;
        else
            number = number * 10 + member->at[i] - '0';
    }
    if (number < least || number > most) {
        faults_add(faults, FAULT_VALUE, loc, "an integer from %u to %u is expected", least,
                   most);
        return 0;
    }
    return number;
}

/* In hours, whichever way it is said. */
static uint32_t read_retention(const struct scan_member *period,
                               const struct scan_member *hours, struct faults *faults)
{
    if (!is_absent(period) && !is_absent(hours))
        faults_add(faults, FAULT_VALUE, "body/payloadRetentionHours",
                   "payloadRetentionPeriod says so already");
    if (!is_absent(hours))
        return read_whole(hours, "body/payloadRetentionHours", 1, PAYLOAD_HOURS_MAX, faults);
    if (!is_absent(period))
        return read_whole(period, "body/payloadRetentionPeriod", RETENTION_DAYS_MIN,
                          RETENTION_DAYS_MAX, faults) *
               DAY_HOURS;
    return PAYLOAD_HOURS_MAX;
}

/* `data` is another name of `payload`. */
static void read_payload(const struct scan_member *payload, const struct scan_member *data,
                         struct message_in *into, struct faults *faults)
{
    const struct scan_member *given = payload->type == SCAN_NONE ? data : payload;

    if (given->type == SCAN_NONE)
        faults_add(faults, FAULT_VALUE, "body/payload", "field required");
    else if (given == payload && data->type != SCAN_NONE)
        faults_add(faults, FAULT_VALUE, "body/data", "the payload is given twice");
    else if (given->type != SCAN_OBJECT)
        faults_add(faults, FAULT_JSON, "body/payload", "an object is expected");
    into->payload = given->at;
    into->payload_len = given->len;
}

/* A raw payload is delivered in place of the other. The body's limit bounds it. */
static void read_raw_payload(const struct scan_member *parameters, struct message_in *into,
                             struct faults *faults)
{
    struct scan_member raw = { .name = "rawPayload" };
    enum scan_type type;
    struct scan_fault fault;

    if (is_absent(parameters))
        return;
    if (scan_json(parameters->at, parameters->len, &raw, 1, &type, &fault) != ERR_OK) {
        faults_add(faults, FAULT_JSON, "body/transformationsParams", "%s", fault.why);
        return;
    }
    if (type != SCAN_OBJECT)
        faults_add(faults, FAULT_JSON, "body/transformationsParams", "an object is expected");
    if (is_absent(&raw))
        return;
    if (raw.type != SCAN_STRING) {
        faults_add(faults, FAULT_JSON, "body/transformationsParams/rawPayload",
                   "a string is expected");
        return;
    }
    into->raw_payload.data = xcalloc(raw.len, 1);
    into->raw_payload.len = scan_unescape(raw.at, raw.len, into->raw_payload.data);
    if (into->raw_payload.len == 0)
        faults_add(faults, FAULT_VALUE, "body/transformationsParams/rawPayload",
                   "a string that isn't empty is expected");
    into->payload = into->raw_payload.data;
    into->payload_len = into->raw_payload.len;
}

void read_message(const void *body, size_t len, struct message_in *into, struct faults *faults)
{
    enum { TYPE, ID, PAYLOAD, DATA, CHANNELS, TAGS, PERIOD, HOURS, PARAMETERS, COUNT };
    struct scan_member members[COUNT] = {
        [TYPE] = { .name = "eventType" },
        [ID] = { .name = "eventId" },
        [PAYLOAD] = { .name = "payload" },
        [DATA] = { .name = "data" },
        [CHANNELS] = { .name = "channels" },
        [TAGS] = { .name = "tags" },
        [PERIOD] = { .name = "payloadRetentionPeriod" },
        [HOURS] = { .name = "payloadRetentionHours" },
        [PARAMETERS] = { .name = "transformationsParams" },
    };
    enum scan_type type;
    struct scan_fault fault;

    *into = (struct message_in){ 0 };
    if (scan_json(body, len, members, COUNT, &type, &fault) != ERR_OK) {
        faults_add_scan(faults, &fault);
        return;
    }
    if (type != SCAN_OBJECT) {
        faults_add(faults, FAULT_JSON, "body", "an object is expected");
        return;
    }
    into->event_type = read_name(&members[TYPE], "body/eventType", &EVENT_TYPE, faults);
    into->event_id = read_name(&members[ID], "body/eventId", &EVENT_ID, faults);
    read_payload(&members[PAYLOAD], &members[DATA], into, faults);
    read_list(&members[CHANNELS], "body/channels", CHANNELS_MAX, &into->channels, faults);
    read_list(&members[TAGS], "body/tags", TAGS_MAX, &into->tags, faults);
    into->retention_hours = read_retention(&members[PERIOD], &members[HOURS], faults);
    read_raw_payload(&members[PARAMETERS], into, faults);
}

void message_in_fini(struct message_in *m)
{
    free(m->event_type);
    free(m->event_id);
    text_list_fini(&m->channels);
    text_list_fini(&m->tags);
    bytes_fini(&m->raw_payload);
    *m = (struct message_in){ 0 };
}

void read_precheck(const struct json *body, struct precheck_in *into, struct faults *faults)
{
    struct fields f;

    *into = (struct precheck_in){ 0 };
    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return;
    field_text(&f, "eventType", &EVENT_TYPE, &into->event_type);
    field_names(&f, "channels", CHANNELS_MAX, CHANNEL_LEN_MAX, &into->channels);
}

void precheck_in_fini(struct precheck_in *p)
{
    free(p->event_type);
    text_list_fini(&p->channels);
}

void read_example(const struct json *body, struct message_in *into, uint32_t *out_index,
                  struct faults *faults)
{
    struct fields f;

    *into = (struct message_in){ .retention_hours = PAYLOAD_HOURS_MAX };
    *out_index = 0;
    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return;
    field_text(&f, "eventType", &EVENT_TYPE, &into->event_type);
    field_number(&f, "exampleIndex", 0, EXAMPLE_INDEX_MAX, out_index);
}

void read_bulk_expunge(const struct json *body, struct text_list *into, struct faults *faults)
{
    struct fields f;

    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return;
    if (!json_member(body, "ids"))
        faults_add(faults, FAULT_VALUE, "body/ids", "field required");
    else
        read_names(json_member(body, "ids"), "body/ids", BULK_EXPUNGE_MAX, NAME_LEN_MAX, into,
                   faults);
}
