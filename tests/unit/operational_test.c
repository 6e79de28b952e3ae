/* What organizations are told, in its words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/mem.h"
#include "core/operational.h"

#define ID_NONE "000000000000000000000000000"

static char *text(const char *s)
{
    return (char *)(uintptr_t)s;
}

static void assert_body(const struct operational_fact *fact, const char *wanted)
{
    struct buf body = BUF_INIT(OPERATIONAL_BODY_MAX);

    assert_int_equal(operational_write(fact, &body), ERR_OK);
    assert_string_equal(buf_text(&body), wanted);
    buf_fini(&body);
}

static void an_endpoint_is_told_of_by_its_ids_and_uids(void **state)
{
    const struct application shop = { .uid = text("shop") }, bare = { 0 };

    (void)state;
    assert_body(&(struct operational_fact){ .type = OPERATIONAL_ENDPOINT_CREATED,
                                            .application = &shop,
                                            .endpoint_uid = "books" },
                "{\"type\":\"endpoint.created\",\"data\":{\"appId\":\"app_" ID_NONE
                "\",\"appUid\":\"shop\",\"endpointId\":\"ep_" ID_NONE
                "\",\"endpointUid\":\"books\"}}");
    assert_body(&(struct operational_fact){ .type = OPERATIONAL_ENDPOINT_DISABLED,
                                            .application = &bare,
                                            .fail_since_ms = 1000 },
                "{\"type\":\"endpoint.disabled\",\"data\":{\"appId\":\"app_" ID_NONE
                "\",\"appUid\":null,\"endpointId\":\"ep_" ID_NONE "\",\"endpointUid\":null,"
                "\"failSince\":\"1970-01-01T00:00:01.000Z\"}}");
}

static void a_message_is_told_of_with_its_last_attempt(void **state)
{
    const struct application shop = { .uid = text("shop") };
    const struct attempt_record attempt = { .response_status = 503, .started_at_ms = 2000 };

    (void)state;
    assert_body(&(struct operational_fact){ .type = OPERATIONAL_MESSAGE_EXHAUSTED,
                                            .application = &shop,
                                            .attempt = &attempt,
                                            .event_id = "evt-1" },
                "{\"type\":\"message.attempt.exhausted\",\"data\":{\"appId\":\"app_" ID_NONE
                "\",\"appUid\":\"shop\",\"msgId\":\"msg_" ID_NONE
                "\",\"msgEventId\":\"evt-1\",\"endpointId\":\"ep_" ID_NONE
                "\",\"lastAttempt\":{\"id\":\"atmpt_" ID_NONE
                "\",\"responseStatusCode\":503,\"timestamp\":\"1970-01-01T00:00:02.000Z\"}}}");
}

/* None of ours does, but a peer's application may have any. */
static void a_uid_cannot_break_out_of_its_text(void **state)
{
    const struct application odd = { .uid = text("a\"b\\c\n") };

    (void)state;
    assert_body(
        &(struct operational_fact){ .type = OPERATIONAL_ENDPOINT_DELETED, .application = &odd },
        "{\"type\":\"endpoint.deleted\",\"data\":{\"appId\":\"app_" ID_NONE
        "\",\"appUid\":\"a\\u0022b\\u005cc\\u000a\",\"endpointId\":\"ep_" ID_NONE
        "\",\"endpointUid\":null}}");
}

static void the_longest_names_have_room(void **state)
{
    char name[NAME_LEN_MAX + 1];
    struct application odd = { .uid = name };
    struct buf body = BUF_INIT(OPERATIONAL_BODY_MAX);

    (void)state;
    memset(name, 1, NAME_LEN_MAX);
    name[NAME_LEN_MAX] = '\0';
    assert_int_equal(
        operational_write(
            &(struct operational_fact){ .application = &odd, .endpoint_uid = name }, &body),
        ERR_OK);
    buf_fini(&body);
}

static void only_types_that_are_told_are_known(void **state)
{
    (void)state;
    for (int i = 0; i < OPERATIONAL_TYPES; i++)
        assert_true(operational_type_is_known(operational_type_name((enum operational_type)i)));
    assert_false(operational_type_is_known("order.paid"));
    assert_false(operational_type_is_known(""));
}

static void only_its_uid_makes_an_application_the_management_one(void **state)
{
    const struct application bare = { 0 }, shop = { .uid = text("operational") },
                             manager = { .uid = text(OPERATIONAL_UID) };

    (void)state;
    assert_false(operational_is(&bare));
    assert_false(operational_is(&shop));
    assert_true(operational_is(&manager));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_is_told_of_by_its_ids_and_uids),
        cmocka_unit_test(a_message_is_told_of_with_its_last_attempt),
        cmocka_unit_test(a_uid_cannot_break_out_of_its_text),
        cmocka_unit_test(the_longest_names_have_room),
        cmocka_unit_test(only_types_that_are_told_are_known),
        cmocka_unit_test(only_its_uid_makes_an_application_the_management_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
