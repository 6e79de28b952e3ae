#include "cli/where.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/file.h"
#include "cli/say.h"
#include "core/clock.h"
#include "core/mem.h"
#include "signer/token.h"

#define TOKEN_LIFE_S 300 /* of a token made for one command */
#define URL_MAX      512

static enum cli_exit load_config(const char *path, struct config **out);
static enum cli_exit load_keyring(const struct config *config, struct keyring **out);
static enum cli_exit find_url(const struct line *line, struct where *out);
static enum cli_exit find_token(const struct line *line, struct where *out);

enum cli_exit where_find(const struct line *line, struct where *out)
{
    *out = (struct where){ 0 };
    enum cli_exit exit = find_url(line, out);

    if (!exit && !line_command(line)->needs_no_token)
        exit = find_token(line, out);
    if (exit)
        where_fini(out);
    return exit;
}

void where_fini(struct where *where)
{
    free(where->url);
    free(where->token);
    *where = (struct where){ 0 };
}

/* NULL unless the variable is set to something. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);

    return value && value[0] ? value : NULL;
}

const char *where_config(const struct line *line)
{
    const char *path = line_text(line, "config");

    return path ? path : variable("POSTHASTE_CONFIG");
}

static enum cli_exit load_config(const char *path, struct config **out)
{
    struct config_sources sources = { .path = path, .environment = environ };
    char why[CONFIG_WHY_MAX];

    if (config_load(&sources, out, why) == ERR_OK)
        return CLI_OK;
    say("%s", why);
    return CLI_USAGE;
}

static enum cli_exit load_keyring(const struct config *config, struct keyring **out)
{
    char why[CONFIG_WHY_MAX];

    if (keyring_load(config, out, why) == ERR_OK)
        return CLI_OK;
    say("%s", why);
    return CLI_USAGE;
}

enum cli_exit where_load(const struct line *line, struct config **out)
{
    const char *path = where_config(line);

    if (path)
        return load_config(path, out);
    say("no configuration: give --config or POSTHASTE_CONFIG");
    return CLI_USAGE;
}

enum cli_exit where_keyring(const struct line *line, struct keyring **out)
{
    struct config *config;
    enum cli_exit exit = where_load(line, &config);

    if (exit)
        return exit;
    exit = load_keyring(config, out);
    config_free(config);
    return exit;
}

/* The URL of who listens there; an address that means "all" is reached by the loopback one. */
static char *url_of_listener(const struct config *config)
{
    const char *address = config->listen.address;
    char url[URL_MAX];

    if (strcmp(address, "0.0.0.0") == 0)
        address = "127.0.0.1";
    else if (strcmp(address, "::") == 0)
        address = "::1";
    snprintf(url, sizeof url, strchr(address, ':') ? "http://[%s]:%u" : "http://%s:%u", address,
             config->listen.port);
    return xstrdup(url);
}

static enum cli_exit url_from_config(const char *path, struct where *out)
{
    struct config *config;
    enum cli_exit exit = load_config(path, &config);

    if (exit)
        return exit;
    if (config->listen.port != 0)
        out->url = url_of_listener(config);
    else {
        say("%s: listens on any port: give --url or POSTHASTE_URL", path);
        exit = CLI_USAGE;
    }
    config_free(config);
    return exit;
}

static enum cli_exit find_url(const struct line *line, struct where *out)
{
    const char *url = line_text(line, "url");

    if (!url)
        url = variable("POSTHASTE_URL");
    if (!url && where_config(line))
        return url_from_config(where_config(line), out);
    if (!url) {
        say("no server: give --url, POSTHASTE_URL, --config or POSTHASTE_CONFIG");
        return CLI_USAGE;
    }
    out->url = xstrdup(url);
    for (size_t len = strlen(out->url); len > 0 && out->url[len - 1] == '/'; len--)
        out->url[len - 1] = '\0';
    return CLI_OK;
}

static enum cli_exit token_from_file(const char *path, struct where *out)
{
    struct buf text = BUF_INIT(TOKEN_TEXT_MAX);
    enum err err = file_read(path, &text);

    if (!err)
        out->token = xmemdup(text.bytes, strcspn(buf_text(&text), " \t\r\n"));
    buf_fini(&text);
    return err ? CLI_USAGE : CLI_OK;
}

static enum cli_exit token_from_config(const char *path, struct where *out)
{
    struct config *config;
    struct keyring *keyring;
    static const struct id FIRST = { { 0 } }; /* the organization that a region starts with */
    struct token token = token_for_organization(&FIRST, clock_now().wall_ms);
    char text[TOKEN_TEXT_MAX];
    enum cli_exit exit = load_config(path, &config);

    if (exit)
        return exit;
    exit = load_keyring(config, &keyring);
    if (!exit) {
        token.expires_at_s = token.revocable.minted_at_ms / 1000 + TOKEN_LIFE_S;
        token_mint_brief(keyring, &token, text);
        out->token = xstrdup(text);
        keyring_free(keyring);
    }
    config_free(config);
    return exit;
}

/* What goes into a header line. */
static enum cli_exit check_token(const char *token)
{
    for (const char *c = token; *c; c++)
        if (*c <= ' ' || *c > '~') {
            say("the token holds what no token does");
            return CLI_USAGE;
        }
    return CLI_OK;
}

static enum cli_exit find_token(const struct line *line, struct where *out)
{
    const char *token = line_text(line, "token");
    const char *file = line_text(line, "token-file");

    if (!token && !file)
        token = variable("POSTHASTE_TOKEN");
    if (token) {
        out->token = xstrdup(token);
        return check_token(token);
    }
    if (file)
        return token_from_file(file, out);
    if (where_config(line))
        return token_from_config(where_config(line), out);
    say("no token: give --token, --token-file, POSTHASTE_TOKEN, --config or "
        "POSTHASTE_CONFIG");
    return CLI_USAGE;
}
