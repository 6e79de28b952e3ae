#include "core/config.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/count.h"
#include "core/document.h"
#include "core/explain.h"
#include "core/file.h"
#include "core/mem.h"
#include "core/setting.h"

#define DEFAULT      "default"
#define KEY_VARIABLE "POSTHASTE_MASTER_KEY"
#define CREDENTIALS  "CREDENTIALS_DIRECTORY"
#define REGION       "region."

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
static enum err load_credentials(struct load *load);
static enum err check_region(struct load *load);

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
        err = load_credentials(&load);
    if (!err)
        err = check_region(&load);

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
            explain(load->why, CONFIG_WHY_MAX, "%s: %s", origin->place, what);
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
        explain(load->why, CONFIG_WHY_MAX, "%s: is larger than %d bytes", path,
                CONFIG_FILE_MAX);
    else if (err)
        explain(load->why, CONFIG_WHY_MAX, "%s: can't be read: %s", path, err_text(err));
    if (!err) {
        err = document_read(buf_text(&text), text.len, on_setting, load, &fault);
        if (err && fault.line > 0)
            explain(load->why, CONFIG_WHY_MAX, "%s:%zu: %s", path, fault.line, fault.why);
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
        explain(load->why, CONFIG_WHY_MAX, "%s: %s", place, mismatch);
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
static enum err load_credentials(struct load *load)
{
    static const struct {
        const char *key, *name;
    } credentials[] = { { "master_key_file", "master.key" },
                        { "token_key_file", "token.key" } };
    const struct origin origin = { CREDENTIALS, CREDENTIALS, "" };
    const char *folder = find_variable(load, CREDENTIALS);
    enum err err = ERR_OK;

    for (size_t i = 0; folder && i < COUNT(credentials) && !err; i++) {
        const struct setting *setting = setting_find(credentials[i].key);
        char path[PATH_MAX];
        int len = snprintf(path, sizeof path, "%s/%s", folder, credentials[i].name);

        if (is_default(load->config, setting) && (size_t)len < sizeof path &&
            access(path, F_OK) == 0)
            err = apply_text(load, setting, path, &origin);
    }
    return err;
}

struct region config_region(const struct config *config)
{
    const struct config_region *given = &config->region;
    struct region region = {
        .ordinal = (uint8_t)given->ordinal,
        .has_place = given->latitude.given && given->longitude.given,
        .place = { given->latitude.value, given->longitude.value },
        .jurisdictions = text_list_copy(&given->jurisdictions),
        .public_url = xstrdup(given->public_url),
        .link_url = xstrdup(given->link_url),
    };

    snprintf(region.name, sizeof region.name, "%s", given->name);
    return region;
}

/* A setting that isn't there is missed where the name is given. */
static enum err refuse_region(struct load *load, const char *key, const char *what)
{
    bool is_given = !is_default(load->config, setting_find(key));
    const char *place = config_source(load->config, is_given ? key : REGION "name");

    explain(load->why, CONFIG_WHY_MAX, "%s: %s: %s", place, key, what);
    return ERR_INVALID;
}

/* Whoever configures a part of a region means one; that it is alone would be a surprise. */
static enum err check_nameless(struct load *load)
{
    for (size_t i = 0; i < setting_count; i++)
        if (strncmp(settings[i].key, REGION, sizeof REGION - 1) == 0 &&
            !is_default(load->config, &settings[i]))
            return refuse_region(load, settings[i].key,
                                 "without region.name it has no meaning");
    return ERR_OK;
}

static enum err check_region(struct load *load)
{
    const struct config_region *given = &load->config->region;
    struct topology_fault fault;
    char key[SETTING_VARIABLE_MAX];

    if (!given->name)
        return check_nameless(load);
    if (!region_name_is_valid(given->name))
        return refuse_region(load, REGION "name", REGION_NAME_WANTED);
    if (given->latitude.given != given->longitude.given)
        return refuse_region(
            load, given->latitude.given ? REGION "longitude" : REGION "latitude", "is missing");
    struct region region = config_region(load->config);
    enum err err = region_check(&region, &fault);
    region_fini(&region);
    if (err) {
        snprintf(key, sizeof key, REGION "%s", region_field_name(fault.field));
        return refuse_region(load, key, fault.why);
    }
    return ERR_OK;
}

const char *config_master_key_source(const struct config *config)
{
    return config->master_key ? KEY_VARIABLE : config->master_key_file;
}

const char *config_source(const struct config *config, const char *key)
{
    return config->origins[setting_find(key) - settings];
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
