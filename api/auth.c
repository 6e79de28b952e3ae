#include "api/auth.h"

#include <string.h>
#include <strings.h>

#define SCHEME "Bearer "

enum err auth_check(struct token_checker *checker, const char *header, uint64_t now_s,
                    struct token *out)
{
    size_t len = sizeof SCHEME - 1;

    if (!header || strncasecmp(header, SCHEME, len) != 0)
        return ERR_DENIED;
    return token_check(checker, header + len + strspn(header + len, " "), now_s, out);
}
