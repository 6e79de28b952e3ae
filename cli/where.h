/* Where: which server a command talks to, and what lets it in.
 *
 * Both are looked for apart, and the first that says it wins: --url, POSTHASTE_URL; --token,
 * --token-file, POSTHASTE_TOKEN; then for either the configuration that --config or
 * POSTHASTE_CONFIG names, which gives the address that the server listens on, and the key that
 * signs a token for the next few minutes. */
#ifndef CLI_WHERE_H
#define CLI_WHERE_H

#include "cli/cli.h"
#include "cli/line.h"
#include "core/config.h"
#include "signer/keyring.h"

struct where {
    char *url;   /* owned; without a slash at its end */
    char *token; /* owned; NULL: the command needs none */
};

/* Anything but CLI_OK has been said. */
enum cli_exit where_find(const struct line *line, struct where *out);
void where_fini(struct where *where);

/* The file that --config or POSTHASTE_CONFIG names; NULL when neither does. */
const char *where_config(const struct line *line);

/* That configuration, and its keys. */
enum cli_exit where_load(const struct line *line, struct config **out);
enum cli_exit where_keyring(const struct line *line, struct keyring **out);

#endif
