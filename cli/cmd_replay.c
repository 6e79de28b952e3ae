/* Replays: deliveries that are asked for again, one or by the thousand. */
#include "cli/command.h"

#include "cli/request.h"
#include "cli/say.h"
#include "core/count.h"

#define ENDPOINT_URL "/api/v1/app/{app}/endpoint/{1}"
#define TASK_URL     "/api/v1/background-task"

static enum cli_exit run_replay(const struct line *line);

static const struct option resend_options[] = {
    LOCAL_APP,
    { .name = "endpoint",
      .kind = OPTION_TEXT,
      .arg = "ENDPOINT",
      .help = "where to",
      .required = true },
    OPTION_END,
};

#define FIELD_SINCE                                                                            \
    {                                                                                          \
        .name = "since", .kind = OPTION_TIME, .arg = "TIME", .required = true,                 \
        .help = "from it on: " TIME_HELP, .place = OPTION_BODY, .member = "since"              \
    }
#define FIELD_UNTIL FIELD("until", OPTION_TIME, "TIME", "up to it; now unless given", "until")

static const struct option recover_options[] = { LOCAL_APP, FIELD_SINCE, FIELD_UNTIL,
                                                 OPTION_END };

static const struct option replay_options[] = {
    LOCAL_APP,
    FIELD_SINCE,
    FIELD_UNTIL,
    FIELD("dry-run", OPTION_FLAG, NULL, "count what would be sent", "dryRun"),
    LOCAL("yes", OPTION_FLAG, NULL, "send it"),
    LOCAL("missing", OPTION_FLAG, NULL, "what was never sent there, not what was"),
    FIELD("status", OPTION_STATUS, "success|pending|fail|sending",
          "that stand so; pending and sending: to be tried again; " STATUS_HELP, "status"),
    FIELD("status-code-class", OPTION_CODE, "0|100|200|300|400|500",
          "last answered like this; 0 = no answer", "statusCodeClass"),
    FIELD("event-type", OPTION_LIST, "TYPE,…", "of these event types", "eventTypes"),
    FIELD("channel", OPTION_TEXT, "CHANNEL", "for this channel", "channel"),
    FIELD("tag", OPTION_TEXT, "TAG", "tagged with it", "tag"),
    OPTION_END,
};

static const struct option list_options[] = {
    QUERY("status", OPTION_CHOICE, "running|finished|failed", "how they are", "status"),
    QUERY("task", OPTION_CHOICE, "endpoint.recover|endpoint.replay|endpoint.bulk-replay",
          "of one kind", "task"),
    QUERY_ORDER,
    OPTION_END,
};

static const struct option_group resend_group = { "Resend", resend_options };
static const struct option_group recover_group = { "Recover", recover_options };
static const struct option_group replay_group = { "Replay", replay_options };
static const struct option_group list_group = { "List", list_options };

static const struct column columns[] = {
    { "ID", "id" },
    { "TASK", "task" },
    { "STATUS", "status" },
    { "ENDPOINT", "data/endpointId" },
    { "REACHED", "data/reached" },
    { "LOOKED AT", "data/lookedAt" },
    { "DELIVERIES", "data/deliveries" },
    { "PURGED", "data/messagesPurged" },
    { "APPLICATIONS", "data/appStats" },
    { "EVENT TYPES", "data/event_types" },
    { "DRY RUN", "data/dryRun" },
    { NULL, NULL },
};

const struct command replay_commands[] = {
    { .path = "resend",
      .arguments = "MESSAGE",
      .summary = "bring a message to an endpoint once more, whatever came of it",
      .example = "posthaste resend --app shop --endpoint books order-1042-paid",
      .groups = { &resend_group, &server_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/app/{app}/msg/{1}/endpoint/{endpoint}/resend" },
    { .path = "recover",
      .arguments = "ENDPOINT",
      .summary = "send an endpoint again what failed there and wasn't delivered",
      .example = "posthaste recover --app shop --since 2h books",
      .groups = { &recover_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = ENDPOINT_URL "/recover",
      .columns = columns },
    { .path = "replay",
      .arguments = "ENDPOINT",
      .summary = "send an endpoint again what was sent there, or what never was",
      .example = "posthaste replay --app shop --since 2h --dry-run books",
      .operations = "bulkReplay replayMissing",
      .groups = { &replay_group, &server_group, &output_group },
      .run = run_replay,
      .method = "POST",
      .columns = columns },
    { .path = "background-task list",
      .arguments = "",
      .summary = "list what runs in the background, newest first",
      .example = "posthaste background-task list --status running",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = TASK_URL,
      .columns = columns,
      .is_list = true },
    { .path = "background-task get",
      .arguments = "TASK",
      .summary = "show how far a background task is",
      .example = "posthaste background-task get qtask_2KWPKc3uSJSaTCNz3Hpy0a5JBoH",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = TASK_URL "/{1}",
      .columns = columns },
    { .path = NULL },
};

/* Nothing prompts, so nothing is sent by the thousand without being told so. */
static enum cli_exit run_replay(const struct line *line)
{
    static const char *const NARROWING[] = { "status", "status-code-class", "event-type",
                                             "channel", "tag" };

    if (line_has(line, "dry-run") == line_has(line, "yes")) {
        say("one of --dry-run and --yes is needed (see posthaste replay --help)");
        return CLI_USAGE;
    }
    if (!line_has(line, "missing"))
        return request_run_at(line, ENDPOINT_URL "/bulk-replay");
    for (size_t i = 0; i < COUNT(NARROWING); i++)
        if (line_has(line, NARROWING[i])) {
            say("--missing sends what the endpoint wants, and takes no --%s", NARROWING[i]);
            return CLI_USAGE;
        }
    return request_run_at(line, ENDPOINT_URL "/replay-missing");
}
