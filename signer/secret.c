#include "signer/secret.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/count.h"
#include "core/require.h"

#define NEW_LEN 24 /* bytes; what the specification and its clients make */

static const struct scheme {
    const char *prefix;
    enum secret_scheme scheme;
    size_t least, most; /* bytes */
} SCHEMES[] = {
    { "whsec_", SECRET_HMAC, SECRET_LEN_MIN, SECRET_LEN_MAX },
    { "whsk_", SECRET_ED25519, ED25519_PAIR_LEN, ED25519_PAIR_LEN },
    { "whpk_", SECRET_ED25519_PUBLIC, ED25519_PUBLIC_LEN, ED25519_PUBLIC_LEN },
};

void secret_generate(struct secret *out)
{
    *out = (struct secret){ .scheme = SECRET_HMAC, .len = NEW_LEN };
    require(RAND_priv_bytes(out->bytes, NEW_LEN) == 1);
}

static enum err decode(const struct scheme *scheme, const char *text, struct secret *out)
{
    out->scheme = scheme->scheme;
    enum err err = base64_decode(text, strlen(text), out->bytes, scheme->most, &out->len);

    if (!err && out->len < scheme->least)
        err = ERR_INVALID;
    if (!err && out->scheme == SECRET_ED25519 && !ed25519_pair_is_one(out->bytes))
        err = ERR_INVALID;
    return err ? ERR_INVALID : ERR_OK;
}

enum err secret_parse(const char *text, struct secret *out)
{
    for (size_t i = 0; i < COUNT(SCHEMES); i++) {
        struct secret secret = { .len = 0 };
        size_t prefix_len = strlen(SCHEMES[i].prefix);

        if (strncmp(text, SCHEMES[i].prefix, prefix_len) != 0)
            continue;
        enum err err = decode(&SCHEMES[i], text + prefix_len, &secret);
        if (!err)
            *out = secret;
        secret_wipe(&secret);
        return err;
    }
    return ERR_INVALID;
}

void secret_format(const struct secret *secret, char out[SECRET_TEXT_MAX])
{
    static_assert(sizeof "whsec_" + BASE64_LEN(SECRET_LEN_MAX) <= SECRET_TEXT_MAX,
                  "the longest secret has no room");
    bool is_pair = secret->scheme == SECRET_ED25519;
    const struct scheme *scheme = &SCHEMES[is_pair ? SECRET_ED25519_PUBLIC : secret->scheme];
    size_t prefix_len = strlen(scheme->prefix);

    memcpy(out, scheme->prefix, prefix_len);
    if (is_pair)
        base64_encode(secret->bytes + ED25519_SEED_LEN, ED25519_PUBLIC_LEN, out + prefix_len);
    else
        base64_encode(secret->bytes, secret->len, out + prefix_len);
}

bool secret_signs(const struct secret *secret)
{
    return secret->scheme != SECRET_ED25519_PUBLIC;
}

void secret_wipe(struct secret *secret)
{
    OPENSSL_cleanse(secret, sizeof *secret);
}
