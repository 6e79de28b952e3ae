/* Token: what lets a client in. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/duration.h"
#include "cli/form.h"
#include "cli/raw.h"
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

static const struct option_group option_group = { "Token", options };

const struct command token_commands[] = {
    { .path = "token create",
      .arguments = "",
      .summary = "make a token, by the master key that --config names",
      .example = "posthaste token create --app shop --expires 12h",
      .groups = { &option_group, &server_group },
      .run = run_create },
    { .path = NULL },
};

static enum cli_exit ask_for_id(struct client *client, const char *uid, struct id *out)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), answer = { 0 }, id = BUF_INIT(ID_TEXT_MAX);
    enum err err = buf_append_text(&path, "/api/v1/app/");
    enum cli_exit exit = CLI_USAGE;

    if (!err)
        err = form_escape(uid, &path);
    if (err)
        say("--app is too long");
    else
        exit = client_send(client,
                           &(struct client_request){
                               .method = "GET",
                               .path = buf_text(&path),
                               .query = "",
                           },
                           &answer);
    if (!exit && (raw_text(raw_member(raw_of(&answer), "id"), &id) != ERR_OK ||
                  id_parse(ID_APPLICATION, buf_text(&id), out) != ERR_OK)) {
        say("the server's answer has no application's id");
        exit = CLI_FAILED;
    }
    buf_fini(&path);
    buf_fini(&answer);
    buf_fini(&id);
    return exit;
}

/* An id is what the token holds; only a uid needs the server. */
static enum cli_exit find_application(const struct line *line, const char *name, struct id *out)
{
    struct client *client;

    if (id_parse(ID_APPLICATION, name, out) == ERR_OK)
        return CLI_OK;
    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = ask_for_id(client, name, out);
    client_close(client);
    return exit;
}

static enum cli_exit run_create(const struct line *line)
{
    const char *application = line_text(line, "app");
    const char *expires = line_text(line, "expires");
    uint64_t now_s = clock_now().wall_ms / 1000, life_s;
    struct token token = { .scope = TOKEN_ORGANIZATION };
    struct keyring *keyring;
    char text[TOKEN_TEXT_MAX];

    if (!duration_parse(expires ? expires : EXPIRES_DEFAULT, &life_s)) {
        say("--expires: '%s' is not a duration such as 90d", expires);
        return CLI_USAGE;
    }
    token.expires_at_s = now_s + life_s;
    enum cli_exit exit = where_keyring(line, &keyring);
    if (exit)
        return exit;
    if (application) {
        token.scope = TOKEN_APPLICATION;
        exit = find_application(line, application, &token.application);
    }
    if (!exit) {
        token_mint(keyring, &token, now_s, text);
        puts(text);
    }
    keyring_free(keyring);
    return exit;
}
