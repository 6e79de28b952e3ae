#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/route_explain.h"
#include "tests/lib/routes.h"

#define TEXT_MAX (1u << 14)

static struct route_subject subject = { "acme", "https://hooks.shop.test/in" };

static void explain_inputs(const struct route_inputs *in, struct buf *out)
{
    struct route_decision d;

    *out = BUF_INIT(TEXT_MAX);
    route_decide(in, &d);
    assert_int_equal(route_explain(&subject, in, &d, out), ERR_OK);
}

/* Everything below its first line. */
static void assert_explained(const struct route_inputs *in, const char *want)
{
    struct buf text;

    explain_inputs(in, &text);
    const char *body = strchr(buf_text(&text), '\n') + 1;
    if (strcmp(body, want) != 0)
        fail_msg("\n%s", body);
    buf_fini(&text);
}

/* fra 171 ms, dub 186 ms, sin 157 ms and not permitted. */
static struct route_inputs to_a_shop(void)
{
    struct route_inputs in = routes_five();

    routes_measure(&in, FRA, 1);
    routes_first_byte(&in, FRA, 171, 412);
    in.regions[FRA].path.reused = 98;
    routes_measure(&in, DUB, 20);
    routes_first_byte(&in, DUB, 176, 31);
    in.regions[DUB].path.reused = 90;
    in.regions[DUB].queue_us = 3000;
    routes_measure(&in, SIN, 1);
    routes_first_byte(&in, SIN, 74, 50);
    for (size_t i = IAD; i <= GRU; i++)
        in.regions[i].lawful = false;
    in.memory.current = FRA;
    in.now.mono_ms = UINT64_C(3) * 24 * 3600 * 1000;
    return in;
}

static void the_first_line_says_what_it_is_about(void **state)
{
    struct route_inputs in = to_a_shop();
    char endpoint[ID_TEXT_MAX], want[256];
    struct buf text;

    (void)state;
    id_format(ID_ENDPOINT, &in.endpoint, endpoint);
    explain_inputs(&in, &text);
    snprintf(want, sizeof want,
             "application acme (eu, home fra)   endpoint %s https://hooks.shop.test/in\n",
             endpoint);
    assert_memory_equal(buf_text(&text), want, strlen(want));
    buf_fini(&text);
}

static void each_step_and_each_term_is_there(void **state)
{
    struct route_inputs in = to_a_shop();

    (void)state;
    assert_explained(
        &in,
        " 1 legal       {fra, dub}   iad, sin, gru: not in the jurisdiction\n"
        " 2 explicit    auto\n"
        " 3 alive       {fra, dub}\n"
        " 4 cost        fra 171 ms = setup 0 (98 % reused) + ttfb 171 (p50 of 412 "
        "deliveries) - way back 0.5\n"
        "               dub 186 ms = link 11 + queue 3 + 2 + setup 4 (90 % reused) + ttfb 176 "
        "(p50 of 31 deliveries) - way back 10\n"
        " 5 hysteresis  current fra since 3 d; no challenger\n"
        " → fra.   sin would be 14 ms faster, but isn't permitted: not in the "
        "jurisdiction.\n");
}

static void it_says_what_stands_in_for_what_was_not_measured(void **state)
{
    struct route_inputs in = routes_five();

    (void)state;
    routes_measure(&in, FRA, 160);
    in.regions[SIN].path.source = PATH_PROBE;
    in.regions[SIN].path.rtt_us = 400;
    in.regions[IAD].receiver_km = 10000;
    in.link_us[FRA][DUB] = in.link_us[DUB][FRA] = 0;
    in.regions[DUB].home_km = 1000;
    in.regions[DUB].path.source = PATH_SUPPOSED;
    in.regions[DUB].path.rtt_us = 20000;
    snprintf(in.regions[GRU].way.label, sizeof in.regions[GRU].way.label, "gru");
    assert_explained(
        &in,
        " 1 legal       {fra, iad, sin, gru, dub}\n"
        " 2 explicit    auto\n"
        " 3 alive       {fra, iad, sin, gru, dub}\n"
        " 4 cost        dub 21 ms = link 8.5 (estimated) + queue 0 + 2 + setup 0 (100 % "
        "reused) + ttfb 20 (rtt 20 supposed + server unknown) - way back 10\n"
        "               fra 80 ms = setup 0 (100 % reused) + ttfb 160 (rtt 160 measured + "
        "server unknown) - way back 80\n"
        "               sin 83 ms = link 81 + queue 0 + 2 + setup 0 (100 % reused) + ttfb 0.4 "
        "(rtt 0.4 probed + server unknown) - way back 0.2\n"
        "               iad 159 ms = link 46 + queue 0 + 2 + setup 0 (100 % reused) + ttfb 222 "
        "(rtt 222 estimated + server unknown) - way back 111\n"
        "               gru: nothing is known of the way to the receiver\n"
        " 5 hysteresis  no route yet\n"
        " → dub.\n");
}

static void who_is_left_out_is_listed_by_the_reason(void **state)
{
    struct route_inputs in = to_a_shop();

    (void)state;
    for (size_t i = 0; i < in.count; i++)
        in.regions[i].lawful = true;
    in.regions[GRU].entitled = false;
    in.regions[SIN].state = REGION_DEAD;
    in.regions[DUB].path.open = true;
    in.mode = DISPATCH_PIN;
    in.pin_count = 2;
    in.pins[0] = SIN;
    in.pins[1] = DUB;
    assert_explained(
        &in,
        " 1 legal       {fra, iad, sin, dub}   gru: doesn't hold the secrets\n"
        " 2 explicit    pin sin, dub   fra, iad: not pinned\n"
        " 3 alive       {}   sin: down; dub: it failed to reach the receiver; so the home, "
        "all the same\n"
        " 4 cost        fra 171 ms = setup 0 (98 % reused) + ttfb 171 (p50 of 412 "
        "deliveries) - way back 0.5\n"
        " 5 hysteresis  current fra since 3 d; no challenger\n"
        " → fra.\n");
}

static void what_is_held_says_why_and_who_would_be_able_to(void **state)
{
    struct route_inputs in = to_a_shop();

    (void)state;
    in.regions[FRA].lawful = in.regions[DUB].lawful = false;
    assert_explained(&in,
                     " 1 legal       {}   fra, iad, sin, gru, dub: not in the jurisdiction\n"
                     " 2 explicit    auto\n"
                     " 3 alive       {}\n"
                     " → held: no region is permitted.   sin would be able to, but isn't "
                     "permitted: not in the jurisdiction.\n");
}

/* Half of the requests need a connection: sin's cost is 84.5 ms against 240. */
static void patience_is_explained(void **state)
{
    static const struct {
        size_t current;
        uint64_t age_ms;
        uint32_t wins;
        bool damped;
        const char *line;
    } rows[] = {
        { FRA, 60000, 0, false,
          "current fra since 60 s; sin is better by more than 48 ms, 1 of 3 times\n" },
        { FRA, 600000, 2, false,
          "current fra since 10 min; sin is better by more than 48 ms, 3 of 3 times; it may go "
          "from 15 min on\n" },
        { FRA, 7200000, 2, true,
          "current fra since 2 h; sin is better by more than 48 ms, 3 of 3 times; too many "
          "routes change right now\n" },
        { FRA, 7200000, 2, false, "current fra since 2 h; sin was better often enough\n" },
        { IAD, 0, 0, false, "left iad, which may not send any more\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct route_inputs in = routes_five();
        struct buf text;

        routes_measure(&in, FRA, 160);
        routes_measure(&in, SIN, 1);
        in.regions[FRA].path.reused = in.regions[SIN].path.reused = 50;
        in.regions[IAD].state = REGION_DEAD;
        in.now.mono_ms = UINT64_C(100) * 24 * 3600 * 1000;
        in.memory.current = rows[i].current;
        in.memory.since_ms = in.now.mono_ms - rows[i].age_ms;
        in.memory.challenger = SIN;
        in.memory.wins = rows[i].wins;
        in.damped = rows[i].damped;
        explain_inputs(&in, &text);
        const char *line = strstr(buf_text(&text), " 5 hysteresis  ") + 15;
        if (strncmp(line, rows[i].line, strlen(rows[i].line)) != 0)
            fail_msg("row %zu: %.*s", i, (int)strcspn(line, "\n"), line);
        buf_fini(&text);
    }
}

static void a_region_alone_has_no_name(void **state)
{
    struct route_inputs in = routes_five();
    struct buf text;

    (void)state;
    in.count = 1;
    in.regions[0].name[0] = in.jurisdiction[0] = '\0';
    explain_inputs(&in, &text);
    assert_memory_equal(buf_text(&text), "application acme   endpoint", 27);
    assert_non_null(strstr(buf_text(&text), " 1 legal       {this region}\n"));
    assert_non_null(strstr(buf_text(&text), " → this region.\n"));
    buf_fini(&text);
}

static void a_text_that_is_too_long_is_an_error(void **state)
{
    struct route_inputs in = to_a_shop();
    struct route_decision d;
    struct buf text = BUF_INIT(100);

    (void)state;
    route_decide(&in, &d);
    assert_int_equal(route_explain(&subject, &in, &d, &text), ERR_LIMIT);
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_line_says_what_it_is_about),
        cmocka_unit_test(each_step_and_each_term_is_there),
        cmocka_unit_test(it_says_what_stands_in_for_what_was_not_measured),
        cmocka_unit_test(who_is_left_out_is_listed_by_the_reason),
        cmocka_unit_test(what_is_held_says_why_and_who_would_be_able_to),
        cmocka_unit_test(patience_is_explained),
        cmocka_unit_test(a_region_alone_has_no_name),
        cmocka_unit_test(a_text_that_is_too_long_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
