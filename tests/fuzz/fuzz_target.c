/* Bytes from a stranger as a request's path, and those behind the first '?' as its query string.
 *
 * Holds: a route's parts are names that could exist; what a query string says lies within its
 * bounds unless a fault was found. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "api/query.h"
#include "api/routes.h"
#include "core/count.h"
#include "core/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void match(const struct router *router, const char *path)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "BREW" };

    for (size_t i = 0; i < COUNT(methods); i++) {
        struct route_match found;
        if (router_match(router, methods[i], path, &found))
            continue;
        assert(strcmp(found.route->method, methods[i]) == 0);
        for (size_t part = 0; part < found.part_count; part++)
            assert(*found.parts[part] && strlen(found.parts[part]) <= NAME_LEN_MAX);
    }
}

static void parse(const char *text, unsigned accepts)
{
    struct query q;
    struct faults faults = { .count = 0 };
    char why[QUERY_WHY_MAX] = "";

    if (query_parse(text, accepts, &q, &faults, why)) {
        assert(*why);
    } else if (faults.count == 0) {
        assert(q.page.limit >= 1 && q.page.limit <= PAGE_LIMIT_MAX);
        assert(q.status < ATTEMPT_STATUSES && q.status_class <= 500);
        assert(q.messages.event_types.count <= QUERY_LIST_MAX);
    }
    query_fini(&q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct router *router;
    char *target = xmemdup(data, size);
    char *query = strchr(target, '?');

    if (!router)
        router = router_new(routes, route_count);
    if (query)
        *query++ = 0;
    match(router, target);
    for (size_t i = 0; query && i < route_count; i++)
        parse(query, routes[i].query);
    free(target);
    return 0;
}
