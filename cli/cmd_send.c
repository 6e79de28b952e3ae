/* Send: a new message. */
#include "cli/command.h"
#include "cli/form.h"
#include "cli/request.h"
#include "cli/say.h"
#include "cli/wait.h"
#include "wire/courier.h"
#include "wire/json.h"

#define URL          "/api/v1/app/{app}/msg"
#define PRECHECK_URL URL "/precheck/active"

static enum cli_exit run_send(const struct line *line);

static const struct option options[] = {
    LOCAL_APP,
    { .name = "data",
      .letter = 'd',
      .kind = OPTION_JSON,
      .arg = "JSON|@FILE|-",
      .help = "the payload, an object; {} unless given",
      .place = OPTION_BODY,
      .member = "payload" },
    FIELD("event-id", OPTION_TEXT, "ID", "your own id for it; a second one is refused",
          "eventId"),
    FIELD("channels", OPTION_LIST, "CHANNEL,…", "for these channels", "channels"),
    FIELD("tags", OPTION_LIST, "TAG,…", "to find it by", "tags"),
    FIELD("payload-retention-hours", OPTION_COUNT, "HOURS",
          "for which its payload is kept, 1 to 2160, which it is unless given",
          "payloadRetentionHours"),
    LOCAL("idempotency-key", OPTION_TEXT, "KEY", "sent twice with it, it is one message"),
    LOCAL("wait", OPTION_FLAG, NULL, "wait for the first attempt; its outcome is ours"),
    LOCAL("timeout", OPTION_COUNT, "SECONDS", "of --wait; 30 unless given"),
    OPTION_END,
};

static const struct option_group option_group = { "Message", options };

static const struct column columns[] = {
    { "ID", "id" },
    { "EVENT TYPE", "eventType" },
    { "EVENT ID", "eventId" },
    { "TIME", "timestamp" },
    { NULL, NULL },
};

const struct command send_commands[] = {
    { .path = "send",
      .arguments = "TYPE",
      .summary = "send a message of an event type",
      .example = "posthaste send --app shop order.paid -d '{\"order\": 17}' --wait",
      .operations = "createMessage precheckMessage",
      .groups = { &option_group, &server_group, &output_group },
      .run = run_send,
      .url = URL },
    { .path = NULL },
};

static enum err write_body(const struct line *line, struct buf *out)
{
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_add_text(&w, "eventType", line_argument(line, 0));
    if (!line_has(line, "data")) {
        json_name(&w, "payload");
        json_put_raw(&w, "{}", 2);
    }
    enum err err = form_members(line, &w);
    if (err)
        return err;
    json_close_object(&w);
    err = json_write_end(&w);
    if (err)
        say("the message is too large");
    return err;
}

/* A table has no column for the payload that we have just sent. */
static bool shows_payload(const struct line *line)
{
    return output_form(line) != OUTPUT_TABLE && !line_has(line, "wait");
}

static enum cli_exit post(struct client *client, const struct line *line, struct buf *answer)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), body = BUF_INIT(FORM_BODY_MAX);
    enum cli_exit exit = CLI_USAGE;

    if (form_path(line, line_command(line)->url, &path) == ERR_OK &&
        write_body(line, &body) == ERR_OK)
        exit = client_send(client,
                           &(struct client_request){
                               .method = "POST",
                               .path = buf_text(&path),
                               .query = shows_payload(line) ? "" : "with_content=false",
                               .body = &body,
                               .idempotency_key = line_text(line, "idempotency-key"),
                           },
                           answer);
    buf_fini(&path);
    buf_fini(&body);
    return exit;
}

static enum err write_precheck(struct raw message, struct buf *out)
{
    struct raw type = raw_member(message, "eventType");
    struct raw channels = raw_member(message, "channels");
    struct json_writer w;

    json_write_begin(&w, out);
    json_open_object(&w);
    json_name(&w, "eventType");
    json_put_raw(&w, type.at, type.len);
    json_name(&w, "channels");
    json_put_raw(&w, channels.at, channels.len);
    json_close_object(&w);
    return json_write_end(&w);
}

static void say_of(struct raw message, const char *what)
{
    struct buf id = BUF_INIT(URL_LEN_MAX);

    if (raw_text(raw_member(message, "id"), &id) == ERR_OK)
        say("%s: %s", buf_text(&id), what);
    buf_fini(&id);
}

/* To wait for what goes nowhere would be for nothing. */
static enum cli_exit check_wanted(struct client *client, const struct line *line,
                                  struct raw message)
{
    struct buf path = BUF_INIT(URL_LEN_MAX), body = BUF_INIT(FORM_BODY_MAX), answer = { 0 };
    enum cli_exit exit = CLI_FAILED;

    if (form_path(line, PRECHECK_URL, &path) == ERR_OK &&
        write_precheck(message, &body) == ERR_OK)
        exit = client_send(client,
                           &(struct client_request){
                               .method = "POST",
                               .path = buf_text(&path),
                               .query = "",
                               .body = &body,
                           },
                           &answer);
    if (exit)
        say_of(message, "accepted, but its outcome can't be asked for");
    else if (raw_is(raw_member(raw_of(&answer), "active"), "false")) {
        say_of(message, "no endpoint wants it");
        exit = CLI_FAILED;
    }
    buf_fini(&path);
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}

static enum cli_exit wait_for_outcome(struct client *client, const struct line *line,
                                      const struct buf *message)
{
    struct wait wait = {
        .application = line_text(line, "app"),
        .timeout_s = line_count(line, "timeout", WAIT_DEFAULT_S),
        .form = output_form(line),
    };

    if (!table_shows(columns, raw_of(message)))
        return client_distrust(client);
    enum cli_exit exit = check_wanted(client, line, raw_of(message));
    return exit ? exit : wait_for_first_of(client, message, &wait);
}

static enum cli_exit run_send(const struct line *line)
{
    struct buf answer = { 0 };
    struct client *client;

    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = post(client, line, &answer);
    if (!exit && line_has(line, "wait"))
        exit = wait_for_outcome(client, line, &answer);
    else if (!exit)
        exit = request_print(client, &answer, output_form(line), columns);
    buf_fini(&answer);
    client_close(client);
    return exit;
}
