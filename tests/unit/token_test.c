#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base64.h"
#include "core/buf.h"
#include "core/count.h"
#include "core/mem.h"
#include "signer/mac.h"
#include "signer/token.h"

#define MASTER_KEY "phmk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_KEY  "phmk_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define NOW_S      UINT64_C(1764000000)
#define NOW_MS     (NOW_S * 1000 + 123)
#define HOUR_S     3600

#define ORGANIZATION "org_000000000000000000000000001"
#define APPLICATION  "app_000000000000000000000000002"

struct fixture {
    struct keyring *keyring;
    struct token_checker *checker;
};

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    assert_int_equal(keyring_new(MASTER_KEY, &f->keyring), ERR_OK);
    f->checker = token_checker_new(f->keyring);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    token_checker_free(f->checker);
    keyring_free(f->keyring);
    free(f);
    return 0;
}

static struct token token_of(enum token_scope scope, uint64_t expires_at_s)
{
    struct id organization, application;
    struct token token;

    assert_int_equal(id_parse(ID_ORGANIZATION, ORGANIZATION, &organization), ERR_OK);
    assert_int_equal(id_parse(ID_APPLICATION, APPLICATION, &application), ERR_OK);
    token = scope == TOKEN_ORGANIZATION
                ? token_for_organization(&organization, NOW_MS)
                : token_for_application(&organization, &application, NOW_MS);
    token.expires_at_s = expires_at_s;
    return token;
}

static void append_base64url(struct buf *out, const void *bytes, size_t len)
{
    char text[1024];

    assert_true(BASE64URL_LEN(len) < sizeof text);
    base64url_encode(bytes, len, text);
    assert_int_equal(buf_append_text(out, text), ERR_OK);
}

/* A token with the header and claims given, signed with HS256 under the keyring's key. */
static struct buf forge(const struct keyring *keyring, const char *header, const char *claims)
{
    struct buf text = BUF_INIT(4096);
    struct mac *mac = mac_new();
    uint8_t signature[MAC_LEN];

    append_base64url(&text, header, strlen(header));
    assert_int_equal(buf_append_text(&text, "."), ERR_OK);
    append_base64url(&text, claims, strlen(claims));
    mac_start(mac, keyring_token_key(keyring), TOKEN_KEY_LEN);
    mac_add(mac, text.bytes, text.len);
    mac_finish(mac, signature);
    mac_free(mac);
    assert_int_equal(buf_append_text(&text, "."), ERR_OK);
    append_base64url(&text, signature, MAC_LEN);
    return text;
}

static void a_minted_token_says_whom_it_lets_in(void **state)
{
    static const struct {
        enum token_scope scope;
        uint64_t expires_at_s;
    } rows[] = {
        { TOKEN_ORGANIZATION, 0 },
        { TOKEN_ORGANIZATION, NOW_S + HOUR_S },
        { TOKEN_APPLICATION, 0 },
        { TOKEN_APPLICATION, NOW_S + HOUR_S },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token minted = token_of(rows[i].scope, rows[i].expires_at_s), read;
        char text[TOKEN_TEXT_MAX];

        token_mint(f->keyring, &minted, text);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_OK);
            assert_int_equal(read.scope, minted.scope);
            assert_true(id_equal(&read.organization, &minted.organization));
            assert_true(id_equal(&read.application, &minted.application));
            assert_int_equal(read.expires_at_s, minted.expires_at_s);
        }
    }
}

static void a_token_ends_when_it_says_even_if_it_was_seen_before(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_ORGANIZATION, NOW_S + HOUR_S), read;
    char text[TOKEN_TEXT_MAX];

    token_mint(f->keyring, &token, text);
    assert_int_equal(token_check(f->checker, text, NOW_S + HOUR_S, &read), ERR_DENIED);
    assert_int_equal(token_check(f->checker, text, NOW_S + HOUR_S - 1, &read), ERR_OK);
    assert_int_equal(token_check(f->checker, text, NOW_S + HOUR_S, &read), ERR_DENIED);
}

static void a_token_from_the_future_waits_for_its_time(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_ORGANIZATION, 0), read;
    char text[TOKEN_TEXT_MAX];

    token_mint(f->keyring, &token, text);
    assert_int_equal(token_check(f->checker, text, NOW_S - HOUR_S, &read), ERR_DENIED);
    assert_int_equal(token_check(f->checker, text, NOW_S - 1, &read), ERR_OK);
}

static void another_key_signs_for_nobody(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_ORGANIZATION, 0), read;
    struct keyring *other;
    char text[TOKEN_TEXT_MAX];

    assert_int_equal(keyring_new(OTHER_KEY, &other), ERR_OK);
    token_mint(other, &token, text);
    assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_DENIED);
    keyring_free(other);
}

static void an_older_key_is_good_as_long_as_it_is_there(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_ORGANIZATION, 0), read;
    struct keyring *both, *newest;
    char old[TOKEN_TEXT_MAX], fresh[TOKEN_TEXT_MAX], brief[TOKEN_TEXT_MAX];

    assert_int_equal(keyring_new(MASTER_KEY, &both), ERR_OK);
    assert_int_equal(keyring_add(both, OTHER_KEY), ERR_OK);
    assert_int_equal(keyring_new(OTHER_KEY, &newest), ERR_OK);
    token_mint(f->keyring, &token, old);
    token_mint(both, &token, fresh);
    token_mint_brief(both, &token, brief);
    assert_int_equal(token_check(f->checker, old, NOW_S, &read), ERR_OK);
    assert_int_equal(token_check(f->checker, fresh, NOW_S, &read), ERR_DENIED);
    assert_int_equal(token_check(f->checker, brief, NOW_S, &read), ERR_OK);

    token_checker_take(f->checker, both);
    assert_int_equal(token_check(f->checker, old, NOW_S, &read), ERR_OK);
    assert_int_equal(token_check(f->checker, fresh, NOW_S, &read), ERR_OK);
    token_checker_take(f->checker, newest);
    assert_int_equal(token_check(f->checker, old, NOW_S, &read), ERR_DENIED);
    assert_int_equal(token_check(f->checker, fresh, NOW_S, &read), ERR_OK);
    token_checker_take(f->checker, f->keyring);
    keyring_free(both);
    keyring_free(newest);
}

#define HS256      "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define GOOD_SUB   "\"sub\":\"" ORGANIZATION "\""
#define GOOD_ISS   "\"iss\":\"svix-server\""
#define GOOD_APP   "{" GOOD_ISS ",\"sub\":\"" APPLICATION "\",\"org\":\"" ORGANIZATION "\""
#define GOOD_CLAIM "{" GOOD_ISS "," GOOD_SUB "}"

static void only_the_right_algorithm_and_claims_let_in(void **state)
{
    static const struct {
        const char *header, *claims;
        enum err err;
    } rows[] = {
        { HS256, GOOD_CLAIM, ERR_OK },
        { "{\"alg\":\"HS256\"}", GOOD_CLAIM, ERR_OK },
        { HS256, "{" GOOD_ISS ",\"sub\":\"" APPLICATION "\",\"org\":\"" ORGANIZATION "\"}",
          ERR_OK },
        { "{\"alg\":\"none\"}", GOOD_CLAIM, ERR_DENIED },
        { "{\"alg\":\"HS384\"}", GOOD_CLAIM, ERR_DENIED },
        { "{\"alg\":\"HS512\"}", GOOD_CLAIM, ERR_DENIED },
        { "{\"alg\":\"RS256\"}", GOOD_CLAIM, ERR_DENIED },
        { "{\"alg\":7}", GOOD_CLAIM, ERR_DENIED },
        { "{}", GOOD_CLAIM, ERR_DENIED },
        { "[]", GOOD_CLAIM, ERR_DENIED },
        { HS256, "{" GOOD_SUB "}", ERR_DENIED },
        { HS256, "{\"iss\":\"someone\"," GOOD_SUB "}", ERR_DENIED },
        { HS256, "{\"iss\":1," GOOD_SUB "}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "}", ERR_DENIED },
        { HS256, "{" GOOD_ISS ",\"sub\":\"user_1\"}", ERR_DENIED },
        { HS256, "{" GOOD_ISS ",\"sub\":\"" APPLICATION "\"}", ERR_DENIED },
        { HS256, "{" GOOD_ISS ",\"sub\":\"" APPLICATION "\",\"org\":1}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":1}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":0}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":-1}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":9e9}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":\"9000000000\"}", ERR_DENIED },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"exp\":9000000000}", ERR_OK },
        { HS256, "{" GOOD_ISS "," GOOD_SUB ",\"nbf\":9000000000}", ERR_DENIED },
        { HS256, GOOD_APP "}", ERR_OK },
        { HS256, GOOD_APP ",\"feature_flags\":[\"a\",\"b\"]}", ERR_OK },
        { HS256, GOOD_APP ",\"feature_flags\":[]}", ERR_OK },
        { HS256, GOOD_APP ",\"feature_flags\":\"a\"}", ERR_DENIED },
        { HS256, GOOD_APP ",\"feature_flags\":[\"a\",1]}", ERR_DENIED },
        { HS256, GOOD_APP ",\"feature_flags\":[\"a\\nb\"]}", ERR_DENIED },
        { HS256, GOOD_APP ",\"feature_flags\":{}}", ERR_DENIED },
        { HS256, GOOD_APP ",\"capabilities\":[\"Newer\"]}", ERR_OK },
        { HS256, GOOD_APP ",\"capabilities\":null}", ERR_DENIED },
        { HS256, GOOD_APP ",\"minted_ms\":\"1\"}", ERR_DENIED },
        { HS256, GOOD_APP ",\"iat\":1764000000}", ERR_OK },
        { HS256, GOOD_APP ",\"iat\":-1}", ERR_DENIED },
        { HS256, GOOD_APP ",\"session\":\"00\"}", ERR_DENIED },
        { HS256, GOOD_APP ",\"session\":1}", ERR_DENIED },
        { HS256, "null", ERR_DENIED },
        { HS256, "", ERR_DENIED },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf text = forge(f->keyring, rows[i].header, rows[i].claims);
        struct token read;
        enum err err = token_check(f->checker, buf_text(&text), NOW_S, &read);

        if (err != rows[i].err)
            print_error("header %s claims %s\n", rows[i].header, rows[i].claims);
        assert_int_equal(err, rows[i].err);
        buf_fini(&text);
    }
}

static void a_token_says_what_it_may_and_when_it_was_minted(void **state)
{
    struct fixture *f = *state;
    struct token minted = token_of(TOKEN_APPLICATION, 0), read, again;
    char text[TOKEN_TEXT_MAX];

    minted.capabilities = TOKEN_VIEW_SECRET | TOKEN_CREATE_ATTEMPTS;
    assert_true(token_add_flag(&minted, "beta"));
    assert_true(token_add_flag(&minted, "eu.west-1"));
    token_name_session("ada", minted.revocable.session);
    token_mint(f->keyring, &minted, text);
    assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_OK);
    assert_int_equal(read.capabilities, minted.capabilities);
    assert_string_equal(read.feature_flags, "\nbeta\neu.west-1\n");
    assert_int_equal(read.revocable.minted_at_ms, NOW_MS);
    assert_memory_equal(read.revocable.session, minted.revocable.session, REVOCATION_NAME_LEN);

    minted.capabilities = 0;
    token_mint(f->keyring, &minted, text);
    assert_int_equal(token_check(f->checker, text, NOW_S, &again), ERR_OK);
    assert_int_equal(again.capabilities, 0);
    assert_memory_not_equal(again.revocable.id, read.revocable.id, REVOCATION_NAME_LEN);
}

static void there_is_room_for_so_many_feature_flags_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_APPLICATION, NOW_S + HOUR_S), read;
    char text[TOKEN_TEXT_MAX], flag[32];

    token.capabilities = TOKEN_CAPABILITIES & ~(unsigned)TOKEN_CREATE_ATTEMPTS;
    token_name_session("ada", token.revocable.session);
    for (int i = 0; i < TOKEN_FLAGS; i++) {
        snprintf(flag, sizeof flag, "flag-number-%02d", i);
        assert_true(token_add_flag(&token, flag));
    }
    assert_false(token_add_flag(&token, "x"));
    token_mint(f->keyring, &token, text);
    assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_OK);
    assert_string_equal(read.feature_flags, token.feature_flags);

    char long_flag[TOKEN_FLAGS_MAX] = "";
    struct token empty = token_of(TOKEN_APPLICATION, 0);
    memset(long_flag, 'a', sizeof long_flag - 2);
    assert_false(token_add_flag(&empty, long_flag));
    long_flag[sizeof long_flag - 3] = '\0';
    assert_true(token_add_flag(&empty, long_flag));
}

static void an_unsigned_token_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const headers[] = { "{\"alg\":\"none\"}", HS256 };

    for (size_t i = 0; i < COUNT(headers); i++) {
        struct buf text = forge(f->keyring, headers[i], GOOD_CLAIM);
        struct token read;

        *(strrchr((char *)text.bytes, '.') + 1) = '\0';
        assert_int_equal(token_check(f->checker, buf_text(&text), NOW_S, &read), ERR_DENIED);
        buf_fini(&text);
    }
}

static void what_is_not_a_token_is_refused(void **state)
{
    struct fixture *f = *state;
    char long_text[2 * TOKEN_TEXT_MAX];
    const char *rows[] = { "",       ".", "..", "...", "a.b.c", "e30.e30.e30", "\xff.\xff.\xff",
                           long_text };

    memset(long_text, 'a', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token read;
        assert_int_equal(token_check(f->checker, rows[i], NOW_S, &read), ERR_DENIED);
    }
}

static void every_changed_character_of_a_token_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct token token = token_of(TOKEN_ORGANIZATION, 0), read;
    char text[TOKEN_TEXT_MAX];

    token_mint(f->keyring, &token, text);
    assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_OK);
    /* The last character carries four bits; the other two are padding that libjwt ignores. */
    for (size_t i = 0; i + 1 < strlen(text); i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_DENIED);
        text[i] = before;
    }
}

static void more_tokens_than_are_remembered_still_work(void **state)
{
    struct fixture *f = *state;
    struct token read;
    char text[TOKEN_TEXT_MAX];

    for (int round = 0; round < 2; round++)
        for (uint64_t i = 0; i < 3000; i++) {
            struct token token = token_of(TOKEN_ORGANIZATION, NOW_S + 1 + i);
            token_mint(f->keyring, &token, text);
            assert_int_equal(token_check(f->checker, text, NOW_S, &read), ERR_OK);
            assert_int_equal(read.expires_at_s, NOW_S + 1 + i);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minted_token_says_whom_it_lets_in),
        cmocka_unit_test(a_token_ends_when_it_says_even_if_it_was_seen_before),
        cmocka_unit_test(a_token_from_the_future_waits_for_its_time),
        cmocka_unit_test(another_key_signs_for_nobody),
        cmocka_unit_test(only_the_right_algorithm_and_claims_let_in),
        cmocka_unit_test(an_older_key_is_good_as_long_as_it_is_there),
        cmocka_unit_test(a_token_says_what_it_may_and_when_it_was_minted),
        cmocka_unit_test(there_is_room_for_so_many_feature_flags_and_no_more),
        cmocka_unit_test(an_unsigned_token_is_refused),
        cmocka_unit_test(what_is_not_a_token_is_refused),
        cmocka_unit_test(every_changed_character_of_a_token_is_noticed),
        cmocka_unit_test(more_tokens_than_are_remembered_still_work),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
