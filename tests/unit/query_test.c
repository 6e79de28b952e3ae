#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/query.h"
#include "core/count.h"

#define MESSAGES (QUERY_PAGE_MESSAGES | QUERY_MESSAGES | QUERY_CONTENT)
#define ATTEMPTS (QUERY_PAGE_ATTEMPTS | QUERY_ATTEMPTS | QUERY_MESSAGES | QUERY_ENDPOINT)

#define MSG "msg_000000000000000000000000001"

static struct query parse(const char *text, unsigned accepts)
{
    struct query q;
    struct faults faults = { .count = 0 };
    char why[QUERY_WHY_MAX];

    assert_int_equal(query_parse(text, accepts, &q, &faults, why), ERR_OK);
    assert_int_equal(faults.count, 0);
    return q;
}

static void nothing_said_means_the_defaults(void **state)
{
    static const struct {
        unsigned accepts;
        bool ascending, with_content;
    } rows[] = {
        { QUERY_PAGE_APPLICATIONS, true, true },
        { QUERY_PAGE_EVENT_TYPES | QUERY_SCHEMAS, true, false },
        { QUERY_PAGE_ENDPOINTS, false, true },
        { MESSAGES, false, true },
        { ATTEMPTS, false, true },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query q = parse("", rows[i].accepts);
        assert_int_equal(q.page.limit, 50);
        assert_false(q.page.has_cursor);
        assert_int_equal(q.page.ascending, rows[i].ascending);
        assert_int_equal(q.with_content, rows[i].with_content);
        query_fini(&q);
    }
}

static void a_page_is_read(void **state)
{
    struct query q = parse("limit=7&iterator=" MSG, MESSAGES);
    struct id id;
    (void)state;

    assert_int_equal(id_parse(ID_MESSAGE, MSG, &id), ERR_OK);
    assert_int_equal(q.page.limit, 7);
    assert_true(q.page.has_cursor);
    assert_false(q.page.before);
    assert_true(id_equal(&q.page.cursor, &id));
    query_fini(&q);

    q = parse("iterator=-" MSG "&order=ascending", MESSAGES);
    assert_true(q.page.before);
    assert_true(id_equal(&q.page.cursor, &id));
    assert_false(q.page.ascending);
    query_fini(&q);

    q = parse("iterator=-order.paid", QUERY_PAGE_EVENT_TYPES);
    assert_true(q.page.before);
    assert_string_equal(q.page.name_cursor, "order.paid");
    query_fini(&q);

    q = parse("order=ascending&limit=250", QUERY_PAGE_ENDPOINTS);
    assert_true(q.page.ascending);
    query_fini(&q);

    q = parse("order=descending", QUERY_PAGE_APPLICATIONS);
    assert_false(q.page.ascending);
    query_fini(&q);
}

static void lists_come_in_every_notation(void **state)
{
    static const char *const rows[] = {
        "event_types=a.b,c",
        "event_types=a.b%2Cc",
        "event_types=a.b&event_types=c",
        "event_types[]=a.b&event_types[]=c",
        "event_types[0]=a.b&event_types[1]=c",
        "event_types%5B0%5D=a.b&event_types%5B1%5D=c",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query q = parse(rows[i], MESSAGES);
        assert_int_equal(q.messages.event_types.count, 2);
        assert_string_equal(q.messages.event_types.items[0], "a.b");
        assert_string_equal(q.messages.event_types.items[1], "c");
        query_fini(&q);
    }
}

static void filters_are_read(void **state)
{
    struct query q =
        parse("before=2026-11-24T02%3A57%3A36.747Z&after=2026-11-24T02:57:36%2B00:00"
              "&channel=eu&status=2&status_code_class=500&endpoint_id=ep-1",
              ATTEMPTS);
    (void)state;

    assert_int_equal(q.messages.before_ms, 1795489056747);
    assert_int_equal(q.messages.after_ms, 1795489056000);
    assert_string_equal(q.messages.channel, "eu");
    assert_true(q.has_status);
    assert_int_equal(q.status, ATTEMPT_FAIL);
    assert_true(q.has_status_class);
    assert_int_equal(q.status_class, 500);
    assert_string_equal(q.endpoint, "ep-1");
    query_fini(&q);

    q = parse("with_content=true&include_archived=true&expunge=true&get_if_exists=true",
              QUERY_SCHEMAS | QUERY_ARCHIVED | QUERY_EXPUNGE | QUERY_GET_IF_EXISTS);
    assert_true(q.with_content && q.with_archived && q.expunge && q.get_if_exists);
    query_fini(&q);
}

static void what_the_route_does_not_take_is_ignored(void **state)
{
    static const char *const rows[] = {
        "expanded_statuses=true",
        "tag=x",
        "limit=many&order=sideways",
        "=",
        "&&&",
        "%zz=1",
        "before=yesterday",
        "a_parameter_whose_name_is_longer_than_any_that_we_know=1",
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query q = parse(rows[i], QUERY_CONTENT);
        assert_true(q.with_content);
        query_fini(&q);
    }
}

static void what_is_broken_is_unparsable(void **state)
{
    static const char *const rows[] = { "limit=1%zz", "before=%", "channel=%0",
                                        "channel=a%00b" };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query q;
        struct faults faults = { .count = 0 };
        char why[QUERY_WHY_MAX] = "";
        assert_int_equal(query_parse(rows[i], MESSAGES, &q, &faults, why), ERR_INVALID);
        assert_non_null(strstr(why, "query"));
        query_fini(&q);
    }
}

static void what_is_not_as_wanted_is_a_fault_at_its_place(void **state)
{
    static const struct {
        const char *text;
        unsigned accepts;
        const char *loc;
    } rows[] = {
        { "limit=", MESSAGES, "query/limit" },
        { "limit=many", MESSAGES, "query/limit" },
        { "limit=-1", MESSAGES, "query/limit" },
        { "limit=1.5", MESSAGES, "query/limit" },
        { "limit=99999999999", MESSAGES, "query/limit" },
        { "with_content=1", MESSAGES, "query/with_content" },
        { "with_content", MESSAGES, "query/with_content" },
        { "with_content=TRUE", QUERY_SCHEMAS, "query/with_content" },
        { "order=up", QUERY_PAGE_ENDPOINTS, "query/order" },
        { "before=yesterday", MESSAGES, "query/before" },
        { "after=2026-11-24", MESSAGES, "query/after" },
        { "since=", QUERY_RANGE, "query/since" },
        { "until=2026-13-24T00:00:00Z", QUERY_RANGE, "query/until" },
        { "status=5", ATTEMPTS, "query/status" },
        { "status=success", ATTEMPTS, "query/status" },
        { "status=done", QUERY_TASKS, "query/status" },
        { "task=x", QUERY_TASKS, "query/task" },
        { "status_code_class=404", ATTEMPTS, "query/status_code_class" },
        { "status_code_class=600", ATTEMPTS, "query/status_code_class" },
        { "limit=0", MESSAGES, "query/limit" },
        { "limit=251", MESSAGES, "query/limit" },
        { "iterator=", MESSAGES, "query/iterator" },
        { "iterator=garbage", MESSAGES, "query/iterator" },
        { "iterator=--" MSG, MESSAGES, "query/iterator" },
        { "iterator=" MSG, QUERY_PAGE_ENDPOINTS, "query/iterator" },
        { "iterator=a%20b", QUERY_PAGE_EVENT_TYPES, "query/iterator" },
        { "event_types=a,b%20c", MESSAGES, "query/event_types" },
        { "channel=a%2Fb", MESSAGES, "query/channel" },
        { "tag=a%2Fb", MESSAGES, "query/tag" },
        { "endpoint_id=", ATTEMPTS, "query/endpoint_id" },
    };
    (void)state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct query q;
        struct faults faults = { .count = 0 };
        char why[QUERY_WHY_MAX];
        assert_int_equal(query_parse(rows[i].text, rows[i].accepts, &q, &faults, why), ERR_OK);
        assert_int_equal(faults.count, 1);
        assert_string_equal(faults.items[0].loc, rows[i].loc);
        query_fini(&q);
    }
}

static void the_last_of_a_repeated_value_counts(void **state)
{
    struct query q = parse("channel=a&limit=3&channel=b&limit=4", MESSAGES);
    (void)state;

    assert_string_equal(q.messages.channel, "b");
    assert_int_equal(q.page.limit, 4);
    query_fini(&q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_said_means_the_defaults),
        cmocka_unit_test(a_page_is_read),
        cmocka_unit_test(lists_come_in_every_notation),
        cmocka_unit_test(filters_are_read),
        cmocka_unit_test(what_the_route_does_not_take_is_ignored),
        cmocka_unit_test(what_is_broken_is_unparsable),
        cmocka_unit_test(what_is_not_as_wanted_is_a_fault_at_its_place),
        cmocka_unit_test(the_last_of_a_repeated_value_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
