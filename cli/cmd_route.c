/* Routes: which region sends, and why. */
#include "cli/command.h"

#include <stdio.h>

#include "cli/client.h"
#include "cli/form.h"
#include "cli/raw.h"
#include "cli/say.h"

#define ITEM_TEXT_MAX (1u << 20) /* bytes of a member as it is printed */

static enum cli_exit run_explain(const struct line *line);

static const struct option options[] = {
    FIELD("endpoint", OPTION_TEXT, "ENDPOINT", "what would be decided for it now",
          "endpointId"),
    FIELD("message", OPTION_TEXT, "MESSAGE", "what was decided when it was sent", "messageId"),
    FIELD("recorded", OPTION_JSON, "JSON|@FILE|-", "a decision as -o jsonl has printed it",
          "recorded"),
    { .name = "app",
      .letter = 'a',
      .kind = OPTION_TEXT,
      .arg = "APP",
      .help = "of the message, or of an endpoint's uid",
      .place = OPTION_BODY,
      .member = "appId" },
    FIELD("what-if", OPTION_TEXT, "SUPPOSED,…",
          "region=NAME:up|down|draining, circuit=NAME:open|closed, rtt.NAME=MS, link.NAME=MS, "
          "queue.NAME=MS",
          "whatIf"),
    OPTION_END,
};

static const struct option_group option_group = { "Route", options };

const struct command route_commands[] = {
    { .path = "route explain",
      .arguments = "",
      .summary = "explain which region sends, and make recorded decisions again",
      .example =
          "posthaste route explain --app shop --endpoint books --what-if region=fra:down",
      .operations = "explainRoute",
      .groups = { &option_group, &server_group, &output_group },
      .run = run_explain,
      .url = "/api/v1/route/explain" },
    { .path = NULL },
};

static void print_member(struct raw object, const char *name)
{
    struct buf text = BUF_INIT(ITEM_TEXT_MAX);

    if (raw_text(raw_member(object, name), &text) == ERR_OK)
        fputs(buf_text(&text), stdout);
    buf_fini(&text);
}

static bool is_different(struct raw item)
{
    return raw_is(raw_member(raw_member(item, "recorded"), "match"), "false");
}

static void print_item(struct raw item)
{
    struct raw recorded = raw_member(item, "recorded");

    print_member(item, "text");
    if (recorded.len == 0 || raw_is(recorded, "null"))
        return;
    fputs(" recorded ", stdout);
    print_member(recorded, "decidedAt");
    fputs(" → ", stdout);
    print_member(recorded, "region");
    fputs(is_different(item) ? ": DIFFERENT: " : ": MATCH", stdout);
    if (is_different(item))
        print_member(recorded, "difference");
    putchar('\n');
}

/* CLI_FAILED: a decision isn't what it was. */
static enum cli_exit print_items(const struct buf *answer, enum output_form form)
{
    struct output *output = form == OUTPUT_TABLE ? NULL : output_open(form, NULL, true);
    struct raw items = raw_items(raw_member(raw_of(answer), "data")), item;
    enum cli_exit exit = CLI_OK;

    for (bool is_first = true; raw_next(&items, &item); is_first = false) {
        if (is_different(item))
            exit = CLI_FAILED;
        if (output) {
            output_item(output, item);
            continue;
        }
        if (!is_first)
            putchar('\n');
        print_item(item);
    }
    return output ? output_close(output, exit) : exit;
}

static bool says_what(const struct line *line)
{
    if (line_has(line, "endpoint") + line_has(line, "message") + line_has(line, "recorded") ==
        1)
        return true;
    say("one of --endpoint, --message and --recorded is expected");
    return false;
}

static enum cli_exit run_explain(const struct line *line)
{
    struct buf body = BUF_INIT(FORM_BODY_MAX), answer = { 0 };
    enum output_form form = output_form(line);
    struct client *client;

    if (!says_what(line) || form_body(line, &body) != ERR_OK) {
        buf_fini(&body);
        return CLI_USAGE;
    }
    enum cli_exit exit = client_open(line, &client);
    if (exit) {
        buf_fini(&body);
        return exit;
    }
    exit = client_send(client,
                       &(struct client_request){
                           .method = "POST",
                           .path = line_command(line)->url,
                           .query = "",
                           .body = &body,
                           .shape = ANSWER_LIST,
                       },
                       &answer);
    if (!exit)
        exit = print_items(&answer, form);
    client_close(client);
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}
