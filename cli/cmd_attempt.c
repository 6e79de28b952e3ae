/* Attempts: each try to bring a message to an endpoint. */
#include "cli/command.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/wait.h"

#define APP_URL "/api/v1/app/{app}"

static enum cli_exit run_list(const struct line *line);

static const struct option list_options[] = {
    LOCAL_APP,
    LOCAL("message", OPTION_TEXT, "MESSAGE", "those of this message"),
    QUERY("endpoint", OPTION_TEXT, "ENDPOINT", "those to this endpoint", "endpoint_id"),
    QUERY("status", OPTION_STATUS, "success|pending|fail|sending|canceled",
          "that came to this; " STATUS_HELP, "status"),
    QUERY("status-code-class", OPTION_CODE, "0|100|200|300|400|500",
          "answered like this; 0 = no answer", "status_code_class"),
    QUERY_MESSAGES,
    QUERY("no-content", OPTION_NO, NULL, "without what was answered", "with_content"),
    QUERY("with-msg", OPTION_FLAG, NULL, "each with its message; shown with -o json",
          "with_msg"),
    OPTION_END,
};

#define LOCAL_MESSAGE                                                                          \
    {                                                                                          \
        .name = "message", .kind = OPTION_TEXT, .arg = "MESSAGE",                              \
        .help = "the message it was made for", .required = true                                \
    }

static const struct option get_options[] = {
    LOCAL_APP,
    LOCAL_MESSAGE,
    QUERY("no-content", OPTION_NO, NULL, "without what was answered", "with_content"),
    OPTION_END,
};

static const struct option expunge_options[] = { LOCAL_APP, LOCAL_MESSAGE, OPTION_END };

static const struct option_group list_group = { "List", list_options };
static const struct option_group get_group = { "Attempt", get_options };
static const struct option_group expunge_group = { "Attempt", expunge_options };

static const struct column get_columns[] = {
    { "ID", "id" },
    { "MESSAGE", "msgId" },
    { "ENDPOINT", "endpointId" },
    { "URL", "url" },
    { "STATUS", "statusText" },
    { "ANSWER", "responseStatusCode" },
    { "MS", "responseDurationMs" },
    { "REGION", "/region" },
    { "TIME", "timestamp" },
    { "NEXT", "nextAttempt" },
    { "BODY", "response" },
    { NULL, NULL },
};

const struct command attempt_commands[] = {
    { .path = "attempt list",
      .arguments = "",
      .summary = "list attempts of a message or to an endpoint, newest first",
      .example = "posthaste attempt list --app shop --endpoint books --status fail",
      .operations = "listAttemptsByMessage listAttemptsByEndpoint",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = run_list,
      .columns = attempt_columns,
      .is_list = true },
    { .path = "attempt get",
      .arguments = "ATTEMPT",
      .summary = "show an attempt and what was answered",
      .example = "posthaste attempt get --app shop --message order-1042-paid "
                 "atmpt_2KWPJ1dVmVEoYqNFVkiZ2Ksvv1U",
      .groups = { &get_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = APP_URL "/msg/{message}/attempt/{1}",
      .columns = get_columns },
    { .path = "attempt expunge",
      .arguments = "ATTEMPT",
      .summary = "drop what was answered, from the files too",
      .example = "posthaste attempt expunge --app shop --message order-1042-paid "
                 "atmpt_2KWPJ1dVmVEoYqNFVkiZ2Ksvv1U",
      .groups = { &expunge_group, &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = APP_URL "/msg/{message}/attempt/{1}/content" },
    { .path = NULL },
};

static enum cli_exit run_list(const struct line *line)
{
    if (line_has(line, "message"))
        return request_run_at(line, APP_URL "/attempt/msg/{message}");
    if (line_has(line, "endpoint"))
        return request_run_at(line, APP_URL "/attempt/endpoint/{endpoint}");
    say("--message or --endpoint is missing (see posthaste attempt list --help)");
    return CLI_USAGE;
}
