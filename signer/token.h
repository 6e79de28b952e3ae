/* Token: what a client shows to be let in, a JWT signed with HS256 under the keyring's token
 * key; one that was signed by an older key is good as long as the keyring has that key.
 *
 *   organization  { "iss": "svix-server", "sub": "org_…", "iat", "nbf", "exp" }
 *   application   the same with "sub": "app_…", "org": "org_…"
 *
 * Source: RFC 7519; claims as the Svix server's, so that its tooling reads them. */
#ifndef SIGNER_TOKEN_H
#define SIGNER_TOKEN_H

#include "core/err.h"
#include "core/id.h"
#include "signer/keyring.h"

#define TOKEN_TEXT_MAX 1024 /* bytes of a token we accept, with NUL */

enum token_scope { TOKEN_ORGANIZATION, TOKEN_APPLICATION };

struct token {
    enum token_scope scope;
    struct id organization; /* zeros: the one that a region starts with */
    struct id application;  /* of TOKEN_APPLICATION */
    uint64_t expires_at_s;  /* since 1970; 0 = never */
};

/* Write the signed text of `token`. */
void token_mint(const struct keyring *keyring, const struct token *token, uint64_t now_s,
                char out[TOKEN_TEXT_MAX]);

/* The same by the oldest key: for a token that is used at once, where the daemon may not have been
 * told of the newest key yet. */
void token_mint_brief(const struct keyring *keyring, const struct token *token, uint64_t now_s,
                      char out[TOKEN_TEXT_MAX]);

/* Remembers the tokens it has verified (a bounded number), so that a client's second request
 * costs one keyed hash. Thread: one. */
struct token_checker;

struct token_checker *token_checker_new(const struct keyring *keyring); /* borrows it */
void token_checker_free(struct token_checker *checker);

/* Check by this keyring from now on, and forget what the other one found good; borrows it. */
void token_checker_take(struct token_checker *checker, const struct keyring *keyring);

/* ERR_DENIED unless `text` is a token of ours that is valid at `now_s`. */
MUST_USE enum err token_check(struct token_checker *checker, const char *text, uint64_t now_s,
                              struct token *out);

#endif
