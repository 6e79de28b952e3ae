#include "signer/signer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "core/base64.h"
#include "core/mem.h"
#include "core/require.h"
#include "signer/mac.h"

#define SECRET_PREFIX        "whsec_"
#define SECRET_PREFIX_LEN    (sizeof SECRET_PREFIX - 1)
#define SIGNATURE_PREFIX     "v1,"
#define SIGNATURE_PREFIX_LEN (sizeof SIGNATURE_PREFIX - 1)
#define SECRET_NEW_LEN       24 /* bytes; what the specification and its clients make */

struct signer {
    struct mac *mac;
};

void secret_generate(struct secret *out)
{
    out->len = SECRET_NEW_LEN;
    require(RAND_priv_bytes(out->bytes, SECRET_NEW_LEN) == 1);
}

enum err secret_parse(const char *text, struct secret *out)
{
    struct secret secret = { .len = 0 };

    if (strncmp(text, SECRET_PREFIX, SECRET_PREFIX_LEN) != 0)
        return ERR_INVALID;
    text += SECRET_PREFIX_LEN;

    enum err err = base64_decode(text, strlen(text), secret.bytes, SECRET_LEN_MAX, &secret.len);
    if (!err && secret.len < SECRET_LEN_MIN)
        err = ERR_INVALID;
    if (!err)
        *out = secret;
    secret_wipe(&secret);
    return err;
}

void secret_format(const struct secret *secret, char out[SECRET_TEXT_MAX])
{
    static_assert(sizeof SECRET_PREFIX + BASE64_LEN(SECRET_LEN_MAX) <= SECRET_TEXT_MAX,
                  "the longest secret has no room");

    memcpy(out, SECRET_PREFIX, SECRET_PREFIX_LEN);
    base64_encode(secret->bytes, secret->len, out + SECRET_PREFIX_LEN);
}

void secret_wipe(struct secret *secret)
{
    OPENSSL_cleanse(secret, sizeof *secret);
}

struct signer *signer_new(void)
{
    struct signer *signer = xcalloc(1, sizeof *signer);

    signer->mac = mac_new();
    return signer;
}

void signer_free(struct signer *signer)
{
    if (!signer)
        return;
    mac_free(signer->mac);
    free(signer);
}

static void compute(struct signer *signer, const struct secret *secret,
                    const struct signed_text *text, uint8_t out[MAC_LEN])
{
    char seconds[24];
    int len = snprintf(seconds, sizeof seconds, ".%" PRIu64 ".", text->at_s);

    mac_start(signer->mac, secret->bytes, secret->len);
    mac_add(signer->mac, text->id, strlen(text->id));
    mac_add(signer->mac, seconds, (size_t)len);
    mac_add(signer->mac, text->body, text->body_len);
    mac_finish(signer->mac, out);
}

void signer_sign(struct signer *signer, const struct secret *secrets, size_t count,
                 const struct signed_text *text, char out_header[SIGNATURE_HEADER_MAX])
{
    static_assert(SECRETS_MAX * (sizeof SIGNATURE_PREFIX + BASE64_LEN(MAC_LEN)) <=
                      SIGNATURE_HEADER_MAX,
                  "a signature for each secret has no room");
    char *end = out_header;

    assert(count > 0 && count <= SECRETS_MAX);
    for (size_t i = 0; i < count; i++) {
        uint8_t mac[MAC_LEN];

        compute(signer, &secrets[i], text, mac);
        if (i > 0)
            *end++ = ' ';
        memcpy(end, SIGNATURE_PREFIX, SIGNATURE_PREFIX_LEN);
        end += SIGNATURE_PREFIX_LEN;
        base64_encode(mac, MAC_LEN, end);
        end += BASE64_LEN(MAC_LEN);
    }
}

/* Other schemes and what isn't a signature are passed over: a sender may add them. */
static bool parse_signature(const char *text, size_t len, uint8_t out[MAC_LEN])
{
    size_t mac_len;

    if (len <= SIGNATURE_PREFIX_LEN ||
        memcmp(text, SIGNATURE_PREFIX, SIGNATURE_PREFIX_LEN) != 0)
        return false;
    if (base64_decode(text + SIGNATURE_PREFIX_LEN, len - SIGNATURE_PREFIX_LEN, out, MAC_LEN,
                      &mac_len) != ERR_OK)
        return false;
    return mac_len == MAC_LEN;
}

enum err signer_verify(struct signer *signer, const struct secret *secrets, size_t count,
                       const struct signed_text *text, const char *header, uint64_t now_s,
                       uint64_t tolerance_s)
{
    uint8_t expected[SECRETS_MAX][MAC_LEN], given[MAC_LEN];
    bool found = false, fits = false;

    assert(count > 0 && count <= SECRETS_MAX);
    for (size_t i = 0; i < count; i++)
        compute(signer, &secrets[i], text, expected[i]);

    for (const char *at = header; *at;) {
        size_t len = strcspn(at, " ");
        if (parse_signature(at, len, given)) {
            found = true;
            for (size_t i = 0; i < count; i++)
                fits |= mac_equal(given, expected[i], MAC_LEN);
        }
        at += len;
        at += strspn(at, " ");
    }

    uint64_t apart_s = now_s > text->at_s ? now_s - text->at_s : text->at_s - now_s;
    if (!found)
        return ERR_INVALID;
    if (!fits)
        return ERR_DENIED;
    return apart_s > tolerance_s ? ERR_TIMEOUT : ERR_OK;
}
