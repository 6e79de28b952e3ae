#include "core/setting.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "core/mem.h"
#include "core/number.h"

const struct setting *setting_find(const char *key)
{
    for (size_t i = 0; i < setting_count; i++)
        if (strcmp(settings[i].key, key) == 0)
            return &settings[i];
    return NULL;
}

const struct setting *setting_find_flag(const char *flag)
{
    for (size_t i = 0; i < setting_count; i++)
        if (settings[i].flag && strcmp(settings[i].flag, flag) == 0)
            return &settings[i];
    return NULL;
}

bool setting_is_section(const char *key)
{
    size_t len = strlen(key);

    for (size_t i = 0; i < setting_count; i++)
        if (strncmp(settings[i].key, key, len) == 0 && settings[i].key[len] == '.')
            return true;
    return false;
}

bool setting_is_list(const struct setting *setting)
{
    return setting->kind == SETTING_TEXTS || setting->kind == SETTING_SCHEDULE;
}

void setting_variable(const struct setting *setting, char out[SETTING_VARIABLE_MAX])
{
    int len = snprintf(out, SETTING_VARIABLE_MAX, "POSTHASTE_%s", setting->key);

    assert(len < SETTING_VARIABLE_MAX);
    for (int i = 0; i < len; i++)
        out[i] = out[i] == '.' ? '_' : (char)toupper((unsigned char)out[i]);
}

static void *field(const struct setting *setting, const struct config *config)
{
    return (char *)(uintptr_t)config + setting->offset;
}

static void replace(char **text, char *with)
{
    free(*text);
    *text = with;
}

static void clear_listen(struct config_listen *listen)
{
    replace(&listen->text, NULL);
    replace(&listen->address, NULL);
    listen->port = 0;
}

void setting_clear(const struct setting *setting, struct config *config)
{
    switch (setting->kind) {
    case SETTING_TEXT:
    case SETTING_PATH:
        replace(field(setting, config), NULL);
        break;
    case SETTING_LISTEN:
        clear_listen(field(setting, config));
        break;
    case SETTING_DEGREES:
        *(struct config_degrees *)field(setting, config) = (struct config_degrees){ 0 };
        break;
    case SETTING_TEXTS:
        text_list_fini(field(setting, config));
        break;
    case SETTING_SCHEDULE:
        config->delivery.retry_count = 0;
        break;
    case SETTING_NUMBER:
        *(uint32_t *)field(setting, config) = 0;
        break;
    case SETTING_CHOICE:
        break;
    }
}

static enum err expected_number(const struct setting *setting, const char *text, char *why)
{
    snprintf(why, CONFIG_WHY_MAX, "expected a whole number from %u to %u, not \"%.64s\"",
             setting->least, setting->most, text);
    return ERR_INVALID;
}

static enum err add_number(const struct setting *setting, uint32_t *out, const char *text,
                           char *why)
{
    if (!number_parse(text, setting->least, setting->most, out))
        return expected_number(setting, text, why);
    return ERR_OK;
}

static enum err add_degrees(const struct setting *setting, struct config_degrees *out,
                            const char *text, char *why)
{
    if (!number_parse_degrees(text, setting->most, &out->value)) {
        snprintf(why, CONFIG_WHY_MAX, "expected degrees from -%u to %u, not \"%.64s\"",
                 setting->most, setting->most, text);
        return ERR_INVALID;
    }
    out->given = true;
    return ERR_OK;
}

static enum err add_step(const struct setting *setting, struct config_delivery *delivery,
                         const char *text, char *why)
{
    uint32_t step;

    if (delivery->retry_count == CONFIG_RETRIES_MAX) {
        snprintf(why, CONFIG_WHY_MAX, "expected at most %d steps", CONFIG_RETRIES_MAX);
        return ERR_LIMIT;
    }
    enum err err = add_number(setting, &step, text, why);
    if (!err)
        delivery->retry_s[delivery->retry_count++] = step;
    return err;
}

static enum err add_choice(const struct setting *setting, unsigned *out, const char *text,
                           char *why)
{
    for (unsigned i = 0; setting->choices[i]; i++)
        if (strcmp(setting->choices[i], text) == 0) {
            *out = i;
            return ERR_OK;
        }

    int len = snprintf(why, CONFIG_WHY_MAX, "expected ");
    for (unsigned i = 0; setting->choices[i]; i++)
        len += snprintf(why + len, (size_t)(CONFIG_WHY_MAX - len), "%s%s", i ? ", " : "",
                        setting->choices[i]);
    snprintf(why + len, (size_t)(CONFIG_WHY_MAX - len), "; not \"%.64s\"", text);
    return ERR_INVALID;
}

/* Brackets around an IPv6 address, and only there: "::1:80" could be read in two ways. */
static bool parse_listen(const char *text, char **out_address, uint16_t *out_port)
{
    const char *colon = strrchr(text, ':');
    char address[INET6_ADDRSTRLEN];
    struct in6_addr binary;
    uint32_t port;

    if (!colon || !number_parse(colon + 1, 0, UINT16_MAX, &port))
        return false;
    size_t len = (size_t)(colon - text);
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
    if (bracketed) {
        text++;
        len -= 2;
    }
    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (inet_pton(bracketed ? AF_INET6 : AF_INET, address, &binary) != 1)
        return false;
    *out_address = xstrdup(address);
    *out_port = (uint16_t)port;
    return true;
}

static enum err add_listen(struct config_listen *listen, const char *text, char *why)
{
    if (!parse_listen(text, &listen->address, &listen->port)) {
        snprintf(why, CONFIG_WHY_MAX,
                 "expected ADDRESS:PORT such as 127.0.0.1:8071 or [::1]:8071, not \"%.64s\"",
                 text);
        return ERR_INVALID;
    }
    listen->text = xstrdup(text);
    return ERR_OK;
}

static char *join(const char *folder, const char *path)
{
    const char *below = *path == '/' ? "" : folder;
    size_t room = strlen(below) + strlen(path) + 1;
    char *joined = xcalloc(room, 1);

    snprintf(joined, room, "%s%s", below, path);
    return joined;
}

/* Line breaks and the like are never meant, and would break logs. */
static bool is_printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return false;
    return true;
}

enum err setting_add(const struct setting *setting, struct config *config, const char *text,
                     const char *folder, char why[CONFIG_WHY_MAX])
{
    if (!is_printable(text)) {
        snprintf(why, CONFIG_WHY_MAX, "contains a control character");
        return ERR_INVALID;
    }
    /* Without a default a setting may be empty: that is how a variable unsets it. */
    if (!*text && setting->fallback) {
        snprintf(why, CONFIG_WHY_MAX, "is empty");
        return ERR_INVALID;
    }
    if (!*text)
        return ERR_OK;

    switch (setting->kind) {
    case SETTING_TEXT:
        *(char **)field(setting, config) = xstrdup(text);
        break;
    case SETTING_PATH:
        *(char **)field(setting, config) = join(folder, text);
        break;
    case SETTING_LISTEN:
        return add_listen(field(setting, config), text, why);
    case SETTING_NUMBER:
        return add_number(setting, field(setting, config), text, why);
    case SETTING_DEGREES:
        return add_degrees(setting, field(setting, config), text, why);
    case SETTING_CHOICE:
        return add_choice(setting, field(setting, config), text, why);
    case SETTING_TEXTS:
        text_list_add(field(setting, config), text, strlen(text));
        break;
    case SETTING_SCHEDULE:
        return add_step(setting, &config->delivery, text, why);
    }
    return ERR_OK;
}

static enum err print_texts(const struct text_list *list, struct buf *out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < list->count && !err; i++)
        err = buf_printf(out, "%s%s", i ? "," : "", list->items[i]);
    return err;
}

static enum err print_schedule(const struct config_delivery *delivery, struct buf *out)
{
    enum err err = ERR_OK;

    for (size_t i = 0; i < delivery->retry_count && !err; i++)
        err = buf_printf(out, "%s%u", i ? "," : "", delivery->retry_s[i]);
    return err;
}

/* A number without a default is never 0 once it is set. */
static enum err print_number(const struct setting *setting, const uint32_t *number,
                             struct buf *out)
{
    return *number == 0 && !setting->fallback ? ERR_OK : buf_printf(out, "%u", *number);
}

static enum err print_degrees(const struct config_degrees *degrees, struct buf *out)
{
    char text[NUMBER_DEGREES_MAX];

    if (!degrees->given)
        return ERR_OK;
    number_format_degrees(degrees->value, text);
    return buf_append_text(out, text);
}

enum err setting_print(const struct setting *setting, const struct config *config,
                       struct buf *out)
{
    const void *value = field(setting, config);

    switch (setting->kind) {
    case SETTING_TEXT:
    case SETTING_PATH: {
        const char *text = *(char *const *)value;
        return buf_append_text(out, text ? text : "");
    }
    case SETTING_LISTEN: {
        const char *text = ((const struct config_listen *)value)->text;
        return buf_append_text(out, text ? text : "");
    }
    case SETTING_NUMBER:
        return print_number(setting, value, out);
    case SETTING_DEGREES:
        return print_degrees(value, out);
    case SETTING_CHOICE:
        return buf_append_text(out, setting->choices[*(const unsigned *)value]);
    case SETTING_TEXTS:
        return print_texts(value, out);
    case SETTING_SCHEDULE:
        return print_schedule(&config->delivery, out);
    }
    return ERR_INVALID;
}
