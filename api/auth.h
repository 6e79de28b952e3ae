/* Auth: who asks, from the Authorization header. */
#ifndef API_AUTH_H
#define API_AUTH_H

#include "signer/token.h"

/* ERR_DENIED: not "Bearer" and a valid token of ours; `header` may be NULL. */
MUST_USE enum err auth_check(struct token_checker *checker, const char *header, uint64_t now_s,
                             struct token *out);

#endif
