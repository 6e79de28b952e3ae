#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/sealed.h"
#include "signer/keyring.h"

#define MASTER_KEY "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_KEY  "phmk_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define PLAIN      "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

static const struct id application = { { 1 } }, endpoint = { { 2 } }, stranger = { { 3 } };

static struct keyring *keyring_of(const char *master_key)
{
    struct keyring *keyring;

    assert_int_equal(keyring_new(master_key, &keyring), ERR_OK);
    return keyring;
}

static int make_keyring(void **state)
{
    *state = keyring_of(MASTER_KEY);
    return 0;
}

static int free_keyring(void **state)
{
    keyring_free(*state);
    return 0;
}

static struct bytes seal(const struct keyring *keyring, const char *plain)
{
    struct bytes sealed;

    keyring_seal(keyring, SEAL_SECRET, &application, &endpoint, plain, strlen(plain), &sealed);
    return sealed;
}

static void what_was_sealed_opens_in_its_place(void **state)
{
    static const char *const rows[] = { "", "x", PLAIN };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bytes sealed = seal(*state, rows[i]), plain;

        assert_int_equal(
            keyring_unseal(*state, SEAL_SECRET, &application, &endpoint, &sealed, &plain),
            ERR_OK);
        assert_int_equal(plain.len, strlen(rows[i]));
        assert_string_equal(plain.data, rows[i]);
        keyring_wipe(&plain);
        bytes_fini(&sealed);
    }
}

static void nothing_opens_in_another_place_or_for_another_use(void **state)
{
    static const struct {
        enum seal_use use;
        const struct id *application, *endpoint;
    } rows[] = {
        { SEAL_HEADERS, &application, &endpoint },
        { SEAL_SECRET, &stranger, &endpoint },
        { SEAL_SECRET, &application, &stranger },
        { SEAL_SECRET, &endpoint, &application },
    };
    struct bytes sealed = seal(*state, PLAIN), plain;

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(keyring_unseal(*state, rows[i].use, rows[i].application,
                                        rows[i].endpoint, &sealed, &plain),
                         ERR_DENIED);
    bytes_fini(&sealed);
}

static void one_flipped_bit_anywhere_is_noticed(void **state)
{
    struct bytes sealed = seal(*state, PLAIN), plain;

    for (size_t bit = 0; bit < sealed.len * 8; bit++) {
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_int_equal(
            keyring_unseal(*state, SEAL_SECRET, &application, &endpoint, &sealed, &plain),
            ERR_DENIED);
        sealed.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    bytes_fini(&sealed);
}

static void a_cut_text_is_noticed(void **state)
{
    struct bytes sealed = seal(*state, PLAIN), plain;

    for (size_t len = 0; len < sealed.len; len++) {
        struct bytes cut = { sealed.data, len };
        assert_int_equal(
            keyring_unseal(*state, SEAL_SECRET, &application, &endpoint, &cut, &plain),
            ERR_DENIED);
    }
    bytes_fini(&sealed);
}

static void another_master_key_opens_nothing(void **state)
{
    struct keyring *other = keyring_of(OTHER_KEY);
    struct bytes sealed = seal(*state, PLAIN), plain;

    assert_int_equal(
        keyring_unseal(other, SEAL_SECRET, &application, &endpoint, &sealed, &plain),
        ERR_DENIED);
    bytes_fini(&sealed);
    keyring_free(other);
}

static void the_same_text_is_never_sealed_alike(void **state)
{
    struct bytes one = seal(*state, PLAIN), other = seal(*state, PLAIN);

    assert_int_equal(one.len, other.len);
    assert_memory_not_equal(one.data, other.data, one.len);
    bytes_fini(&one);
    bytes_fini(&other);
}

/* What is on disk must open after an upgrade: derivation and format stay as they are. The bytes
 * are from an independent implementation of RFC 5869 and AES-256-GCM. */
static void a_text_sealed_by_the_first_version_opens(void **state)
{
    static uint8_t text[] = {
        0x01, 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x9e,
        0xfb, 0x5a, 0x87, 0xea, 0xdf, 0x32, 0x93, 0x10, 0x8d, 0x4d, 0x9a, 0x8a, 0x63, 0x7c,
        0xd7, 0x9f, 0x83, 0x19, 0x15, 0xdf, 0xd2, 0x90, 0x97, 0xc5, 0x21, 0x01, 0x56, 0x85,
        0x66, 0x05, 0x62, 0xa3, 0xd9, 0x4c, 0xa9, 0x26, 0x48, 0xc7, 0x07, 0xed, 0x6c, 0x36,
        0xba, 0xa1, 0x7d, 0xcc, 0xc2, 0xbd, 0xe1, 0x7b, 0x90, 0x3a, 0x8e,
    };
    const struct bytes sealed = { text, sizeof text };
    struct bytes plain;

    assert_int_equal(
        keyring_unseal(*state, SEAL_SECRET, &application, &endpoint, &sealed, &plain), ERR_OK);
    assert_string_equal(plain.data, PLAIN);
    keyring_wipe(&plain);
}

static void the_token_key_of_the_first_version_stays(void **state)
{
    static const uint8_t key[TOKEN_KEY_LEN] = {
        0xdb, 0xc6, 0x74, 0x79, 0xcd, 0xab, 0x9d, 0x10, 0x5b, 0x40, 0x96,
        0xc1, 0xe3, 0x12, 0xfb, 0xfa, 0x25, 0x04, 0x78, 0x92, 0x0c, 0x06,
        0x7f, 0x42, 0x29, 0x0c, 0x75, 0x21, 0xda, 0x15, 0xa4, 0xdc,
    };

    assert_memory_equal(keyring_token_key(*state), key, TOKEN_KEY_LEN);
}

static void the_token_key_follows_from_the_master_key(void **state)
{
    struct keyring *same = keyring_of(MASTER_KEY), *other = keyring_of(OTHER_KEY);

    assert_memory_equal(keyring_token_key(*state), keyring_token_key(same), TOKEN_KEY_LEN);
    assert_memory_not_equal(keyring_token_key(*state), keyring_token_key(other), TOKEN_KEY_LEN);
    keyring_free(same);
    keyring_free(other);
}

static void regions_that_share_a_token_key_sign_alike_and_seal_apart(void **state)
{
    struct keyring *one = keyring_of(MASTER_KEY), *other = keyring_of(OTHER_KEY);
    char token_key[MASTER_KEY_TEXT_MAX];

    (void)state;
    keyring_generate_token_key(token_key);
    assert_int_equal(keyring_take_token_key(one, token_key), ERR_OK);
    assert_int_equal(keyring_take_token_key(other, token_key), ERR_OK);
    assert_memory_equal(keyring_token_key(one), keyring_token_key(other), TOKEN_KEY_LEN);

    struct bytes sealed = seal(one, PLAIN), plain;
    assert_int_equal(
        keyring_unseal(other, SEAL_SECRET, &application, &endpoint, &sealed, &plain),
        ERR_DENIED);
    bytes_fini(&sealed);
    keyring_free(one);
    keyring_free(other);
}

static void a_master_key_is_no_token_key(void **state)
{
    struct keyring *keyring = keyring_of(MASTER_KEY);

    assert_int_equal(keyring_take_token_key(keyring, MASTER_KEY), ERR_INVALID);
    assert_int_equal(keyring_take_token_key(keyring, "phtk_AAECAwQ="), ERR_INVALID);
    assert_memory_equal(keyring_token_key(keyring), keyring_token_key(*state), TOKEN_KEY_LEN);
    keyring_free(keyring);
}

static void only_prefixed_base64_of_32_bytes_is_a_master_key(void **state)
{
    static const struct {
        const char *text;
        enum err err;
    } rows[] = {
        { MASTER_KEY, ERR_OK },
        { MASTER_KEY "\n", ERR_OK },
        { " \t" MASTER_KEY "\r\n", ERR_OK },
        { "", ERR_INVALID },
        { "\n", ERR_INVALID },
        { "phmk_", ERR_INVALID },
        { MASTER_KEY "\n" MASTER_KEY, ERR_INVALID },
        { "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", ERR_INVALID },
        { "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", ERR_INVALID },
        { "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", ERR_INVALID },
        { "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", ERR_INVALID },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct keyring *keyring = NULL;
        assert_int_equal(keyring_new(rows[i].text, &keyring), rows[i].err);
        keyring_free(keyring);
    }
}

static void the_newest_key_seals_and_every_key_opens(void **state)
{
    struct keyring *both = keyring_of(MASTER_KEY), *other = keyring_of(OTHER_KEY);
    struct bytes before = seal(*state, PLAIN), plain;

    assert_int_equal(keyring_add(both, OTHER_KEY "\n"), ERR_OK);
    struct bytes after = seal(both, PLAIN);
    assert_int_equal(sealed_key(&before), keyring_newest(*state));
    assert_int_equal(sealed_key(&after), keyring_newest(other));
    assert_int_equal(
        keyring_unseal(both, SEAL_SECRET, &application, &endpoint, &before, &plain), ERR_OK);
    keyring_wipe(&plain);
    assert_int_equal(
        keyring_unseal(other, SEAL_SECRET, &application, &endpoint, &after, &plain), ERR_OK);
    keyring_wipe(&plain);
    assert_int_equal(
        keyring_unseal(*state, SEAL_SECRET, &application, &endpoint, &after, &plain),
        ERR_DENIED);
    bytes_fini(&before);
    bytes_fini(&after);
    keyring_free(both);
    keyring_free(other);
}

/* An id stands in every sealed value: its derivation stays as it is. The number is from an
 * independent implementation of RFC 5869. */
static void the_id_of_a_key_stays(void **state)
{
    char text[KEY_ID_TEXT_MAX];

    keyring_id_text(keyring_newest(*state), text);
    assert_string_equal(text, "86eaf72e");
    assert_true(keyring_has(*state, keyring_id(*state, 0)));
    assert_false(keyring_has(*state, 0));
}

static void a_joined_keyring_opens_by_all_and_seals_as_the_first(void **state)
{
    struct keyring *other = keyring_of(OTHER_KEY), *both = keyring_join(*state, other);
    struct bytes sealed = seal(other, PLAIN), plain;

    assert_int_equal(keyring_count(both), 2);
    assert_int_equal(keyring_newest(both), keyring_newest(*state));
    assert_int_equal(
        keyring_unseal(both, SEAL_SECRET, &application, &endpoint, &sealed, &plain), ERR_OK);
    keyring_wipe(&plain);
    assert_memory_equal(keyring_token_key(both), keyring_token_key(*state), TOKEN_KEY_LEN);
    assert_int_equal(keyring_token_key_count(both), 2);
    bytes_fini(&sealed);
    keyring_free(both);
    keyring_free(other);
}

static void a_keyring_takes_eight_keys_and_none_twice(void **state)
{
    struct keyring *keyring = keyring_of(MASTER_KEY);
    char text[MASTER_KEY_TEXT_MAX];

    (void)state;
    assert_int_equal(keyring_add(keyring, MASTER_KEY), ERR_CONFLICT);
    for (size_t i = 1; i < KEYRING_KEYS_MAX; i++) {
        keyring_generate(text);
        assert_int_equal(keyring_add(keyring, text), ERR_OK);
    }
    keyring_generate(text);
    assert_int_equal(keyring_add(keyring, text), ERR_LIMIT);
    assert_int_equal(keyring_count(keyring), KEYRING_KEYS_MAX);
    keyring_free(keyring);
}

static void of_several_keys_for_tokens_the_last_signs(void **state)
{
    char one[MASTER_KEY_TEXT_MAX], two[MASTER_KEY_TEXT_MAX], both[2 * MASTER_KEY_TEXT_MAX + 2];
    struct keyring *last = keyring_of(MASTER_KEY), *keyring = keyring_of(MASTER_KEY);

    (void)state;
    keyring_generate_token_key(one);
    keyring_generate_token_key(two);
    snprintf(both, sizeof both, "%s\n%s\n", one, two);
    assert_int_equal(keyring_take_token_key(keyring, both), ERR_OK);
    assert_int_equal(keyring_take_token_key(last, two), ERR_OK);
    assert_int_equal(keyring_token_key_count(keyring), 2);
    assert_memory_equal(keyring_token_key(keyring), keyring_token_key(last), TOKEN_KEY_LEN);

    /* A newer master key changes nothing of that. */
    assert_int_equal(keyring_add(keyring, OTHER_KEY), ERR_OK);
    assert_memory_equal(keyring_token_key(keyring), keyring_token_key(last), TOKEN_KEY_LEN);
    assert_int_equal(keyring_token_key_count(keyring), 2);
    keyring_free(last);
    keyring_free(keyring);
}

static void generated_master_keys_differ_and_work(void **state)
{
    char one[MASTER_KEY_TEXT_MAX], other[MASTER_KEY_TEXT_MAX];

    (void)state;
    keyring_generate(one);
    keyring_generate(other);
    assert_string_not_equal(one, other);
    keyring_free(keyring_of(one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sealed_opens_in_its_place),
        cmocka_unit_test(nothing_opens_in_another_place_or_for_another_use),
        cmocka_unit_test(one_flipped_bit_anywhere_is_noticed),
        cmocka_unit_test(a_cut_text_is_noticed),
        cmocka_unit_test(another_master_key_opens_nothing),
        cmocka_unit_test(the_same_text_is_never_sealed_alike),
        cmocka_unit_test(a_text_sealed_by_the_first_version_opens),
        cmocka_unit_test(the_token_key_of_the_first_version_stays),
        cmocka_unit_test(the_token_key_follows_from_the_master_key),
        cmocka_unit_test(regions_that_share_a_token_key_sign_alike_and_seal_apart),
        cmocka_unit_test(a_master_key_is_no_token_key),
        cmocka_unit_test(only_prefixed_base64_of_32_bytes_is_a_master_key),
        cmocka_unit_test(the_newest_key_seals_and_every_key_opens),
        cmocka_unit_test(the_id_of_a_key_stays),
        cmocka_unit_test(a_joined_keyring_opens_by_all_and_seals_as_the_first),
        cmocka_unit_test(a_keyring_takes_eight_keys_and_none_twice),
        cmocka_unit_test(of_several_keys_for_tokens_the_last_signs),
        cmocka_unit_test(generated_master_keys_differ_and_work),
    };
    return cmocka_run_group_tests(tests, make_keyring, free_keyring);
}
