#include "signer/token.h"

#include <stdio.h>
#include <string.h>

#include <jwt.h>

#include "core/buf.h"
#include "core/count.h"
#include "core/hex.h"
#include "core/require.h"
#include "signer/digest.h"

static bool is_set(const uint8_t name[REVOCATION_NAME_LEN])
{
    static const uint8_t NONE[REVOCATION_NAME_LEN];

    return memcmp(name, NONE, REVOCATION_NAME_LEN) != 0;
}

/* What a capability allows, by the names of the clients' libraries. */
static const struct {
    const char *name;
    unsigned allows; /* enum token_capability, or'ed */
} CAPABILITIES[] = {
    { "ViewBase", 0 },
    { "ManageTransformations", 0 },
    { "ViewEndpointSecret", TOKEN_VIEW_SECRET },
    { "ManageEndpointSecret", TOKEN_VIEW_SECRET | TOKEN_MANAGE_SECRET },
    { "ManageEndpoint", TOKEN_VIEW_SECRET | TOKEN_MANAGE_SECRET | TOKEN_MANAGE_ENDPOINT },
    { "CreateAttempts", TOKEN_CREATE_ATTEMPTS },
};

bool token_capability_find(const char *name, unsigned *out)
{
    for (size_t i = 0; i < COUNT(CAPABILITIES); i++)
        if (strcmp(CAPABILITIES[i].name, name) == 0) {
            *out = CAPABILITIES[i].allows;
            return true;
        }
    return false;
}

bool token_add_flag(struct token *token, const char *flag)
{
    char *flags = token->feature_flags;
    size_t len = strlen(flags), count = 0;

    for (const char *c = flags; *c; c++)
        count += *c == '\n';
    /* The line feed before the first one is one more. */
    if (count > TOKEN_FLAGS || len + strlen(flag) + 3 > TOKEN_FLAGS_MAX)
        return false;
    snprintf(flags + len, TOKEN_FLAGS_MAX - len, "%s%s\n", len == 0 ? "\n" : "", flag);
    return true;
}

void token_name_session(const char *text, uint8_t out[REVOCATION_NAME_LEN])
{
    uint8_t digest[DIGEST_LEN];

    digest_sha256(text, strlen(text), digest);
    memcpy(out, digest, REVOCATION_NAME_LEN);
}

struct token token_for_organization(const struct id *organization, uint64_t now_ms)
{
    return (struct token){
        .scope = TOKEN_ORGANIZATION,
        .organization = *organization,
        .capabilities = TOKEN_CAPABILITIES,
        .revocable.minted_at_ms = now_ms,
    };
}

struct token token_for_application(const struct id *organization, const struct id *application,
                                   uint64_t now_ms)
{
    struct token token = token_for_organization(organization, now_ms);

    token.scope = TOKEN_APPLICATION;
    token.application = *application;
    return token;
}

/* Minting. */

static void add_id(jwt_t *jwt, const char *claim, enum id_kind kind, const struct id *id)
{
    char text[ID_TEXT_MAX];

    id_format(kind, id, text);
    require(jwt_add_grant(jwt, claim, text) == 0);
}

/* Names need no escaping. */
static void add_names(jwt_t *jwt, const char *claim, const char *lines)
{
    struct buf json = BUF_INIT(TOKEN_TEXT_MAX);
    enum err err = buf_printf(&json, "{\"%s\":[", claim);

    for (const char *at = lines + strspn(lines, "\n"); !err && *at; at += strspn(at, "\n")) {
        size_t len = strcspn(at, "\n");
        err = buf_printf(&json, "\"%.*s\"%s", (int)len, at, at[len + 1] ? "," : "");
        at += len;
    }
    if (!err)
        err = buf_append_text(&json, "]}");
    require(!err && jwt_add_grants_json(jwt, buf_text(&json)) == 0);
    buf_fini(&json);
}

static void add_capabilities(jwt_t *jwt, unsigned capabilities)
{
    char lines[TOKEN_FLAGS_MAX] = "";
    size_t len = 0;

    for (size_t i = 0; i < COUNT(CAPABILITIES); i++)
        if (CAPABILITIES[i].allows && (CAPABILITIES[i].allows & ~capabilities) == 0)
            len +=
                (size_t)snprintf(lines + len, sizeof lines - len, "%s\n", CAPABILITIES[i].name);
    add_names(jwt, "capabilities", lines);
}

static void add_application(jwt_t *jwt, const struct token *token)
{
    char session[HEX_LEN(REVOCATION_NAME_LEN) + 1];

    add_id(jwt, "sub", ID_APPLICATION, &token->application);
    add_id(jwt, "org", ID_ORGANIZATION, &token->organization);
    require(jwt_add_grant_int(jwt, "minted_ms", (long)token->revocable.minted_at_ms) == 0);
    if (token->feature_flags[0])
        add_names(jwt, "feature_flags", token->feature_flags);
    if (token->capabilities != TOKEN_CAPABILITIES)
        add_capabilities(jwt, token->capabilities);
    if (is_set(token->revocable.session)) {
        hex_encode(token->revocable.session, REVOCATION_NAME_LEN, session);
        require(jwt_add_grant(jwt, "session", session) == 0);
    }
}

static void mint(const uint8_t key[TOKEN_KEY_LEN], const struct token *token,
                 char out[TOKEN_TEXT_MAX])
{
    long now_s = (long)(token->revocable.minted_at_ms / 1000);
    jwt_t *jwt;

    require(jwt_new(&jwt) == 0);
    require(jwt_set_alg(jwt, JWT_ALG_HS256, key, TOKEN_KEY_LEN) == 0);
    require(jwt_add_grant(jwt, "iss", TOKEN_ISSUER) == 0);
    require(jwt_add_grant_int(jwt, "iat", now_s) == 0);
    require(jwt_add_grant_int(jwt, "nbf", now_s) == 0);
    if (token->expires_at_s > 0)
        require(jwt_add_grant_int(jwt, "exp", (long)token->expires_at_s) == 0);
    if (token->scope == TOKEN_APPLICATION)
        add_application(jwt, token);
    else
        add_id(jwt, "sub", ID_ORGANIZATION, &token->organization);

    char *text = jwt_encode_str(jwt);
    require(text != NULL && strlen(text) < TOKEN_TEXT_MAX);
    memcpy(out, text, strlen(text) + 1);
    free(text);
    jwt_free(jwt);
}

void token_mint(const struct keyring *keyring, const struct token *token,
                char out[TOKEN_TEXT_MAX])
{
    mint(keyring_token_key(keyring), token, out);
}

void token_mint_brief(const struct keyring *keyring, const struct token *token,
                      char out[TOKEN_TEXT_MAX])
{
    mint(keyring_token_key_at(keyring, 0), token, out);
}
