/* Regions: bringing them together by their cards, and what they say of each other. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/card.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/identity.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/where.h"
#include "core/region_card.h"
#include "signer/regions.h"

#define URL "/api/v1/regions"

static enum cli_exit run_create(const struct line *line);
static enum cli_exit run_show(const struct line *line);
static enum cli_exit run_add(const struct line *line);
static enum cli_exit run_remove(const struct line *line);

static const struct option add_options[] = {
    LOCAL("replace", OPTION_FLAG, NULL, "in place of the card that is there"),
    OPTION_END,
};

static const struct option_group add_group = { "Card", add_options };

static const struct column columns[] = {
    { "NAME", "name" },
    { "ORDINAL", "ordinal" },
    { "JURISDICTIONS", "jurisdictions" },
    { "STATE", "state" },
    { "DRAINING", "draining" },
    { "PUBLIC URL", "publicUrl" },
    { "LINK URL", "linkUrl" },
    { NULL, NULL },
};

static const struct column status_columns[] = {
    { "NAME", "name" },
    { "STATE", "state" },
    { "DRAINING", "draining" },
    { "RTT, US", "rttUs" },
    { "CLOCK OFFSET, US", "clockOffsetUs" },
    { "HEARD", "heardAt" },
    { "REASON", "reason" },
    { NULL, NULL },
};

const struct command region_commands[] = {
    { .path = "region list",
      .arguments = "",
      .summary = "list the regions",
      .example = "posthaste region list",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "region get",
      .arguments = "REGION",
      .summary = "show a region",
      .example = "posthaste region get fra",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "region status",
      .arguments = "",
      .summary = "show how the regions are, as the one that is asked sees them",
      .example = "posthaste region status",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = status_columns,
      .is_list = true },
    { .path = "region drain",
      .arguments = "REGION",
      .summary = "let a region take no new work",
      .example = "posthaste region drain fra",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/{1}/drain",
      .columns = status_columns },
    { .path = "region undrain",
      .arguments = "REGION",
      .summary = "let it take work again",
      .example = "posthaste region undrain fra",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/{1}/undrain",
      .columns = status_columns },
    { .path = "region certificate create",
      .arguments = "",
      .summary = "make the key and certificate of this region's link",
      .example = "posthaste region certificate create --config fra/posthaste.yaml",
      .groups = { &config_group },
      .run = run_create },
    { .path = "region certificate show",
      .arguments = "",
      .summary = "print this region's card, for the others to add",
      .example = "posthaste region certificate show --config fra/posthaste.yaml",
      .groups = { &config_group },
      .run = run_show },
    { .path = "region add",
      .arguments = "CARD...",
      .summary = "know other regions, by their cards; - is stdin",
      .example = "posthaste region add iad.card sin.card --config fra/posthaste.yaml",
      .groups = { &add_group, &config_group },
      .run = run_add },
    { .path = "region remove",
      .arguments = "REGION",
      .summary = "forget another region's card",
      .example = "posthaste region remove iad --config fra/posthaste.yaml",
      .groups = { &config_group },
      .run = run_remove },
    { .path = NULL },
};

/* The configuration of a region that has a name. */
static enum cli_exit load_named(const struct line *line, struct config **out)
{
    enum cli_exit exit = where_load(line, out);

    if (exit || (*out)->region.name)
        return exit;
    say("%s: region.name is missing: this region is alone", where_config(line));
    config_free(*out);
    return CLI_USAGE;
}

static enum cli_exit create_files(const struct config *config, const struct identity *identity)
{
    const char *key = config->region.key_file, *certificate = config->region.certificate_file;

    if (file_create(key, 0600, buf_text(&identity->key)) != ERR_OK)
        return CLI_FAILED;
    if (file_create(certificate, 0644, buf_text(&identity->certificate)) != ERR_OK) {
        unlink(key);
        return CLI_FAILED;
    }
    printf("%s\n%s\n", certificate, key);
    return CLI_OK;
}

static enum cli_exit run_create(const struct line *line)
{
    struct config *config;
    enum cli_exit exit = load_named(line, &config);

    if (exit)
        return exit;
    struct identity identity = identity_new(config->region.name);
    exit = create_files(config, &identity);
    identity_fini(&identity);
    config_free(config);
    return exit;
}

static enum cli_exit run_show(const struct line *line)
{
    struct buf card = BUF_INIT(REGION_CARD_LEN_MAX);
    struct config *config;
    enum cli_exit exit = load_named(line, &config);

    if (exit)
        return exit;
    exit = card_of(config, &card);
    if (!exit)
        fputs(buf_text(&card), stdout);
    buf_fini(&card);
    config_free(config);
    return exit;
}

/* Where a region's card is kept; false, and it has been said, when that is too long. */
static bool card_path(const struct config *config, const char *name, char out[PATH_MAX])
{
    if (snprintf(out, PATH_MAX, "%s/%s.yaml", config->peers_dir, name) < PATH_MAX)
        return true;
    say("%s: too long a path", config->peers_dir);
    return false;
}

static enum cli_exit keep_card(const struct config *config, const char *name,
                               const struct buf *card, bool replace)
{
    char path[PATH_MAX];

    if (!card_path(config, name, path))
        return CLI_FAILED;
    if (mkdir(config->peers_dir, 0755) != 0 && errno != EEXIST) {
        say("%s: %s", config->peers_dir, strerror(errno));
        return CLI_FAILED;
    }
    enum err err = replace ? file_replace(path, 0644, buf_text(card))
                           : file_create(path, 0644, buf_text(card));
    if (err)
        return CLI_FAILED;
    puts(path);
    return CLI_OK;
}

static enum cli_exit add_card(const struct config *config, const char *source,
                              const struct buf *text, bool replace)
{
    struct region_card card;
    struct topology *topology;
    char why[CONFIG_WHY_MAX];

    if (region_card_read(source, buf_text(text), text->len, &card, why) != ERR_OK) {
        say("%s", why);
        return CLI_USAGE;
    }
    enum cli_exit exit = CLI_USAGE;
    if (regions_try(config, source, text, &topology, why) == ERR_OK) {
        topology_free(topology);
        exit = keep_card(config, card.region.name, text, replace);
    } else {
        say("%s", why);
    }
    region_fini(&card.region);
    return exit;
}

static enum cli_exit read_and_add(const struct config *config, const char *source, bool replace)
{
    struct buf text = BUF_INIT(REGION_CARD_LEN_MAX);
    enum cli_exit exit = CLI_FAILED;

    if (file_read(source, &text) == ERR_OK)
        exit = add_card(config, strcmp(source, "-") == 0 ? "stdin" : source, &text, replace);
    buf_fini(&text);
    return exit;
}

/* Up to the first that doesn't fit. */
static enum cli_exit run_add(const struct line *line)
{
    struct config *config;
    enum cli_exit exit = load_named(line, &config);

    if (exit)
        return exit;
    for (size_t i = 0; line_argument(line, i) && !exit; i++)
        exit = read_and_add(config, line_argument(line, i), line_has(line, "replace"));
    config_free(config);
    return exit;
}

static enum cli_exit remove_card(const struct config *config, const char *name)
{
    char path[PATH_MAX];

    if (!region_name_is_valid(name)) {
        say("'%s' isn't a region's name: " REGION_NAME_WANTED, name);
        return CLI_USAGE;
    }
    if (!card_path(config, name, path))
        return CLI_FAILED;
    if (unlink(path) == 0)
        return CLI_OK;
    int why = errno;
    say("%s: %s", path, strerror(why));
    return why == ENOENT ? CLI_NOT_FOUND : CLI_FAILED;
}

static enum cli_exit run_remove(const struct line *line)
{
    struct config *config;
    enum cli_exit exit = load_named(line, &config);

    if (exit)
        return exit;
    exit = remove_card(config, line_argument(line, 0));
    config_free(config);
    return exit;
}
