/* Event types: the names of what happens. */
#include "cli/command.h"

#include "cli/file.h"
#include "cli/form.h"
#include "cli/request.h"
#include "cli/say.h"

#define URL "/api/v1/event-type"

static enum cli_exit run_import(const struct line *line);

static const struct option name_options[] = {
    NEEDED_FIELD("name", OPTION_TEXT, "NAME", "such as order.paid", "name"),
    OPTION_END,
};

static const struct option fields[] = {
    FIELD_DESCRIPTION,
    FIELD("schemas", OPTION_JSON, "JSON|@FILE|-", "JSON Schemas by version", "schemas"),
    FIELD("feature-flags", OPTION_LIST, "FLAG,…", "show it only to who has one",
          "featureFlags"),
    FIELD("group", OPTION_TEXT, "NAME", "show it with others of that name", "groupName"),
    FIELD("deprecated", OPTION_FLAG, NULL, "not for new endpoints", "deprecated"),
    FIELD("archived", OPTION_FLAG, NULL, "hide it", "archived"),
    FIELD("unarchived", OPTION_NO, NULL, "show it again", "archived"),
    OPTION_END,
};

static const struct option list_options[] = {
    QUERY("archived", OPTION_FLAG, NULL, "archived ones too", "include_archived"),
    QUERY("with-content", OPTION_FLAG, NULL, "with their schemas", "with_content"),
    OPTION_END,
};

static const struct option delete_options[] = {
    QUERY("expunge", OPTION_FLAG, NULL, "remove it rather than archive it", "expunge"),
    OPTION_END,
};

static const struct option import_options[] = {
    FIELD("dry-run", OPTION_FLAG, NULL, "only say what would change", "dryRun"),
    FIELD("replace-all", OPTION_FLAG, NULL, "archive those that it doesn't have", "replaceAll"),
    OPTION_END,
};

static const struct option_group name_group = { "Name", name_options };
static const struct option_group field_group = { "Event type", fields };
static const struct option_group list_group = { "List", list_options };
static const struct option_group delete_group = { "Delete", delete_options };

static const struct option_group import_group = { "Import", import_options };

static const struct column columns[] = {
    { "NAME", "name" },
    { "DESCRIPTION", "description" },
    { "GROUP", "groupName" },
    { "DEPRECATED", "deprecated" },
    { "ARCHIVED", "archived" },
    { "CREATED", "createdAt" },
    { NULL, NULL },
};

static const struct column import_columns[] = {
    { "MODIFIED", "data/modified" },
    { "ARCHIVED", "data/archived" },
    { NULL, NULL },
};

static const struct column usage_columns[] = {
    { "ID", "id" },
    { "TASK", "task" },
    { "STATUS", "status" },
    { NULL, NULL },
};

const struct command event_type_commands[] = {
    { .path = "event-type create",
      .arguments = "",
      .summary = "make an event type",
      .example = "posthaste event-type create --name order.paid --schemas @schemas.json",
      .groups = { &name_group, &field_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL,
      .columns = columns },
    { .path = "event-type list",
      .arguments = "",
      .summary = "list event types by name",
      .example = "posthaste event-type list --archived",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "event-type get",
      .arguments = "NAME",
      .summary = "show an event type",
      .example = "posthaste event-type get order.paid -o json",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "event-type update",
      .arguments = "NAME",
      .summary = "change what is given, keep the rest; an empty value unsets",
      .example = "posthaste event-type update order.paid --description 'An order is paid'",
      .groups = { &field_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "event-type replace",
      .arguments = "NAME",
      .summary = "set all of an event type, what isn't given to its default; or make it",
      .example = "posthaste event-type replace order.paid --description 'An order is paid'",
      .groups = { &field_group, &server_group, &output_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "event-type delete",
      .arguments = "NAME",
      .summary = "archive an event type",
      .example = "posthaste event-type delete order.paid",
      .groups = { &delete_group, &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = URL "/{1}" },
    { .path = "event-type import",
      .arguments = "FILE",
      .summary = "make event types of the webhooks of an OpenAPI document, JSON or YAML",
      .example = "posthaste event-type import openapi.yaml --dry-run",
      .operations = "importEventTypes",
      .groups = { &import_group, &server_group, &output_group },
      .run = run_import },
    { .path = "event-type usage",
      .arguments = "",
      .summary =
          "list which event types each application's endpoints ask for, in the background",
      .example = "posthaste event-type usage",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "PUT",
      .url = "/api/v1/stats/usage/event-types",
      .columns = usage_columns },
    { .path = NULL },
};

static bool write_import(const struct line *line, struct buf *out)
{
    struct buf document = BUF_INIT(FILE_LEN_MAX);
    struct json_writer w;
    bool written = false;

    if (file_read(line_argument(line, 0), &document) == ERR_OK) {
        json_write_begin(&w, out);
        json_open_object(&w);
        json_name(&w, "specRaw");
        json_put_bytes(&w, document.bytes, document.len);
        enum err err = form_members(line, &w);
        json_close_object(&w);
        written = !err && json_write_end(&w) == ERR_OK;
        if (!err && !written)
            say("the document is too large");
    }
    buf_fini(&document);
    return written;
}

static enum cli_exit run_import(const struct line *line)
{
    struct buf body = BUF_INIT(FORM_BODY_MAX), answer = { 0 };
    enum cli_exit exit = CLI_USAGE;
    enum output_form form = output_form(line);
    struct client *client;

    if (write_import(line, &body))
        exit = client_open(line, &client);
    if (!exit) {
        exit = client_send(client,
                           &(struct client_request){
                               .method = "POST",
                               .path = URL "/import/openapi",
                               .query = "",
                               .body = &body,
                           },
                           &answer);
        if (!exit)
            exit = request_print(client, &answer, form, import_columns);
        client_close(client);
    }
    buf_fini(&body);
    buf_fini(&answer);
    return exit;
}
