#include "api/secrets.h"

#include <assert.h>
#include <string.h>

#include "signer/seal.h"

bool secrets_read(const char *text, struct secret *out)
{
    if (text)
        return secret_parse(text, out) == ERR_OK && secret_signs(out);
    secret_generate(out);
    return true;
}

static void make_current(const struct keyring *keyring, struct endpoint *endpoint,
                         const struct secret *secret)
{
    endpoint->secrets[0].expires_at_ms = 0;
    seal_secret(keyring, endpoint, secret, &endpoint->secrets[0].sealed);
}

void secrets_replace(const struct keyring *keyring, struct endpoint *endpoint,
                     const struct secret *secret)
{
    if (endpoint->secret_count == 0)
        endpoint->secret_count = 1;
    bytes_fini(&endpoint->secrets[0].sealed);
    make_current(keyring, endpoint, secret);
}

/* Close the gaps that secrets leave when their time is over. */
static void drop_expired(struct endpoint *endpoint, uint64_t now_ms)
{
    size_t kept = 0;

    for (size_t i = 0; i < endpoint->secret_count; i++) {
        struct sealed_secret *secret = &endpoint->secrets[i];
        if (secret->expires_at_ms != 0 && secret->expires_at_ms <= now_ms)
            bytes_fini(&secret->sealed);
        else
            endpoint->secrets[kept++] = *secret;
    }
    memset(&endpoint->secrets[kept], 0,
           (endpoint->secret_count - kept) * sizeof *endpoint->secrets);
    endpoint->secret_count = kept;
}

enum err secrets_rotate(const struct keyring *keyring, struct endpoint *endpoint,
                        const struct secret *secret, uint64_t expires_at_ms, uint64_t now_ms)
{
    assert(endpoint->secret_count > 0);
    endpoint->secrets[0].expires_at_ms = expires_at_ms;
    drop_expired(endpoint, now_ms);
    if (endpoint->secret_count == SECRETS_MAX)
        return ERR_LIMIT;

    memmove(&endpoint->secrets[1], &endpoint->secrets[0],
            endpoint->secret_count * sizeof *endpoint->secrets);
    endpoint->secret_count++;
    make_current(keyring, endpoint, secret);
    return ERR_OK;
}
