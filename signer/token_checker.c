/* Token, checked: signature, claims and time. */
#include "signer/token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jwt.h>
#include <openssl/rand.h>

#include "core/hash.h"
#include "core/hex.h"
#include "core/mem.h"
#include "core/model.h"
#include "core/require.h"
#include "signer/digest.h"
#include "signer/mac.h"

#define CACHE_MAX    1024 /* tokens */
#define CLOCK_SKEW_S 60   /* how far the clock of whoever minted a token may be ahead */

/* What a token says, once its signature was found to be ours. */
struct verified {
    struct token token;
    uint64_t not_before_s;
};

struct entry {
    /* of the token's text, under a secret key: a look-up's duration says nothing about it */
    uint8_t digest[MAC_LEN];
    struct verified verified;
    bool used;
    UT_hash_handle hh;
};

struct token_checker {
    const struct keyring *keyring;
    struct mac *mac;
    uint8_t cache_key[MAC_LEN];
    struct entry *by_digest;
    size_t oldest; /* the slot that the next token takes */
    struct entry slots[CACHE_MAX];
};

struct token_checker *token_checker_new(const struct keyring *keyring)
{
    struct token_checker *checker = xcalloc(1, sizeof *checker);

    checker->keyring = keyring;
    checker->mac = mac_new();
    require(RAND_priv_bytes(checker->cache_key, sizeof checker->cache_key) == 1);
    return checker;
}

void token_checker_take(struct token_checker *checker, const struct keyring *keyring)
{
    checker->keyring = keyring;
    HASH_CLEAR(hh, checker->by_digest);
    memset(checker->slots, 0, sizeof checker->slots);
}

void token_checker_free(struct token_checker *checker)
{
    if (!checker)
        return;
    HASH_CLEAR(hh, checker->by_digest);
    mac_free(checker->mac);
    free(checker);
}

/* False when the claim is there but isn't a positive number; 0 when it isn't there. */
static bool get_instant(jwt_t *jwt, const char *claim, uint64_t *out_s)
{
    errno = 0;
    long value = jwt_get_grant_int(jwt, claim);
    bool absent = errno == ENOENT;

    if (!absent && value <= 0)
        return false;
    *out_s = absent ? 0 : (uint64_t)value;
    return true;
}

static bool get_id(jwt_t *jwt, const char *claim, enum id_kind kind, struct id *out)
{
    const char *text = jwt_get_grant(jwt, claim);

    return text && id_parse(kind, text, out) == ERR_OK;
}

/* The next name of ["a","b"]. False: there is none; `*at` then stands at the end of what is right. */
static bool next_name(const char **at, char out[NAME_LEN_MAX + 1])
{
    size_t len;

    if ((**at != '[' && **at != ',') || (*at)[1] != '"')
        return false;
    len = strcspn(*at + 2, "\"\\\n");
    if (len > NAME_LEN_MAX || (*at)[2 + len] != '"')
        return false;
    snprintf(out, NAME_LEN_MAX + 1, "%.*s", (int)len, *at + 2);
    *at += len + 3;
    return true;
}

static bool add_capability(struct token *token, const char *name)
{
    unsigned allows = 0;

    /* One that a newer version knows allows nothing here. */
    if (token_capability_find(name, &allows))
        token->capabilities |= allows;
    return true;
}

/* Hand the names of a claim that is a list over. False: it is something else, or one isn't taken. */
static bool get_names(jwt_t *jwt, const char *claim,
                      bool (*take)(struct token *token, const char *name), struct token *token)
{
    char *json = jwt_get_grants_json(jwt, claim);
    const char *at = json;
    char name[NAME_LEN_MAX + 1];
    bool good = true;

    if (!json)
        return true;
    while (good && next_name(&at, name))
        good = take(token, name);
    good = good && (strcmp(at, "]") == 0 || strcmp(json, "[]") == 0);
    free(json);
    return good;
}

static bool has(jwt_t *jwt, const char *claim)
{
    char *json = jwt_get_grants_json(jwt, claim);

    free(json);
    return json != NULL;
}

/* The session may be absent, and otherwise is a name in hex. */
static bool get_session(jwt_t *jwt, uint8_t out[REVOCATION_NAME_LEN])
{
    const char *text = jwt_get_grant(jwt, "session");

    return text ? hex_decode(text, strlen(text), out, REVOCATION_NAME_LEN) == ERR_OK
                : !has(jwt, "session");
}

static bool read_application(jwt_t *jwt, uint64_t issued_at_s, struct token *token)
{
    token->scope = TOKEN_APPLICATION;
    if (!get_id(jwt, "sub", ID_APPLICATION, &token->application) ||
        !get_id(jwt, "org", ID_ORGANIZATION, &token->organization) ||
        !get_instant(jwt, "minted_ms", &token->revocable.minted_at_ms))
        return false;
    if (token->revocable.minted_at_ms == 0)
        token->revocable.minted_at_ms = issued_at_s * 1000;
    token->capabilities = has(jwt, "capabilities") ? 0 : TOKEN_CAPABILITIES;
    return get_names(jwt, "feature_flags", token_add_flag, token) &&
           get_names(jwt, "capabilities", add_capability, token) &&
           get_session(jwt, token->revocable.session);
}

static bool read_claims(jwt_t *jwt, struct verified *out)
{
    const char *issuer = jwt_get_grant(jwt, "iss");
    struct token *token = &out->token;
    uint64_t issued_at_s;

    if (!issuer || strcmp(issuer, TOKEN_ISSUER) != 0)
        return false;
    if (!get_instant(jwt, "exp", &token->expires_at_s) ||
        !get_instant(jwt, "nbf", &out->not_before_s) || !get_instant(jwt, "iat", &issued_at_s))
        return false;
    if (!get_id(jwt, "sub", ID_ORGANIZATION, &token->organization))
        return read_application(jwt, issued_at_s, token);
    token->scope = TOKEN_ORGANIZATION;
    token->capabilities = TOKEN_CAPABILITIES;
    return true;
}

/* By what the signature vouches for. */
static void name_token(const char *text, uint8_t out[REVOCATION_NAME_LEN])
{
    const char *signature = strrchr(text, '.');
    uint8_t digest[DIGEST_LEN];

    digest_sha256(text, (size_t)(signature - text), digest);
    memcpy(out, digest, REVOCATION_NAME_LEN);
}

/* libjwt verifies with whatever algorithm the token names; only ours counts. */
static bool verify_by(const uint8_t key[TOKEN_KEY_LEN], const char *text, struct verified *out)
{
    jwt_t *jwt;

    if (jwt_decode(&jwt, text, key, TOKEN_KEY_LEN) != 0)
        return false;
    bool ours = jwt_get_alg(jwt) == JWT_ALG_HS256 && read_claims(jwt, out);
    jwt_free(jwt);
    if (ours)
        name_token(text, out->token.revocable.id);
    return ours;
}

static bool verify(const struct keyring *keyring, const char *text, struct verified *out)
{
    for (size_t i = keyring_token_key_count(keyring); i > 0; i--)
        if (verify_by(keyring_token_key_at(keyring, i - 1), text, out))
            return true;
    return false;
}

static bool is_valid_at(const struct verified *verified, uint64_t now_s)
{
    uint64_t expires_at_s = verified->token.expires_at_s;

    return (expires_at_s == 0 || now_s < expires_at_s) &&
           now_s + CLOCK_SKEW_S >= verified->not_before_s;
}

static void remember(struct token_checker *checker, const uint8_t digest[MAC_LEN],
                     const struct verified *verified)
{
    struct entry *entry = &checker->slots[checker->oldest];

    checker->oldest = (checker->oldest + 1) % CACHE_MAX;
    if (entry->used)
        HASH_DEL(checker->by_digest, entry);
    memcpy(entry->digest, digest, MAC_LEN);
    entry->verified = *verified;
    entry->used = true;
    HASH_ADD(hh, checker->by_digest, digest, MAC_LEN, entry);
}

enum err token_check(struct token_checker *checker, const char *text, uint64_t now_s,
                     struct token *out)
{
    size_t len = strnlen(text, TOKEN_TEXT_MAX);
    uint8_t digest[MAC_LEN];
    struct verified fresh = { .not_before_s = 0 };
    const struct verified *verified = &fresh;
    struct entry *known;

    if (len == TOKEN_TEXT_MAX)
        return ERR_DENIED;
    mac_start(checker->mac, checker->cache_key, sizeof checker->cache_key);
    mac_add(checker->mac, text, len);
    mac_finish(checker->mac, digest);
    HASH_FIND(hh, checker->by_digest, digest, MAC_LEN, known);

    if (known)
        verified = &known->verified;
    else if (!verify(checker->keyring, text, &fresh))
        return ERR_DENIED;
    if (!is_valid_at(verified, now_s))
        return ERR_DENIED;
    if (!known)
        remember(checker, digest, &fresh);
    *out = verified->token;
    return ERR_OK;
}
