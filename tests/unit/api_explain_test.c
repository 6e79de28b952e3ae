/* Why a region sends, as the API tells it: the real store, router and explainer behind it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/clock.h"
#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/ask.h"
#include "tests/lib/carrier.h"
#include "tests/lib/regions.h"
#include "tests/lib/site.h"

#define API      "/api/v1"
#define EXPLAIN  API "/route/explain"
#define BODY_MAX (1u << 17)

static struct site site;
static struct carrier carrier;
static char shop[ID_TEXT_MAX], endpoint[ID_TEXT_MAX], message[ID_TEXT_MAX];

static void make_shop(void)
{
    site_make(&site, API "/app", "{\"name\":\"The shop\",\"uid\":\"shop\"}", shop);
    site_make(&site, API "/app/shop/endpoint",
              "{\"url\":\"https://shop.test/in\",\"uid\":\"in\"}", endpoint);
    site_make(&site, API "/app/shop/msg",
              "{\"eventType\":\"e\",\"eventId\":\"one\",\"payload\":{}}", message);
}

/* In fra, of the jurisdiction eu, which is fra and dub. */
static int open_five(void **state)
{
    (void)state;
    site_open_in(&site, regions_five("fra"));
    make_shop();
    return 0;
}

static int open_alone(void **state)
{
    (void)state;
    site_open(&site);
    make_shop();
    return 0;
}

static int close_site(void **state)
{
    (void)state;
    site_close(&site);
    return 0;
}

/* What is asked about, and the answer as of ASK(). */
#define ASK_ABOUT(want_status, text) ASK(want_status, "POST", text, EXPLAIN)

static const char *about(const char *format, ...) __attribute__((format(printf, 1, 2)));

static const char *about(const char *format, ...)
{
    static char body[BODY_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    return body;
}

static void has_line(const struct answer *a, const char *path, const char *line)
{
    const char *text = answer_text(a, path);

    if (!text || !strstr(text, line))
        fail_msg("no \"%s\" in %s", line, text ? text : a->body);
}

/* As the dispatcher does before it sends. */
static void route(void)
{
    struct router *router = router_interface(site.router);
    struct application *application = application_new();
    struct endpoint *to = endpoint_new();

    assert_int_equal(id_parse(ID_APPLICATION, shop, &application->base.id), ERR_OK);
    assert_int_equal(id_parse(ID_ENDPOINT, endpoint, &to->base.id), ERR_OK);
    application->residency =
        (struct residency){ .jurisdiction = xstrdup("eu"), .home = 1, .home_epoch = 1 };
    to->url = xstrdup("https://shop.test/in");
    assert_int_equal(router->route(router, application, to, false, clock_now()).region, 1);
    object_unref(&to->base);
    object_unref(&application->base);
}

static void send_once(void)
{
    char attempt[ID_TEXT_MAX];

    route();
    site_record(&site, shop, message, endpoint, 204, attempt);
}

static void an_endpoint_is_told_what_would_be_decided_now(void **state)
{
    (void)state;
    ASK_ABOUT(200, about("{\"endpointId\":\"%s\"}", endpoint));
    answer_has_count(&a, "data", 1);
    answer_has_text(&a, "data/0/endpointId", endpoint);
    has_line(&a, "data/0/text", "application shop (eu, home fra)   endpoint ep_");
    has_line(&a, "data/0/text", " https://shop.test/in\n");
    has_line(&a, "data/0/text",
             " 1 legal       {fra, dub}   iad, sin, gru: not in the jurisdiction\n");
    has_line(&a, "data/0/text", " → fra.");
    answer_has_text(&a, "data/0/decision/region", "fra");
    answer_has_text(&a, "data/0/inputs/regions/4/name", "dub");
    answer_has_type(&a, "data/0/recorded", SCAN_NULL);
    answer_has_type(&a, "data/0/sentFrom", SCAN_NULL);
    answer_fini(&a);
}

static void what_was_recorded_is_decided_again(void **state)
{
    (void)state;
    send_once();
    ASK_ABOUT(200, about("{\"endpointId\":\"in\",\"appId\":\"shop\"}"));
    answer_has_text(&a, "data/0/recorded/region", "fra");
    answer_has_type(&a, "data/0/recorded/match", SCAN_TRUE);
    answer_has_type(&a, "data/0/recorded/difference", SCAN_NULL);
    answer_has_type(&a, "data/0/recorded/decidedAt", SCAN_STRING);
    answer_fini(&a);
}

static void a_message_is_told_what_was_decided_when_it_was_sent(void **state)
{
    static const char *const names[] = { message, "one" };

    (void)state;
    send_once();
    for (size_t i = 0; i < COUNT(names); i++) {
        ASK_ABOUT(200, about("{\"messageId\":\"%s\",\"appId\":\"%s\"}", names[i], shop));
        answer_has_count(&a, "data", 1);
        answer_has_text(&a, "data/0/endpointId", endpoint);
        has_line(&a, "data/0/text", " 5 hysteresis  no route yet\n");
        answer_has_text(&a, "data/0/decision/hysteresis", "first");
        answer_has_type(&a, "data/0/recorded/match", SCAN_TRUE);
        answer_fini(&a);
    }
}

static void a_detour_is_told(void **state)
{
    static const struct {
        uint8_t sender;
        const char *name, *line;
    } rows[] = {
        { 1, "fra", " → fra.\n" },
        { 7, "dub", " → fra.\n sent from dub all the same: fra was out of reach just then\n" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        site.sender = rows[i].sender;
        send_once();
        ASK_ABOUT(200, "{\"messageId\":\"one\",\"appId\":\"shop\"}");
        answer_has_text(&a, "data/0/sentFrom", rows[i].name);
        const char *end = answer_text(&a, "data/0/text");
        end += strlen(end) - strlen(rows[i].line);
        assert_string_equal(end, rows[i].line);
        answer_fini(&a);
    }
}

static void a_message_that_was_not_sent_has_nothing_to_tell(void **state)
{
    char attempt[ID_TEXT_MAX];

    (void)state;
    {
        ASK_ABOUT(200, about("{\"messageId\":\"one\",\"appId\":\"shop\"}"));
        answer_has_count(&a, "data", 0);
        answer_fini(&a);
    }
    site_record(&site, shop, message, endpoint, 204, attempt); /* before routes were recorded */
    {
        ASK_ABOUT(200, about("{\"messageId\":\"one\",\"appId\":\"shop\"}"));
        has_line(&a, "data/0/text", "No decision of that time is recorded.");
        answer_has_type(&a, "data/0/inputs", SCAN_NULL);
        answer_has_type(&a, "data/0/recorded", SCAN_NULL);
        answer_fini(&a);
    }
}

/* What it was sent from stays, whatever is supposed. */
static void suppositions_change_what_is_decided_but_not_what_was(void **state)
{
    static const char *const subjects[] = { "endpointId\":\"in", "messageId\":\"one" };

    (void)state;
    send_once();
    for (size_t i = 0; i < COUNT(subjects); i++) {
        const char *body = about("{\"%s\",\"appId\":\"shop\","
                                 "\"whatIf\":\"region=dub:up,region=fra:draining\"}",
                                 subjects[i]);
        ASK_ABOUT(200, body);
        answer_has_text(&a, "data/0/decision/region", "dub");
        has_line(&a, "data/0/text", "{dub}   fra: draining\n");
        answer_has_text(&a, "data/0/recorded/region", "fra");
        answer_has_type(&a, "data/0/recorded/match", SCAN_TRUE);
        answer_fini(&a);
    }
}

/* Of an item the part that was kept, with one piece of it replaced. */
static const char *kept(const struct answer *a, const char *old, const char *new)
{
    static char body[BODY_MAX];
    struct buf inputs = BUF_INIT(BODY_MAX), decision = BUF_INIT(BODY_MAX);

    assert_int_equal(json_dump(answer_at(a, "data/0/inputs"), false, &inputs), ERR_OK);
    assert_int_equal(json_dump(answer_at(a, "data/0/decision"), false, &decision), ERR_OK);
    const char *at = strstr(buf_text(&decision), old);
    assert_non_null(at);
    snprintf(body, sizeof body, "{\"recorded\":{\"inputs\":%s,\"decision\":%.*s%s%s}}",
             buf_text(&inputs), (int)(at - buf_text(&decision)), buf_text(&decision), new,
             at + strlen(old));
    buf_fini(&inputs);
    buf_fini(&decision);
    return body;
}

static void a_decision_that_a_client_has_kept_is_decided_again(void **state)
{
    (void)state;
    struct answer first =
        site_ask(&site, "POST", about("{\"endpointId\":\"%s\"}", endpoint), EXPLAIN);
    {
        ASK_ABOUT(200, kept(&first, "\"region\":\"fra\"", "\"region\":\"fra\""));
        answer_has_text(&a, "data/0/endpointId", endpoint);
        answer_has_type(&a, "data/0/recorded/match", SCAN_TRUE);
        answer_fini(&a);
    }
    {
        ASK_ABOUT(200, kept(&first, "\"region\":\"fra\"", "\"region\":\"sin\""));
        answer_has_type(&a, "data/0/recorded/match", SCAN_FALSE);
        answer_has_text(&a, "data/0/recorded/region", "sin");
        answer_has_text(&a, "data/0/recorded/difference", "region was \"sin\", is \"fra\"");
        answer_has_text(&a, "data/0/decision/region", "fra");
        answer_fini(&a);
    }
    answer_fini(&first);
}

static void what_makes_no_sense_is_422_with_its_field(void **state)
{
    static const struct {
        const char *body, *loc, *msg;
    } rows[] = {
        { "{}", NULL, "one of endpointId, messageId and recorded is expected" },
        { "{\"endpointId\":\"in\",\"messageId\":\"one\",\"appId\":\"shop\"}", NULL,
          "one of endpointId, messageId and recorded is expected" },
        { "{\"endpointId\":7}", "endpointId", "a string is expected" },
        { "{\"endpointId\":\"in\"}", "appId", "is expected with an endpoint's uid" },
        { "{\"messageId\":\"one\"}", "appId", "is expected with a messageId" },
        { "{\"recorded\":[]}", "recorded", "an object is expected" },
        { "{\"recorded\":{}}", "recorded",
          "version: expected a whole number from 0 to 9223372036854775807" },
        { "{\"recorded\":{\"inputs\":{\"version\":2}}}", "recorded",
          "version: made by other rules than version 1" },
        { "{\"endpointId\":\"in\",\"appId\":\"shop\",\"whatIf\":\"rtt.lhr=2\"}", "whatIf",
          "no region is called \"lhr\"" },
        { "{\"endpointId\":\"in\",\"appId\":\"shop\",\"whatIf\":[]}", "whatIf",
          "a string is expected" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK_ABOUT(422, rows[i].body);
        answer_has_text(&a, "detail/0/loc/0", "body");
        if (rows[i].loc)
            answer_has_text(&a, "detail/0/loc/1", rows[i].loc);
        answer_has_text(&a, "detail/0/msg", rows[i].msg);
        answer_fini(&a);
    }
}

static void what_is_not_there_or_another_organizations_is_404(void **state)
{
    static const char *const rows[] = {
        "{\"endpointId\":\"out\",\"appId\":\"shop\"}",
        "{\"endpointId\":\"in\",\"appId\":\"shed\"}",
        "{\"endpointId\":\"ep_000000000000000000000000001\"}",
        "{\"messageId\":\"two\",\"appId\":\"shop\"}",
    };
    char other[TOKEN_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        ASK_ABOUT(404, rows[i]);
        answer_fini(&a);
    }
    site_token(&site, 1, other);
    struct answer a = site_ask_as(&site, other, NULL, "POST",
                                  about("{\"endpointId\":\"%s\"}", endpoint), EXPLAIN);
    assert_int_equal(a.status, 404);
    answer_fini(&a);
}

static void an_applications_token_sees_its_own(void **state)
{
    char own[TOKEN_TEXT_MAX], other[TOKEN_TEXT_MAX], shed[ID_TEXT_MAX];
    const struct {
        const char *token, *body;
        unsigned status;
    } rows[] = {
        { own, "{\"endpointId\":\"in\"}", 200 },
        { own, "{\"messageId\":\"one\"}", 200 },
        { own, "{\"endpointId\":\"in\",\"appId\":\"shop\"}", 200 },
        { own, "{\"endpointId\":\"in\",\"appId\":\"shed\"}", 404 },
        { other, "{\"endpointId\":\"in\"}", 404 },
        { other, "{\"endpointId\":\"in\",\"appId\":\"shop\"}", 404 },
    };

    (void)state;
    site_make(&site, API "/app", "{\"name\":\"n\",\"uid\":\"shed\"}", shed);
    site_application_token(&site, shop, own);
    site_application_token(&site, shed, other);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer a =
            site_ask_as(&site, rows[i].token, NULL, "POST", rows[i].body, EXPLAIN);
        if (a.status != rows[i].status)
            fail_msg("row %zu: %u %s", i, a.status, a.body);
        answer_fini(&a);
    }
}

static void a_region_alone_sends_everything(void **state)
{
    (void)state;
    ASK_ABOUT(200, about("{\"endpointId\":\"%s\"}", endpoint));
    has_line(&a, "data/0/text", " → this region.");
    answer_has_text(&a, "data/0/decision/region", "");
    answer_has_type(&a, "data/0/recorded", SCAN_NULL);
    answer_fini(&a);
}

/* Only the home has measured anything; what it took in elsewhere in its jurisdiction is there. */
static void the_home_is_asked(void **state)
{
    struct application *application = application_new();

    (void)state;
    carrier_open(&carrier);
    site_open_among(&site, regions_five("iad"), &carrier.elsewhere, false);
    struct id_source ids;
    id_source_init(&ids, 1, 0);
    application->base.id = id_new(&ids, clock_now().wall_ms);
    application->base.version = 1;
    application->uid = xstrdup("shop");
    application->name = xstrdup("n");
    application->metadata = xstrdup("{}");
    application->residency =
        (struct residency){ .jurisdiction = xstrdup("eu"), .home = 1, .home_epoch = 1 };
    site_adopt(&site, 1, 1, &application->base);
    carrier.status = 200;
    carrier.reply = "{\"data\":[]}";

    ASK_ABOUT(200, "{\"endpointId\":\"in\",\"appId\":\"shop\"}");
    assert_int_equal(carrier.region, 1);
    assert_string_equal(carrier.path, EXPLAIN);
    assert_string_equal(carrier.body, "{\"endpointId\":\"in\",\"appId\":\"shop\"}");
    assert_string_equal(a.body, "{\"data\":[]}");
    answer_fini(&a);

    /* dub took it in while fra was down. */
    struct id_source dub;
    char text[ID_TEXT_MAX];
    id_source_init(&dub, 7, 0);
    struct id id = id_new(&dub, clock_now().wall_ms);
    id_format(ID_MESSAGE, &id, text);
    assert_int_equal(site_status(&site, "POST",
                                 about("{\"messageId\":\"%s\",\"appId\":\"shop\"}", text),
                                 EXPLAIN),
                     200);
    assert_int_equal(carrier.region, 7);
    site_close(&site);
    carrier_close(&carrier);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_five, close_site)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_endpoint_is_told_what_would_be_decided_now),
        TEST(what_was_recorded_is_decided_again),
        TEST(a_message_is_told_what_was_decided_when_it_was_sent),
        TEST(a_detour_is_told),
        TEST(a_message_that_was_not_sent_has_nothing_to_tell),
        TEST(suppositions_change_what_is_decided_but_not_what_was),
        TEST(a_decision_that_a_client_has_kept_is_decided_again),
        TEST(what_makes_no_sense_is_422_with_its_field),
        TEST(what_is_not_there_or_another_organizations_is_404),
        TEST(an_applications_token_sees_its_own),
        cmocka_unit_test_setup_teardown(a_region_alone_sends_everything, open_alone,
                                        close_site),
        cmocka_unit_test(the_home_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
