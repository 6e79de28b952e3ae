/* Operational endpoints: who is told what becomes of an organization's endpoints and messages. */
#include "cli/command.h"
#include "cli/receiver.h"
#include "cli/request.h"

#define URL "/api/v1/operational-webhook/endpoint"

#define OTHER_FIELDS                                                                           \
    FIELD_UID, FIELD_DESCRIPTION, FIELD_EVENT_TYPES("be told only these"), FIELDS_PACE,        \
        FIELD_METADATA

static const struct option create_options[] = {
    NEEDED_FIELD_TO, OTHER_FIELDS, FIELD_SECRET, FIELD_HEADER, OPTION_END,
};
static const struct option update_options[] = {
    FIELD_TO,
    OTHER_FIELDS,
    OPTION_END,
};
static const struct option replace_options[] = {
    NEEDED_FIELD_TO,
    OTHER_FIELDS,
    OPTION_END,
};
static const struct option header_options[] = { FIELD_HEADER, OPTION_END };
static const struct option rotate_options[] = {
    FIELDS_ROTATE,
    OPTION_END,
};
static const struct option list_options[] = { QUERY_ORDER, OPTION_END };

static const struct option_group create_group = { "Endpoint", create_options };
static const struct option_group update_group = { "Endpoint", update_options };
static const struct option_group replace_group = { "Endpoint", replace_options };
static const struct option_group header_group = { "Endpoint", header_options };
static const struct option_group rotate_group = { "Secret", rotate_options };
static const struct option_group list_group = { "List", list_options };

static const struct column columns[] = {
    { "ID", "id" },
    { "UID", "uid" },
    { "URL", "url" },
    { "EVENT TYPES", "eventTypes" },
    { "DISABLED", "disabled" },
    { "RATE LIMIT", "throttleRate" },
    { "DESCRIPTION", "description" },
    { "METADATA", "metadata" },
    { "CREATED", "createdAt" },
    { NULL, NULL },
};

const struct command operational_endpoint_commands[] = {
    { .path = "operational-endpoint create",
      .arguments = "",
      .summary = "have somebody told what becomes of endpoints and messages",
      .example = "posthaste operational-endpoint create --to https://ops.example/hook "
                 "--event-types endpoint.disabled",
      .groups = { &create_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL,
      .columns = columns },
    { .path = "operational-endpoint list",
      .arguments = "",
      .summary = "list who is told",
      .example = "posthaste operational-endpoint list",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "operational-endpoint get",
      .arguments = "ENDPOINT",
      .summary = "show an operational endpoint",
      .example = "posthaste operational-endpoint get pager",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "operational-endpoint update",
      .arguments = "ENDPOINT",
      .summary = "change what is given, keep the rest; an empty value unsets",
      .example = "posthaste operational-endpoint update pager --event-types=",
      .groups = { &update_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "operational-endpoint replace",
      .arguments = "ENDPOINT",
      .summary = "set all of one, what isn't given to its default; or make it",
      .about = "Its secret stays.",
      .example = "posthaste operational-endpoint replace pager --to https://ops.example/hook "
                 "--uid pager",
      .groups = { &replace_group, &server_group, &output_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "operational-endpoint delete",
      .arguments = "ENDPOINT",
      .summary = "delete an operational endpoint and what waits for it",
      .example = "posthaste operational-endpoint delete pager",
      .groups = { &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = URL "/{1}" },
    { .path = "operational-endpoint secret",
      .arguments = "ENDPOINT",
      .summary = "show what is signed with",
      .example = "posthaste operational-endpoint secret pager",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/secret",
      .columns = receiver_secret_columns },
    { .path = "operational-endpoint rotate-secret",
      .arguments = "ENDPOINT",
      .summary = "sign with another secret from now on",
      .example = "posthaste operational-endpoint rotate-secret pager --grace 3600",
      .groups = { &rotate_group, &server_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/{1}/secret/rotate" },
    { .path = "operational-endpoint headers",
      .arguments = "ENDPOINT",
      .summary = "show the headers that are sent along",
      .example = "posthaste operational-endpoint headers pager",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/headers",
      .columns = receiver_header_columns },
    { .path = "operational-endpoint set-headers",
      .arguments = "ENDPOINT",
      .summary = "replace the headers that are sent along",
      .example = "posthaste operational-endpoint set-headers pager --header 'X-Key: secret'",
      .groups = { &header_group, &server_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}/headers" },
    { .path = NULL },
};
