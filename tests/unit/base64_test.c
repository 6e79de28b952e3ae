#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base64.h"
#include "core/count.h"

/* RFC 4648, section 10, and bytes that need the digits in which the alphabets differ. */
static const struct {
    const char *bytes;
    size_t len;
    const char *standard, *for_urls;
} vectors[] = {
    { "", 0, "", "" },
    { "f", 1, "Zg==", "Zg" },
    { "fo", 2, "Zm8=", "Zm8" },
    { "foo", 3, "Zm9v", "Zm9v" },
    { "foob", 4, "Zm9vYg==", "Zm9vYg" },
    { "fooba", 5, "Zm9vYmE=", "Zm9vYmE" },
    { "foobar", 6, "Zm9vYmFy", "Zm9vYmFy" },
    { "\xfb\xff\xfe", 3, "+//+", "-__-" },
    { "\xff\0", 2, "/wA=", "_wA" },
};

static void bytes_are_encoded_as_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const uint8_t *bytes = (const uint8_t *)vectors[i].bytes;
        char text[16];

        base64_encode(bytes, vectors[i].len, text);
        assert_string_equal(text, vectors[i].standard);
        assert_int_equal(strlen(text), BASE64_LEN(vectors[i].len));
        base64url_encode(bytes, vectors[i].len, text);
        assert_string_equal(text, vectors[i].for_urls);
        assert_int_equal(strlen(text), BASE64URL_LEN(vectors[i].len));
    }
}

static void what_was_encoded_is_decoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const char *standard = vectors[i].standard, *for_urls = vectors[i].for_urls;
        uint8_t bytes[8];
        size_t len = 99;

        assert_int_equal(base64_decode(standard, strlen(standard), bytes, sizeof bytes, &len),
                         ERR_OK);
        assert_int_equal(len, vectors[i].len);
        assert_memory_equal(bytes, vectors[i].bytes, len);
        len = 99;
        assert_int_equal(
            base64url_decode(for_urls, strlen(for_urls), bytes, sizeof bytes, &len), ERR_OK);
        assert_int_equal(len, vectors[i].len);
        assert_memory_equal(bytes, vectors[i].bytes, len);
    }
}

static void only_the_one_encoding_is_taken(void **state)
{
    static const char *const standard[] = {
        "Zg",   "Zg=",  "Zg===",  "Zh==", "Zm9=",     "Z===",
        "====", "Zm 9", "Zm9v\n", "-__-", "Zg==Zg==",
    };
    static const char *const for_urls[] = {
        "Zg==", "Zh", "Zm9", "Z", "+//+", "Zm9vY", " Zg", "Zg.",
    };
    uint8_t bytes[16];
    size_t len;

    (void)state;
    for (size_t i = 0; i < COUNT(standard); i++)
        assert_int_equal(
            base64_decode(standard[i], strlen(standard[i]), bytes, sizeof bytes, &len),
            ERR_INVALID);
    for (size_t i = 0; i < COUNT(for_urls); i++)
        assert_int_equal(
            base64url_decode(for_urls[i], strlen(for_urls[i]), bytes, sizeof bytes, &len),
            ERR_INVALID);
}

static void more_than_there_is_room_for_is_refused(void **state)
{
    uint8_t bytes[2];
    size_t len;

    (void)state;
    assert_int_equal(base64_decode("Zm8=", 4, bytes, 2, &len), ERR_OK);
    assert_int_equal(base64_decode("Zm8=", 4, bytes, 1, &len), ERR_INVALID);
    assert_int_equal(base64url_decode("Zm8", 3, bytes, 2, &len), ERR_OK);
    assert_int_equal(base64url_decode("Zm8", 3, bytes, 1, &len), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_encoded_as_the_rfc_says),
        cmocka_unit_test(what_was_encoded_is_decoded),
        cmocka_unit_test(only_the_one_encoding_is_taken),
        cmocka_unit_test(more_than_there_is_room_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
