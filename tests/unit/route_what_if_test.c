#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/route_what_if.h"
#include "tests/lib/routes.h"

static void what_is_supposed_takes_the_place_of_what_is(void **state)
{
    struct route_inputs in = routes_five();
    char why[ROUTE_WHY_MAX] = "";

    (void)state;
    in.regions[IAD].draining = true;
    in.regions[GRU].path.open = true;
    enum err err = route_what_if("region=sin:down,region=iad:up,region=dub:draining,"
                                 "circuit=gru:closed,circuit=fra:open,rtt.sin=20,"
                                 "rtt.gru=0.4,link.sin=160.25,queue.sin=7",
                                 &in, why);

    if (err)
        fail_msg("%s", why);
    assert_int_equal(in.regions[SIN].state, REGION_DEAD);
    assert_int_equal(in.regions[IAD].state, REGION_ALIVE);
    assert_false(in.regions[IAD].draining);
    assert_true(in.regions[DUB].draining);
    assert_false(in.regions[GRU].path.open);
    assert_true(in.regions[FRA].path.open);
    assert_int_equal(in.regions[SIN].path.source, PATH_SUPPOSED);
    assert_int_equal(in.regions[SIN].path.rtt_us, 20000);
    assert_int_equal(in.regions[GRU].path.rtt_us, 400);
    assert_int_equal(in.link_us[FRA][SIN], 160250);
    assert_int_equal(in.link_us[SIN][FRA], 160250);
    assert_int_equal(in.regions[SIN].queue_us, 7000);
}

static void a_nearer_receiver_has_the_same_server(void **state)
{
    struct route_inputs in = routes_five();
    char why[ROUTE_WHY_MAX];

    (void)state;
    routes_measure(&in, FRA, 160);
    routes_first_byte(&in, FRA, 171, 412);
    assert_int_equal(route_what_if("rtt.fra=20", &in, why), ERR_OK);
    assert_int_equal(in.regions[FRA].path.first_byte_us, 31000);
}

static void nothing_supposed_is_nothing_changed(void **state)
{
    struct route_inputs in = routes_five();
    char why[ROUTE_WHY_MAX];

    (void)state;
    assert_int_equal(route_what_if("", &in, why), ERR_OK);
    assert_int_equal(route_what_if("region=fra:up", &in, why), ERR_OK);
    assert_int_equal(in.regions[FRA].state, REGION_SELF);
}

static void what_cannot_be_is_refused_whole(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "sin", "\"sin\": expected region=NAME" },
        { "region=sin", "\"region=sin\": expected" },
        { "region=sin:", "\"region=sin:\": expected" },
        { "region=sin:ill", "\"region=sin:ill\" can't be" },
        { "region.sin=down", "\"region.sin=down\": expected" },
        { "circuit=sin:half", "\"circuit=sin:half\" can't be" },
        { "rtt=sin:20", "\"rtt=sin:20\": expected" },
        { "rtt.sin", "\"rtt.sin\": expected" },
        { "rtt.sin=", "\"rtt.sin=\": expected" },
        { "rtt.sin=x", "\"rtt.sin=x\" can't be" },
        { "rtt.sin=-1", "\"rtt.sin=-1\" can't be" },
        { "rtt.sin=1.", "\"rtt.sin=1.\" can't be" },
        { "rtt.sin=1.2345", "\"rtt.sin=1.2345\" can't be" },
        { "rtt.sin=3600001", "\"rtt.sin=3600001\" can't be" },
        { "rtt.sin=99999999999999999999", "\"rtt.sin=99999999999999999999\" can't be" },
        { "rtt.lhr=20", "no region is called \"lhr\"" },
        { "link.fra=20", "\"link.fra=20\" can't be" },
        { "link.sin=0", "\"link.sin=0\" can't be" },
        { "speed.sin=20", "\"speed.sin=20\": expected" },
        { "rtt.sin=20,", NULL },
        { "rtt.sin=20,,rtt.iad=1", "\"\": expected" },
        { "rtt.sin=20 , rtt.iad=1", "\"rtt.sin=20 \" can't be" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = routes_five();
        char why[ROUTE_WHY_MAX] = "";
        enum err err = route_what_if(rows[i].text, &in, why);

        assert_int_equal(err, rows[i].why ? ERR_INVALID : ERR_OK);
        if (!rows[i].why)
            continue;
        if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("want %s, got %s", rows[i].why, why);
        assert_int_equal(in.regions[SIN].path.source, PATH_UNKNOWN);
    }
}

static void it_has_a_limit(void **state)
{
    struct route_inputs in = routes_five();
    char text[ROUTE_WHAT_IF_MAX + 2], why[ROUTE_WHY_MAX];

    (void)state;
    memset(text, 'x', sizeof text);
    text[ROUTE_WHAT_IF_MAX + 1] = '\0';
    assert_int_equal(route_what_if(text, &in, why), ERR_INVALID);
    assert_non_null(strstr(why, "at most"));
    text[ROUTE_WHAT_IF_MAX] = '\0';
    assert_int_equal(route_what_if(text, &in, why), ERR_INVALID);
    assert_non_null(strstr(why, "too long"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_supposed_takes_the_place_of_what_is),
        cmocka_unit_test(a_nearer_receiver_has_the_same_server),
        cmocka_unit_test(nothing_supposed_is_nothing_changed),
        cmocka_unit_test(what_cannot_be_is_refused_whole),
        cmocka_unit_test(it_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
