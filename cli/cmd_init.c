/* Init: a new region's configuration and keys.
 *
 *   posthaste.yaml  master.key                          always
 *   token.key  link.crt  link.key  NAME.card            with --region
 *
 * All of them, or none. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/card.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/identity.h"
#include "cli/place.h"
#include "cli/say.h"
#include "core/config.h"
#include "core/region_card.h"
#include "signer/keyring.h"

#define FILES_MAX  6
#define VALUES_MAX 16

static enum cli_exit run_init(const struct line *line);

static const struct option region_options[] = {
    LOCAL("region", OPTION_TEXT, "NAME", "one of several, such as fra; without it it is alone"),
    LOCAL("ordinal", OPTION_TEXT, "NUMBER",
          "1 to 255, no other region's; known for fra, iad, "
          "sin, gru"),
    LOCAL("jurisdiction", OPTION_LIST, "NAME,NAME", "where it lies, such as eu"),
    LOCAL("latitude", OPTION_TEXT, "DEGREES", "north"),
    LOCAL("longitude", OPTION_TEXT, "DEGREES", "east"),
    LOCAL("public-url", OPTION_TEXT, "URL", "where clients reach its API"),
    LOCAL("link-listen", OPTION_TEXT, "ADDRESS:PORT", "where it listens for other regions"),
    LOCAL("link-url", OPTION_TEXT, "URL", "where these reach that, https://"),
    LOCAL("token-key", OPTION_TEXT, "FILE",
          "the key for tokens of another region; else a new one"),
    OPTION_END,
};

static const struct option_group region_group = { "Region", region_options };

const struct command init_commands[] = {
    { .path = "init",
      .arguments = "DIR",
      .summary = "write DIR/posthaste.yaml and the keys it needs; never overwrites",
      .example = "posthaste init region",
      .groups = { &region_group },
      .run = run_init },
    { .path = NULL },
};

/* What is being made. */
struct making {
    const char *dir;
    size_t count;
    char files[FILES_MAX][PATH_MAX]; /* made so far */
};

static enum cli_exit make_file(struct making *making, const char *name, mode_t mode,
                               const char *text)
{
    char *path = making->files[making->count];

    if (snprintf(path, PATH_MAX, "%s/%s", making->dir, name) >= PATH_MAX) {
        say("%s: too long a path", making->dir);
        return CLI_FAILED;
    }
    if (file_create(path, mode, text) != ERR_OK)
        return CLI_FAILED;
    making->count++;
    return CLI_OK;
}

static enum cli_exit make_key(struct making *making, const char *name,
                              void (*generate)(char out[MASTER_KEY_TEXT_MAX]))
{
    char text[MASTER_KEY_TEXT_MAX + 1];

    generate(text);
    text[strlen(text) + 1] = '\0';
    text[strlen(text)] = '\n';
    enum cli_exit exit = make_file(making, name, 0600, text);
    explicit_bzero(text, sizeof text);
    return exit;
}

/* What the configuration says of the region: what was given, else what is known of its name. */
struct values {
    size_t count;
    struct config_value list[VALUES_MAX];
};

static void add_value(struct values *values, const char *key, const char *given,
                      const char *known)
{
    const char *value = given ? given : known;

    if (value)
        values->list[values->count++] = (struct config_value){ key, value };
}

/* What isn't known of the name must be said: CLI_USAGE, and it has been said, when it isn't. */
static enum cli_exit find_place(const struct line *line, const char *name,
                                const struct known_place **out)
{
    static const struct known_place NOWHERE = { 0 };
    const struct known_place *place = place_find(name);

    *out = place ? place : &NOWHERE;
    if (!(*out)->ordinal && !line_has(line, "ordinal"))
        say("--ordinal is missing: no region called '%s' has one that is known", name);
    else if (!(*out)->jurisdiction && !line_has(line, "jurisdiction"))
        say("--jurisdiction is missing: '%s' isn't a place that we know", name);
    else
        return CLI_OK;
    return CLI_USAGE;
}

static void find_values(const struct line *line, const char *name,
                        const struct known_place *place, struct values *values)
{
    const char *latitude = line_text(line, "latitude");
    const char *longitude = line_text(line, "longitude");

    add_value(values, "token_key_file", "token.key", NULL);
    add_value(values, "region.name", name, NULL);
    add_value(values, "region.ordinal", line_text(line, "ordinal"), place->ordinal);
    add_value(values, "region.jurisdictions", line_text(line, "jurisdiction"),
              place->jurisdiction);
    add_value(values, "region.latitude", latitude, longitude ? NULL : place->latitude);
    add_value(values, "region.longitude", longitude, latitude ? NULL : place->longitude);
    add_value(values, "region.public_url", line_text(line, "public-url"), NULL);
    add_value(values, "region.link_listen", line_text(line, "link-listen"), NULL);
    add_value(values, "region.link_url", line_text(line, "link-url"), NULL);
}

static enum cli_exit make_config(struct making *making, const struct values *values)
{
    struct buf text = BUF_INIT(CONFIG_FILE_MAX);
    enum cli_exit exit = CLI_FAILED;

    if (config_template(values->list, values->count, &text) == ERR_OK)
        exit = make_file(making, "posthaste.yaml", 0644, buf_text(&text));
    buf_fini(&text);
    return exit;
}

/* What was written will be read by the daemon, so it must be what the daemon takes. */
static enum cli_exit read_back(const struct making *making, struct config **out)
{
    const struct config_sources sources = { .path = making->files[0] };
    char why[CONFIG_WHY_MAX];

    if (config_load(&sources, out, why) == ERR_OK)
        return CLI_OK;
    say("%s", why);
    return CLI_USAGE;
}

static enum cli_exit check_config(const struct making *making)
{
    struct config *config;
    enum cli_exit exit = read_back(making, &config);

    if (!exit)
        config_free(config);
    return exit;
}

static enum cli_exit make_token_key(struct making *making, const char *from)
{
    struct buf text = BUF_INIT(FILE_LEN_MAX);
    enum cli_exit exit = CLI_FAILED;

    if (!from)
        return make_key(making, "token.key", keyring_generate_token_key);
    if (file_read(from, &text) == ERR_OK)
        exit = make_file(making, "token.key", 0600, buf_text(&text));
    if (text.len > 0)
        explicit_bzero(text.bytes, text.len);
    buf_fini(&text);
    return exit;
}

static enum cli_exit make_identity(struct making *making, const char *name)
{
    struct identity identity = identity_new(name);
    enum cli_exit exit = make_file(making, "link.key", 0600, buf_text(&identity.key));

    if (!exit)
        exit = make_file(making, "link.crt", 0644, buf_text(&identity.certificate));
    identity_fini(&identity);
    return exit;
}

static enum cli_exit check_keys(const struct config *config)
{
    struct keyring *keyring;
    char why[CONFIG_WHY_MAX];

    if (keyring_load(config, &keyring, why) == ERR_OK) {
        keyring_free(keyring);
        return CLI_OK;
    }
    say("%s", why);
    return CLI_USAGE;
}

static enum cli_exit write_card(struct making *making, const struct config *config)
{
    char name[REGION_NAME_LEN_MAX + sizeof ".card"];
    struct buf text = BUF_INIT(REGION_CARD_LEN_MAX);
    enum cli_exit exit = card_of(config, &text);

    snprintf(name, sizeof name, "%s.card", config->region.name);
    if (!exit)
        exit = make_file(making, name, 0644, buf_text(&text));
    buf_fini(&text);
    return exit;
}

/* For the other regions to add. */
static enum cli_exit make_card(struct making *making)
{
    struct config *config;
    enum cli_exit exit = read_back(making, &config);

    if (exit)
        return exit;
    exit = check_keys(config);
    if (!exit)
        exit = write_card(making, config);
    config_free(config);
    return exit;
}

static enum cli_exit make_files(const struct line *line, struct making *making)
{
    const char *region = line_text(line, "region");
    const struct known_place *place;
    struct values values = { 0 };
    enum cli_exit exit = region ? find_place(line, region, &place) : CLI_OK;

    if (exit)
        return exit;
    if (region)
        find_values(line, region, place, &values);
    exit = make_config(making, &values);
    if (!exit)
        exit = make_key(making, "master.key", keyring_generate);
    if (!exit && region)
        exit = check_config(making);
    if (!exit && region)
        exit = make_token_key(making, line_text(line, "token-key"));
    if (!exit && region)
        exit = make_identity(making, region);
    if (!exit && region)
        exit = make_card(making);
    return exit;
}

/* Whether an option was given that says something of a region that has no name. */
static const char *needless_option(const struct line *line)
{
    for (const struct option *o = region_options + 1; o->name; o++)
        if (line_has(line, o->name))
            return o->name;
    return NULL;
}

static void rollback(struct making *making, bool made_dir)
{
    while (making->count > 0)
        unlink(making->files[--making->count]);
    if (made_dir)
        rmdir(making->dir);
}

static enum cli_exit run_init(const struct line *line)
{
    struct making making = { .dir = line_argument(line, 0) };
    const char *needless = line_has(line, "region") ? NULL : needless_option(line);

    if (needless) {
        say("--%s is about a region with a name: --region is missing", needless);
        return CLI_USAGE;
    }
    bool made = mkdir(making.dir, 0700) == 0;
    if (!made && errno != EEXIST) {
        say("%s: %s", making.dir, strerror(errno));
        return CLI_FAILED;
    }
    enum cli_exit exit = make_files(line, &making);
    if (exit)
        rollback(&making, made);
    for (size_t i = 0; i < making.count; i++)
        puts(making.files[i]);
    return exit;
}
