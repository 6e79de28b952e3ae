#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "region/route_code.h"
#include "tests/lib/dice.h"
#include "tests/lib/routes.h"

#define TEXT_MAX (1u << 17)

/* Inputs in which everything says something. */
static struct route_inputs full_inputs(void)
{
    struct route_inputs in = routes_five();

    routes_measure(&in, FRA, 160);
    routes_first_byte(&in, FRA, 171, 412);
    routes_measure(&in, DUB, 100);
    in.regions[DUB].path.source = PATH_PROBE;
    in.regions[DUB].path.age_s = 77;
    in.regions[DUB].path.reused = 3;
    in.regions[DUB].path.failures = 2;
    in.regions[SIN].lawful = in.regions[GRU].entitled = false;
    in.regions[SIN].receiver_km = 12;
    in.regions[SIN].home_km = 10261;
    in.regions[IAD].state = REGION_DRAINING;
    in.regions[IAD].path.open = true;
    in.regions[GRU].has_credit_limit = true;
    in.regions[GRU].credit = 18400;
    in.regions[GRU].queue_us = 3000;
    in.regions[FRA].draining = true;
    in.mode = DISPATCH_PIN;
    in.pin_count = 2;
    in.pins[0] = DUB;
    in.pins[1] = FRA;
    in.memory = (struct route_memory){
        .current = FRA,
        .since_ms = 4000000,
        .flaps = 2,
        .changed = true,
        .challenger = DUB,
        .wins = 1,
        .won_ms = 4900000,
    };
    in.damped = true;
    return in;
}

/* Both, as they are kept. */
static void record(const struct route_inputs *in, struct buf *out)
{
    struct route_decision d;
    struct json_writer w;

    *out = BUF_INIT(TEXT_MAX);
    route_decide(in, &d);
    json_write_begin(&w, out);
    route_put(&w, in, &d);
    assert_int_equal(json_write_end(&w), ERR_OK);
}

static enum err recompute(const char *text, struct route_inputs *in, char why[ROUTE_WHY_MAX])
{
    struct route_decision d;
    struct scan_fault fault;
    struct json *json;

    assert_int_equal(json_parse(text, strlen(text), &json, &fault), ERR_OK);
    enum err err = route_recompute(json, in, &d, why);
    json_free(json);
    return err;
}

static void inputs_come_back_as_they_were_and_decide_the_same(void **state)
{
    struct route_inputs in = full_inputs(), back;
    struct buf text, again;
    char why[ROUTE_WHY_MAX] = "";

    (void)state;
    record(&in, &text);
    if (recompute(buf_text(&text), &back, why) != ERR_OK)
        fail_msg("%s", why);
    record(&back, &again);
    assert_string_equal(buf_text(&again), buf_text(&text));
    buf_fini(&text);
    buf_fini(&again);
}

static uint64_t below(struct dice *dice, uint64_t end)
{
    return dice_between(dice, 0, end - 1);
}

static struct route_inputs any_inputs(struct dice *dice)
{
    struct route_inputs in = routes_five();

    for (size_t i = 0; i < in.count; i++) {
        struct route_region *r = &in.regions[i];
        r->lawful = below(dice, 4) > 0;
        r->entitled = below(dice, 8) > 0;
        r->state = (enum region_state)below(dice, REGION_STATES);
        r->draining = below(dice, 8) == 0;
        r->path.source = (enum path_source)below(dice, PATH_SOURCES);
        r->path.rtt_us = (uint32_t)below(dice, 400000);
        r->path.first_byte_us = (uint32_t)below(dice, 900000);
        r->path.first_byte_count = (uint32_t)below(dice, 64);
        r->path.requests = (uint32_t)below(dice, 1000);
        r->path.reused = r->path.requests / 2;
        r->path.open = below(dice, 8) == 0;
        r->receiver_km = below(dice, 2) ? ROUTE_KM_UNKNOWN : (uint32_t)below(dice, 20000);
    }
    in.home = below(dice, 16) ? below(dice, in.count) : ROUTE_NOWHERE;
    in.mode = (enum dispatch_mode)below(dice, 3);
    in.pin_count = below(dice, 4);
    for (size_t i = 0; i < in.pin_count; i++)
        in.pins[i] = below(dice, in.count);
    in.memory.current = below(dice, 2) ? below(dice, in.count) : ROUTE_NOWHERE;
    in.memory.since_ms = below(dice, 6000000);
    in.memory.challenger = below(dice, in.count);
    in.memory.wins = (uint32_t)below(dice, 4);
    in.memory.won_ms = below(dice, 6000000);
    in.damped = below(dice, 2);
    return in;
}

static void ten_thousand_recorded_decisions_are_made_again(void **state)
{
    struct dice dice = { 7 };

    (void)state;
    for (unsigned i = 0; i < 10000; i++) {
        struct route_inputs in = any_inputs(&dice), back;
        struct route_decision d;
        char why[ROUTE_WHY_MAX];
        struct buf text;

        route_decide(&in, &d);
        assert_int_equal(d.region == ROUTE_NOWHERE, d.held != ROUTE_SENT);
        assert_true(d.held || region_set_has(d.legal, d.region));
        record(&in, &text);
        if (recompute(buf_text(&text), &back, why) != ERR_OK)
            fail_msg("%u: %s", i, why);
        buf_fini(&text);
    }
}

/* As many regions as there may be, with all that is long. */
static void the_longest_decision_has_room(void **state)
{
    struct route_inputs in = full_inputs();
    struct buf text;

    (void)state;
    for (in.count = 0; in.count < REGIONS_MAX; in.count++) {
        struct route_region *r = &in.regions[in.count];

        *r = in.regions[SIN];
        snprintf(r->name, sizeof r->name, "region-%09zu", in.count);
        r->ordinal = UINT8_MAX;
        r->has_credit_limit = true;
        r->credit = r->queue_us = r->receiver_km = r->home_km = UINT32_MAX - 1;
        memcpy(r->way.label, r->name, sizeof r->way.label);
        r->path =
            (struct path_view){ PATH_SUPPOSED, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
                                UINT32_MAX,    UINT32_MAX, UINT32_MAX, true };
        in.pins[in.count] = in.count;
        for (size_t i = 0; i < in.count; i++)
            in.link_us[i][in.count] = in.link_us[in.count][i] = UINT32_MAX;
    }
    in.pin_count = in.count;
    record(&in, &text);
    assert_in_range(text.len, 16384, ROUTE_CODE_MAX - 1);
    buf_fini(&text);
}

/* The text with one piece of it replaced. */
static void edit(const char *text, const char *old, const char *new, struct buf *out)
{
    const char *at = strstr(text, old);

    if (!at)
        fail_msg("%s isn't there", old);
    *out = BUF_INIT(TEXT_MAX);
    assert_int_equal(buf_append(out, text, (size_t)(at - text)), ERR_OK);
    assert_int_equal(buf_append_text(out, new), ERR_OK);
    assert_int_equal(buf_append_text(out, at + strlen(old)), ERR_OK);
}

static void what_differs_is_named(void **state)
{
    static const struct {
        const char *old, *new;
        enum err err;
        const char *why;
    } rows[] = {
        { "\"decision\":{\"region\":\"dub\"", "\"decision\":{\"region\":\"sin\"", ERR_CONFLICT,
          "region was \"sin\", is \"dub\"" },
        { "\"alive\":[\"dub\"]", "\"alive\":[\"iad\"]", ERR_CONFLICT,
          "alive/0 was \"iad\", is \"dub\"" },
        { "\"alive\":[\"dub\"]", "\"alive\":[]", ERR_CONFLICT, "alive was another" },
        { "\"totalUs\":91", "\"totalUs\":92", ERR_CONFLICT,
          "costs/fra/totalUs was 92000, is 91000" },
        { "\"hysteresis\":\"unasked\",", "", ERR_CONFLICT, "decision was another" },
        { "\"rttUs\":100000", "\"rttUs\":100001", ERR_CONFLICT,
          "costs/dub/totalUs was 268000, is 268002" },
        { "\"version\":1", "\"version\":2", ERR_VERSION,
          "version: made by other rules than version 1" },
    };
    struct route_inputs in = full_inputs(), back;
    struct buf text, edited;
    char why[ROUTE_WHY_MAX];

    (void)state;
    record(&in, &text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        edit(buf_text(&text), rows[i].old, rows[i].new, &edited);
        assert_int_equal(recompute(buf_text(&edited), &back, why), rows[i].err);
        assert_string_equal(why, rows[i].why);
        buf_fini(&edited);
    }
    buf_fini(&text);
}

static void what_is_no_input_is_refused_by_its_name(void **state)
{
    static const struct {
        const char *old, *new, *why;
    } rows[] = {
        { "\"version\":1", "\"version\":\"1\"", "version: expected a whole number" },
        { "\"endpoint\":\"ep_", "\"endpoint\":\"msg_", "endpoint: expected an id" },
        { "\"monoMs\":", "\"monoMs\":-", "monoMs: expected a whole number" },
        { "\"mode\":\"pin\"", "\"mode\":\"near\"", "mode: expected" },
        { "\"home\":\"fra\"", "\"home\":\"lhr\"", "home: expected one of the regions" },
        { "\"pins\":[\"dub\"", "\"pins\":[\"lhr\"", "pins: expected regions" },
        { "\"name\":\"iad\"", "\"name\":\"fra\"", "name: there are two of \"fra\"" },
        { "\"name\":\"iad\"", "\"name\":\"I A D\"", "name: expected a letter" },
        { "\"ordinal\":7", "\"ordinal\":256", "ordinal: expected" },
        { "\"state\":\"alive\"", "\"state\":\"well\"", "state: \"well\" is none" },
        { "\"lawful\":true", "\"lawful\":1", "lawful: expected true or false" },
        { "\"trips\":2", "\"trips\":9", "trips: expected" },
        { "\"source\":\"probe\"", "\"source\":\"\"", "source: \"\" is none" },
        { "\"rttUs\":100000", "\"rttUs\":4294967296", "rttUs: expected" },
        { "\"reused\":3", "\"reused\":101", "reused: expected no more than requests" },
        { "\"from\":\"fra\"", "\"from\":null", "links: expected two regions" },
        { "\"from\":\"fra\"", "\"from\":\"iad\"", "links: expected two regions" },
        { "\"current\":\"fra\"", "\"current\":3", "current: expected one of the regions" },
        { "\"dwellMs\":", "\"dwell\":", "dwellMs: expected" },
        { "\"inputs\":", "\"input\":", "version: expected" },
    };
    struct route_inputs in = full_inputs(), back;
    struct buf text, edited;
    char why[ROUTE_WHY_MAX];

    (void)state;
    record(&in, &text);
    for (size_t i = 0; i < COUNT(rows); i++) {
        edit(buf_text(&text), rows[i].old, rows[i].new, &edited);
        assert_int_equal(recompute(buf_text(&edited), &back, why), ERR_INVALID);
        if (strncmp(why, rows[i].why, strlen(rows[i].why)) != 0)
            fail_msg("want %s, got %s", rows[i].why, why);
        buf_fini(&edited);
    }
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inputs_come_back_as_they_were_and_decide_the_same),
        cmocka_unit_test(ten_thousand_recorded_decisions_are_made_again),
        cmocka_unit_test(the_longest_decision_has_room),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(what_is_no_input_is_refused_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
