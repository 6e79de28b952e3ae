#include "core/config.h"

#include <assert.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/document.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/setting.h"

#define DEFAULT         "default"
#define KEY_FILE_KEY    "master_key_file"
#define KEY_FILE_MAX    4096 /* bytes; a master key has 50 */
#define KEY_VARIABLE    "POSTHASTE_MASTER_KEY"
#define CREDENTIALS     "CREDENTIALS_DIRECTORY"
#define CREDENTIAL_NAME "master.key"

struct load {
    const struct config_sources *sources;
    struct config *config;
    char *folder; /* of the file, with a '/' at the end; "" = working directory */
    char *why;
};

static enum err load_defaults(struct load *load);
static enum err load_file(struct load *load);
static enum err on_setting(const struct document_setting *given, void *ctx);
static enum err load_environment(struct load *load);
static enum err load_flags(struct load *load);
static enum err load_credential(struct load *load);

/* One line whatever was in the value that it quotes. */
static void explain(char why[CONFIG_WHY_MAX], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void explain(char why[CONFIG_WHY_MAX], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(why, CONFIG_WHY_MAX, format, args);
    va_end(args);
    for (char *c = why; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
}

enum err config_load(const struct config_sources *sources, struct config **out,
                     char why[CONFIG_WHY_MAX])
{
    const char *slash = sources->path ? strrchr(sources->path, '/') : NULL;
    struct load load = {
        .sources = sources,
        .config = xcalloc(1, sizeof *load.config),
        .folder =
            slash ? xmemdup(sources->path, (size_t)(slash + 1 - sources->path)) : xstrdup(""),
        .why = why,
    };

    load.config->origins = xcalloc(setting_count, sizeof *load.config->origins);
    enum err err = load_defaults(&load);
    if (!err && sources->path)
        err = load_file(&load);
    if (!err)
        err = load_environment(&load);
    if (!err)
        err = load_flags(&load);
    if (!err)
        err = load_credential(&load);

    free(load.folder);
    if (err)
        config_free(load.config);
    else
        *out = load.config;
    return err;
}

void config_free(struct config *config)
{
    if (!config)
        return;
    for (size_t i = 0; i < setting_count; i++) {
        setting_clear(&settings[i], config);
        free(config->origins[i]);
    }
    free(config->origins);
    if (config->master_key)
        explicit_bzero(config->master_key, strlen(config->master_key));
    free(config->master_key);
    free(config);
}

/* Where a value is given: as config_each() names it, as an error does, and the folder that a
 * relative path is below. */
struct origin {
    const char *name, *place, *folder;
};

static bool is_default(const struct config *config, const struct setting *setting)
{
    const char *origin = config->origins[setting - settings];

    return !origin || strcmp(origin, DEFAULT) == 0;
}

/* Let `items` be the setting's value. What `origin` itself gave before is added to: a flag for
 * a list may be repeated. */
static enum err apply(struct load *load, const struct setting *setting,
                      const struct text_list *items, const struct origin *origin)
{
    char **slot = &load->config->origins[setting - settings];
    char what[CONFIG_WHY_MAX];

    if (!*slot || strcmp(*slot, origin->name) != 0 || !setting_is_list(setting))
        setting_clear(setting, load->config);
    for (size_t i = 0; i < items->count; i++) {
        enum err err =
            setting_add(setting, load->config, items->items[i], origin->folder, what);
        if (err) {
            explain(load->why, "%s: %s", origin->place, what);
            return err;
        }
    }
    free(*slot);
    *slot = xstrdup(origin->name);
    return ERR_OK;
}

static void add_trimmed(struct text_list *items, const char *text, size_t len)
{
    while (len > 0 && *text == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    text_list_add(items, text, len);
}

/* As apply(), from one text; a list's items stand between commas. */
static enum err apply_text(struct load *load, const struct setting *setting, const char *text,
                           const struct origin *origin)
{
    struct text_list items = { 0 };

    if (!setting_is_list(setting)) {
        text_list_add(&items, text, strlen(text));
    } else if (*text) {
        size_t len = strcspn(text, ",");
        for (; text[len]; text += len + 1, len = strcspn(text, ","))
            add_trimmed(&items, text, len);
        add_trimmed(&items, text, len);
    }
    enum err err = apply(load, setting, &items, origin);
    text_list_fini(&items);
    return err;
}

static enum err load_defaults(struct load *load)
{
    const struct origin origin = { DEFAULT, DEFAULT, load->folder };

    for (size_t i = 0; i < setting_count; i++) {
        const char *fallback = settings[i].fallback ? settings[i].fallback : "";
        enum err err = apply_text(load, &settings[i], fallback, &origin);
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err load_file(struct load *load)
{
    const char *path = load->sources->path;
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    struct document_fault fault = { .line = 0 };

    enum err err = file_read_all(path, &text, NULL);
    if (err == ERR_LIMIT)
        explain(load->why, "%s: is larger than %d bytes", path, CONFIG_FILE_MAX);
    else if (err)
        explain(load->why, "%s: can't be read: %s", path, err_text(err));
    if (!err) {
        err = document_read(buf_text(&text), text.len, on_setting, load, &fault);
        if (err && fault.line > 0)
            explain(load->why, "%s:%zu: %s", path, fault.line, fault.why);
    }
    buf_fini(&text);
    return err;
}

/* NULL when what the file gives is of the right shape for the setting. */
static const char *find_mismatch(const struct load *load, const struct setting *setting,
                                 const struct document_setting *given)
{
    if (!setting && setting_is_section(given->key))
        return "expected settings below it, each on a line of its own";
    if (!setting)
        return "unknown key";
    if (!is_default(load->config, setting))
        return "is given twice";
    if (given->kind == DOCUMENT_NOTHING)
        return "has no value";
    if (setting_is_list(setting) && given->kind != DOCUMENT_LIST)
        return "expected a list such as [a, b]";
    if (!setting_is_list(setting) && given->kind == DOCUMENT_LIST)
        return "expected one value, not a list";
    return NULL;
}

static enum err on_setting(const struct document_setting *given, void *ctx)
{
    struct load *load = ctx;
    const struct setting *setting = setting_find(given->key);
    const char *mismatch = find_mismatch(load, setting, given);
    char name[PATH_MAX + 32], place[sizeof name + DOCUMENT_KEY_MAX];

    /* A section whose settings are all commented out. */
    if (given->kind == DOCUMENT_NOTHING && setting_is_section(given->key))
        return ERR_OK;
    snprintf(name, sizeof name, "%s:%zu", load->sources->path, given->line);
    snprintf(place, sizeof place, "%s: %s", name, given->key);
    if (mismatch) {
        explain(load->why, "%s: %s", place, mismatch);
        return ERR_INVALID;
    }
    return apply(load, setting, &given->items, &(struct origin){ name, place, load->folder });
}

static const char *find_variable(const struct load *load, const char *name)
{
    size_t len = strlen(name);

    for (char *const *v = load->sources->environment; v && *v; v++)
        if (strncmp(*v, name, len) == 0 && (*v)[len] == '=')
            return *v + len + 1;
    return NULL;
}

static enum err load_environment(struct load *load)
{
    const char *key = find_variable(load, KEY_VARIABLE);

    if (key && *key)
        load->config->master_key = xstrdup(key);
    for (size_t i = 0; i < setting_count; i++) {
        char name[SETTING_VARIABLE_MAX];
        setting_variable(&settings[i], name);
        const char *text = find_variable(load, name);
        if (!text)
            continue;
        enum err err = apply_text(load, &settings[i], text, &(struct origin){ name, name, "" });
        if (err)
            return err;
    }
    return ERR_OK;
}

static enum err load_flags(struct load *load)
{
    for (size_t i = 0; i < load->sources->flag_count; i++) {
        const struct config_flag *flag = &load->sources->flags[i];
        const struct setting *setting = setting_find_flag(flag->flag);

        assert(setting);
        enum err err = apply_text(load, setting, flag->value,
                                  &(struct origin){ flag->flag, flag->flag, "" });
        if (err)
            return err;
    }
    return ERR_OK;
}

/* systemd hands a service its secrets in a folder of its own. */
static enum err load_credential(struct load *load)
{
    const struct setting *setting = setting_find(KEY_FILE_KEY);
    const char *folder = find_variable(load, CREDENTIALS);
    char path[PATH_MAX];

    if (!folder || !is_default(load->config, setting))
        return ERR_OK;
    int len = snprintf(path, sizeof path, "%s/%s", folder, CREDENTIAL_NAME);
    if ((size_t)len >= sizeof path || access(path, F_OK) != 0)
        return ERR_OK;
    return apply_text(load, setting, path, &(struct origin){ CREDENTIALS, CREDENTIALS, "" });
}

/* How an error names the setting: with its file and line, if it has one. */
static void explain_key_file(const struct config *config, char why[CONFIG_WHY_MAX],
                             const char *what)
{
    const char *origin = config->origins[setting_find(KEY_FILE_KEY) - settings];

    explain(why, "%s: %s: %s: %s", origin, KEY_FILE_KEY, config->master_key_file, what);
}

enum err config_read_master_key(const struct config *config, struct buf *out,
                                char why[CONFIG_WHY_MAX])
{
    const char *origin = config->origins[setting_find(KEY_FILE_KEY) - settings];
    struct buf text = BUF_INIT(KEY_FILE_MAX);
    mode_t mode = 0;

    if (config->master_key) {
        enum err err = buf_append_text(out, config->master_key);
        if (err)
            explain(why, "%s: %s", KEY_VARIABLE, err_text(err));
        return err;
    }

    enum err err = file_read_all(config->master_key_file, &text, &mode);
    if (err) {
        explain_key_file(config, why, err_text(err));
    } else if (S_ISREG(mode) && (mode & (S_IRWXG | S_IRWXO)) &&
               strcmp(origin, CREDENTIALS) != 0) {
        explain_key_file(config, why, "others than its owner have access; chmod 600 it");
        err = ERR_DENIED;
    } else {
        err = buf_append(out, text.bytes, text.len);
    }
    if (text.bytes)
        explicit_bzero(text.bytes, text.len);
    buf_fini(&text);
    return err;
}

const char *config_master_key_source(const struct config *config)
{
    return config->master_key ? KEY_VARIABLE : config->master_key_file;
}

void config_each(const struct config *config,
                 void (*visit)(const char *key, const char *value, const char *source,
                               void *ctx),
                 void *ctx)
{
    struct buf value = BUF_INIT(SIZE_MAX / 2);

    for (size_t i = 0; i < setting_count; i++) {
        buf_clear(&value);
        if (setting_print(&settings[i], config, &value) == ERR_OK)
            visit(settings[i].key, buf_text(&value), config->origins[i], ctx);
    }
    if (config->master_key)
        visit("master_key", "(redacted)", KEY_VARIABLE, ctx);
    buf_fini(&value);
}
