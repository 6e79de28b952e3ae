/* What is said of an application's tokens. */
#include "wire/noun_in.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/fields.h"

#define EXPIRY_MAX_S       (28 * 86400)
#define GRACE_MAX_S        (7 * 86400)
#define FLAGS_MAX          32
#define CAPABILITIES_MAX   16
#define CAPABILITY_LEN_MAX 64
#define SESSIONS_MAX       32

/* Whatever its maker likes: it is only ever compared. */
static const struct text_rule SESSION = { .form = TEXT_PROSE, .max = 256 };

static bool is_null(const struct json *value)
{
    return !value || json_type_of(value) == SCAN_NULL;
}

/* An empty list is none. */
static void read_list(const struct fields *f, const char *name, size_t count_max,
                      size_t len_max, struct text_list *into)
{
    const struct json *value = json_member(f->body, name);

    if (json_type_of(value) != SCAN_ARRAY || json_count(value) > 0)
        field_names(f, name, count_max, len_max, into);
}

void read_portal(const struct json *body, struct portal_in *into, struct faults *faults)
{
    struct fields f;

    *into = (struct portal_in){ .expiry_s = EXPIRY_MAX_S };
    if (!body || !fields_begin(&f, body, READ_PATCH, faults))
        return;
    if (!is_null(json_member(body, "expiry")))
        field_number(&f, "expiry", 1, EXPIRY_MAX_S, &into->expiry_s);
    if (!is_null(json_member(body, "readOnly")))
        field_bool(&f, "readOnly", &into->is_read_only);
    into->has_capabilities = !is_null(json_member(body, "capabilities"));
    read_list(&f, "capabilities", CAPABILITIES_MAX, CAPABILITY_LEN_MAX, &into->capabilities);
    read_list(&f, "featureFlags", FLAGS_MAX, NAME_LEN_MAX, &into->feature_flags);
    field_text(&f, "sessionId", &SESSION, &into->session);
}

void portal_in_fini(struct portal_in *p)
{
    text_list_fini(&p->capabilities);
    text_list_fini(&p->feature_flags);
    free(p->session);
    *p = (struct portal_in){ 0 };
}

static void read_sessions(const struct json *list, struct text_list *into,
                          struct faults *faults)
{
    char loc[FAULT_LOC_MAX];

    if (is_null(list))
        return;
    if (json_type_of(list) != SCAN_ARRAY) {
        faults_add(faults, FAULT_JSON, "body/sessionIds", "an array of strings is expected");
        return;
    }
    if (json_count(list) > SESSIONS_MAX) {
        faults_add(faults, FAULT_VALUE, "body/sessionIds", "at most %d items are expected",
                   SESSIONS_MAX);
        return;
    }
    for (size_t i = 0; i < json_count(list); i++) {
        const char *text = json_text(json_at(list, i));
        snprintf(loc, sizeof loc, "body/sessionIds/%zu", i);
        if (!text)
            faults_add(faults, FAULT_JSON, loc, "a string is expected");
        else if (text_fits(&SESSION, loc, text, strlen(text), faults))
            text_list_add(into, text, strlen(text));
    }
}

void read_expiry(const struct json *body, struct expiry_in *into, struct faults *faults)
{
    struct fields f;

    *into = (struct expiry_in){ 0 };
    if (!body || !fields_begin(&f, body, READ_PATCH, faults))
        return;
    if (!is_null(json_member(body, "expiry")))
        field_number(&f, "expiry", 0, GRACE_MAX_S, &into->grace_s);
    read_sessions(json_member(body, "sessionIds"), &into->sessions, faults);
}

void expiry_in_fini(struct expiry_in *e)
{
    text_list_fini(&e->sessions);
}
