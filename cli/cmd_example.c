/* Examples: a message to one endpoint, to see that it gets there. */
#include "cli/command.h"
#include "cli/form.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "wire/courier.h"
#include "wire/json.h"

#define PING "svix.ping"

static enum cli_exit run_test(const struct line *line);

static const struct option options[] = {
    LOCAL_APP,
    FIELD("event-type", OPTION_TEXT, "TYPE", "whose example is sent; " PING " unless given",
          "eventType"),
    FIELD("example-index", OPTION_COUNT, "N",
          "which of the event type's examples; 0, the first, unless given", "exampleIndex"),
    LOCAL("wait", OPTION_FLAG, NULL, "wait for the first attempt; its outcome is ours"),
    LOCAL("timeout", OPTION_COUNT, "SECONDS", "of --wait; 30 unless given"),
    OPTION_END,
};

static const struct option_group option_group = { "Example", options };

static const struct column columns[] = {
    { "ID", "id" },           { "EVENT TYPE", "eventType" },
    { "PAYLOAD", "payload" }, { "TIME", "timestamp" },
    { NULL, NULL },
};

const struct command example_commands[] = {
    { .path = "endpoint test",
      .arguments = "ENDPOINT",
      .summary = "send an example to this endpoint alone, whatever it wants",
      .about =
          "The payload is the first of the examples in version 1 of the event type's schemas;\n"
          "that of " PING ", which needn't exist, is {\"success\":true}.",
      .example = "posthaste endpoint test --app shop books --wait",
      .groups = { &option_group, &server_group, &output_group },
      .run = run_test,
      .method = "POST",
      .url = "/api/v1/app/{app}/endpoint/{1}/send-example" },
    { .path = NULL },
};

static enum err write_body(const struct line *line, struct buf *out)
{
    return line_has(line, "event-type") ? form_body(line, out)
                                        : buf_append_text(out, "{\"eventType\":\"" PING "\"}");
}

static enum cli_exit post(struct client *client, const struct line *line, struct buf *answer)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), body = BUF_INIT(FORM_BODY_MAX);
    enum cli_exit exit = CLI_USAGE;

    if (form_path(line, line_command(line)->url, &path) == ERR_OK &&
        write_body(line, &body) == ERR_OK)
        exit = client_send(client,
                           &(struct client_request){
                               .method = line_command(line)->method,
                               .path = buf_text(&path),
                               .query = "",
                               .body = &body,
                           },
                           answer);
    buf_fini(&path);
    buf_fini(&body);
    return exit;
}

static enum cli_exit run_test(const struct line *line)
{
    struct wait wait = {
        .application = line_text(line, "app"),
        .timeout_s = line_count(line, "timeout", WAIT_DEFAULT_S),
        .form = output_form(line),
    };
    struct buf answer = { 0 };
    struct client *client;

    if (line_has(line, "example-index") && !line_has(line, "event-type")) {
        say("--example-index needs --event-type, whose examples it is about");
        return CLI_USAGE;
    }
    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = post(client, line, &answer);
    if (!exit && line_has(line, "wait"))
        exit = wait_for_first_of(client, &answer, &wait);
    else if (!exit)
        exit = request_print(client, &answer, wait.form, columns);
    buf_fini(&answer);
    client_close(client);
    return exit;
}
