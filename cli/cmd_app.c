/* Applications: the tenants. */
#include "cli/command.h"
#include "cli/request.h"

#define URL "/api/v1/app"

#define OTHER_FIELDS                                                                           \
    FIELD_UID,                                                                                 \
        FIELD("rate-limit", OPTION_COUNT, "N", "at most N attempts a second to its endpoints", \
              "throttleRate"),                                                                 \
        FIELD_METADATA

#define POLICY_FIELDS                                                                          \
    FIELD("mode", OPTION_CHOICE, "at_rest|processing|transit",                                 \
          "what may happen outside the jurisdiction", "residency/mode"),                       \
        FIELD("failover", OPTION_CHOICE, "none|jurisdiction",                                  \
              "who takes messages in while the home is down", "residency/failover")

static const struct option create_options[] = {
    NEEDED_FIELD("name", OPTION_TEXT, "NAME", "what people call it", "name"),
    OTHER_FIELDS,
    QUERY("get-if-exists", OPTION_FLAG, NULL, "show the one that has the uid, if there is one",
          "get_if_exists"),
    FIELD("jurisdiction", OPTION_TEXT, "NAME", "where the data may lie",
          "residency/jurisdiction"),
    FIELD("home", OPTION_TEXT, "REGION", "where it lies", "residency/home"),
    POLICY_FIELDS,
    OPTION_END,
};

static const struct option update_options[] = {
    FIELD("name", OPTION_TEXT, "NAME", "what people call it", "name"),
    OTHER_FIELDS,
    POLICY_FIELDS,
    OPTION_END,
};

static const struct option replace_options[] = {
    NEEDED_FIELD("name", OPTION_TEXT, "NAME", "what people call it", "name"),
    OTHER_FIELDS,
    POLICY_FIELDS,
    OPTION_END,
};

static const struct option list_options[] = { QUERY_ORDER, OPTION_END };

static const struct option portal_options[] = {
    FIELD("expiry", OPTION_COUNT, "SECONDS", "how long the token is good; 28 days at most",
          "expiry"),
    FIELD("feature-flags", OPTION_LIST, "FLAG,…", "event types of these are shown, too",
          "featureFlags"),
    FIELD("capabilities", OPTION_LIST, "NAME,…", "what it may do; everything unless given",
          "capabilities"),
    FIELD("read-only", OPTION_FLAG, NULL, "it may only look", "readOnly"),
    FIELD("session", OPTION_TEXT, "TEXT", "by which it may be ended", "sessionId"),
    OPTION_END,
};

static const struct option usage_options[] = {
    { .name = "since",
      .kind = OPTION_TIME,
      .arg = "TIME",
      .required = true,
      .help = "of messages from it on: " TIME_HELP,
      .place = OPTION_BODY,
      .member = "since" },
    FIELD("until", OPTION_TIME, "TIME", "up to it; now unless given", "until"),
    FIELD("apps", OPTION_LIST, "APP,…", "of these alone", "appIds"),
    OPTION_END,
};

static const struct option_group usage_group = { "Usage", usage_options };
static const struct option_group create_group = { "Application", create_options };
static const struct option_group update_group = { "Application", update_options };
static const struct option_group replace_group = { "Application", replace_options };
static const struct option_group portal_group = { "Portal", portal_options };
static const struct option_group list_group = { "List", list_options };

static const struct column columns[] = {
    { "ID", "id" },
    { "UID", "uid" },
    { "NAME", "name" },
    { "RATE LIMIT", "throttleRate" },
    { "METADATA", "metadata" },
    { "JURISDICTION", "residency/jurisdiction" },
    { "HOME", "residency/home" },
    { "MODE", "residency/mode" },
    { "FAILOVER", "residency/failover" },
    { "CREATED", "createdAt" },
    { NULL, NULL },
};

static const struct column portal_columns[] = {
    { "TOKEN", "token" },
    { "URL", "url" },
    { NULL, NULL },
};

static const struct column usage_columns[] = {
    { "ID", "id" },         { "TASK", "task" },
    { "STATUS", "status" }, { "UNKNOWN", "unresolvedAppIds" },
    { NULL, NULL },
};

const struct command app_commands[] = {
    { .path = "app create",
      .arguments = "",
      .summary = "make an application",
      .example = "posthaste app create --name 'The shop' --uid shop --metadata team=sales",
      .groups = { &create_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = URL,
      .columns = columns },
    { .path = "app list",
      .arguments = "",
      .summary = "list applications",
      .example = "posthaste app list --order descending --all -o jsonl",
      .groups = { &list_group, &page_group, &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL,
      .columns = columns,
      .is_list = true },
    { .path = "app get",
      .arguments = "APP",
      .summary = "show an application",
      .example = "posthaste app get shop",
      .groups = { &server_group, &output_group },
      .run = request_run,
      .method = "GET",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "app update",
      .arguments = "APP",
      .summary = "change what is given, keep the rest; an empty value unsets",
      .example = "posthaste app update shop --name 'The new shop' --uid=",
      .groups = { &update_group, &server_group, &output_group },
      .run = request_run,
      .method = "PATCH",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "app replace",
      .arguments = "APP",
      .summary = "set all of an application, what isn't given to its default; or make it",
      .example = "posthaste app replace shop --name 'The shop' --uid shop",
      .groups = { &replace_group, &server_group, &output_group },
      .run = request_run,
      .method = "PUT",
      .url = URL "/{1}",
      .columns = columns },
    { .path = "app delete",
      .arguments = "APP",
      .summary = "delete an application, its endpoints and what waits for them",
      .example = "posthaste app delete shop",
      .groups = { &server_group },
      .run = request_run,
      .method = "DELETE",
      .url = URL "/{1}" },
    { .path = "app portal-access",
      .arguments = "APP",
      .summary = "make a link and a token for the application's own users",
      .example = "posthaste app portal-access shop --expiry 3600 --session ada",
      .groups = { &portal_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/auth/app-portal-access/{1}",
      .columns = portal_columns },
    { .path = "app usage",
      .arguments = "",
      .summary = "count how many endpoints messages were tried at, in the background",
      .example = "posthaste app usage --since 24h --apps shop,bookshop",
      .groups = { &usage_group, &server_group, &output_group },
      .run = request_run,
      .method = "POST",
      .url = "/api/v1/stats/usage/app",
      .columns = usage_columns },
    { .path = NULL },
};
