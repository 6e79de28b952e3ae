/* Config: what the daemon would run with. */
#include <string.h>

#include "cli/command.h"
#include "cli/say.h"
#include "cli/where.h"
#include "core/config.h"
#include "signer/certificate.h"
#include "signer/regions.h"
#include "wire/config_check.h"
#include "wire/json.h"

#define ROW_MAX 65536 /* bytes of a setting as JSON */

static enum cli_exit run_check(const struct line *line);
static enum cli_exit run_show(const struct line *line);

static const struct column columns[] = {
    { "SETTING", "setting" },
    { "VALUE", "value" },
    { "FROM", "source" },
    { NULL, NULL },
};

const struct command config_commands[] = {
    { .path = "config check",
      .arguments = "",
      .summary = "say what is wrong with a configuration, its keys and cards, if anything",
      .example = "posthaste config check --config region/posthaste.yaml",
      .groups = { &config_group },
      .run = run_check },
    { .path = "config show",
      .arguments = "",
      .summary = "show every setting and where its value comes from; no secrets",
      .example = "posthaste config show --config region/posthaste.yaml -o jsonl",
      .groups = { &config_group, &output_group },
      .run = run_show },
    { .path = NULL },
};

static bool check_settings(const struct config *config)
{
    char why[CONFIG_WHY_MAX];

    if (config_check(config, why) == ERR_OK)
        return true;
    say("%s", why);
    return false;
}

/* A region with peers must have an identity. */
static bool check_identity(const struct config *config, const struct topology *topology,
                           char why[CONFIG_WHY_MAX])
{
    struct buf key = BUF_INIT(CERTIFICATE_PEM_MAX);

    if (topology->count == 1)
        return true;
    enum err err = regions_read_key(config, topology, &key, why);
    if (key.bytes)
        explicit_bzero(key.bytes, key.len);
    buf_fini(&key);
    return !err;
}

static bool check_regions(const struct config *config)
{
    struct topology *topology = NULL;
    char why[CONFIG_WHY_MAX];
    bool good =
        regions_load(config, &topology, why) == ERR_OK && check_identity(config, topology, why);

    if (!good)
        say("%s", why);
    topology_free(topology);
    return good;
}

static enum cli_exit run_check(const struct line *line)
{
    struct config *config;
    struct keyring *keyring;
    enum cli_exit exit = where_load(line, &config);

    if (exit)
        return exit;
    if (!check_settings(config) || !check_regions(config))
        exit = CLI_USAGE;
    config_free(config);
    if (exit)
        return exit;
    exit = where_keyring(line, &keyring);
    if (!exit)
        keyring_free(keyring);
    return exit;
}

static void on_setting(const char *key, const char *value, const char *source, void *ctx)
{
    struct buf row = BUF_INIT(ROW_MAX);
    struct json_writer w;

    json_write_begin(&w, &row);
    json_open_object(&w);
    json_add_text(&w, "setting", key);
    json_add_text(&w, "value", value);
    json_add_text(&w, "source", source);
    json_close_object(&w);
    if (json_write_end(&w) == ERR_OK)
        output_item(ctx, raw_of(&row));
    else
        say("%s: too long to show", key);
    buf_fini(&row);
}

static enum cli_exit run_show(const struct line *line)
{
    struct config *config;
    enum output_form form = output_form(line);

    enum cli_exit exit = where_load(line, &config);
    if (exit)
        return exit;
    struct output *output = output_open(form, columns, true);
    config_each(config, on_setting, output);
    config_free(config);
    return output_close(output, CLI_OK);
}
