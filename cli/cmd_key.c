/* Master keys: a newer one beside the old one, without a restart, and the end of the old one.
 *
 *   rotate   a file beside the others ─► the daemon reads it, and seals anew
 *   retire   nothing needs it any more ─► its file goes ─► the daemon forgets it */
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/where.h"
#include "signer/keyring.h"

#define URL    "/api/v1/master-key"
#define RELOAD URL "/reload"

static enum cli_exit run_rotate(const struct line *line);
static enum cli_exit run_reload(const struct line *line);
static enum cli_exit run_retire(const struct line *line);

static const struct option rotate_options[] = {
    LOCAL("offline", OPTION_FLAG, NULL,
          "no daemon runs: only make the file, for its next start"),
    OPTION_END,
};

static const struct option retire_options[] = {
    LOCAL("yes", OPTION_FLAG, NULL, "remove its file; tokens that it has signed end"),
    OPTION_END,
};

static const struct option_group rotate_group = { "Key", rotate_options };
static const struct option_group retire_group = { "Key", retire_options };

static const struct column columns[] = {
    { "KEY", "id" },
    { "STATE", "state" },
    { "ENDPOINTS", "endpoints" },
    { "JOURNAL", "journalEntries" },
    { NULL, NULL },
};

const struct command key_commands[] = {
    { .path = "key list",
      .arguments = "",
      .summary = "list the master keys, and how much is sealed under each",
      .example = "posthaste key list --config posthaste.yaml",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "key rotate",
      .arguments = "",
      .summary = "make a newer master key, and have everything sealed anew under it",
      .example = "posthaste key rotate --config posthaste.yaml",
      .groups = { &rotate_group, &server_group, &output_group },
      .run = run_rotate,
      .columns = columns },
    { .path = "key reload",
      .arguments = "",
      .summary = "have the daemon read the files of its keys anew",
      .example = "posthaste key reload --config posthaste.yaml",
      .groups = { &server_group, &output_group },
      .run = run_reload,
      .method = "POST",
      .url = RELOAD,
      .columns = columns },
    { .path = "key retire",
      .arguments = "KEY",
      .summary = "remove a master key that nothing is sealed under any more",
      .example = "posthaste key retire 524f757b --config posthaste.yaml --yes",
      .groups = { &retire_group, &server_group, &output_group },
      .run = run_retire,
      .columns = columns },
    { .path = NULL },
};

/* A command at work. */
struct keys {
    enum output_form form;
    struct config *config;
    struct keyring *keyring; /* of the files */
    struct client *client;   /* NULL: none is asked */
    struct buf answer;       /* the server's last */
};

static void keys_close(struct keys *k)
{
    client_close(k->client);
    keyring_free(k->keyring);
    config_free(k->config);
    buf_fini(&k->answer);
}

static enum cli_exit keys_open(const struct line *line, bool asks, struct keys *k)
{
    *k = (struct keys){ .form = output_form(line) };
    enum cli_exit exit = where_load(line, &k->config);
    if (!exit)
        exit = where_keyring(line, &k->keyring);
    if (!exit && asks)
        exit = client_open(line, &k->client);
    if (exit)
        keys_close(k);
    return exit;
}

static enum cli_exit ask(struct keys *k, const char *method, const char *path)
{
    return client_send(k->client,
                       &(struct client_request){
                           .method = method,
                           .path = path,
                           .query = "",
                           .shape = ANSWER_LIST,
                       },
                       &k->answer);
}

static enum cli_exit print(struct keys *k)
{
    struct output *output = output_open(k->form, columns, true);
    struct raw items = raw_items(raw_member(raw_of(&k->answer), "data")), item;

    while (raw_next(&items, &item))
        output_item(output, item);
    return output_close(output, CLI_OK);
}

/* What the server says of a key; absent when it doesn't have it. */
static struct raw find(const struct keys *k, uint32_t key)
{
    struct raw items = raw_items(raw_member(raw_of(&k->answer), "data")), item;
    char id[KEY_ID_TEXT_MAX], quoted[KEY_ID_TEXT_MAX + 2];

    keyring_id_text(key, id);
    snprintf(quoted, sizeof quoted, "\"%s\"", id);
    while (raw_next(&items, &item))
        if (raw_is(raw_member(item, "id"), quoted))
            return item;
    return (struct raw){ 0 };
}

static bool is_in_state(struct raw item, const char *state)
{
    return raw_is(raw_member(item, "state"), state);
}

/* A newer key beside another daemon's would help nobody. */
static enum cli_exit check_server(struct keys *k)
{
    enum cli_exit exit = ask(k, "GET", URL);

    if (exit)
        return exit;
    if (is_in_state(find(k, keyring_newest(k->keyring)), "\"current\""))
        return CLI_OK;
    say("the server's current key isn't the newest of this configuration: is it another one's, "
        "or has it yet to 'posthaste key reload'?");
    return CLI_FAILED;
}

static enum cli_exit make_file(const struct keys *k, char path[PATH_MAX])
{
    char text[MASTER_KEY_TEXT_MAX + 1], why[CONFIG_WHY_MAX];

    if (keyring_count(k->keyring) == KEYRING_KEYS_MAX) {
        say("there are %d master keys: retire one", KEYRING_KEYS_MAX);
        return CLI_FAILED;
    }
    if (config_next_master_key(k->config, path, why) != ERR_OK) {
        say("%s", why);
        return CLI_USAGE;
    }
    do
        keyring_generate(text);
    while (keyring_add(k->keyring, text) == ERR_CONFLICT);
    memcpy(text + strlen(text), "\n", sizeof "\n");
    enum err err = file_create(path, 0600, text);
    explicit_bzero(text, sizeof text);
    return err ? CLI_FAILED : CLI_OK;
}

static enum cli_exit rotate(struct keys *k)
{
    enum cli_exit exit = k->client ? check_server(k) : CLI_OK;
    char path[PATH_MAX];

    if (!exit)
        exit = make_file(k, path);
    if (exit)
        return exit;
    fprintf(stderr, "%s\n", path);
    if (!k->client)
        return CLI_OK;
    exit = ask(k, "POST", RELOAD);
    if (exit) {
        say("the new key is there, but the daemon doesn't have it yet: 'posthaste key reload'");
        return exit;
    }
    return print(k);
}

static enum cli_exit run_rotate(const struct line *line)
{
    struct keys k;
    enum cli_exit exit = keys_open(line, !line_has(line, "offline"), &k);

    if (exit)
        return exit;
    exit = rotate(&k);
    keys_close(&k);
    return exit;
}

static enum cli_exit run_reload(const struct line *line)
{
    struct keys k = { .form = output_form(line) };

    enum cli_exit exit = client_open(line, &k.client);
    if (!exit)
        exit = ask(&k, "POST", RELOAD);
    if (!exit)
        exit = print(&k);
    keys_close(&k);
    return exit;
}

/* Retiring. */

static enum cli_exit parse_key(const struct keys *k, const char *text, size_t *out)
{
    char id[KEY_ID_TEXT_MAX];

    for (size_t i = 0; i < keyring_count(k->keyring); i++) {
        keyring_id_text(keyring_id(k->keyring, i), id);
        if (strcmp(text, id) == 0) {
            *out = i;
            return CLI_OK;
        }
    }
    say("'%s' is no key of this configuration (see posthaste key list)", text);
    return CLI_USAGE;
}

/* Whether the server needs it. Once nothing does nothing will, for all that is written is sealed under
 * the newest. */
static enum cli_exit check_needless(struct keys *k, size_t index)
{
    struct raw items, item, key = find(k, keyring_id(k->keyring, index));
    bool unread = false;

    items = raw_items(raw_member(raw_of(&k->answer), "data"));
    while (raw_next(&items, &item))
        unread = unread || is_in_state(item, "\"unread\"");
    if (!is_in_state(key, "\"old\""))
        say("the server doesn't have it as an old key");
    else if (!raw_is(raw_member(key, "endpoints"), "0") ||
             !raw_is(raw_member(key, "journalEntries"), "0"))
        say("values are still sealed under it (see posthaste key list)");
    else if (unread)
        say("values haven't been looked at yet (see posthaste key list)");
    else
        return CLI_OK;
    return CLI_FAILED;
}

/* The first file is the one that settings name, so it is never missing: the next newer key takes its
 * place. */
static enum cli_exit remove_file(const struct keys *k, size_t index)
{
    struct text_list newer = { 0 };
    enum err err;

    config_newer_master_keys(k->config, &newer);
    if (index == 0)
        err = file_rename(newer.items[0], k->config->master_key_file);
    else
        err = file_remove(newer.items[index - 1]);
    text_list_fini(&newer);
    return err ? CLI_FAILED : CLI_OK;
}

static enum cli_exit retire(const struct line *line, struct keys *k)
{
    size_t index;
    enum cli_exit exit = parse_key(k, line_argument(line, 0), &index);

    if (exit)
        return exit;
    if (keyring_id(k->keyring, index) == keyring_newest(k->keyring)) {
        say("it is the newest key: 'posthaste key rotate' makes a newer one");
        return CLI_USAGE;
    }
    exit = check_server(k);
    if (!exit)
        exit = check_needless(k, index);
    if (!exit && !line_has(line, "yes")) {
        say("--yes is needed: backups that were sealed under it don't open without it%s",
            k->config->token_key_file ? "" : ", and tokens that it has signed end");
        exit = CLI_USAGE;
    }
    if (!exit)
        exit = remove_file(k, index);
    if (!exit)
        exit = ask(k, "POST", RELOAD);
    return exit ? exit : print(k);
}

static enum cli_exit run_retire(const struct line *line)
{
    struct keys k;
    enum cli_exit exit = keys_open(line, true, &k);

    if (exit)
        return exit;
    exit = retire(line, &k);
    keys_close(&k);
    return exit;
}
