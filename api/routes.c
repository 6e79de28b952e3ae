#include "api/routes.h"

#include "core/count.h"

#define BASE        "/api/v1"
#define APPLICATION BASE "/app/{app}"
#define ENDPOINT    APPLICATION "/endpoint/{endpoint}"
#define MESSAGE     APPLICATION "/msg/{msg}"
#define EVENT_TYPE  BASE "/event-type/{name}"
#define REGION      BASE "/regions/{region}"
#define OPERATIONAL BASE "/operational-webhook/endpoint"
#define ORIGIN      BASE "/replication/{region}"

#define LIST_MESSAGES (QUERY_PAGE_MESSAGES | QUERY_MESSAGES | QUERY_CONTENT)
#define LIST_TRIED    (LIST_MESSAGES | QUERY_STATUS)
#define LIST_ATTEMPTS (QUERY_PAGE_ATTEMPTS | QUERY_ATTEMPTS | QUERY_MESSAGES | QUERY_CONTENT)

#define ANYONE ACCESS_ANYONE
#define ORG    ACCESS_ORGANIZATION
#define APP    ACCESS_APPLICATION
#define SHOW   ACCESS_VIEW_SECRET
#define SECRET ACCESS_MANAGE_SECRET
#define MANAGE ACCESS_MANAGE_ENDPOINT
#define SEND   ACCESS_CREATE_ATTEMPTS

#define HERE      INGEST_HERE
#define DIRECTORY INGEST_DIRECTORY
#define REPLICA   INGEST_REPLICA
#define OWNER     INGEST_OWNER
#define INTAKE    INGEST_INTAKE
#define AT        INGEST_MESSAGE
#define MANAGER   INGEST_MANAGER
#define MANAGED   INGEST_MANAGER_REPLICA
#define NAMED     INGEST_REGION
#define MAKER     INGEST_TASK
#define SELF      INGEST_TOKEN

/* clang-format off */
const struct route routes[] = {
    { "GET",    BASE "/health",      ANYONE, HERE, 0, health_get },
    { "GET",    BASE "/health/ping", ANYONE, HERE, 0, health_ping },
    { "GET",    BASE "/status",      ORG,    HERE, 0, status_get },

    { "GET",    BASE "/openapi.json", ANYONE, HERE, 0, pages_openapi },
    { "GET",    "/docs",              ANYONE, HERE, 0, pages_index },
    { "GET",    "/docs/{file}",       ANYONE, HERE, 0, pages_file },

    { "GET",    BASE "/regions",     ORG, HERE,  0, regions_list },
    { "GET",    REGION,              ORG, HERE,  0, regions_get },
    { "POST",   REGION "/drain",     ORG, NAMED, 0, regions_drain },
    { "POST",   REGION "/undrain",   ORG, NAMED, 0, regions_undrain },

    { "GET",    BASE "/replication", ORG, HERE,  0, replication_list },
    { "GET",    BASE "/replication/conflicts",
                                     ORG, HERE,  0, replication_conflicts },
    { "GET",    ORIGIN "/digest",    ORG, HERE,  0, replication_digest },
    { "POST",   ORIGIN "/reseed",    ORG, HERE,  0, replication_reseed },

    { "GET",    BASE "/master-key",        ORG, HERE, 0, master_keys_list },
    { "POST",   BASE "/master-key/reload", ORG, HERE, 0, master_keys_reload },

    { "POST",   BASE "/route/explain", APP, HERE, 0, routes_explain },

    { "GET",    BASE "/app",         ORG, HERE,    QUERY_PAGE_APPLICATIONS, applications_list },
    { "POST",   BASE "/app",         ORG, HERE,    QUERY_GET_IF_EXISTS,     applications_create },
    { "GET",    APPLICATION,         APP, REPLICA, 0, applications_get },
    { "PUT",    APPLICATION,         ORG, OWNER,   0, applications_replace },
    { "PATCH",  APPLICATION,         ORG, OWNER,   0, applications_patch },
    { "DELETE", APPLICATION,         ORG, OWNER,   0, applications_delete },

    { "GET",    BASE "/event-type",  APP, HERE,
                            QUERY_PAGE_EVENT_TYPES | QUERY_ARCHIVED | QUERY_SCHEMAS,
                                                               event_types_list },
    { "POST",   BASE "/event-type",  ORG, DIRECTORY, 0,             event_types_create },
    { "POST",   BASE "/event-type/import/openapi", ORG, DIRECTORY, 0, event_types_import },
    { "GET",    EVENT_TYPE,          APP, HERE,      0,             event_types_get },
    { "PUT",    EVENT_TYPE,          ORG, DIRECTORY, 0,             event_types_replace },
    { "PATCH",  EVENT_TYPE,          ORG, DIRECTORY, 0,             event_types_patch },
    { "DELETE", EVENT_TYPE,          ORG, DIRECTORY, QUERY_EXPUNGE, event_types_delete },

    { "GET",    APPLICATION "/endpoint",   APP,    REPLICA, QUERY_PAGE_ENDPOINTS, endpoints_list },
    { "POST",   APPLICATION "/endpoint",   MANAGE, OWNER,   0, endpoints_create },
    { "GET",    ENDPOINT,                  APP,    REPLICA, 0, endpoints_get },
    { "PUT",    ENDPOINT,                  MANAGE, OWNER,   0, endpoints_replace },
    { "PATCH",  ENDPOINT,                  MANAGE, OWNER,   0, endpoints_patch },
    { "DELETE", ENDPOINT,                  MANAGE, OWNER,   0, endpoints_delete },
    { "GET",    ENDPOINT "/stats",         APP,    OWNER,   QUERY_RANGE, endpoint_stats_get },
    { "GET",    ENDPOINT "/secret",        SHOW,   OWNER,   0, endpoint_secrets_get },
    { "POST",   ENDPOINT "/secret/rotate", SECRET, OWNER,   0, endpoint_secrets_rotate },
    { "GET",    ENDPOINT "/headers",       APP,    OWNER,   0, endpoint_headers_get },
    { "PUT",    ENDPOINT "/headers",       MANAGE, OWNER,   0, endpoint_headers_replace },
    { "PATCH",  ENDPOINT "/headers",       MANAGE, OWNER,   0, endpoint_headers_patch },

    { "GET",    OPERATIONAL, ORG, MANAGED, QUERY_PAGE_ENDPOINTS, operational_list },
    { "POST",   OPERATIONAL, ORG, MANAGER, 0,                    operational_create },
    { "GET",    OPERATIONAL "/{operational}", ORG, MANAGED, 0, endpoints_get },
    { "PUT",    OPERATIONAL "/{operational}", ORG, MANAGER, 0, operational_replace },
    { "PATCH",  OPERATIONAL "/{operational}", ORG, MANAGER, 0, endpoints_patch },
    { "DELETE", OPERATIONAL "/{operational}", ORG, MANAGER, 0, endpoints_delete },
    { "GET",    OPERATIONAL "/{operational}/secret",        ORG, MANAGER, 0, endpoint_secrets_get },
    { "POST",   OPERATIONAL "/{operational}/secret/rotate", ORG, MANAGER, 0,
                                                            endpoint_secrets_rotate },
    { "GET",    OPERATIONAL "/{operational}/headers", ORG, MANAGER, 0, endpoint_headers_get },
    { "PUT",    OPERATIONAL "/{operational}/headers", ORG, MANAGER, 0, endpoint_headers_replace },

    { "GET",    APPLICATION "/msg",  APP, OWNER,  LIST_MESSAGES, messages_list },
    { "POST",   APPLICATION "/msg",  ORG, INTAKE, QUERY_CONTENT, messages_create },
    { "GET",    MESSAGE,             APP, AT,     QUERY_CONTENT, messages_get },
    { "POST",   APPLICATION "/msg/precheck/active", ORG, OWNER, 0, messages_precheck },

    { "GET",    APPLICATION "/attempt/msg/{msg}", APP, AT, LIST_ATTEMPTS | QUERY_ENDPOINT,
                                                     attempts_list_by_message },
    { "GET",    APPLICATION "/attempt/endpoint/{endpoint}", APP, OWNER, LIST_ATTEMPTS,
                                                     attempts_list_by_endpoint },
    { "GET",    MESSAGE "/attempt/{attempt}", APP, AT, QUERY_CONTENT, attempts_get },

    { "POST",   APPLICATION "/msg/expunge-all-contents", ORG, OWNER, 0, messages_expunge_all },
    { "POST",   APPLICATION "/msg/bulk-expunge",         ORG, OWNER, 0, messages_expunge_some },
    { "DELETE", MESSAGE "/content",                   ORG, AT, 0, messages_expunge },
    { "DELETE", MESSAGE "/attempt/{attempt}/content", ORG, AT, 0, attempts_expunge },

    { "POST",   MESSAGE "/endpoint/{endpoint}/resend", SEND, AT, 0, deliveries_resend },
    { "POST",   ENDPOINT "/send-example",   ORG,  INTAKE, 0, examples_send },
    { "POST",   ENDPOINT "/recover",        SEND, OWNER, 0, endpoints_recover },
    { "POST",   ENDPOINT "/replay-missing", SEND, OWNER, 0, endpoints_replay_missing },
    { "POST",   ENDPOINT "/bulk-replay",    SEND, OWNER, 0, endpoints_bulk_replay },

    { "POST",   BASE "/stats/usage/app",         ORG, HERE, 0, usage_count_destinations },
    { "PUT",    BASE "/stats/usage/event-types", ORG, HERE, 0, usage_list_event_types },

    { "GET",    BASE "/background-task", ORG, HERE, QUERY_PAGE_TASKS | QUERY_TASKS,
                                                     background_list },
    { "GET",    BASE "/background-task/{task}", ORG, MAKER, 0, background_get },

    { "GET",    MESSAGE "/endpoint", APP, AT,    QUERY_PAGE_DESTINATIONS, destinations_list },
    { "GET",    ENDPOINT "/msg",     APP, OWNER, LIST_TRIED,              tried_list },

    { "POST",   BASE "/auth/app-portal-access/{app}", ORG, OWNER, 0, portal_open },
    { "POST",   BASE "/auth/dashboard-access/{app}",  ORG, OWNER, 0, portal_open },
    { "POST",   BASE "/auth/app/{app}/expire-all",    ORG, OWNER, 0, portal_expire_all },
    { "POST",   BASE "/auth/logout",                  APP, SELF,  0, portal_log_out },
};
/* clang-format on */

const size_t route_count = COUNT(routes);
