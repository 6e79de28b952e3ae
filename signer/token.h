/* Token: what a client shows to be let in, a JWT signed with HS256 under the keyring's token
 * key.
 *
 *   organization  { "iss": "svix-server", "sub": "org_…", "iat", "nbf", "exp" }
 *   application   the same with "sub": "app_…", "org": "org_…", and
 *                 "minted_ms": "iat" in milliseconds, for revocation; without it "iat" counts
 *                 "feature_flags": […]: which event types it sees
 *                 "capabilities": […]: what it may do beside looking; without it all
 *                 "session": a session's name in hex, if it is of one
 *
 * Source: RFC 7519; claims as the Svix server's, so that its tooling reads them. */
#ifndef SIGNER_TOKEN_H
#define SIGNER_TOKEN_H

#include "core/err.h"
#include "core/id.h"
#include "core/revocation.h"
#include "signer/keyring.h"

#define TOKEN_ISSUER    "svix-server"
#define TOKEN_TEXT_MAX  2048 /* bytes of a token we accept, with NUL */
#define TOKEN_FLAGS_MAX 512  /* bytes of all feature flags, a line feed around each, with NUL */
#define TOKEN_FLAGS     32   /* of them */

enum token_scope { TOKEN_ORGANIZATION, TOKEN_APPLICATION };

/* What a token for an application may do beside looking. Managing includes looking. */
enum token_capability {
    TOKEN_VIEW_SECRET = 1,
    TOKEN_MANAGE_SECRET = 2,
    TOKEN_MANAGE_ENDPOINT = 4,
    TOKEN_CREATE_ATTEMPTS = 8,
    TOKEN_CAPABILITIES = 15, /* all of them */
};

struct token {
    enum token_scope scope;
    struct id organization; /* zeros: the one that a region starts with */
    uint64_t expires_at_s;  /* since 1970; 0 = never */

    /* Of TOKEN_APPLICATION. */
    struct id application;
    unsigned capabilities;               /* enum token_capability, or'ed */
    char feature_flags[TOKEN_FLAGS_MAX]; /* "\na\nb\n", see match_shows(); "" = none */
    struct revocable revocable;          /* its id isn't looked at when it is minted */
};

/* By the names of the clients' libraries; false: there is none of that name. What we have nothing of
 * is no capability: 0. */
bool token_capability_find(const char *name, unsigned *out);

/* False: there are too many already, and it stays as it was. */
MUST_USE bool token_add_flag(struct token *token, const char *flag);

/* The name of a session, whatever its text. */
void token_name_session(const char *text, uint8_t out[REVOCATION_NAME_LEN]);

/* Write the signed text of `token`, from when it was minted on. */
void token_mint(const struct keyring *keyring, const struct token *token,
                char out[TOKEN_TEXT_MAX]);

/* The same by the oldest key: for a token that is used at once, where the daemon may not have been
 * told of the newest key yet. */
void token_mint_brief(const struct keyring *keyring, const struct token *token,
                      char out[TOKEN_TEXT_MAX]);

/* A token as it is when nothing more is said of it. */
struct token token_for_organization(const struct id *organization, uint64_t now_ms);
struct token token_for_application(const struct id *organization, const struct id *application,
                                   uint64_t now_ms);

/* Remembers the tokens it has verified (a bounded number), so that a client's second request
 * costs one keyed hash. Thread: one. */
struct token_checker;

struct token_checker *token_checker_new(const struct keyring *keyring); /* borrows it */
void token_checker_free(struct token_checker *checker);

/* Check by this keyring from now on, and forget what the other one found good; borrows it. */
void token_checker_take(struct token_checker *checker, const struct keyring *keyring);

/* ERR_DENIED unless `text` is a token of ours that is valid at `now_s`. Whether it was revoked is
 * the application's to say. */
MUST_USE enum err token_check(struct token_checker *checker, const char *text, uint64_t now_s,
                              struct token *out);

#endif
