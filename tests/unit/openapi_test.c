/* The document that is served, against the table that serves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/routes.h"
#include "core/count.h"
#include "tests/lib/contract.h"
#include "tests/lib/site.h"

/* "GET", as the document has it. */
static void to_member(const char *method, char out[8])
{
    size_t len = strlen(method);

    for (size_t i = 0; i <= len; i++)
        out[i] =
            (char)(method[i] >= 'A' && method[i] <= 'Z' ? method[i] + 'a' - 'A' : method[i]);
}

static const struct json *operation_of(const struct route *route)
{
    char method[8];

    to_member(route->method, method);
    return json_member(json_member(json_member(contract_document(), "paths"), route->path),
                       method);
}

static void every_route_is_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++)
        if (!operation_of(&routes[i]))
            fail_msg("%s %s isn't in the document", routes[i].method, routes[i].path);
}

/* Members of a path that are no methods. */
static bool is_shared(const char *name)
{
    return strcmp(name, "parameters") == 0 || strcmp(name, "summary") == 0 ||
           strcmp(name, "description") == 0;
}

static void find_route(const char *method, const struct json *operation, void *ctx)
{
    const char *path = ctx;
    char member[8];

    (void)operation;
    if (is_shared(method))
        return;
    for (size_t i = 0; i < route_count; i++) {
        to_member(routes[i].method, member);
        if (strcmp(routes[i].path, path) == 0 && strcmp(member, method) == 0)
            return;
    }
    fail_msg("%s %s is documented, and nothing answers it", method, path);
}

static void find_routes(const char *path, const struct json *operations, void *ctx)
{
    (void)ctx;
    json_each(operations, find_route, (void *)(uintptr_t)path);
}

static void every_operation_is_served(void **state)
{
    (void)state;
    json_each(json_member(contract_document(), "paths"), find_routes, NULL);
}

static size_t count_parameters(const struct json *operation, const char *in, const char *name)
{
    const struct json *parameters = json_member(operation, "parameters");
    size_t count = 0;

    for (size_t i = 0; i < json_count(parameters); i++) {
        const struct json *p = contract_resolve(json_at(parameters, i));
        count += strcmp(json_text(json_member(p, "in")), in) == 0 &&
                 (!name || strcmp(json_text(json_member(p, "name")), name) == 0);
    }
    return count;
}

static void an_operation_takes_the_parameters_that_its_route_does(void **state)
{
    const char *names[QUERY_PARAMETERS_MAX];

    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct json *operation = operation_of(&routes[i]);
        size_t count = query_names(routes[i].query, names);
        for (size_t n = 0; n < count; n++)
            if (count_parameters(operation, "query", names[n]) != 1)
                fail_msg("%s %s takes %s", routes[i].method, routes[i].path, names[n]);
        if (count_parameters(operation, "query", NULL) != count)
            fail_msg("%s %s doesn't take all of that", routes[i].method, routes[i].path);
    }
}

/* POSTs that write nothing: asked again they look again. */
static bool only_looks(const struct route *route)
{
    static const char *const PATHS[] = {
        "/api/v1/app/{app}/msg/precheck/active",
        "/api/v1/route/explain",
    };

    for (size_t i = 0; i < COUNT(PATHS); i++)
        if (strcmp(route->path, PATHS[i]) == 0)
            return true;
    return false;
}

static void whatever_is_posted_may_have_a_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *route = &routes[i];
        bool wanted = strcmp(route->method, "POST") == 0 && !only_looks(route);
        if (count_parameters(operation_of(route), "header", "Idempotency-Key") != wanted)
            fail_msg("%s %s: Idempotency-Key", route->method, route->path);
    }
}

static const char *security_of(const struct route *route)
{
    switch (route->access) {
    case ACCESS_ANYONE:
        return "[]";
    case ACCESS_ORGANIZATION:
        return "[{\"organization\":[]}]";
    case ACCESS_APPLICATION:
    case ACCESS_VIEW_SECRET:
    case ACCESS_MANAGE_SECRET:
    case ACCESS_MANAGE_ENDPOINT:
    case ACCESS_CREATE_ATTEMPTS:
        break;
    }
    return "[{\"organization\":[]},{\"application\":[]}]";
}

static void an_operation_wants_the_token_that_its_route_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct json *own = json_member(operation_of(&routes[i]), "security");
        struct buf text = BUF_INIT(256);
        assert_int_equal(
            json_dump(own ? own : json_member(contract_document(), "security"), false, &text),
            ERR_OK);
        if (strcmp(buf_text(&text), security_of(&routes[i])) != 0)
            fail_msg("%s %s: %s", routes[i].method, routes[i].path, buf_text(&text));
        buf_fini(&text);
    }
}

static void has_example(const char *type, const struct json *content, void *ctx)
{
    if (!json_member(content, "example") && json_count(json_member(content, "examples")) == 0)
        fail_msg("%s has no example of %s", (const char *)ctx, type);
}

static void response_has_example(const char *status, const struct json *response, void *ctx)
{
    (void)status;
    json_each(json_member(contract_resolve(response), "content"), has_example, ctx);
}

static void every_operation_has_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct json *operation = operation_of(&routes[i]);
        void *id = (void *)(uintptr_t)json_text(json_member(operation, "operationId"));
        assert_non_null(id);
        json_each(json_member(json_member(operation, "requestBody"), "content"), has_example,
                  id);
        json_each(json_member(operation, "responses"), response_has_example, id);
    }
}

static void the_document_is_of_this_version(void **state)
{
    (void)state;
    assert_string_equal(
        json_text(json_member(json_member(contract_document(), "info"), "version")),
        POSTHASTE_VERSION);
}

/* The server. */

static struct answer ask(struct site *site, const char *path)
{
    return site_ask_as(site, NULL, NULL, "GET", NULL, path);
}

static void the_document_and_its_page_are_served_without_a_token(void **state)
{
    static const struct {
        const char *path, *type;
    } rows[] = {
        { "/api/v1/openapi.json", "application/json" },
        { "/docs", "text/html; charset=utf-8" },
        { "/docs/", "text/html; charset=utf-8" },
        { "/docs/docs.css", "text/css; charset=utf-8" },
        { "/docs/docs.js", "text/javascript; charset=utf-8" },
    };
    struct site site;

    (void)state;
    site_open(&site);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct answer a = ask(&site, rows[i].path);
        assert_int_equal(a.status, 200);
        assert_true(a.body_len > 0);
        const char *type = answer_header(&a, "Content-Type");
        assert_memory_equal(type, rows[i].type, strlen(rows[i].type));
        const char *policy = answer_header(&a, "Content-Security-Policy");
        assert_memory_equal(policy, "default-src 'none'", strlen("default-src 'none'"));
        answer_fini(&a);
    }
    struct answer a = ask(&site, "/docs/none.js");
    assert_int_equal(a.status, 404);
    answer_has_text(&a, "code", "not_found");
    answer_fini(&a);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_documented),
        cmocka_unit_test(every_operation_is_served),
        cmocka_unit_test(an_operation_takes_the_parameters_that_its_route_does),
        cmocka_unit_test(whatever_is_posted_may_have_a_key),
        cmocka_unit_test(an_operation_wants_the_token_that_its_route_does),
        cmocka_unit_test(every_operation_has_examples),
        cmocka_unit_test(the_document_is_of_this_version),
        cmocka_unit_test(the_document_and_its_page_are_served_without_a_token),
    };

    return cmocka_run_group_tests(tests, contract_open, contract_close);
}
