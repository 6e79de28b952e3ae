/* Endpoints: the receivers of an application's messages. */
#include "cli/command.h"
#include "cli/receiver.h"
#include "cli/request.h"

#define URL "/api/v1/app/{app}/endpoint"

#define OTHER_FIELDS                                                                           \
    FIELD_UID, FIELD_DESCRIPTION, FIELD_EVENT_TYPES("take only these"),                        \
        FIELD("channels", OPTION_LIST, "CHANNEL,…", "take only what is for one of these",      \
              "channels"),                                                                     \
        FIELDS_PACE, FIELD_METADATA

/* Where there are several regions. */
#define DISPATCH_FIELDS                                                                        \
    FIELD("target", OPTION_PAIR, "LABEL=URL",                                                  \
          "where deliveries go by a region or jurisdiction; may be repeated", "targets"),      \
        FIELD("dispatch", OPTION_CHOICE, "auto|home|pin", "which region sends",                \
              "dispatch/mode"),                                                                \
        FIELD("pin", OPTION_LIST, "REGION,…", "the first of these that is able to",            \
              "dispatch/regions"),                                                             \
        FIELD("latitude", OPTION_JSON, "DEGREES", "where the receiver is",                     \
              "location/latitude"),                                                            \
        FIELD("longitude", OPTION_JSON, "DEGREES", "", "location/longitude")

static const struct option create_options[] = {
    LOCAL_APP,    NEEDED_FIELD_TO, OTHER_FIELDS, FIELD_SECRET,
    FIELD_HEADER, DISPATCH_FIELDS, OPTION_END,
};

static const struct option update_options[] = {
    LOCAL_APP, FIELD_TO, OTHER_FIELDS, DISPATCH_FIELDS, OPTION_END,
};
static const struct option replace_options[] = {
    LOCAL_APP, NEEDED_FIELD_TO, OTHER_FIELDS, DISPATCH_FIELDS, OPTION_END,
};
static const struct option header_options[] = { LOCAL_APP, FIELD_HEADER, OPTION_END };
static const struct option patch_options[] = {
    LOCAL_APP,
    FIELD_HEADER,
    FIELD("delete-header", OPTION_LIST, "NAME,…", "no more of these", "deleteHeaders"),
    OPTION_END,
};
static const struct option rotate_options[] = {
    LOCAL_APP,
    FIELDS_ROTATE,
    OPTION_END,
};
static const struct option list_options[] = { LOCAL_APP, QUERY_ORDER, OPTION_END };
static const struct option messages_options[] = {
    LOCAL_APP,
    QUERY("status", OPTION_STATUS, "success|pending|fail|sending|canceled",
          "that stand so; sending: to be tried again; " STATUS_HELP, "status"),
    QUERY_MESSAGES,
    QUERY("no-content", OPTION_NO, NULL, "without payloads", "with_content"),
    OPTION_END,
};
static const struct option stats_options[] = {
    LOCAL_APP,
    QUERY("since", OPTION_TIME, "TIME",
          "from it on: " TIME_HELP "; 28 days before the end unless given", "since"),
    QUERY("until", OPTION_TIME, "TIME", "up to it; now unless given", "until"),
    OPTION_END,
};
static const struct option app_options[] = { LOCAL_APP, OPTION_END };

static const struct option_group create_group = { "Endpoint", create_options };
static const struct option_group update_group = { "Endpoint", update_options };
static const struct option_group replace_group = { "Endpoint", replace_options };
static const struct option_group patch_group = { "Endpoint", patch_options };
static const struct option_group header_group = { "Endpoint", header_options };
static const struct option_group rotate_group = { "Secret", rotate_options };
static const struct option_group list_group = { "List", list_options };
static const struct option_group messages_group = { "List", messages_options };
static const struct option_group stats_group = { "Stats", stats_options };
static const struct option_group app_group = { "Endpoint", app_options };

static const struct column columns[] = {
    { "ID", "id" },
    { "UID", "uid" },
    { "URL", "url" },
    { "EVENT TYPES", "eventTypes" },
    { "CHANNELS", "channels" },
    { "DISABLED", "disabled" },
    { "RATE LIMIT", "throttleRate" },
    { "DESCRIPTION", "description" },
    { "METADATA", "metadata" },
    { "TARGETS", "targets/" },
    { "DISPATCH", "dispatch/mode" },
    { "PIN", "dispatch/regions" },
    { "LATITUDE", "location/latitude" },
    { "LONGITUDE", "location/longitude" },
    { "CREATED", "createdAt" },
    { NULL, NULL },
};

static const struct column stats_columns[] = {
    { "SUCCESS", "success" }, { "FAIL", "fail" },         { "PENDING", "pending" },
    { "SENDING", "sending" }, { "CANCELED", "canceled" }, { NULL, NULL },
};

static const struct column message_columns[] = {
    { "MESSAGE", "id" },
    { "EVENT TYPE", "eventType" },
    { "EVENT ID", "eventId" },
    { "STATUS", "statusText" },
    { "TIME", "timestamp" },
    { "NEXT", "nextAttempt" },
    { NULL, NULL },
};

const struct command endpoint_commands[] = {
    { .path = "endpoint create",
      .arguments = "",
      .summary = "make an endpoint of an application",
      .example = "posthaste endpoint create --app shop --to https://books.example/hook "
                 "--event-types order.paid",
      .groups = { &create_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL,
      .columns = columns },
    { .path = "endpoint list",
      .arguments = "",
      .summary = "list an application's endpoints",
      .example = "posthaste endpoint list --app shop",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "endpoint get",
      .arguments = "ENDPOINT",
      .summary = "show an endpoint",
      .example = "posthaste endpoint get --app shop books",
      .groups = { &app_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "endpoint update",
      .arguments = "ENDPOINT",
      .summary = "change what is given, keep the rest; an empty value unsets",
      .example = "posthaste endpoint update --app shop books --rate-limit 50 --channels=",
      .groups = { &update_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "endpoint replace",
      .arguments = "ENDPOINT",
      .summary = "set all of an endpoint, what isn't given to its default; or make it",
      .about = "Its secret stays.",
      .example = "posthaste endpoint replace --app shop books --to https://books.example/hook "
                 "--uid books",
      .groups = { &replace_group, &server_group, &output_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "endpoint pause",
      .arguments = "ENDPOINT",
      .summary = "let all that is to be delivered to an endpoint wait",
      .about =
          "Nothing is skipped and nothing fails: what waits, and what is sent from now on, is "
          "kept\n"
          "and goes out after endpoint resume. What is under way just now is still finished.",
      .example = "posthaste endpoint pause --app shop books",
      .groups = { &app_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .body = "{\"disabled\":true}",
      .columns = columns },
    { .path = "endpoint resume",
      .arguments = "ENDPOINT",
      .summary = "deliver to an endpoint again, first of all what waits",
      .about = "After endpoint pause, or when we have disabled it: its receiver said 410, or "
               "failed for too\n"
               "long. What has used up its attempts before that isn't sent again: see "
               "posthaste recover.",
      .example = "posthaste endpoint resume --app shop books",
      .groups = { &app_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .body = "{\"disabled\":false}",
      .columns = columns },
    { .path = "endpoint delete",
      .arguments = "ENDPOINT",
      .summary = "delete an endpoint and what waits for it",
      .example = "posthaste endpoint delete --app shop books",
      .groups = { &app_group, &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = URL "/{1}" },
    { .path = "endpoint secret",
      .arguments = "ENDPOINT",
      .summary = "show what an endpoint's deliveries are signed with",
      .example = "posthaste endpoint secret --app shop books",
      .groups = { &app_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/secret",
      .columns = receiver_secret_columns },
    { .path = "endpoint rotate-secret",
      .arguments = "ENDPOINT",
      .summary = "sign with another secret from now on",
      .example = "posthaste endpoint rotate-secret --app shop books --grace 3600",
      .groups = { &rotate_group, &server_group },
      .run = request_run,
      .method = "POST",
      .url = URL "/{1}/secret/rotate" },
    { .path = "endpoint messages",
      .arguments = "ENDPOINT",
      .summary = "list messages that it was tried with, and how that stands, newest first",
      .example = "posthaste endpoint messages --app shop books --status fail",
      .groups = { &messages_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/msg",
      .columns = message_columns,
      .is_list = true },
    { .path = "endpoint stats",
      .arguments = "ENDPOINT",
      .summary = "count the attempts to it, by what they came to",
      .example = "posthaste endpoint stats --app shop books --since 24h",
      .groups = { &stats_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/stats",
      .columns = stats_columns },
    { .path = "endpoint headers",
      .arguments = "ENDPOINT",
      .summary = "show the headers that are sent along",
      .example = "posthaste endpoint headers --app shop books",
      .groups = { &app_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}/headers",
      .columns = receiver_header_columns },
    { .path = "endpoint set-headers",
      .arguments = "ENDPOINT",
      .summary = "replace the headers that are sent along",
      .example = "posthaste endpoint set-headers --app shop books --header 'X-Key: secret'",
      .groups = { &header_group, &server_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}/headers" },
    { .path = "endpoint update-headers",
      .arguments = "ENDPOINT",
      .summary = "change or remove some of the headers that are sent along",
      .example = "posthaste endpoint update-headers --app shop books --header 'X-Key: new' "
                 "--delete-header X-Old",
      .groups = { &patch_group, &server_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}/headers" },
    { .path = NULL },
};
