#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/dispatch.h"
#include "core/mem.h"
#include "tests/lib/regions.h"
#include "wire/noun_out.h"

#define BUF_SMALL  (1u << 17)
#define CREATED_MS UINT64_C(1795489056747)
#define CREATED    "\"2026-11-24T02:57:36.747Z\""
#define UPDATED    "\"2026-11-24T02:57:37.000Z\""
#define ZEROS      "000000000000000000000000000"

/* What was written so far, and a fresh writer behind it. */
struct page {
    struct buf out;
    struct json_writer w;
};

static void begin(struct page *page)
{
    page->out = BUF_INIT(BUF_SMALL);
    json_write_begin(&page->w, &page->out);
}

/* Also: whatever we write is JSON. */
static void assert_page(struct page *page, const char *expected)
{
    enum scan_type type;
    struct scan_fault fault;

    assert_int_equal(json_write_end(&page->w), ERR_OK);
    assert_string_equal(buf_text(&page->out), expected);
    assert_int_equal(scan_json(page->out.bytes, page->out.len, NULL, 0, &type, &fault), ERR_OK);
    buf_fini(&page->out);
}

static void set_dates(struct object *object)
{
    object->created_at_ms = CREATED_MS;
    object->updated_at_ms = CREATED_MS + 253;
}

static void an_application_is_shown_to_both_generations_of_clients(void **state)
{
    struct application *a = application_new();
    struct topology *alone = topology_new_single();
    struct page page;

    (void)state;
    set_dates(&a->base);
    a->name = xstrdup("Caf\xc3\xa9 \"x\"");
    a->metadata = xstrdup("{\"k\":\"v\"}");
    begin(&page);
    json_put_application(&page.w, a, alone);
    assert_page(&page, "{\"id\":\"app_" ZEROS "\",\"name\":\"Caf\xc3\xa9 \\\"x\\\"\","
                       "\"throttleRate\":null,\"rateLimit\":null,\"metadata\":{\"k\":\"v\"},"
                       "\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}");

    a->uid = xstrdup("cust-1");
    a->throttle_rate = 70;
    free(a->metadata);
    a->metadata = NULL;
    begin(&page);
    json_put_application(&page.w, a, alone);
    assert_page(&page, "{\"id\":\"app_" ZEROS "\",\"uid\":\"cust-1\","
                       "\"name\":\"Caf\xc3\xa9 \\\"x\\\"\",\"throttleRate\":70,"
                       "\"rateLimit\":70,\"metadata\":{},\"createdAt\":" CREATED
                       ",\"updatedAt\":" UPDATED "}");
    object_unref(&a->base);
    topology_free(alone);
}

static void among_several_regions_an_application_shows_where_it_lives(void **state)
{
    static const struct {
        uint8_t home;
        enum residency_mode mode;
        enum residency_failover failover;
        const char *shown;
    } rows[] = {
        { 7, RESIDENCY_AT_REST, FAILOVER_NONE,
          "\"home\":\"dub\",\"mode\":\"at_rest\",\"failover\":\"none\"" },
        { 1, RESIDENCY_TRANSIT, FAILOVER_JURISDICTION,
          "\"home\":\"fra\",\"mode\":\"transit\",\"failover\":\"jurisdiction\"" },
        { 99, RESIDENCY_PROCESSING, FAILOVER_NONE,
          "\"home\":null,\"mode\":\"processing\",\"failover\":\"none\"" },
    };
    struct topology *five = regions_five("fra");

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct application *a = application_new();
        struct page page;
        char expected[512];

        set_dates(&a->base);
        a->name = xstrdup("n");
        a->residency = (struct residency){
            .jurisdiction = xstrdup("eu"),
            .home = rows[i].home,
            .mode = rows[i].mode,
            .failover = rows[i].failover,
        };
        snprintf(expected, sizeof expected,
                 "{\"id\":\"app_" ZEROS "\",\"name\":\"n\",\"throttleRate\":null,"
                 "\"rateLimit\":null,\"metadata\":{},"
                 "\"residency\":{\"jurisdiction\":\"eu\",%s},"
                 "\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}",
                 rows[i].shown);
        begin(&page);
        json_put_application(&page.w, a, five);
        assert_page(&page, expected);
        object_unref(&a->base);
    }
    topology_free(five);
}

static void an_endpoint_is_shown_without_its_secret_and_headers(void **state)
{
    struct endpoint *e = endpoint_new();
    struct topology *alone = topology_new_single();
    struct page page;

    (void)state;
    set_dates(&e->base);
    e->url = xstrdup("https://example.com/");
    e->secret_count = 1;
    e->secrets[0].sealed = bytes_copy("sealed", 6);
    e->sealed_headers = bytes_copy("sealed", 6);
    begin(&page);
    json_put_endpoint(&page.w, e, alone);
    assert_page(&page, "{\"id\":\"ep_" ZEROS "\",\"uid\":null,\"url\":\"https://example.com/\","
                       "\"description\":\"\",\"disabled\":false,\"version\":1,"
                       "\"eventTypes\":null,\"filterTypes\":null,\"channels\":null,"
                       "\"throttleRate\":null,\"rateLimit\":null,\"metadata\":{},"
                       "\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}");

    e->uid = xstrdup("main");
    e->description = xstrdup("d");
    e->disabled = true;
    e->throttle_rate = 5;
    text_list_add(&e->event_types, "order.paid", 10);
    text_list_add(&e->event_types, "order.sent", 10);
    text_list_add(&e->channels, "eu", 2);
    begin(&page);
    json_put_endpoint(&page.w, e, alone);
    assert_page(&page, "{\"id\":\"ep_" ZEROS "\",\"uid\":\"main\","
                       "\"url\":\"https://example.com/\",\"description\":\"d\","
                       "\"disabled\":true,\"version\":1,"
                       "\"eventTypes\":[\"order.paid\",\"order.sent\"],"
                       "\"filterTypes\":[\"order.paid\",\"order.sent\"],"
                       "\"channels\":[\"eu\"],\"throttleRate\":5,\"rateLimit\":5,"
                       "\"metadata\":{},\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}");
    object_unref(&e->base);
    topology_free(alone);
}

/* Its last members, as a region among several shows them. */
static void assert_shown(const struct endpoint *e, const char *members)
{
    struct topology *five = regions_five("fra");
    struct page page;

    begin(&page);
    json_put_endpoint(&page.w, e, five);
    assert_int_equal(json_write_end(&page.w), ERR_OK);
    if (!strstr(buf_text(&page.out), members))
        fail_msg("%s", buf_text(&page.out));
    buf_fini(&page.out);
    topology_free(five);
}

static void an_endpoint_among_regions_shows_how_deliveries_get_to_it(void **state)
{
    struct endpoint *e = endpoint_new();

    (void)state;
    e->url = xstrdup("https://example.com/");
    assert_shown(e, "\"metadata\":{},\"targets\":{},"
                    "\"dispatch\":{\"mode\":\"auto\",\"regions\":null},"
                    "\"location\":null,\"createdAt\"");
    dispatch_add_target(&e->dispatch, "eu", "https://eu.example.com/");
    dispatch_add_target(&e->dispatch, "sin", "https://sin.example.com/");
    e->dispatch.mode = DISPATCH_PIN;
    text_list_add(&e->dispatch.regions, "dub", 3);
    e->dispatch.location = (struct location){ true, 1352100, -103000000 };
    assert_shown(e, "\"targets\":{\"eu\":\"https://eu.example.com/\","
                    "\"sin\":\"https://sin.example.com/\"},"
                    "\"dispatch\":{\"mode\":\"pin\",\"regions\":[\"dub\"]},"
                    "\"location\":{\"latitude\":1.3521,\"longitude\":-103},");
    object_unref(&e->base);
}

static void an_event_type_shows_its_schemas_only_with_content(void **state)
{
    struct event_type *t = event_type_new();
    struct page page;

    (void)state;
    set_dates(&t->base);
    t->name = xstrdup("order.paid");
    t->schemas = xstrdup("{\"1\":{\"multipleOf\":0.10}}");
    t->archived = true;
    begin(&page);
    json_put_event_type(&page.w, t, true);
    assert_page(&page, "{\"name\":\"order.paid\",\"description\":\"\",\"deprecated\":false,"
                       "\"featureFlag\":null,\"featureFlags\":null,\"groupName\":null,"
                       "\"archived\":true,\"schemas\":{\"1\":{\"multipleOf\":0.10}},"
                       "\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}");

    text_list_add(&t->feature_flags, "beta", 4);
    text_list_add(&t->feature_flags, "eu", 2);
    t->group_name = xstrdup("orders");
    begin(&page);
    json_put_event_type(&page.w, t, false);
    assert_page(&page, "{\"name\":\"order.paid\",\"description\":\"\",\"deprecated\":false,"
                       "\"featureFlag\":\"beta\",\"featureFlags\":[\"beta\",\"eu\"],"
                       "\"groupName\":\"orders\",\"archived\":true,\"schemas\":null,"
                       "\"createdAt\":" CREATED ",\"updatedAt\":" UPDATED "}");
    begin(&page);
    json_put_planned_event_type(&page.w, t);
    assert_page(&page, "{\"name\":\"order.paid\",\"description\":\"\",\"deprecated\":false,"
                       "\"featureFlag\":\"beta\",\"featureFlags\":[\"beta\",\"eu\"],"
                       "\"groupName\":\"orders\",\"schemas\":{\"1\":{\"multipleOf\":0.10}}}");
    object_unref(&t->base);
}

static void a_payload_is_shown_byte_by_byte(void **state)
{
    static const struct {
        const char *payload, *shown;
        enum payload_view view;
    } rows[] = {
        { "{\"b\": 1.10,\"a\":12345678901234567890}",
          "{\"b\": 1.10,\"a\":12345678901234567890}", PAYLOAD_SHOWN },
        { "{\"b\": 1.10}", "{\"b\": 1.10}", PAYLOAD_TRUSTED },
        { "{\"b\":1}", "{}", PAYLOAD_LEFT_OUT },
        { "", "{\"expired\":true}", PAYLOAD_SHOWN },
        { "", "{}", PAYLOAD_LEFT_OUT },
        { "[1]", "{\"rawPayload\":\"[1]\"}", PAYLOAD_SHOWN },
        { "<a href=\"x\"/>", "{\"rawPayload\":\"<a href=\\\"x\\\"/>\"}", PAYLOAD_SHOWN },
        { "{\"a\":1", "{\"rawPayload\":\"{\\\"a\\\":1\"}", PAYLOAD_SHOWN },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message *m = message_new();
        struct page page;
        char expected[512];
        m->event_type = xstrdup("order.paid");
        m->payload = bytes_copy(rows[i].payload, strlen(rows[i].payload));
        m->created_at_ms = CREATED_MS;
        begin(&page);
        json_put_message(&page.w, m, rows[i].view);
        snprintf(expected, sizeof expected,
                 "{\"id\":\"msg_" ZEROS "\",\"eventType\":\"order.paid\",\"eventId\":null,"
                 "\"channels\":null,\"tags\":null,\"payload\":%s,\"timestamp\":" CREATED "}",
                 rows[i].shown);
        assert_page(&page, expected);
        message_unref(m);
    }
}

static void a_message_shows_its_event_id_and_channels(void **state)
{
    struct message *m = message_new();
    struct page page;

    (void)state;
    m->event_type = xstrdup("t");
    m->event_id = xstrdup("e-1");
    m->created_at_ms = CREATED_MS;
    text_list_add(&m->channels, "a", 1);
    begin(&page);
    json_put_message(&page.w, m, PAYLOAD_LEFT_OUT);
    assert_page(&page,
                "{\"id\":\"msg_" ZEROS "\",\"eventType\":\"t\",\"eventId\":\"e-1\","
                "\"channels\":[\"a\"],\"tags\":null,\"payload\":{},\"timestamp\":" CREATED "}");
    message_unref(m);
}

static void an_attempt_is_shown_with_its_status_in_words(void **state)
{
    static const struct {
        enum attempt_status status;
        const char *text;
    } rows[] = {
        { ATTEMPT_SUCCESS, "\"status\":0,\"statusText\":\"success\"" },
        { ATTEMPT_PENDING, "\"status\":1,\"statusText\":\"pending\"" },
        { ATTEMPT_FAIL, "\"status\":2,\"statusText\":\"fail\"" },
        { ATTEMPT_SENDING, "\"status\":3,\"statusText\":\"sending\"" },
    };

    struct topology *alone = topology_new_single();

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct attempt_record a = {
            .status = rows[i].status,
            .trigger = TRIGGER_MANUAL,
            .url = xstrdup("http://h/"),
            .response_status = 503,
            .response = bytes_copy("busy\n", 5),
            .duration_ms = 12,
            .started_at_ms = CREATED_MS,
            .next_attempt_at_ms = i == 0 ? 0 : CREATED_MS + 253,
        };
        struct page page;
        char expected[512];
        begin(&page);
        json_put_attempt(&page.w, &a, NULL, alone, i % 2 == 0);
        snprintf(expected, sizeof expected,
                 "{\"id\":\"atmpt_" ZEROS "\",\"msgId\":\"msg_" ZEROS
                 "\",\"endpointId\":\"ep_" ZEROS "\",\"url\":\"http://h/\",\"response\":\"%s\","
                 "\"responseStatusCode\":503,\"responseDurationMs\":12,%s,\"triggerType\":1,"
                 "\"timestamp\":" CREATED ",\"nextAttempt\":%s}",
                 i % 2 == 0 ? "busy\\n" : "{}", rows[i].text, i == 0 ? "null" : UPDATED);
        assert_page(&page, expected);
        attempt_record_fini(&a);
    }
    topology_free(alone);
}

static void an_attempt_shows_which_region_made_it(void **state)
{
    struct topology *five = regions_five("fra");
    struct attempt_record a = {
        .url = xstrdup("http://h/"),
        .way = { .region = 3, .connect_us = 900, .tls_us = 0, .first_byte_us = 4000 },
    };
    struct page page;

    (void)state;
    begin(&page);
    json_put_attempt(&page.w, &a, NULL, five, true);
    assert_int_equal(json_write_end(&page.w), ERR_OK);
    assert_non_null(strstr(buf_text(&page.out),
                           ",\"region\":\"sin\",\"timings\":{\"connectUs\":900,"
                           "\"tlsUs\":0,\"firstByteUs\":4000}}"));
    buf_fini(&page.out);
    attempt_record_fini(&a);
    topology_free(five);
}

/* The text of "response" when the answer had `len` bytes. */
static char *shown_response(const void *bytes, size_t len)
{
    struct attempt_record a = { .url = xstrdup("u"), .response = bytes_copy(bytes, len) };
    struct topology *alone = topology_new_single();
    struct page page;
    struct json *root;
    struct scan_fault fault;

    begin(&page);
    json_put_attempt(&page.w, &a, NULL, alone, true);
    assert_int_equal(json_write_end(&page.w), ERR_OK);
    assert_int_equal(json_parse(page.out.bytes, page.out.len, &root, &fault), ERR_OK);
    char *text = xstrdup(json_text(json_member(root, "response")));
    json_free(root);
    buf_fini(&page.out);
    attempt_record_fini(&a);
    topology_free(alone);
    return text;
}

static void an_answer_that_isnt_text_is_shown_in_base64(void **state)
{
    static const struct {
        const char *bytes, *shown;
    } rows[] = {
        { "", "" },
        { "\xc3\xa9", "\xc3\xa9" },
        { "\xff", "/w==" },
        { "\xff\x01", "/wE=" },
        { "\xff\x01\x02", "/wEC" },
        { "ab\xc3", "YWLD" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char *shown = shown_response(rows[i].bytes, strlen(rows[i].bytes));
        assert_string_equal(shown, rows[i].shown);
        free(shown);
    }
}

static void a_long_answer_is_cut_between_characters(void **state)
{
    enum { LEN = RESPONSE_KEPT_MAX };
    uint8_t bytes[LEN * 2];
    char *shown;

    (void)state;
    memset(bytes, 'a', sizeof bytes);
    bytes[LEN - 1] = 0xc3; /* the first byte of two: the second wasn't kept */
    shown = shown_response(bytes, LEN);
    assert_int_equal(strlen(shown), LEN - 1);
    free(shown);

    bytes[0] = 0xff;
    shown = shown_response(bytes, LEN * 2);
    assert_int_equal(strlen(shown), 20000);
    free(shown);
}

static void headers_with_credentials_are_hidden(void **state)
{
    static const char text[] = "{\"X-One\":\"1\",\"AUTHORIZATION\":\"Bearer s3cret\","
                               "\"X-Api-Key\":\"k\",\"X-Two\":\"2\"}";
    struct json *root;
    struct scan_fault fault;
    struct page page;

    (void)state;
    assert_int_equal(json_parse(text, sizeof text - 1, &root, &fault), ERR_OK);
    begin(&page);
    json_put_endpoint_headers(&page.w, root);
    assert_page(&page, "{\"headers\":{\"X-One\":\"1\",\"X-Two\":\"2\"},"
                       "\"sensitive\":[\"AUTHORIZATION\",\"X-Api-Key\"]}");
    json_free(root);
    begin(&page);
    json_put_endpoint_headers(&page.w, NULL);
    assert_page(&page, "{\"headers\":{},\"sensitive\":[]}");
}

static void an_error_has_a_code_and_a_detail(void **state)
{
    struct buf out = BUF_INIT(BUF_SMALL);

    (void)state;
    assert_int_equal(json_error_body("not_found", "Entity not found", &out), ERR_OK);
    assert_string_equal(buf_text(&out),
                        "{\"code\":\"not_found\",\"detail\":\"Entity not found\"}");
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_application_is_shown_to_both_generations_of_clients),
        cmocka_unit_test(among_several_regions_an_application_shows_where_it_lives),
        cmocka_unit_test(an_endpoint_is_shown_without_its_secret_and_headers),
        cmocka_unit_test(an_endpoint_among_regions_shows_how_deliveries_get_to_it),
        cmocka_unit_test(an_event_type_shows_its_schemas_only_with_content),
        cmocka_unit_test(a_payload_is_shown_byte_by_byte),
        cmocka_unit_test(a_message_shows_its_event_id_and_channels),
        cmocka_unit_test(an_attempt_is_shown_with_its_status_in_words),
        cmocka_unit_test(an_attempt_shows_which_region_made_it),
        cmocka_unit_test(an_answer_that_isnt_text_is_shown_in_base64),
        cmocka_unit_test(a_long_answer_is_cut_between_characters),
        cmocka_unit_test(headers_with_credentials_are_hidden),
        cmocka_unit_test(an_error_has_a_code_and_a_detail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
