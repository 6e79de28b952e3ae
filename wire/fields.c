#include "wire/fields.h"

#include <stdio.h>
#include <string.h>

#include "core/mem.h"

bool fields_begin(struct fields *f, const struct json *body, enum read_mode mode,
                  struct faults *faults)
{
    *f = (struct fields){ .body = body, .mode = mode, .faults = faults };
    if (json_type_of(body) == SCAN_OBJECT)
        return true;
    faults_add(faults, FAULT_JSON, "body", "an object is expected");
    return false;
}

static bool is_absent(const struct json *value)
{
    return json_type_of(value) == SCAN_NONE || json_type_of(value) == SCAN_NULL;
}

/* Whether the field must be set; `*out_loc` is where it is. */
static bool is_given(const struct fields *f, const char *name, const struct json **out_value,
                     char out_loc[FAULT_LOC_MAX])
{
    snprintf(out_loc, FAULT_LOC_MAX, "body/%s", name);
    *out_value = json_member(f->body, name);
    return *out_value || f->mode == READ_REPLACE;
}

/* Text. */

/* On the path of each message, where isalnum() would ask the locale and strspn() make a table. */
static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_' || c == '.';
}

bool name_is_valid(const char *text, size_t max)
{
    size_t len = 0;

    while (len <= max && is_name_char(text[len]))
        len++;
    return len > 0 && len <= max && text[len] == '\0';
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] <= 0x08)
            return true;
    return false;
}

bool text_fits(const struct text_rule *rule, const char *loc, const char *text, size_t len,
               struct faults *faults)
{
    bool is_text = strlen(text) == len;

    if (len == 0 && rule->required)
        faults_add(faults, FAULT_VALUE, loc, "must not be empty");
    else if (len > rule->max)
        faults_add(faults, FAULT_VALUE, loc, "at most %zu bytes are allowed", rule->max);
    else if (rule->form == TEXT_PROSE && has_control(text, len))
        faults_add(faults, FAULT_VALUE, loc, "control characters aren't allowed");
    else if (rule->form == TEXT_NAME && !(is_text && name_is_valid(text, rule->max)))
        faults_add(faults, FAULT_VALUE, loc,
                   "1 to %zu characters of a-z, A-Z, 0-9, '-', '_' and '.' are expected",
                   rule->max);
    else if (rule->not_prefix && strncmp(text, rule->not_prefix, strlen(rule->not_prefix)) == 0)
        faults_add(faults, FAULT_VALUE, loc, "must not begin with \"%s\"", rule->not_prefix);
    else
        return true;
    return false;
}

void field_text(const struct fields *f, const char *name, const struct text_rule *rule,
                char **into)
{
    const struct json *value;
    char loc[FAULT_LOC_MAX];

    if (!is_given(f, name, &value, loc))
        return;
    if (!value && rule->required) {
        faults_add(f->faults, FAULT_VALUE, loc, "field required");
        return;
    }

    const char *text = rule->fallback;
    if (rule->required || !is_absent(value)) {
        text = json_text(value);
        if (!text) {
            faults_add(f->faults, FAULT_JSON, loc, "a string is expected");
            return;
        }
        if (!text_fits(rule, loc, text, strlen(text), f->faults))
            return;
    }
    free(*into);
    *into = xstrdup(text);
}

/* Flags and numbers. */

void field_bool(const struct fields *f, const char *name, bool *into)
{
    const struct json *value;
    char loc[FAULT_LOC_MAX];

    if (!is_given(f, name, &value, loc))
        return;

    enum scan_type type = json_type_of(value);
    if (type == SCAN_NONE || type == SCAN_TRUE || type == SCAN_FALSE)
        *into = json_bool(value);
    else
        faults_add(f->faults, FAULT_JSON, loc, "true or false is expected");
}

void field_number(const struct fields *f, const char *name, int64_t min, int64_t max,
                  uint32_t *into)
{
    const struct json *value;
    char loc[FAULT_LOC_MAX];
    int64_t number = 0;

    if (!is_given(f, name, &value, loc))
        return;
    if (is_absent(value))
        *into = 0;
    else if (json_type_of(value) != SCAN_NUMBER)
        faults_add(f->faults, FAULT_JSON, loc, "an integer is expected");
    else if (!json_int64(value, &number) || number < min || number > max)
        faults_add(f->faults, FAULT_VALUE, loc, "an integer from %lld to %lld is expected",
                   (long long)min, (long long)max);
    else
        *into = (uint32_t)number;
}

/* Lists. */

void read_names(const struct json *value, const char *loc, size_t count_max, size_t len_max,
                struct text_list *into, struct faults *faults)
{
    const struct text_rule rule = { .form = TEXT_NAME, .max = len_max };

    if (json_type_of(value) != SCAN_ARRAY) {
        faults_add(faults, FAULT_JSON, loc, "an array of strings is expected");
        return;
    }
    if (json_count(value) < 1 || json_count(value) > count_max) {
        faults_add(faults, FAULT_VALUE, loc, "1 to %zu items are expected", count_max);
        return;
    }
    for (size_t i = 0; i < json_count(value); i++) {
        const char *text = json_text(json_at(value, i));
        char item_loc[FAULT_LOC_MAX];
        snprintf(item_loc, sizeof item_loc, "%s/%zu", loc, i);
        if (!text)
            faults_add(faults, FAULT_JSON, item_loc, "a string is expected");
        else if (text_fits(&rule, item_loc, text, strlen(text), faults) &&
                 !text_list_has(into, text))
            text_list_add(into, text, strlen(text));
    }
}

void field_names(const struct fields *f, const char *name, size_t count_max, size_t len_max,
                 struct text_list *into)
{
    const struct json *value;
    char loc[FAULT_LOC_MAX];

    if (!is_given(f, name, &value, loc))
        return;
    text_list_fini(into);
    if (!is_absent(value))
        read_names(value, loc, count_max, len_max, into, f->faults);
}

/* Objects. */

struct text_check {
    const char *loc;
    struct faults *faults;
};

static void check_is_text(const char *name, const struct json *value, void *ctx)
{
    const struct text_check *check = ctx;
    char loc[FAULT_LOC_MAX];

    snprintf(loc, sizeof loc, "%s/%s", check->loc, name);
    if (!json_text(value))
        faults_add(check->faults, FAULT_JSON, loc, "a string is expected");
}

void field_object(const struct fields *f, const char *name, size_t max, bool of_text,
                  const char *fallback, char **into)
{
    const struct json *value;
    char loc[FAULT_LOC_MAX];
    struct buf text = BUF_INIT(max);
    enum err err;

    if (!is_given(f, name, &value, loc))
        return;
    if (!is_absent(value) && json_type_of(value) != SCAN_OBJECT) {
        faults_add(f->faults, FAULT_JSON, loc, "an object is expected");
        return;
    }
    if (of_text)
        json_each(value, check_is_text, &(struct text_check){ loc, f->faults });
    err = is_absent(value) ? ERR_OK : json_dump(value, false, &text);
    if (err) {
        faults_add(f->faults, FAULT_VALUE, loc, "at most %zu bytes are allowed", max);
    } else {
        free(*into);
        *into = xstrdup(is_absent(value) ? fallback : buf_text(&text));
    }
    buf_fini(&text);
}
