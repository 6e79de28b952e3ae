#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/bodies.h"
#include "wire/noun_in.h"

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))
#define V           FAULT_VALUE
#define J           FAULT_JSON

static void message_bodies_are_checked(void **state)
{
    static const struct body_row rows[] = {
        { "{\"eventType\":\"a\",\"payload\":{}}", NULL, NULL },
        { "{\"eventType\":\"a\",\"data\":{}}", NULL, NULL },
        { "{\"eventType\":\"a\",\"payload\":{\"x\":1,\"x\":2},\"application\":[],\"labels\":7}",
          NULL, NULL },
        { "{\"eventType\":\"a\",\"payload\":{},\"eventId\":null,\"channels\":null,"
          "\"payloadRetentionPeriod\":null,\"transformationsParams\":null}",
          NULL, NULL },
        { "{\"eventType\":\"a\",\"payload\":{},\"transformationsParams\":{\"headers\":{}}}",
          NULL, NULL },
        { "", "body", J },
        { "{\"eventType\":\"a\",\"payload\":{}", "body", J },
        { "[]", "body", J },
        { "{\"payload\":{}}", "body/eventType", V },
        { "{\"eventType\":null,\"payload\":{}}", "body/eventType", J },
        { "{\"eventType\":5,\"payload\":{}}", "body/eventType", J },
        { "{\"eventType\":\"\",\"payload\":{}}", "body/eventType", V },
        { "{\"eventType\":\"a b\",\"payload\":{}}", "body/eventType", V },
        { "{\"eventType\":\"a\\u0000\",\"payload\":{}}", "body/eventType", V },
        { "{\"eventType\":\"a\",\"eventType\":\"b\",\"payload\":{}}", "body/eventType", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"eventId\":\"msg_1\"}", "body/eventId", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"eventId\":\"\"}", "body/eventId", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"eventId\":1}", "body/eventId", J },
        { "{\"eventType\":\"a\"}", "body/payload", V },
        { "{\"eventType\":\"a\",\"payload\":null}", "body/payload", J },
        { "{\"eventType\":\"a\",\"payload\":[1]}", "body/payload", J },
        { "{\"eventType\":\"a\",\"payload\":\"{}\"}", "body/payload", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"data\":{}}", "body/data", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"pay\\u006coad\":{}}", "body/payload", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"channels\":[]}", "body/channels", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"tags\":[]}", "body/tags", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"tags\":\"a\"}", "body/tags", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"tags\":[\"a\",\"b c\"]}", "body/tags/1", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"channels\":[\"1\",\"2\",\"3\",\"4\",\"5\","
          "\"6\"]}",
          "body/channels", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"channels\":[\"a\",\"\"]}", "body/channels/1",
          V },
        { "{\"eventType\":\"a\",\"payload\":{},\"channels\":{}}", "body/channels", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"channels\":[\"\\u0000\"]}", "body/channels",
          J },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":4}",
          "body/payloadRetentionPeriod", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":91}",
          "body/payloadRetentionPeriod", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":30.0}",
          "body/payloadRetentionPeriod", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":-30}",
          "body/payloadRetentionPeriod", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":4294967386}",
          "body/payloadRetentionPeriod", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionPeriod\":\"30\"}",
          "body/payloadRetentionPeriod", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionHours\":0}",
          "body/payloadRetentionHours", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionHours\":2161}",
          "body/payloadRetentionHours", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionHours\":\"1\"}",
          "body/payloadRetentionHours", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"payloadRetentionHours\":1,"
          "\"payloadRetentionPeriod\":5}",
          "body/payloadRetentionHours", V },
        { "{\"eventType\":\"a\",\"payload\":{},\"transformationsParams\":[]}",
          "body/transformationsParams", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"transformationsParams\":{\"rawPayload\":{}}}",
          "body/transformationsParams/rawPayload", J },
        { "{\"eventType\":\"a\",\"payload\":{},\"transformationsParams\":"
          "{\"rawPayload\":\"\"}}",
          "body/transformationsParams/rawPayload", V },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message_in message;
        struct faults faults = { 0 };
        read_message(rows[i].body, strlen(rows[i].body), &message, &faults);
        assert_body_fault(&rows[i], &faults);
        message_in_fini(&message);
    }
}

static void a_message_keeps_the_bytes_of_its_payload(void **state)
{
    static const char *const payloads[] = {
        "{}",
        "{ \"b\" : 1.10 , \"a\" : 12345678901234567890123 }",
        "{\"x\":1,\"x\":2}",
        "{\"nul\":\"\\u0000\",\"ls\":\"\xe2\x80\xa8\",\"esc\":\"\\/\\u0041\"}",
        "{\"payload\":{\"eventType\":\"inner\"}}",
    };
    char body[512];

    (void)state;
    for (size_t i = 0; i < COUNT(payloads); i++) {
        struct message_in message;
        struct faults faults = { 0 };
        int len =
            snprintf(body, sizeof body,
                     " {\"eventId\":\"e\",\"payload\":  %s ,\"\\u0065ventType\":\"a\\u002eb\","
                     "\"channels\":[\"x\",\"y\",\"x\"],\"payloadRetentionPeriod\":5} ",
                     payloads[i]);
        read_message(body, (size_t)len, &message, &faults);
        assert_int_equal(faults.count, 0);
        assert_string_equal(message.event_type, "a.b");
        assert_string_equal(message.event_id, "e");
        assert_int_equal(message.channels.count, 2);
        assert_int_equal(message.retention_hours, 120);
        assert_int_equal(message.payload_len, strlen(payloads[i]));
        assert_memory_equal(message.payload, payloads[i], message.payload_len);
        message_in_fini(&message);
    }
}

static void a_payload_may_be_kept_for_days_or_for_hours(void **state)
{
    static const struct {
        const char *member;
        unsigned hours;
    } rows[] = {
        { "\"payloadRetentionPeriod\":5", 120 },
        { "\"payloadRetentionPeriod\":90,\"payloadRetentionHours\":null", 2160 },
        { "\"payloadRetentionHours\":1", 1 },
        { "\"payloadRetentionHours\":2160,\"payloadRetentionPeriod\":null", 2160 },
        { "\"payloadRetentionHours\":null", 2160 },
    };
    char body[256];

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct message_in message;
        struct faults faults = { 0 };
        int len = snprintf(body, sizeof body, "{\"eventType\":\"a\",\"payload\":{},%s}",
                           rows[i].member);
        read_message(body, (size_t)len, &message, &faults);
        assert_int_equal(faults.count, 0);
        assert_int_equal(message.retention_hours, rows[i].hours);
        message_in_fini(&message);
    }
}

static void a_raw_payload_is_delivered_in_place_of_the_other(void **state)
{
    static const char body[] = "{\"eventType\":\"a\",\"payload\":{},\"transformationsParams\":"
                               "{\"rawPayload\":\"<a>\\n\\u00e9\\u0000</a>\"}}";
    static const char raw[] = "<a>\n\xc3\xa9\0</a>";
    struct message_in message;
    struct faults faults = { 0 };

    (void)state;
    read_message(body, sizeof body - 1, &message, &faults);
    assert_int_equal(faults.count, 0);
    assert_int_equal(message.retention_hours, 2160);
    assert_null(message.event_id);
    assert_ptr_equal(message.payload, message.raw_payload.data);
    assert_int_equal(message.payload_len, sizeof raw - 1);
    assert_memory_equal(message.payload, raw, sizeof raw - 1);
    message_in_fini(&message);
}

static void every_wrong_field_is_named_at_once(void **state)
{
    static const char body[] = "{\"eventId\":\" \",\"payload\":1,\"channels\":1}";
    struct message_in message;
    struct faults faults = { 0 };

    (void)state;
    read_message(body, sizeof body - 1, &message, &faults);
    assert_int_equal(faults.count, 4);
    assert_string_equal(faults.items[0].loc, "body/eventType");
    assert_string_equal(faults.items[0].msg, "field required");
    message_in_fini(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_bodies_are_checked),
        cmocka_unit_test(a_message_keeps_the_bytes_of_its_payload),
        cmocka_unit_test(a_payload_may_be_kept_for_days_or_for_hours),
        cmocka_unit_test(a_raw_payload_is_delivered_in_place_of_the_other),
        cmocka_unit_test(every_wrong_field_is_named_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
