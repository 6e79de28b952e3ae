#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/mem.h"
#include "core/object_code.h"

static const struct id ID = { { 1, 2, 3, 4, 5, 7, 0, 1, 9, 9 } };
static const struct id OTHER = { { 1, 2, 3, 4, 5, 7, 0, 2, 8, 8 } };

static void fill_object(struct object *object)
{
    object->id = ID;
    object->version = 3;
    object->created_at_ms = 1798761600000;
    object->updated_at_ms = 1798761600001;
}

static struct object *an_application(void)
{
    struct application *a = application_new();

    fill_object(&a->base);
    a->base.organization = OTHER;
    a->uid = xstrdup("acme");
    a->name = xstrdup("Ac\xc3\xb6me");
    a->metadata = xstrdup("{\"a\":\"b\"}");
    a->throttle_rate = 5;
    a->residency = (struct residency){ .jurisdiction = xstrdup("eu"),
                                       .home = 7,
                                       .home_epoch = 1,
                                       .mode = RESIDENCY_PROCESSING,
                                       .failover = FAILOVER_JURISDICTION };
    text_list_add(&a->revocations, "1 2 3 *", 7);
    return &a->base;
}

static struct object *an_endpoint(void)
{
    struct endpoint *e = endpoint_new();

    fill_object(&e->base);
    e->application = OTHER;
    e->url = xstrdup("https://example.com/");
    free(e->description);
    e->description = xstrdup("");
    e->disabled = true;
    text_list_add(&e->event_types, "a", 1);
    text_list_add(&e->event_types, "b.c", 3);
    text_list_add(&e->channels, "red", 3);
    e->dispatch.mode = DISPATCH_PIN;
    text_list_add(&e->dispatch.regions, "fra", 3);
    text_list_add(&e->dispatch.regions, "dub", 3);
    text_list_add(&e->dispatch.targets, "eu https://eu.example.com/", 26);
    e->dispatch.location = (struct location){ true, -90000000, 179999999 };
    e->sealed_headers = bytes_copy("sealed", 6);
    e->secrets[0].sealed = bytes_copy("new", 3);
    e->secrets[1].sealed = bytes_copy("old", 3);
    e->secrets[1].expires_at_ms = 1798761700000;
    e->secret_count = 2;
    return &e->base;
}

static struct object *an_event_type(void)
{
    struct event_type *t = event_type_new();

    fill_object(&t->base);
    t->name = xstrdup("order.paid");
    free(t->description);
    t->description = xstrdup("An order was paid");
    text_list_add(&t->feature_flags, "beta", 4);
    text_list_add(&t->feature_flags, "eu", 2);
    t->group_name = xstrdup("orders");
    t->archived = true;
    return &t->base;
}

static struct object *a_tombstone(void)
{
    struct object *object = an_event_type();

    object->deleted = true;
    return object;
}

static struct object *(*const MAKERS[])(void) = { an_application, an_endpoint, an_event_type,
                                                  a_tombstone };

static void an_object_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(MAKERS); i++) {
        struct buf code = BUF_INIT(OBJECT_CODE_MAX), again = BUF_INIT(OBJECT_CODE_MAX);
        struct object *object = MAKERS[i](), *decoded;
        assert_int_equal(object_encode(object, &code), ERR_OK);
        assert_int_equal(object_decode(code.bytes, code.len, &decoded), ERR_OK);
        assert_int_equal(decoded->kind, object->kind);
        assert_int_equal(decoded->deleted, object->deleted);
        assert_int_equal(decoded->version, 3);
        assert_true(id_equal(&decoded->organization, &object->organization));
        assert_int_equal(object_encode(decoded, &again), ERR_OK);
        assert_int_equal(again.len, code.len);
        assert_memory_equal(again.bytes, code.bytes, code.len);
        object_unref(object);
        object_unref(decoded);
        buf_fini(&code);
        buf_fini(&again);
    }
}

static void every_field_of_an_endpoint_is_there(void **state)
{
    struct buf code = BUF_INIT(OBJECT_CODE_MAX);
    struct object *object = an_endpoint(), *decoded;

    (void)state;
    assert_int_equal(object_encode(object, &code), ERR_OK);
    assert_int_equal(object_decode(code.bytes, code.len, &decoded), ERR_OK);
    const struct endpoint *e = as_endpoint(decoded);
    assert_true(id_equal(&e->application, &OTHER));
    assert_string_equal(e->url, "https://example.com/");
    assert_string_equal(e->description, "");
    assert_null(e->uid);
    assert_true(e->disabled);
    assert_int_equal(e->event_types.count, 2);
    assert_string_equal(e->event_types.items[1], "b.c");
    assert_int_equal(e->dispatch.mode, DISPATCH_PIN);
    assert_int_equal(e->dispatch.regions.count, 2);
    assert_string_equal(e->dispatch.regions.items[1], "dub");
    assert_string_equal(e->dispatch.targets.items[0], "eu https://eu.example.com/");
    assert_true(e->dispatch.location.known);
    assert_int_equal(e->dispatch.location.latitude, -90000000);
    assert_int_equal(e->dispatch.location.longitude, 179999999);
    assert_int_equal(e->secret_count, 2);
    assert_int_equal(e->secrets[1].expires_at_ms, 1798761700000);
    assert_memory_equal(e->secrets[0].sealed.data, "new", 3);
    assert_memory_equal(e->sealed_headers.data, "sealed", 6);
    object_unref(object);
    object_unref(decoded);
    buf_fini(&code);
}

static void the_public_code_is_the_same_without_secrets(void **state)
{
    struct buf code = BUF_INIT(OBJECT_CODE_MAX), bare = BUF_INIT(OBJECT_CODE_MAX);
    struct object *object = an_endpoint();
    struct endpoint *e = as_endpoint(object);

    (void)state;
    assert_int_equal(object_encode(object, &code), ERR_OK);
    bytes_fini(&e->sealed_headers);
    bytes_fini(&e->secrets[0].sealed);
    bytes_fini(&e->secrets[1].sealed);
    e->secret_count = 0;
    assert_int_equal(object_encode(object, &bare), ERR_OK);
    assert_true(bare.len < code.len);
    assert_int_equal(object_code_public(code.bytes, code.len), bare.len);
    assert_int_equal(object_code_public(bare.bytes, bare.len), bare.len);
    assert_memory_equal(bare.bytes, code.bytes, bare.len);

    assert_int_equal(object_code_public(code.bytes, code.len - 1), code.len - 1); /* torn */
    assert_int_equal(object_code_public(NULL, 0), 0);
    object_unref(object);
    buf_fini(&code);
    buf_fini(&bare);
}

static void a_field_of_a_newer_version_is_passed_over(void **state)
{
    static const uint8_t NEWER[] = { 0x70, 0, 0, 0, 3, 'n', 'e', 'w' };
    struct buf code = BUF_INIT(OBJECT_CODE_MAX);
    struct object *object = an_event_type(), *decoded;

    (void)state;
    assert_int_equal(object_encode(object, &code), ERR_OK);
    assert_int_equal(buf_append(&code, NEWER, sizeof NEWER), ERR_OK);
    assert_int_equal(object_decode(code.bytes, code.len, &decoded), ERR_OK);
    object_unref(decoded);
    object_unref(object);
    buf_fini(&code);
}

#define KIND(n)    1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, n
#define ID_FIELD   2, 0, 0, 0, 20, 1, 2, 3, 4, 5, 7, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
#define VERSION    4, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1
#define TYPE_NAME  16, 0, 0, 0, 1, 'a'
#define TYPE_ABOUT 17, 0, 0, 0, 0
#define CODE(...)  (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void what_is_no_object_is_refused(void **state)
{
    const struct {
        const char *what;
        const uint8_t *code;
        size_t len;
        enum err err;
    } CASES[] = {
        { "whole", CODE(KIND(3), ID_FIELD, VERSION, TYPE_NAME, TYPE_ABOUT), ERR_OK },
        { "no kind", CODE(ID_FIELD, VERSION, TYPE_NAME, TYPE_ABOUT), ERR_INVALID },
        { "kind 0", CODE(KIND(0), ID_FIELD, VERSION, TYPE_NAME, TYPE_ABOUT), ERR_INVALID },
        { "a newer kind", CODE(KIND(4), ID_FIELD, VERSION), ERR_VERSION },
        { "the kind alone", CODE(KIND(3)), ERR_INVALID },
        { "cut short", CODE(KIND(3), ID_FIELD, VERSION, TYPE_NAME, 17, 0, 0, 0), ERR_INVALID },
        { "longer than it is", CODE(KIND(3), ID_FIELD, VERSION, 16, 255, 255, 255, 255, 'a'),
          ERR_INVALID },
        { "no id", CODE(KIND(3), VERSION, TYPE_NAME, TYPE_ABOUT), ERR_INVALID },
        { "no version", CODE(KIND(3), ID_FIELD, TYPE_NAME, TYPE_ABOUT), ERR_INVALID },
        { "no name", CODE(KIND(3), ID_FIELD, VERSION, TYPE_ABOUT), ERR_INVALID },
        { "out of order", CODE(KIND(3), VERSION, ID_FIELD, TYPE_NAME, TYPE_ABOUT),
          ERR_INVALID },
        { "two names", CODE(KIND(3), ID_FIELD, VERSION, TYPE_NAME, TYPE_NAME, TYPE_ABOUT),
          ERR_INVALID },
        { "a short id", CODE(KIND(3), 2, 0, 0, 0, 1, 1, VERSION, TYPE_NAME, TYPE_ABOUT),
          ERR_INVALID },
        { "a NUL", CODE(KIND(3), ID_FIELD, VERSION, 16, 0, 0, 0, 1, 0, TYPE_ABOUT),
          ERR_INVALID },
        { "no UTF-8", CODE(KIND(3), ID_FIELD, VERSION, 16, 0, 0, 0, 1, 0xff, TYPE_ABOUT),
          ERR_INVALID },
        { "a zero that is written",
          CODE(KIND(3), ID_FIELD, VERSION, 5, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, TYPE_NAME,
               TYPE_ABOUT),
          ERR_INVALID },
        { "a flag of two",
          CODE(KIND(3), ID_FIELD, VERSION, 5, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 2, TYPE_NAME,
               TYPE_ABOUT),
          ERR_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(CASES); i++) {
        struct object *object = NULL;
        enum err err = object_decode(CASES[i].code, CASES[i].len, &object);
        if (err != CASES[i].err)
            fail_msg("%s: %s", CASES[i].what, err_text(err));
        object_unref(object);
    }
}

/* An endpoint whose only other field is a place of these bytes. */
static void a_place_beyond_the_poles_is_refused(void **state)
{
    static const struct {
        uint32_t latitude, longitude;
        enum err err;
    } rows[] = {
        { 0, 0, ERR_OK },
        { 180000000, 360000000, ERR_OK },
        { 180000001, 0, ERR_INVALID },
        { 0, 360000001, ERR_INVALID },
        { UINT32_MAX, UINT32_MAX, ERR_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf code = BUF_INIT(OBJECT_CODE_MAX);
        struct object *object = an_endpoint(), *decoded;
        uint8_t *place;

        assert_int_equal(object_encode(object, &code), ERR_OK);
        place = memmem(code.bytes, code.len, "\x1c\0\0\0\x08", 5);
        assert_non_null(place);
        for (size_t b = 0; b < 4; b++) {
            place[5 + b] = (uint8_t)(rows[i].latitude >> (24 - 8 * b));
            place[9 + b] = (uint8_t)(rows[i].longitude >> (24 - 8 * b));
        }
        assert_int_equal(object_decode(code.bytes, code.len, &decoded), rows[i].err);
        if (!rows[i].err)
            object_unref(decoded);
        object_unref(object);
        buf_fini(&code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_comes_back_as_it_was),
        cmocka_unit_test(every_field_of_an_endpoint_is_there),
        cmocka_unit_test(a_place_beyond_the_poles_is_refused),
        cmocka_unit_test(the_public_code_is_the_same_without_secrets),
        cmocka_unit_test(a_field_of_a_newer_version_is_passed_over),
        cmocka_unit_test(what_is_no_object_is_refused),
    };

    return cmocka_run_group_tests_name("object_code", tests, NULL, NULL);
}
