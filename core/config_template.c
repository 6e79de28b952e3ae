#include "core/setting.h"

#include <string.h>

#include "core/document.h"

static const char HEAD[] =
    "# The settings of a posthaste region.\n"
    "#\n"
    "# A line that is commented out shows the default, or an example where there is none.\n"
    "# The variable and the flag beside a setting win over this file, the flag over both;\n"
    "# lists are separated by commas there. Relative paths are below this file's folder.\n"
    "# `posthaste config check` says what is wrong, `config show` what holds and why.\n";

static enum err append_about(const char *about, const char *indent, struct buf *out)
{
    enum err err = ERR_OK;

    while (*about && !err) {
        size_t len = strcspn(about, "\n");
        err = buf_printf(out, "%s# %.*s\n", indent, (int)len, about);
        about += len + (about[len] == '\n');
    }
    return err;
}

/* "5,300" → "5, 300": a space lets lines be read and broken. */
static enum err append_list(const char *list, struct buf *out)
{
    enum err err = buf_append_text(out, "[");

    for (const char *c = list; *c && !err; c++)
        err = buf_printf(out, *c == ',' ? "%c " : "%c", *c);
    return err ? err : buf_append_text(out, "]\n");
}

static enum err append_given(const struct setting *setting, const char *value, struct buf *out)
{
    if (setting_is_list(setting))
        return append_list(value, out);
    enum err err = document_append_scalar(value, out);
    return err ? err : buf_append_text(out, "\n");
}

/* `value` NULL: commented out. */
static enum err append_setting(const struct setting *setting, const char *name,
                               const char *indent, const char *value, struct buf *out)
{
    char variable[SETTING_VARIABLE_MAX];

    setting_variable(setting, variable);
    enum err err = append_about(setting->about, indent, out);
    if (!err)
        err =
            buf_printf(out, "%s# %s%s%s\n%s%s%s: ", indent, variable, setting->flag ? ", " : "",
                       setting->flag ? setting->flag : "", indent, value ? "" : "#", name);
    if (err)
        return err;
    if (value)
        return append_given(setting, value, out);
    if (setting->example)
        return buf_printf(out, "%s\n", setting->example);
    if (setting_is_list(setting))
        return append_list(setting->fallback, out);
    return buf_printf(out, "%s\n", setting->fallback);
}

static const char *find_value(const struct config_value *values, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(values[i].key, key) == 0)
            return values[i].value;
    return NULL;
}

enum err config_template(const struct config_value *values, size_t count, struct buf *out)
{
    char section[SETTING_VARIABLE_MAX] = "";
    enum err err = buf_append_text(out, HEAD);

    for (size_t i = 0; i < setting_count && !err; i++) {
        const char *dot = strchr(settings[i].key, '.');
        size_t len = dot ? (size_t)(dot - settings[i].key) : 0;
        const char *name = dot ? dot + 1 : settings[i].key;

        err = buf_append_text(out, "\n");
        if (!err && (strncmp(section, settings[i].key, len) != 0 || section[len] != '\0')) {
            memcpy(section, settings[i].key, len);
            section[len] = '\0';
            err = buf_printf(out, "%s:\n", section);
        }
        if (!err)
            err = append_setting(&settings[i], name, len ? "  " : "",
                                 find_value(values, count, settings[i].key), out);
    }
    return err;
}
