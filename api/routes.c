#include "api/routes.h"

#include "core/count.h"

#define BASE        "/api/v1"
#define APPLICATION BASE "/app/{app}"
#define ENDPOINT    APPLICATION "/endpoint/{endpoint}"
#define MESSAGE     APPLICATION "/msg/{msg}"
#define EVENT_TYPE  BASE "/event-type/{name}"
#define REGION      BASE "/regions/{region}"

#define LIST_MESSAGES (QUERY_PAGE_MESSAGES | QUERY_MESSAGES | QUERY_CONTENT)
#define LIST_ATTEMPTS (QUERY_PAGE_ATTEMPTS | QUERY_ATTEMPTS | QUERY_MESSAGES | QUERY_CONTENT)

#define ANYONE ACCESS_ANYONE
#define ORG    ACCESS_ORGANIZATION
#define APP    ACCESS_APPLICATION

/* clang-format off */
const struct route routes[] = {
    { "GET",    BASE "/health",      ANYONE, 0, health_get },
    { "GET",    BASE "/health/ping", ANYONE, 0, health_ping },
    { "GET",    BASE "/status",      ORG,    0, status_get },

    { "GET",    BASE "/regions",     ORG, 0, regions_list },
    { "GET",    REGION,              ORG, 0, regions_get },
    { "POST",   REGION "/drain",     ORG, 0, regions_drain },
    { "POST",   REGION "/undrain",   ORG, 0, regions_undrain },

    { "GET",    BASE "/app",         ORG, QUERY_PAGE_APPLICATIONS, applications_list },
    { "POST",   BASE "/app",         ORG, QUERY_GET_IF_EXISTS,     applications_create },
    { "GET",    APPLICATION,         APP, 0, applications_get },
    { "PUT",    APPLICATION,         ORG, 0, applications_replace },
    { "PATCH",  APPLICATION,         ORG, 0, applications_patch },
    { "DELETE", APPLICATION,         ORG, 0, applications_delete },

    { "GET",    BASE "/event-type",  APP, QUERY_PAGE_EVENT_TYPES | QUERY_ARCHIVED | QUERY_SCHEMAS,
                                                    event_types_list },
    { "POST",   BASE "/event-type",  ORG, 0,             event_types_create },
    { "GET",    EVENT_TYPE,          APP, 0,             event_types_get },
    { "PUT",    EVENT_TYPE,          ORG, 0,             event_types_replace },
    { "PATCH",  EVENT_TYPE,          ORG, 0,             event_types_patch },
    { "DELETE", EVENT_TYPE,          ORG, QUERY_EXPUNGE, event_types_delete },

    { "GET",    APPLICATION "/endpoint", APP, QUERY_PAGE_ENDPOINTS, endpoints_list },
    { "POST",   APPLICATION "/endpoint", APP, 0, endpoints_create },
    { "GET",    ENDPOINT,                APP, 0, endpoints_get },
    { "PUT",    ENDPOINT,                APP, 0, endpoints_replace },
    { "PATCH",  ENDPOINT,                APP, 0, endpoints_patch },
    { "DELETE", ENDPOINT,                APP, 0, endpoints_delete },
    { "GET",    ENDPOINT "/secret",        APP, 0, endpoint_secrets_get },
    { "POST",   ENDPOINT "/secret/rotate", APP, 0, endpoint_secrets_rotate },
    { "GET",    ENDPOINT "/headers",       APP, 0, endpoint_headers_get },
    { "PUT",    ENDPOINT "/headers",       APP, 0, endpoint_headers_replace },
    { "PATCH",  ENDPOINT "/headers",       APP, 0, endpoint_headers_patch },

    { "GET",    APPLICATION "/msg",  APP, LIST_MESSAGES, messages_list },
    { "POST",   APPLICATION "/msg",  ORG, QUERY_CONTENT, messages_create },
    { "GET",    MESSAGE,             APP, QUERY_CONTENT, messages_get },

    { "GET",    APPLICATION "/attempt/msg/{msg}", APP, LIST_ATTEMPTS | QUERY_ENDPOINT,
                                                     attempts_list_by_message },
    { "GET",    APPLICATION "/attempt/endpoint/{endpoint}", APP, LIST_ATTEMPTS,
                                                     attempts_list_by_endpoint },
    { "GET",    MESSAGE "/attempt/{attempt}", APP, QUERY_CONTENT, attempts_get },
};
/* clang-format on */

const size_t route_count = COUNT(routes);
