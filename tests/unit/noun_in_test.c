#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "tests/lib/bodies.h"
#include "wire/noun_in.h"

#define V FAULT_VALUE
#define J FAULT_JSON

/* Applications. */

static void application_bodies_are_checked(void **state)
{
    static const struct body_row rows[] = {
        { "{\"name\":\"a\"}", NULL, NULL },
        { "{\"name\":\"a\",\"unknown\":[{}],\"uid\":null,\"metadata\":null}", NULL, NULL },
        { "{\"name\":\"tab\\tand\\nline\"}", NULL, NULL },
        { "{\"name\":\"a\",\"uid\":\"A-z_0.9\",\"throttleRate\":65535}", NULL, NULL },
        { "[]", "body", J },
        { "\"name\"", "body", J },
        { "{}", "body/name", V },
        { "{\"name\":null}", "body/name", J },
        { "{\"name\":5}", "body/name", J },
        { "{\"name\":\"\"}", "body/name", V },
        { "{\"name\":\"a\\u0001b\"}", "body/name", V },
        { "{\"name\":\"a\",\"uid\":\"\"}", "body/uid", V },
        { "{\"name\":\"a\",\"uid\":\"with space\"}", "body/uid", V },
        { "{\"name\":\"a\",\"uid\":\"caf\xc3\xa9\"}", "body/uid", V },
        { "{\"name\":\"a\",\"uid\":\"app_x\"}", "body/uid", V },
        { "{\"name\":\"a\",\"uid\":true}", "body/uid", J },
        { "{\"name\":\"a\",\"throttleRate\":0}", "body/throttleRate", V },
        { "{\"name\":\"a\",\"throttleRate\":65536}", "body/throttleRate", V },
        { "{\"name\":\"a\",\"throttleRate\":1.5}", "body/throttleRate", V },
        { "{\"name\":\"a\",\"throttleRate\":\"5\"}", "body/throttleRate", J },
        { "{\"name\":\"a\",\"rateLimit\":-1}", "body/rateLimit", V },
        { "{\"name\":\"a\",\"metadata\":[]}", "body/metadata", J },
        { "{\"name\":\"a\",\"metadata\":{\"k\":1}}", "body/metadata/k", J },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct application *a = application_new();
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        read_application(body, READ_REPLACE, a, &faults);
        assert_body_fault(&rows[i], &faults);
        json_free(body);
        object_unref(&a->base);
    }
}

static void a_residency_is_what_its_members_say(void **state)
{
    static const struct body_row rows[] = {
        { "{}", NULL, NULL },
        { "{\"residency\":null}", NULL, NULL },
        { "{\"residency\":{\"home\":null,\"more\":1}}", NULL, NULL },
        { "{\"residency\":\"eu\"}", "body/residency", J },
        { "{\"residency\":[]}", "body/residency", J },
        { "{\"residency\":{\"jurisdiction\":1}}", "body/residency/jurisdiction", J },
        { "{\"residency\":{\"home\":{}}}", "body/residency/home", J },
        { "{\"residency\":{\"mode\":true}}", "body/residency/mode", J },
        { "{\"residency\":{\"failover\":[]}}", "body/residency/failover", J },
    };
    struct faults faults = { 0 };
    struct residency_wish wish;

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);

        faults.count = 0;
        read_residency(body, &wish, &faults);
        assert_body_fault(&rows[i], &faults);
        if (!rows[i].loc)
            assert_true(!wish.jurisdiction && !wish.home && !wish.mode && !wish.failover);
        json_free(body);
    }

    struct json *body = body_parse("{\"residency\":{\"jurisdiction\":\"eu\",\"home\":\"fra\","
                                   "\"mode\":\"transit\",\"failover\":\"none\"}}");
    faults.count = 0;
    read_residency(body, &wish, &faults);
    assert_int_equal(faults.count, 0);
    assert_string_equal(wish.jurisdiction, "eu");
    assert_string_equal(wish.home, "fra");
    assert_string_equal(wish.mode, "transit");
    assert_string_equal(wish.failover, "none");
    json_free(body);
}

static struct application *made_application(const struct application *from, enum read_mode mode,
                                            const char *text)
{
    struct application *a = from ? application_copy(from) : application_new();
    struct json *body = body_parse(text);
    struct faults faults = { 0 };

    read_application(body, mode, a, &faults);
    assert_int_equal(faults.count, 0);
    json_free(body);
    return a;
}

static void a_patch_keeps_unsets_and_sets(void **state)
{
    struct application *old = made_application(
        NULL, READ_REPLACE,
        "{\"name\":\"n\",\"uid\":\"u\",\"rateLimit\":7,\"metadata\":{\"k\":\"v\"}}");
    struct application *kept = made_application(old, READ_PATCH, "{}");
    struct application *unset = made_application(
        old, READ_PATCH, "{\"uid\":null,\"throttleRate\":null,\"metadata\":null}");
    struct application *set = made_application(
        old, READ_PATCH, "{\"name\":\"m\",\"throttleRate\":9,\"rateLimit\":8,\"metadata\":{}}");
    struct application *replaced = made_application(old, READ_REPLACE, "{\"name\":\"m\"}");

    (void)state;
    assert_string_equal(kept->name, "n");
    assert_string_equal(kept->uid, "u");
    assert_int_equal(kept->throttle_rate, 7);
    assert_string_equal(kept->metadata, "{\"k\":\"v\"}");

    assert_string_equal(unset->name, "n");
    assert_null(unset->uid);
    assert_int_equal(unset->throttle_rate, 0);
    assert_string_equal(unset->metadata, "{}");

    assert_string_equal(set->name, "m");
    assert_string_equal(set->uid, "u");
    assert_int_equal(set->throttle_rate, 9);
    assert_string_equal(set->metadata, "{}");

    assert_null(replaced->uid);
    assert_int_equal(replaced->throttle_rate, 0);
    assert_string_equal(replaced->metadata, "{}");

    object_unref(&old->base);
    object_unref(&kept->base);
    object_unref(&unset->base);
    object_unref(&set->base);
    object_unref(&replaced->base);
}

static void metadata_has_4096_bytes_at_most(void **state)
{
    char value[4097], body[8192];

    (void)state;
    for (size_t extra = 0; extra < 2; extra++) {
        struct application *a = application_new();
        struct faults faults = { 0 };
        memset(value, 'x', sizeof value);
        value[4096 - strlen("{\"k\":\"\"}") + extra] = '\0';
        snprintf(body, sizeof body, "{\"name\":\"a\",\"metadata\":{\"k\": \"%s\"}}", value);
        struct json *tree = body_parse(body);
        read_application(tree, READ_REPLACE, a, &faults);
        assert_int_equal(faults.count, extra);
        json_free(tree);
        object_unref(&a->base);
    }
}

/* Event types. */

static void event_type_bodies_are_checked(void **state)
{
    static const struct body_row rows[] = {
        { "{\"name\":\"order.paid\"}", NULL, NULL },
        { "{\"name\":\"a\",\"description\":null,\"schemas\":null,\"featureFlag\":null}", NULL,
          NULL },
        { "{\"name\":\"a\",\"archived\":true,\"deprecated\":false,"
          "\"schemas\":{\"1\":{\"type\":\"object\"}}}",
          NULL, NULL },
        { "{}", "body/name", V },
        { "{\"name\":\"a b\"}", "body/name", V },
        { "{\"name\":\"a\",\"description\":\"\\u0008\"}", "body/description", V },
        { "{\"name\":\"a\",\"archived\":null}", "body/archived", J },
        { "{\"name\":\"a\",\"deprecated\":\"yes\"}", "body/deprecated", J },
        { "{\"name\":\"a\",\"schemas\":[]}", "body/schemas", J },
        { "{\"name\":\"a\",\"featureFlags\":[\"b\",\"c\"],\"groupName\":\"d\"}", NULL, NULL },
        { "{\"name\":\"a\",\"featureFlag\":\"\"}", "body/featureFlag", V },
        { "{\"name\":\"a\",\"featureFlags\":[]}", "body/featureFlags", V },
        { "{\"name\":\"a\",\"featureFlags\":[\"b c\"]}", "body/featureFlags/0", V },
        { "{\"name\":\"a\",\"groupName\":\"b c\"}", "body/groupName", V },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_type *t = event_type_new();
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        read_event_type(body, READ_REPLACE, t, &faults);
        assert_body_fault(&rows[i], &faults);
        json_free(body);
        object_unref(&t->base);
    }
}

static void an_event_type_named_by_its_path_keeps_that_name(void **state)
{
    struct event_type *t = event_type_new();
    struct json *body =
        body_parse("{\"name\":7,\"description\":\"d\",\"schemas\":{\"1\":{\"n\":0.10}}}");
    struct faults faults = { 0 };

    (void)state;
    t->name = xstrdup("path");
    read_event_type(body, READ_REPLACE, t, &faults);
    assert_int_equal(faults.count, 0);
    assert_string_equal(t->name, "path");
    assert_string_equal(t->description, "d");
    assert_string_equal(t->schemas, "{\"1\":{\"n\":0.10}}");
    json_free(body);
    object_unref(&t->base);
}

/* Endpoints. */

static void endpoint_bodies_are_checked(void **state)
{
    static const struct body_row rows[] = {
        { "{\"url\":\"http://h\"}", NULL, NULL },
        { "{\"url\":\"u\",\"eventTypes\":null,\"channels\":null,\"uid\":null,\"secret\":null,"
          "\"headers\":null,\"description\":null,\"throttleRate\":null,\"metadata\":null}",
          NULL, NULL },
        { "{\"url\":\"u\",\"channels\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
          "\"10\"]}",
          NULL, NULL },
        { "{}", "body/url", V },
        { "{\"url\":null}", "body/url", J },
        { "{\"url\":\"u\",\"disabled\":null}", "body/disabled", J },
        { "{\"url\":\"u\",\"disabled\":1}", "body/disabled", J },
        { "{\"url\":\"u\",\"uid\":\"ep_1\"}", "body/uid", V },
        { "{\"url\":\"u\",\"eventTypes\":[]}", "body/eventTypes", V },
        { "{\"url\":\"u\",\"filterTypes\":[]}", "body/filterTypes", V },
        { "{\"url\":\"u\",\"eventTypes\":\"a\"}", "body/eventTypes", J },
        { "{\"url\":\"u\",\"eventTypes\":[\"a\",\"b c\"]}", "body/eventTypes/1", V },
        { "{\"url\":\"u\",\"channels\":[\"a\",null]}", "body/channels/1", J },
        { "{\"url\":\"u\",\"channels\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
          "\"10\",\"11\"]}",
          "body/channels", V },
        { "{\"url\":\"u\",\"secret\":5}", "body/secret", J },
        { "{\"url\":\"u\",\"headers\":[]}", "body/headers", J },
        { "{\"url\":\"u\",\"headers\":{\"host\":\"h\"}}", "body/headers/host", V },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoint *e = endpoint_new();
        struct endpoint_extras extras;
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        read_endpoint(body, READ_REPLACE, e, &extras, &faults);
        assert_body_fault(&rows[i], &faults);
        endpoint_extras_fini(&extras);
        json_free(body);
        object_unref(&e->base);
    }
}

static void an_endpoint_is_read_from_either_generation(void **state)
{
    static const struct {
        const char *body, *first;
        size_t count;
    } rows[] = {
        { "{\"url\":\"u\",\"eventTypes\":[\"a\",\"b\",\"a\"]}", "a", 2 },
        { "{\"url\":\"u\",\"filterTypes\":[\"c\"]}", "c", 1 },
        { "{\"url\":\"u\",\"filterTypes\":[\"c\"],\"eventTypes\":[\"a\"]}", "a", 1 },
        { "{\"url\":\"u\",\"filterTypes\":[\"c\"],\"eventTypes\":null}", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct endpoint *e = endpoint_new();
        struct endpoint_extras extras;
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        read_endpoint(body, READ_REPLACE, e, &extras, &faults);
        assert_int_equal(faults.count, 0);
        assert_int_equal(e->event_types.count, rows[i].count);
        if (rows[i].first)
            assert_string_equal(e->event_types.items[0], rows[i].first);
        assert_false(extras.has_headers);
        assert_null(extras.secret);
        json_free(body);
        object_unref(&e->base);
    }
}

static void one_feature_flag_stands_for_a_list_of_it(void **state)
{
    static const struct {
        const char *patch, *flags;
    } rows[] = {
        { "{}", "old" },
        { "{\"featureFlag\":\"a\"}", "a" },
        { "{\"featureFlag\":null}", "" },
        { "{\"featureFlag\":\"a\",\"featureFlags\":[\"b\",\"c\"]}", "b c" },
        { "{\"featureFlag\":\"a\",\"featureFlags\":null}", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct event_type *t = event_type_new();
        struct json *body = body_parse(rows[i].patch);
        struct faults faults = { 0 };
        struct buf flags = BUF_INIT(64);

        t->name = xstrdup("a");
        text_list_add(&t->feature_flags, "old", 3);
        read_event_type(body, READ_PATCH, t, &faults);
        assert_int_equal(faults.count, 0);
        for (size_t j = 0; j < t->feature_flags.count; j++)
            assert_int_equal(
                buf_printf(&flags, "%s%s", j > 0 ? " " : "", t->feature_flags.items[j]),
                ERR_OK);
        assert_string_equal(buf_text(&flags), rows[i].flags);
        buf_fini(&flags);
        json_free(body);
        object_unref(&t->base);
    }
}

static void an_endpoint_patch_keeps_unsets_and_sets(void **state)
{
    struct endpoint *e = endpoint_new();
    struct endpoint_extras extras;
    struct faults faults = { 0 };
    struct json *body = body_parse("{\"url\":\"u\",\"disabled\":true,\"description\":\"d\","
                                   "\"channels\":[\"c\"],\"eventTypes\":[\"t\"],\"uid\":\"i\","
                                   "\"secret\":\"whsec_x\",\"headers\":{\"X-One\":\"1\"}}");

    (void)state;
    read_endpoint(body, READ_REPLACE, e, &extras, &faults);
    assert_int_equal(faults.count, 0);
    assert_string_equal(extras.secret, "whsec_x");
    assert_true(extras.has_headers);
    assert_string_equal(extras.headers, "{\"X-One\":\"1\"}");
    endpoint_extras_fini(&extras);
    json_free(body);

    body = body_parse("{\"channels\":null,\"description\":\"x\"}");
    read_endpoint(body, READ_PATCH, e, &extras, &faults);
    assert_int_equal(faults.count, 0);
    assert_string_equal(e->url, "u");
    assert_true(e->disabled);
    assert_string_equal(e->uid, "i");
    assert_string_equal(e->description, "x");
    assert_int_equal(e->channels.count, 0);
    assert_int_equal(e->event_types.count, 1);
    assert_false(extras.has_headers);
    endpoint_extras_fini(&extras);
    json_free(body);
    object_unref(&e->base);
}

static void lists_are_bounded(void **state)
{
    struct buf text = BUF_INIT(1u << 16);
    struct endpoint *e = endpoint_new();
    struct endpoint_extras extras;
    struct faults faults = { 0 };

    (void)state;
    assert_int_equal(buf_append_text(&text, "{\"url\":\"u\",\"eventTypes\":[\"a\""), ERR_OK);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(buf_append_text(&text, ",\"a\""), ERR_OK);
    assert_int_equal(buf_append_text(&text, "]}"), ERR_OK);
    struct json *body = body_parse(buf_text(&text));
    read_endpoint(body, READ_REPLACE, e, &extras, &faults);
    assert_int_equal(faults.count, 1);
    assert_string_equal(faults.items[0].msg, "1 to 1000 items are expected");
    json_free(body);
    object_unref(&e->base);
    buf_fini(&text);
}

/* Rotations and names. */

static void a_rotation_may_say_nothing(void **state)
{
    static const struct {
        const char *body, *key;
        uint32_t grace_s;
        size_t faults;
    } rows[] = {
        { "{}", NULL, 86400, 0 },
        { "{\"key\":null,\"gracePeriodSeconds\":null}", NULL, 86400, 0 },
        { "{\"key\":\"whsec_x\",\"gracePeriodSeconds\":0}", "whsec_x", 0, 0 },
        { "{\"gracePeriodSeconds\":604800}", NULL, 604800, 0 },
        { "{\"gracePeriodSeconds\":604801}", NULL, 86400, 1 },
        { "{\"key\":1}", NULL, 86400, 1 },
        { "[]", NULL, 86400, 1 },
    };
    struct rotation_in rotation;
    struct faults none = { 0 };

    (void)state;
    read_rotation(NULL, &rotation, &none);
    assert_int_equal(none.count, 0);
    assert_int_equal(rotation.grace_s, 86400);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct json *body = body_parse(rows[i].body);
        struct faults faults = { 0 };
        read_rotation(body, &rotation, &faults);
        assert_int_equal(faults.count, rows[i].faults);
        assert_int_equal(rotation.grace_s, rows[i].grace_s);
        if (rows[i].key)
            assert_string_equal(rotation.key, rows[i].key);
        else
            assert_null(rotation.key);
        json_free(body);
    }
}

static void names_have_a_length_and_an_alphabet(void **state)
{
    char name[NAME_LEN_MAX + 2];

    (void)state;
    memset(name, 'n', sizeof name);
    name[NAME_LEN_MAX + 1] = '\0';
    assert_false(name_is_valid(name, NAME_LEN_MAX));
    name[NAME_LEN_MAX] = '\0';
    assert_true(name_is_valid(name, NAME_LEN_MAX));
    assert_false(name_is_valid(name, CHANNEL_LEN_MAX));
    assert_true(name_is_valid("azAZ09-_.", NAME_LEN_MAX));
    assert_false(name_is_valid("", NAME_LEN_MAX));
    assert_false(name_is_valid("a/b", NAME_LEN_MAX));
    assert_false(name_is_valid("a:b", NAME_LEN_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(application_bodies_are_checked),
        cmocka_unit_test(a_residency_is_what_its_members_say),
        cmocka_unit_test(a_patch_keeps_unsets_and_sets),
        cmocka_unit_test(metadata_has_4096_bytes_at_most),
        cmocka_unit_test(event_type_bodies_are_checked),
        cmocka_unit_test(an_event_type_named_by_its_path_keeps_that_name),
        cmocka_unit_test(endpoint_bodies_are_checked),
        cmocka_unit_test(an_endpoint_is_read_from_either_generation),
        cmocka_unit_test(one_feature_flag_stands_for_a_list_of_it),
        cmocka_unit_test(an_endpoint_patch_keeps_unsets_and_sets),
        cmocka_unit_test(lists_are_bounded),
        cmocka_unit_test(a_rotation_may_say_nothing),
        cmocka_unit_test(names_have_a_length_and_an_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
