#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/router.h"
#include "core/count.h"

static const struct route table[] = {
    { .method = "GET", .path = "/v1/app" },
    { .method = "POST", .path = "/v1/app" },
    { .method = "GET", .path = "/v1/app/{app}" },
    { .method = "DELETE", .path = "/v1/app/{app}" },
    { .method = "GET", .path = "/v1/app/{app}/msg/{msg}" },
    { .method = "GET", .path = "/v1/app/{app}/msg/{msg}/attempt/{attempt}" },
    { .method = "GET", .path = "/v1/type/{name}" },
    { .method = "POST", .path = "/v1/type/import" },
    { .method = "GET", .path = "/v1/health" },
    { .method = "GET", .path = "/v1/health/ping" },
    { .method = "POST", .path = "/v1/app/{app}/msg/check/active" },
};

static struct router *router;

static int open_router(void **state)
{
    (void)state;
    router = router_new(table, COUNT(table));
    return 0;
}

static int close_router(void **state)
{
    (void)state;
    router_free(router);
    return 0;
}

static void a_path_leads_to_its_route_and_parts(void **state)
{
    static const struct {
        const char *method, *path;
        size_t route;
        const char *parts[ROUTE_PARTS_MAX];
    } rows[] = {
        { "GET", "/v1/app", 0, { 0 } },
        { "GET", "/v1/app/", 0, { 0 } },
        { "POST", "/v1/app", 1, { 0 } },
        { "GET", "/v1/app/a", 2, { "a" } },
        { "DELETE", "/v1/app/a/", 3, { "a" } },
        { "GET", "/v1/app/app", 2, { "app" } },
        { "GET", "/v1/app/a/msg/m", 4, { "a", "m" } },
        { "GET", "/v1/app/a/msg/m/attempt/t", 5, { "a", "m", "t" } },
        { "GET", "/v1/app/%61%2Fb+c%20d/msg/%C3%A9", 4, { "a/b+c d", "\xc3\xa9" } },
        { "GET", "/v1/type/order.paid", 6, { "order.paid" } },
        { "POST", "/v1/type/import", 7, { 0 } },
        { "GET", "/v1/health/ping", 9, { 0 } },
        { "HEAD", "/v1/app/a", 2, { "a" } },
        { "POST", "/v1/app/a/msg/check/active", 10, { "a" } },
        { "GET", "/v1/app/a/msg/check", 4, { "a", "check" } },
        { "GET", "/v1/app/a/msg/check/attempt/t", 5, { "a", "check", "t" } },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_match match;
        assert_int_equal(router_match(router, rows[i].method, rows[i].path, &match), ERR_OK);
        assert_ptr_equal(match.route, &table[rows[i].route]);
        for (size_t part = 0; part < ROUTE_PARTS_MAX && rows[i].parts[part]; part++) {
            assert_true(part < match.part_count);
            assert_string_equal(match.parts[part], rows[i].parts[part]);
        }
    }
}

static void other_paths_lead_nowhere(void **state)
{
    static const char *const rows[] = {
        "",
        "/",
        "//",
        "/v1",
        "/v2/app",
        "v1/app",
        "/v1/app//",
        "/v1//app",
        "/v1/appx",
        "/v1/ap",
        "/v1/APP",
        "/v1/app/a/b",
        "/v1/app/%",
        "/v1/app/%4",
        "/v1/app/%zz",
        "/v1/app/a%00b",
        "*",
        "/v1/app/a/msg/m/attempt/t/x",
        "/v1/health/pong",
        "/v1/app/a/msg/check/x",
        "/v1/app/a/msg/m/active",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_match match;
        assert_int_equal(router_match(router, "GET", rows[i], &match), ERR_NOT_FOUND);
    }
}

static void a_name_longer_than_any_of_ours_leads_nowhere(void **state)
{
    char path[NAME_LEN_MAX + 32] = "/v1/app/";
    struct route_match match;
    size_t len = strlen(path);
    (void)state;

    memset(path + len, 'x', NAME_LEN_MAX);
    assert_int_equal(router_match(router, "GET", path, &match), ERR_OK);
    assert_int_equal(strlen(match.parts[0]), NAME_LEN_MAX);
    path[len + NAME_LEN_MAX] = 'x';
    assert_int_equal(router_match(router, "GET", path, &match), ERR_NOT_FOUND);
}

static void another_method_is_told_which_there_are(void **state)
{
    static const struct {
        const char *method, *path, *allow;
    } rows[] = {
        { "PUT", "/v1/app", "GET, HEAD, POST" },      { "get", "/v1/app", "GET, HEAD, POST" },
        { "POST", "/v1/app/a", "GET, HEAD, DELETE" }, { "GET", "/v1/type/import", "POST" },
        { "HEAD", "/v1/type/import", "POST" },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_match match;
        assert_int_equal(router_match(router, rows[i].method, rows[i].path, &match),
                         ERR_DENIED);
        assert_string_equal(match.allow, rows[i].allow);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_to_its_route_and_parts),
        cmocka_unit_test(other_paths_lead_nowhere),
        cmocka_unit_test(a_name_longer_than_any_of_ours_leads_nowhere),
        cmocka_unit_test(another_method_is_told_which_there_are),
    };
    return cmocka_run_group_tests(tests, open_router, close_router);
}
