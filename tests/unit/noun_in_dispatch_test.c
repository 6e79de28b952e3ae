#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/dispatch.h"
#include "core/mem.h"
#include "tests/lib/bodies.h"
#include "wire/noun_in.h"

#define V FAULT_VALUE
#define J FAULT_JSON

static struct endpoint *an_endpoint(void)
{
    struct endpoint *e = endpoint_new();

    e->url = xstrdup("https://own.test/in");
    return e;
}

static void read(struct endpoint *into, enum read_mode mode, const char *text,
                 struct faults *faults)
{
    struct json *body = body_parse(text);

    *faults = (struct faults){ .count = 0 };
    read_dispatch(body, mode, into, faults);
    json_free(body);
}

static void each_member_is_checked(void **state)
{
    static const struct body_row rows[] = {
        { "{}", NULL, NULL },
        { "[]", NULL, NULL },
        { "{\"targets\":null,\"dispatch\":null,\"location\":null}", NULL, NULL },
        { "{\"targets\":{},\"dispatch\":{}}", NULL, NULL },
        { "{\"targets\":{\"default\":\"https://OWN.test/in\"}}", NULL, NULL },
        { "{\"dispatch\":{\"mode\":null,\"regions\":null,\"more\":1}}", NULL, NULL },
        { "{\"dispatch\":{\"regions\":[]}}", NULL, NULL },
        { "{\"location\":{\"latitude\":-90,\"longitude\":180.000}}", NULL, NULL },
        { "{\"targets\":[]}", "body/targets", J },
        { "{\"targets\":\"https://own.test/\"}", "body/targets", J },
        { "{\"targets\":{\"eu\":1}}", "body/targets/eu", J },
        { "{\"targets\":{\"eu\":null}}", "body/targets/eu", J },
        { "{\"targets\":{\"eu\":\"ftp://own.test/\"}}", "body/targets/eu", V },
        { "{\"targets\":{\"eu\":\"https://user@own.test/\"}}", "body/targets/eu", V },
        { "{\"targets\":{\"EU\":\"https://own.test/\"}}", "body/targets", V },
        { "{\"targets\":{\"\":\"https://own.test/\"}}", "body/targets", V },
        { "{\"targets\":{\"default\":\"https://other.test/\"}}", "body/targets/default", V },
        { "{\"dispatch\":\"auto\"}", "body/dispatch", J },
        { "{\"dispatch\":{\"mode\":1}}", "body/dispatch/mode", J },
        { "{\"dispatch\":{\"mode\":\"near\"}}", "body/dispatch/mode", V },
        { "{\"dispatch\":{\"regions\":\"fra\"}}", "body/dispatch/regions", J },
        { "{\"dispatch\":{\"regions\":[1]}}", "body/dispatch/regions/0", J },
        { "{\"dispatch\":{\"regions\":[\"fra\",\"f a\"]}}", "body/dispatch/regions/1", V },
        { "{\"location\":[]}", "body/location", J },
        { "{\"location\":{\"latitude\":1}}", "body/location/longitude", J },
        { "{\"location\":{\"longitude\":1}}", "body/location/latitude", J },
        { "{\"location\":{\"latitude\":\"1\",\"longitude\":1}}", "body/location/latitude", J },
        { "{\"location\":{\"latitude\":90.1,\"longitude\":1}}", "body/location/latitude", V },
        { "{\"location\":{\"latitude\":1,\"longitude\":-181}}", "body/location/longitude", V },
        { "{\"location\":{\"latitude\":1e1,\"longitude\":1}}", "body/location/latitude", V },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoint *e = an_endpoint();
        struct faults faults;

        read(e, READ_REPLACE, rows[i].body, &faults);
        assert_body_fault(&rows[i], &faults);
        object_unref(&e->base);
    }
}

#define ALL                                                                                    \
    "{\"targets\":{\"eu\":\"HTTPS://eu.test\",\"sin\":\"http://sin.test/a?b\"},"               \
    "\"dispatch\":{\"mode\":\"pin\",\"regions\":[\"dub\",\"fra\",\"dub\"]},"                   \
    "\"location\":{\"latitude\":1.3521,\"longitude\":-103.8198004}}"

static void assert_all(const struct dispatch *dispatch)
{
    assert_int_equal(dispatch->targets.count, 2);
    assert_string_equal(dispatch->targets.items[0], "eu https://eu.test/");
    assert_string_equal(dispatch->targets.items[1], "sin http://sin.test/a?b");
    assert_int_equal(dispatch->mode, DISPATCH_PIN);
    assert_int_equal(dispatch->regions.count, 2);
    assert_string_equal(dispatch->regions.items[0], "dub");
    assert_string_equal(dispatch->regions.items[1], "fra");
    assert_true(dispatch->location.known);
    assert_int_equal(dispatch->location.latitude, 1352100);
    assert_int_equal(dispatch->location.longitude, -103819800);
}

static void assert_none(const struct dispatch *dispatch)
{
    assert_int_equal(dispatch->targets.count, 0);
    assert_int_equal(dispatch->mode, DISPATCH_AUTO);
    assert_int_equal(dispatch->regions.count, 0);
    assert_false(dispatch->location.known);
}

static void what_is_given_is_set_and_the_rest_kept_or_unset(void **state)
{
    struct endpoint *e = an_endpoint();
    struct faults faults;

    (void)state;
    read(e, READ_REPLACE, ALL, &faults);
    assert_int_equal(faults.count, 0);
    assert_all(&e->dispatch);
    read(e, READ_PATCH, "{}", &faults);
    assert_all(&e->dispatch);
    read(e, READ_PATCH, "{\"dispatch\":{\"mode\":\"home\"}}", &faults);
    assert_int_equal(e->dispatch.mode, DISPATCH_HOME);
    assert_int_equal(e->dispatch.regions.count, 0);
    assert_int_equal(e->dispatch.targets.count, 2);
    read(e, READ_PATCH, "{\"dispatch\":{\"regions\":[\"fra\"]}}", &faults);
    assert_int_equal(e->dispatch.mode, DISPATCH_PIN);
    read(e, READ_PATCH, "{\"targets\":null,\"dispatch\":null,\"location\":null}", &faults);
    assert_none(&e->dispatch);
    read(e, READ_REPLACE, ALL, &faults);
    read(e, READ_REPLACE, "{}", &faults);
    assert_none(&e->dispatch);
    object_unref(&e->base);
}

static void labels_have_a_limit(void **state)
{
    struct buf text = BUF_INIT(1u << 16);
    struct endpoint *e = an_endpoint();
    struct faults faults;

    (void)state;
    assert_int_equal(buf_append_text(&text, "{\"targets\":{"), ERR_OK);
    for (int i = 0; i <= DISPATCH_TARGETS_MAX; i++)
        assert_int_equal(buf_printf(&text, "%s\"r%d\":\"https://x.test/\"", i ? "," : "", i),
                         ERR_OK);
    assert_int_equal(buf_append_text(&text, "}}"), ERR_OK);
    read(e, READ_REPLACE, buf_text(&text), &faults);
    assert_int_equal(faults.count, 1);
    assert_string_equal(faults.items[0].loc, "body/targets");
    assert_int_equal(e->dispatch.targets.count, DISPATCH_TARGETS_MAX);
    buf_fini(&text);
    object_unref(&e->base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_member_is_checked),
        cmocka_unit_test(what_is_given_is_set_and_the_rest_kept_or_unset),
        cmocka_unit_test(labels_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
