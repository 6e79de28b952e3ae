/* What is to be recovered or replayed. */
#include "wire/noun_in.h"

#include <stdio.h>

#include "core/clock.h"
#include "wire/fields.h"

#define RECOVER_MAX_MS  (UINT64_C(14) * 24 * 60 * 60 * 1000)
#define EVENT_TYPES_MAX 64

/* `*into` stays when it is absent or null, unless it is required. */
static void read_instant(const struct json *body, const char *name, bool required,
                         uint64_t *into, struct faults *faults)
{
    const struct json *value = json_member(body, name);
    const char *text = json_text(value);
    char loc[FAULT_LOC_MAX];

    snprintf(loc, sizeof loc, "body/%s", name);
    if (!value || json_type_of(value) == SCAN_NULL) {
        if (required)
            faults_add(faults, FAULT_VALUE, loc, "field required");
    } else if (!text) {
        faults_add(faults, FAULT_JSON, loc, "a string is expected");
    } else if (clock_parse(text, into)) {
        faults_add(faults, FAULT_VALUE, loc,
                   "an instant such as 2026-11-24T02:57:36Z is expected");
    }
}

/* It ends now unless it is said to end before. */
static void read_window(const struct json *body, uint64_t now_ms, struct background_task *into,
                        struct faults *faults)
{
    into->until_ms = now_ms;
    read_instant(body, "since", true, &into->since_ms, faults);
    read_instant(body, "until", false, &into->until_ms, faults);
    if (into->until_ms > now_ms)
        into->until_ms = now_ms;
}

static void check_window(const struct background_task *task, uint64_t now_ms,
                         struct faults *faults)
{
    if (task->since_ms >= now_ms)
        faults_add(faults, FAULT_VALUE, "body/since", "must be in the past");
    else if (task->until_ms <= task->since_ms)
        faults_add(faults, FAULT_VALUE, "body/until", "must be after since");
    else if (task->kind == BACKGROUND_RECOVER && now_ms - task->since_ms > RECOVER_MAX_MS)
        faults_add(faults, FAULT_VALUE, "body/since", "must be in the last 14 days");
}

/* Absent or null: any. */
static bool read_choice(const struct json *body, const char *name, int64_t step, int64_t most,
                        unsigned *out, struct faults *faults)
{
    const struct json *value = json_member(body, name);
    char loc[FAULT_LOC_MAX];
    int64_t number;

    if (!value || json_type_of(value) == SCAN_NULL)
        return false;
    snprintf(loc, sizeof loc, "body/%s", name);
    if (!json_int64(value, &number))
        faults_add(faults, FAULT_JSON, loc, "an integer is expected");
    else if (number < 0 || number > most || number % step != 0)
        faults_add(faults, FAULT_VALUE, loc, "must be one of 0, %d, … %d", (int)step,
                   (int)most);
    else
        *out = (unsigned)number;
    return true;
}

static void read_narrowing(const struct fields *f, struct background_task *into)
{
    static const struct text_rule NAME = { .form = TEXT_NAME, .max = CHANNEL_LEN_MAX };
    unsigned status = 0;

    field_names(f, "eventTypes", EVENT_TYPES_MAX, NAME_LEN_MAX, &into->event_types);
    field_text(f, "channel", &NAME, &into->channel);
    field_text(f, "tag", &NAME, &into->tag);
    into->has_status = read_choice(f->body, "status", 1, ATTEMPT_SENDING, &status, f->faults);
    into->message_status = (enum attempt_status)status;
    into->has_status_class =
        read_choice(f->body, "statusCodeClass", 100, 500, &into->status_class, f->faults);
}

void read_background(const struct json *body, uint64_t now_ms, struct background_task *into,
                     struct faults *faults)
{
    struct fields f;

    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return;
    read_window(body, now_ms, into, faults);
    field_bool(&f, "dryRun", &into->dry_run);
    if (into->kind == BACKGROUND_BULK_REPLAY)
        read_narrowing(&f, into);
    if (faults->count == 0)
        check_window(into, now_ms, faults);
}

void read_usage(const struct json *body, uint64_t now_ms, struct background_task *into,
                struct text_list *out_ids, struct faults *faults)
{
    struct fields f;

    if (!fields_begin(&f, body, READ_REPLACE, faults))
        return;
    read_window(body, now_ms, into, faults);
    field_names(&f, "appIds", USAGE_IDS_MAX, NAME_LEN_MAX, out_ids);
    if (faults->count == 0)
        check_window(into, now_ms, faults);
}
