#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/count.h"
#include "core/hex.h"
#include "signer/signer.h"

/* The vector that Standard Webhooks and its libraries publish. */
#define VECTOR_KEY       "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define VECTOR_ID        "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define VECTOR_AT_S      1614265330
#define VECTOR_BODY      "{\"test\": 2432232314}"
#define VECTOR_SIGNATURE "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

#define A50 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* The pair of the specification's examples. */
#define PAIR                                                                                   \
    "whsk_6Xb/dCcHpPea21PS1N9VY/"                                                              \
    "NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
#define BROKEN_PAIR                                                                            \
    "whsk_6Xb/dCcHpPea21PS1N9VY/"                                                              \
    "NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvw=="
#define PUBLIC "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="

#define OTHER_KEY "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static const struct signed_text vector = {
    .id = VECTOR_ID,
    .at_s = VECTOR_AT_S,
    .body = VECTOR_BODY,
    .body_len = sizeof VECTOR_BODY - 1,
};

static struct secret secret_of(const char *text)
{
    struct secret secret;

    assert_int_equal(secret_parse(text, &secret), ERR_OK);
    return secret;
}

static int make_signer(void **state)
{
    *state = signer_new();
    return 0;
}

static int free_signer(void **state)
{
    signer_free(*state);
    return 0;
}

static void the_published_vector_is_reproduced(void **state)
{
    struct secret secret = secret_of(VECTOR_KEY);
    char header[SIGNATURE_HEADER_MAX];

    signer_sign(*state, &secret, 1, &vector, header);
    assert_string_equal(header, VECTOR_SIGNATURE);
}

static void each_secret_signs_newest_first(void **state)
{
    struct secret secrets[SECRETS_MAX];
    char header[SIGNATURE_HEADER_MAX], alone[SIGNATURE_HEADER_MAX];

    for (size_t i = 0; i < SECRETS_MAX; i++)
        secret_generate(&secrets[i]);
    signer_sign(*state, secrets, SECRETS_MAX, &vector, header);
    assert_int_equal(strlen(header), 48 * SECRETS_MAX - 1);

    for (size_t i = 0; i < SECRETS_MAX; i++) {
        signer_sign(*state, &secrets[i], 1, &vector, alone);
        assert_memory_equal(header + 48 * i, alone, 47);
        assert_int_equal(signer_verify(*state, &secrets[i], 1, &vector, header, VECTOR_AT_S, 0),
                         ERR_OK);
    }
}

static void a_header_is_judged_by_its_v1_signatures(void **state)
{
    static const struct {
        const char *header;
        enum err err;
    } rows[] = {
        { VECTOR_SIGNATURE, ERR_OK },
        { "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= " VECTOR_SIGNATURE, ERR_OK },
        { VECTOR_SIGNATURE " v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ERR_OK },
        { "v1a,whatever  " VECTOR_SIGNATURE " ", ERR_OK },
        { "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", ERR_DENIED },
        { "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=", ERR_DENIED },
        { "", ERR_INVALID },
        { " ", ERR_INVALID },
        { "v1", ERR_INVALID },
        { "v1,", ERR_INVALID },
        { "v1,g0hM", ERR_INVALID },
        { "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE", ERR_INVALID },
        { "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=", ERR_INVALID },
        { "v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=", ERR_INVALID },
        { "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OEA", ERR_INVALID },
        { "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ERR_INVALID },
        { "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", ERR_INVALID },
    };
    struct secret secret = secret_of(VECTOR_KEY);

    for (size_t i = 0; i < COUNT(rows); i++) {
        enum err err =
            signer_verify(*state, &secret, 1, &vector, rows[i].header, VECTOR_AT_S, 0);
        if (err != rows[i].err)
            print_error("header '%s'\n", rows[i].header);
        assert_int_equal(err, rows[i].err);
    }
}

static void any_secret_of_the_receiver_will_do(void **state)
{
    struct secret secrets[] = { secret_of(OTHER_KEY), secret_of(VECTOR_KEY) };

    assert_int_equal(
        signer_verify(*state, secrets, 2, &vector, VECTOR_SIGNATURE, VECTOR_AT_S, 0), ERR_OK);
    assert_int_equal(
        signer_verify(*state, secrets, 1, &vector, VECTOR_SIGNATURE, VECTOR_AT_S, 0),
        ERR_DENIED);
}

static void a_signature_fits_one_id_one_instant_and_one_body(void **state)
{
    struct signed_text rows[] = { vector, vector, vector, vector };
    struct secret secret = secret_of(VECTOR_KEY);

    rows[0].id = "msg_p5jXN8AQM9LWM0D4loKWxJeK";
    rows[1].at_s++;
    rows[2].body = "{\"test\": 2432232315}";
    rows[3].body_len--;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(
            signer_verify(*state, &secret, 1, &rows[i], VECTOR_SIGNATURE, VECTOR_AT_S, 300),
            ERR_DENIED);
}

static void a_text_from_far_away_in_time_is_refused(void **state)
{
    static const struct {
        uint64_t now_s, tolerance_s;
        enum err err;
    } rows[] = {
        { VECTOR_AT_S, 0, ERR_OK },
        { VECTOR_AT_S + 1, 0, ERR_TIMEOUT },
        { VECTOR_AT_S + 300, SIGNATURE_TOLERANCE_S, ERR_OK },
        { VECTOR_AT_S + 301, SIGNATURE_TOLERANCE_S, ERR_TIMEOUT },
        { VECTOR_AT_S - 300, SIGNATURE_TOLERANCE_S, ERR_OK },
        { VECTOR_AT_S - 301, SIGNATURE_TOLERANCE_S, ERR_TIMEOUT },
        { 0, SIGNATURE_TOLERANCE_S, ERR_TIMEOUT },
        { UINT64_MAX, SIGNATURE_TOLERANCE_S, ERR_TIMEOUT },
        { UINT64_MAX, UINT64_MAX, ERR_OK },
    };
    struct secret secret = secret_of(VECTOR_KEY);

    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(signer_verify(*state, &secret, 1, &vector, VECTOR_SIGNATURE,
                                       rows[i].now_s, rows[i].tolerance_s),
                         rows[i].err);
}

static void an_empty_body_can_be_signed(void **state)
{
    struct signed_text text = { .id = VECTOR_ID, .at_s = VECTOR_AT_S };
    struct secret secret = secret_of(VECTOR_KEY);
    char header[SIGNATURE_HEADER_MAX];

    signer_sign(*state, &secret, 1, &text, header);
    assert_int_equal(signer_verify(*state, &secret, 1, &text, header, VECTOR_AT_S, 0), ERR_OK);
}

static void only_prefixed_base64_of_24_to_75_bytes_is_a_secret(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: not a secret */
    } rows[] = {
        { VECTOR_KEY, 24 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==", 25 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 26 },
        { "whsec_" A50 A50, 75 },
        { "whsec_" A50 A50 "AA==", 0 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB==", 0 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 0 },
        { "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA====", 0 },
        { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS\n", 0 },
        { "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-_", 0 },
        { " " VECTOR_KEY, 0 },
        { VECTOR_KEY " ", 0 },
        { "whsec_", 0 },
        { "whsec", 0 },
        { "", 0 },
        { "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret secret = { .len = 0 };
        char text[SECRET_TEXT_MAX];
        enum err err = secret_parse(rows[i].text, &secret);

        if (err != (rows[i].len ? ERR_OK : ERR_INVALID))
            print_error("secret '%s'\n", rows[i].text);
        assert_int_equal(err, rows[i].len ? ERR_OK : ERR_INVALID);
        assert_int_equal(secret.len, rows[i].len);
        if (err)
            continue;
        secret_format(&secret, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void generated_secrets_differ_and_can_be_written_and_read(void **state)
{
    struct secret one, other, read;
    char text[SECRET_TEXT_MAX];

    (void)state;
    secret_generate(&one);
    secret_generate(&other);
    assert_int_equal(one.len, 24);
    assert_memory_not_equal(one.bytes, other.bytes, one.len);

    secret_format(&one, text);
    assert_int_equal(secret_parse(text, &read), ERR_OK);
    assert_memory_equal(one.bytes, read.bytes, one.len);
}

static void a_wiped_secret_is_gone(void **state)
{
    static const struct secret nothing;
    struct secret secret = secret_of(VECTOR_KEY);

    (void)state;
    secret_wipe(&secret);
    assert_memory_equal(&secret, &nothing, sizeof secret);
}

static void a_key_pair_signs_and_its_public_half_verifies(void **state)
{
    struct secret secrets[] = { secret_of(PAIR), secret_of(VECTOR_KEY) };
    struct secret public_key = secret_of(PUBLIC);
    char header[SIGNATURE_HEADER_MAX], text[SECRET_TEXT_MAX];
    struct signed_text other = vector;

    secret_format(&secrets[0], text);
    assert_string_equal(text, PUBLIC);
    assert_true(secret_signs(&secrets[0]));
    assert_false(secret_signs(&public_key));
    signer_sign(*state, secrets, 2, &vector, header);
    assert_memory_equal(header, "v1a,", 4);
    assert_string_equal(strchr(header, ' ') + 1, VECTOR_SIGNATURE);
    for (size_t i = 0; i < COUNT(secrets); i++)
        assert_int_equal(signer_verify(*state, &secrets[i], 1, &vector, header, VECTOR_AT_S, 0),
                         ERR_OK);
    assert_int_equal(signer_verify(*state, &public_key, 1, &vector, header, VECTOR_AT_S, 0),
                     ERR_OK);
    other.at_s++;
    assert_int_equal(signer_verify(*state, &public_key, 1, &other, header, VECTOR_AT_S, 9),
                     ERR_DENIED);
    assert_int_equal(
        signer_verify(*state, &public_key, 1, &vector, VECTOR_SIGNATURE, VECTOR_AT_S, 0),
        ERR_DENIED);
}

static void a_pair_whose_halves_differ_is_none(void **state)
{
    static const char *const ROWS[] = {
        BROKEN_PAIR,
        "whsk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
        "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbO",
        "whsk_",
    };
    struct secret secret;

    (void)state;
    for (size_t i = 0; i < COUNT(ROWS); i++)
        assert_int_equal(secret_parse(ROWS[i], &secret), ERR_INVALID);
}

/* RFC 8032, 7.1, test 1. */
static void the_signature_of_the_rfc_is_reproduced(void **state)
{
    static const char PAIR_HEX[] =
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    static const char SIGNATURE_HEX[] = "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e0"
                                        "65224901555fb8821590a33bacc61e3970"
                                        "1cf9b46bd25bf5f0595bbe24655141438e7a100b";
    uint8_t pair[ED25519_PAIR_LEN], signature[ED25519_SIGNATURE_LEN];
    char text[HEX_LEN(ED25519_SIGNATURE_LEN) + 1];

    (void)state;
    assert_int_equal(hex_decode(PAIR_HEX, strlen(PAIR_HEX), pair, sizeof pair), ERR_OK);
    assert_true(ed25519_pair_is_one(pair));
    ed25519_sign(pair, "", 0, signature);
    hex_encode(signature, sizeof signature, text);
    assert_string_equal(text, SIGNATURE_HEX);
    assert_true(ed25519_verify(pair + ED25519_SEED_LEN, "", 0, signature));
    assert_false(ed25519_verify(pair + ED25519_SEED_LEN, "x", 1, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vector_is_reproduced),
        cmocka_unit_test(each_secret_signs_newest_first),
        cmocka_unit_test(a_header_is_judged_by_its_v1_signatures),
        cmocka_unit_test(any_secret_of_the_receiver_will_do),
        cmocka_unit_test(a_signature_fits_one_id_one_instant_and_one_body),
        cmocka_unit_test(a_text_from_far_away_in_time_is_refused),
        cmocka_unit_test(an_empty_body_can_be_signed),
        cmocka_unit_test(only_prefixed_base64_of_24_to_75_bytes_is_a_secret),
        cmocka_unit_test(generated_secrets_differ_and_can_be_written_and_read),
        cmocka_unit_test(a_wiped_secret_is_gone),
        cmocka_unit_test(a_key_pair_signs_and_its_public_half_verifies),
        cmocka_unit_test(a_pair_whose_halves_differ_is_none),
        cmocka_unit_test(the_signature_of_the_rfc_is_reproduced),
    };
    return cmocka_run_group_tests(tests, make_signer, free_signer);
}
