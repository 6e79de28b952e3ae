/* Replays: deliveries that are asked for again, one or by the thousand. */
#include "cli/command.h"

#include "cli/duration.h"
#include "cli/form.h"
#include "cli/request.h"
#include "cli/say.h"
#include "core/clock.h"
#include "core/count.h"
#include "wire/courier.h"
#include "wire/json.h"

#define ENDPOINT_URL "/api/v1/app/{app}/endpoint/{1}"
#define TASK_URL     "/api/v1/background-task"

static enum cli_exit run_recover(const struct line *line);
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

#define LOCAL_SINCE                                                                            \
    {                                                                                          \
        .name = "since", .kind = OPTION_TEXT, .arg = "TIME", .required = true,                 \
        .help = "from it on: 2026-11-24T02:57:36Z, or so long ago: 2h"                         \
    }
#define LOCAL_UNTIL LOCAL("until", OPTION_TEXT, "TIME", "up to it; now unless given")

static const struct option recover_options[] = { LOCAL_APP, LOCAL_SINCE, LOCAL_UNTIL,
                                                 OPTION_END };

static const struct option replay_options[] = {
    LOCAL_APP,
    LOCAL_SINCE,
    LOCAL_UNTIL,
    LOCAL("dry-run", OPTION_FLAG, NULL, "count what would be sent"),
    LOCAL("yes", OPTION_FLAG, NULL, "send it"),
    LOCAL("missing", OPTION_FLAG, NULL, "what was never sent there, not what was"),
    FIELD("status", OPTION_CODE, "0|1|2", "0: delivered; 1: yet to be; 2: given up", "status"),
    FIELD("status-class", OPTION_CODE, "0|100|200|300|400|500",
          "last answered like this; 0 = no answer", "statusCodeClass"),
    FIELD("event-types", OPTION_LIST, "TYPE,…", "of these event types", "eventTypes"),
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
      .operations = "recoverEndpoint",
      .groups = { &recover_group, &server_group, &output_group },
      .run = run_recover,
      .columns = columns },
    { .path = "replay",
      .arguments = "ENDPOINT",
      .summary = "send an endpoint again what was sent there, or what never was",
      .example = "posthaste replay --app shop --since 2h --dry-run books",
      .operations = "bulkReplay replayMissing",
      .groups = { &replay_group, &server_group, &output_group },
      .run = run_replay,
      .columns = columns },
    { .path = "background-task list",
      .arguments = "",
      .summary = "list what recovers and replays, newest first",
      .example = "posthaste background-task list --status running",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = TASK_URL,
      .columns = columns,
      .is_list = true },
    { .path = "background-task get",
      .arguments = "TASK",
      .summary = "show how far a recover or replay is",
      .example = "posthaste background-task get qtask_2KWPKc3uSJSaTCNz3Hpy0a5JBoH",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = TASK_URL "/{1}",
      .columns = columns },
    { .path = NULL },
};

/* An instant as it is given, or the one so long ago. */
static bool add_instant(const struct line *line, const char *option, struct json_writer *w)
{
    const char *text = line_text(line, option);
    uint64_t ago_s, at_ms;

    if (!text)
        return true;
    if (duration_parse(text, &ago_s)) {
        json_add_date(w, option, clock_now().wall_ms - ago_s * 1000);
        return true;
    }
    if (clock_parse(text, &at_ms)) {
        say("--%s: '%s' is no time such as 2026-11-24T02:57:36Z, nor a duration such as 2h",
            option, text);
        return false;
    }
    json_add_date(w, option, at_ms);
    return true;
}

static bool write_body(const struct line *line, bool is_dry, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    if (!add_instant(line, "since", &w) || !add_instant(line, "until", &w))
        return false;
    if (is_dry)
        json_add_bool(&w, "dryRun", true);
    if (form_members(line, &w))
        return false;
    json_close_object(&w);
    if (json_write_end(&w) == ERR_OK)
        return true;
    say("the arguments are too long");
    return false;
}

static enum cli_exit begin(const struct line *line, const char *url, bool is_dry)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), body = BUF_INIT(FORM_BODY_MAX), answer = { 0 };
    enum cli_exit exit = CLI_USAGE;
    enum output_form form;
    struct client *client;

    if (!output_form(line, &form))
        return CLI_USAGE;
    if (form_path(line, url, &path) == ERR_OK && write_body(line, is_dry, &body))
        exit = client_open(line, &client);
    if (!exit) {
        exit = client_send(client,
                           &(struct client_request){
                               .method = "POST",
                               .path = buf_text(&path),
                               .query = "",
                               .body = &body,
                           },
                           &answer);
        if (!exit)
            exit = request_print(&answer, form, columns);
        client_close(client);
    }
    buf_fini(&path);
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}

static enum cli_exit run_recover(const struct line *line)
{
    return begin(line, ENDPOINT_URL "/recover", false);
}

/* Nothing prompts, so nothing is sent by the thousand without being told so. */
static enum cli_exit run_replay(const struct line *line)
{
    static const char *const NARROWING[] = { "status", "status-class", "event-types", "channel",
                                             "tag" };
    bool is_dry = line_has(line, "dry-run");

    if (is_dry == line_has(line, "yes")) {
        say("one of --dry-run and --yes is needed (see posthaste replay --help)");
        return CLI_USAGE;
    }
    if (!line_has(line, "missing"))
        return begin(line, ENDPOINT_URL "/bulk-replay", is_dry);
    for (size_t i = 0; i < COUNT(NARROWING); i++)
        if (line_has(line, NARROWING[i])) {
            say("--missing sends what the endpoint wants, and takes no --%s", NARROWING[i]);
            return CLI_USAGE;
        }
    return begin(line, ENDPOINT_URL "/replay-missing", is_dry);
}
