/* Status: a region at a glance. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/raw.h"
#include "cli/request.h"

static enum cli_exit run_status(const struct line *line);

static const struct column columns[] = {
    { "REGION", "region" },
    { "VERSION", "version" },
    { "UPTIME, S", "uptimeSeconds" },
    { "PENDING", "pending" },
    { "OLDEST DUE", "oldestDueAt" },
    { "MESSAGES", "messages" },
    { "ATTEMPTS", "attempts" },
    { "GLOBAL, BYTES", "globalBytes" },
    { "REGIONAL, BYTES", "regionalBytes" },
    { "GLOBAL SCHEMA", "globalSchema" },
    { "REGIONAL SCHEMA", "regionalSchema" },
    { NULL, NULL },
};

static const struct column retention_columns[] = {
    { "NEXT TO GO", "nextAt" },
    { "OLDEST MESSAGE", "oldestMessageAt" },
    { "OLDEST ATTEMPT", "oldestAttemptAt" },
    { "PAYLOADS GONE", "payloadsRemoved" },
    { "ATTEMPTS GONE", "attemptsRemoved" },
    { "MESSAGES GONE", "messagesRemoved" },
    { NULL, NULL },
};

static const struct column failing_columns[] = {
    { "FAILING ENDPOINT", "endpointId" },
    { "UID", "endpointUid" },
    { "APP", "appId" },
    { "HOST", "host" },
    { "DISABLED", "disabled" },
    { "PENDING", "pending" },
    { "ATTEMPTS", "attemptsMost" },
    { NULL, NULL },
};

const struct command status_commands[] = {
    { .path = "status",
      .arguments = "",
      .summary = "show what waits, since when, for whom, what went of age, and versions",
      .example = "posthaste status",
      .operations = "getStatus",
      .groups = { &server_group, &output_group },
      .run = run_status },
    { .path = "health",
      .arguments = "",
      .summary =
          "say by the exit status whether a server is able to take messages; needs no token",
      .example = "posthaste health --url http://127.0.0.1:8080",
      .groups = { &server_group },
      .run = request_run,
      .method = "GET",
      .url = "/api/v1/health",
      .needs_no_token = true },
    { .path = "ping",
      .arguments = "",
      .summary = "the same of whether it answers at all",
      .example = "posthaste ping --url http://127.0.0.1:8080",
      .groups = { &server_group },
      .run = request_run,
      .method = "GET",
      .url = "/api/v1/health/ping",
      .needs_no_token = true },
    { .path = NULL },
};

static enum cli_exit print_retention(struct raw status)
{
    struct output *output = output_open(OUTPUT_TABLE, retention_columns, false);

    output_item(output, raw_member(status, "retention"));
    putchar('\n');
    return output_close(output, CLI_OK);
}

static enum cli_exit print_failing(struct raw status)
{
    struct raw items = raw_items(raw_member(status, "failing")), item;

    if (!raw_next(&items, &item))
        return CLI_OK;
    struct output *output = output_open(OUTPUT_TABLE, failing_columns, true);
    do
        output_item(output, item);
    while (raw_next(&items, &item));
    putchar('\n');
    return output_close(output, CLI_OK);
}

static enum cli_exit print_status(struct raw status, enum output_form form)
{
    struct output *output = output_open(form, columns, false);

    output_item(output, status);
    enum cli_exit exit = output_close(output, CLI_OK);

    if (!exit && form == OUTPUT_TABLE)
        exit = print_retention(status);
    if (!exit && form == OUTPUT_TABLE)
        exit = print_failing(status);
    return exit;
}

static enum cli_exit run_status(const struct line *line)
{
    struct client_request request = { .method = "GET", .path = "/api/v1/status", .query = "" };
    struct buf answer = { 0 };
    enum output_form form = output_form(line);
    struct client *client;

    enum cli_exit exit = client_open(line, &client);
    if (exit)
        return exit;
    exit = client_send(client, &request, &answer);
    if (!exit)
        exit = print_status(raw_of(&answer), form);
    buf_fini(&answer);
    client_close(client);
    return exit;
}
