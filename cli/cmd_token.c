/* Token: what lets a client in. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/form.h"
#include "cli/raw.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/where.h"
#include "core/clock.h"
#include "signer/token.h"
#include "wire/courier.h"

#define EXPIRES_DEFAULT "90d"

static enum cli_exit run_create(const struct line *line);

static const struct option options[] = {
    LOCAL("app", OPTION_TEXT, "APP", "only for this application; a uid is asked of the server"),
    LOCAL("expires", OPTION_TEXT, "DURATION", "such as 12h; 90d unless given"),
    OPTION_END,
};

static const struct option expire_options[] = {
    LOCAL_APP,
    FIELD("expiry", OPTION_COUNT, "SECONDS", "in how long they end; now unless given",
          "expiry"),
    FIELD("sessions", OPTION_LIST, "TEXT,…", "only those of these sessions", "sessionIds"),
    OPTION_END,
};

static const struct option_group option_group = { "Token", options };

static const struct option_group expire_group = { "Tokens", expire_options };

const struct command token_commands[] = {
    { .path = "token create",
      .arguments = "",
      .summary = "make a token, by the master key that --config names",
      .example = "posthaste token create --app shop --expires 12h",
      .groups = { &option_group, &server_group },
      .run = run_create },
    { .path = "token expire-all",
      .arguments = "",
      .summary = "end an application's tokens",
      .example = "posthaste token expire-all --app shop --expiry 3600",
      .groups = { &expire_group, &server_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/auth/app/{app}/expire-all" },
    { .path = "token logout",
      .arguments = "",
      .summary = "end the application's token that this command is given",
      .example = "posthaste token logout --token-file portal.token",
      .groups = { &server_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/auth/logout" },
    { .path = NULL },
};

static enum cli_exit ask_for_id(struct client *client, const struct line *line, struct id *out)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), answer = { 0 }, id = BUF_INIT(ID_TEXT_MAX);
    enum cli_exit exit = CLI_USAGE;

    if (form_path(line, "/api/v1/app/{app}", &path) == ERR_OK)
        exit = client_send(client,
                           &(struct client_request){
                               .method = "GET",
                               .path = buf_text(&path),
                               .query = "",
                           },
                           &answer);
    if (!exit && (raw_text(raw_member(raw_of(&answer), "id"), &id) != ERR_OK ||
                  id_parse(ID_APPLICATION, buf_text(&id), out) != ERR_OK))
        exit = client_distrust(client);
    buf_fini(&path);
    buf_fini(&answer);
    buf_fini(&id);
    return exit;
}

/* An id is what the token holds; only a uid needs the server. */
static enum cli_exit find_application(const struct line *line, struct id *out)
{
    struct client *client;

    if (id_parse(ID_APPLICATION, line_text(line, "app"), out) == ERR_OK)
        return CLI_OK;
    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = ask_for_id(client, line, out);
    client_close(client);
    return exit;
}

static enum cli_exit run_create(const struct line *line)
{
    const char *expires = line_text(line, "expires");
    static const struct id FIRST = { { 0 } }; /* the organization that a region starts with */
    uint64_t now_ms = clock_now().wall_ms, life_s;
    struct token token = token_for_organization(&FIRST, now_ms);
    struct keyring *keyring;
    char text[TOKEN_TEXT_MAX];

    if (!duration_parse(expires ? expires : EXPIRES_DEFAULT, &life_s)) {
        say("--expires: '%s' is not a duration such as 90d", expires);
        return CLI_USAGE;
    }
    token.expires_at_s = now_ms / 1000 + life_s;
    enum cli_exit exit = where_keyring(line, &keyring);
    if (exit)
        return exit;
    if (line_has(line, "app")) {
        token.scope = TOKEN_APPLICATION;
        exit = find_application(line, &token.application);
    }
    if (!exit) {
        token_mint(keyring, &token, text);
        puts(text);
    }
    keyring_free(keyring);
    return exit;
}
