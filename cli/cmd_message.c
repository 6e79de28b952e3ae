/* Messages: what happened. */
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/wait.h"

#define URL "/api/v1/app/{app}/msg"

static enum cli_exit run_expunge_all(const struct line *line);
static enum cli_exit run_wait(const struct line *line);

static const struct option list_options[] = {
    LOCAL_APP,
    QUERY_MESSAGES,
    QUERY("no-content", OPTION_NO, NULL, "without payloads", "with_content"),
    OPTION_END,
};

static const struct option get_options[] = {
    LOCAL_APP,
    QUERY("no-content", OPTION_NO, NULL, "without its payload", "with_content"),
    OPTION_END,
};

static const struct option app_options[] = { LOCAL_APP, OPTION_END };

static const struct option some_options[] = {
    LOCAL_APP,
    NEEDED_FIELD("messages", OPTION_LIST, "MESSAGE,…", "ids or event ids, at most 250", "ids"),
    OPTION_END,
};

static const struct option all_options[] = {
    LOCAL_APP,
    LOCAL("yes", OPTION_FLAG, NULL, "drop them; they don't come back"),
    OPTION_END,
};

static const struct option precheck_options[] = {
    LOCAL_APP,
    NEEDED_FIELD("event-type", OPTION_TEXT, "TYPE", "of this event type", "eventType"),
    FIELD("channels", OPTION_LIST, "CHANNEL,…", "for these channels", "channels"),
    OPTION_END,
};

static const struct option wait_options[] = {
    LOCAL_APP,
    LOCAL("timeout", OPTION_COUNT, "SECONDS", "give up after; 30 unless given"),
    OPTION_END,
};

static const struct option_group list_group = { "List", list_options };
static const struct option_group get_group = { "Message", get_options };
static const struct option_group app_group = { "Message", app_options };
static const struct option_group some_group = { "Messages", some_options };
static const struct option_group all_group = { "Messages", all_options };
static const struct option_group precheck_group = { "Message", precheck_options };
static const struct option_group wait_group = { "Message", wait_options };

static const struct column list_columns[] = {
    { "ID", "id" },
    { "EVENT TYPE", "eventType" },
    { "EVENT ID", "eventId" },
    { "CHANNELS", "channels" },
    { "TAGS", "tags" },
    { "TIME", "timestamp" },
    { NULL, NULL },
};

static const struct column precheck_columns[] = { { "ACTIVE", "active" }, { NULL, NULL } };

static const struct column some_columns[] = { { "RESULTS", "results" }, { NULL, NULL } };

static const struct column purge_columns[] = {
    { "ID", "id" },
    { "TASK", "task" },
    { "STATUS", "status" },
    { NULL, NULL },
};

static const struct column destination_columns[] = {
    { "ENDPOINT", "id" },       { "UID", "uid" },          { "URL", "url" },
    { "STATUS", "statusText" }, { "NEXT", "nextAttempt" }, { NULL, NULL },
};

static const struct column get_columns[] = {
    { "ID", "id" },
    { "EVENT TYPE", "eventType" },
    { "EVENT ID", "eventId" },
    { "CHANNELS", "channels" },
    { "TAGS", "tags" },
    { "TIME", "timestamp" },
    { "PAYLOAD", "payload" },
    { NULL, NULL },
};

const struct command message_commands[] = {
    { .path = "message list",
      .arguments = "",
      .summary = "list messages, newest first",
      .example = "posthaste message list --app shop --tag web --limit 10",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = list_columns,
      .is_list = true },
    { .path = "message get",
      .arguments = "MESSAGE",
      .summary = "show a message, by its id or event id",
      .example = "posthaste message get --app shop order-1042-paid",
      .groups = { &get_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = get_columns },
    { .path = "message precheck",
      .arguments = "",
      .summary = "say whether some endpoint wants such a message",
      .example = "posthaste message precheck --app shop --event-type order.paid",
      .groups = { &precheck_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/precheck/active",
      .columns = precheck_columns },
    { .path = "message expunge",
      .arguments = "MESSAGE",
      .summary = "drop its payload, from the files too, and what waits to be sent of it",
      .example = "posthaste message expunge --app shop order-1042-paid",
      .groups = { &app_group, &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = URL "/{1}/content" },
    { .path = "message expunge-some",
      .arguments = "",
      .summary = "drop the payloads of several messages, one after the other",
      .example = "posthaste message expunge-some --app shop --messages order-1,order-2",
      .groups = { &some_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/bulk-expunge",
      .columns = some_columns },
    { .path = "message expunge-all",
      .arguments = "",
      .summary = "drop all payloads of an application, in the background",
      .example = "posthaste message expunge-all --app shop --yes",
      .groups = { &all_group, &server_group, &output_group },
      .run = run_expunge_all,
      .method = "POST",
      .url = URL "/expunge-all-contents",
      .columns = purge_columns },
    { .path = "message destinations",
      .arguments = "MESSAGE",
      .summary = "list the endpoints it was tried at, and how that stands",
      .example = "posthaste message destinations --app shop order-1042-paid",
      .groups = { &app_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/endpoint",
      .columns = destination_columns,
      .is_list = true },
    { .path = "message wait",
      .arguments = "MESSAGE",
      .summary = "wait until no further attempt is planned, show the last to each endpoint",
      .example = "posthaste message wait --app shop order-1042-paid --timeout 60",
      .groups = { &wait_group, &server_group, &output_group },
      .run = run_wait },
    { .path = NULL },
};

/* Nothing prompts, so nothing is dropped by the thousand without being told so. */
static enum cli_exit run_expunge_all(const struct line *line)
{
    if (line_has(line, "yes"))
        return request_run(line);
    say("--yes is needed: the payloads of all messages of %s don't come back",
        line_text(line, "app"));
    return CLI_USAGE;
}

static enum cli_exit run_wait(const struct line *line)
{
    struct wait wait = {
        .application = line_text(line, "app"),
        .message = line_argument(line, 0),
        .timeout_s = line_count(line, "timeout", WAIT_DEFAULT_S),
        .form = output_form(line),
    };
    struct client *client;

    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = wait_for_last(client, &wait);
    client_close(client);
    return exit;
}
