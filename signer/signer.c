#include "signer/signer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "core/base64.h"
#include "core/mem.h"
#include "signer/mac.h"

#define MAC_PREFIX     "v1,"
#define ED25519_PREFIX "v1a,"
#define SECONDS_MAX    24 /* bytes of ".SECONDS.", with NUL */

struct signer {
    struct mac *mac;
};

/* Of either scheme. */
struct signature {
    bool is_mac;
    uint8_t bytes[ED25519_SIGNATURE_LEN]; /* of a mac the first MAC_LEN */
};

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

static size_t format_seconds(const struct signed_text *text, char out[SECONDS_MAX])
{
    return (size_t)snprintf(out, SECONDS_MAX, ".%" PRIu64 ".", text->at_s);
}

static void compute_mac(struct signer *signer, const struct secret *secret,
                        const struct signed_text *text, uint8_t out[MAC_LEN])
{
    char seconds[SECONDS_MAX];
    size_t len = format_seconds(text, seconds);

    mac_start(signer->mac, secret->bytes, secret->len);
    mac_add(signer->mac, text->id, strlen(text->id));
    mac_add(signer->mac, seconds, len);
    mac_add(signer->mac, text->body, text->body_len);
    mac_finish(signer->mac, out);
}

/* In one piece, as Ed25519 wants it; free() it. */
static uint8_t *join(const struct signed_text *text, size_t *out_len)
{
    char seconds[SECONDS_MAX];
    size_t id_len = strlen(text->id), seconds_len = format_seconds(text, seconds);
    uint8_t *joined = xcalloc(id_len + seconds_len + text->body_len, 1);

    memcpy(joined, text->id, id_len);
    memcpy(joined + id_len, seconds, seconds_len);
    if (text->body_len > 0)
        memcpy(joined + id_len + seconds_len, text->body, text->body_len);
    *out_len = id_len + seconds_len + text->body_len;
    return joined;
}

/* "v1,…" or "v1a,…"; returns the end. */
static char *put_signature(struct signer *signer, const struct secret *secret,
                           const struct signed_text *text, char *to)
{
    uint8_t signature[ED25519_SIGNATURE_LEN];
    bool is_mac = secret->scheme == SECRET_HMAC;
    size_t len = is_mac ? MAC_LEN : ED25519_SIGNATURE_LEN;

    assert(secret_signs(secret));
    if (is_mac) {
        compute_mac(signer, secret, text, signature);
    } else {
        size_t joined_len;
        uint8_t *joined = join(text, &joined_len);
        ed25519_sign(secret->bytes, joined, joined_len, signature);
        free(joined);
    }
    to = stpcpy(to, is_mac ? MAC_PREFIX : ED25519_PREFIX);
    base64_encode(signature, len, to);
    return to + BASE64_LEN(len);
}

void signer_sign(struct signer *signer, const struct secret *secrets, size_t count,
                 const struct signed_text *text, char out_header[SIGNATURE_HEADER_MAX])
{
    static_assert(SECRETS_MAX * (sizeof ED25519_PREFIX + BASE64_LEN(ED25519_SIGNATURE_LEN)) <=
                      SIGNATURE_HEADER_MAX,
                  "a signature for each secret has no room");
    char *end = out_header;

    assert(count > 0 && count <= SECRETS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            *end++ = ' ';
        end = put_signature(signer, &secrets[i], text, end);
    }
}

/* Verifying. */

static bool decode(const char *text, size_t len, const char *prefix, uint8_t *out,
                   size_t wanted_len)
{
    size_t prefix_len = strlen(prefix), got;

    return len > prefix_len && memcmp(text, prefix, prefix_len) == 0 &&
           base64_decode(text + prefix_len, len - prefix_len, out, wanted_len, &got) ==
               ERR_OK &&
           got == wanted_len;
}

/* Other schemes and what isn't a signature are passed over: a sender may add them. */
static bool parse_signature(const char *text, size_t len, struct signature *out)
{
    out->is_mac = decode(text, len, MAC_PREFIX, out->bytes, MAC_LEN);
    return out->is_mac || decode(text, len, ED25519_PREFIX, out->bytes, ED25519_SIGNATURE_LEN);
}

static bool fits_mac(struct signer *signer, const struct secret *secret,
                     const struct signed_text *text, const struct signature *given)
{
    uint8_t expected[MAC_LEN];

    compute_mac(signer, secret, text, expected);
    return mac_equal(given->bytes, expected, MAC_LEN);
}

static bool fits_ed25519(const struct secret *secret, const struct signed_text *text,
                         const struct signature *given)
{
    bool is_pair = secret->scheme == SECRET_ED25519;
    size_t len;
    uint8_t *joined = join(text, &len);
    bool fits = ed25519_verify(secret->bytes + (is_pair ? ED25519_SEED_LEN : 0), joined, len,
                               given->bytes);

    free(joined);
    return fits;
}

static bool fits(struct signer *signer, const struct secret *secret,
                 const struct signed_text *text, const struct signature *given)
{
    if (given->is_mac != (secret->scheme == SECRET_HMAC))
        return false;
    return given->is_mac ? fits_mac(signer, secret, text, given)
                         : fits_ed25519(secret, text, given);
}

enum err signer_verify(struct signer *signer, const struct secret *secrets, size_t count,
                       const struct signed_text *text, const char *header, uint64_t now_s,
                       uint64_t tolerance_s)
{
    struct signature given;
    bool found = false, any_fits = false;

    assert(count > 0 && count <= SECRETS_MAX);
    for (const char *at = header; *at;) {
        size_t len = strcspn(at, " ");
        if (parse_signature(at, len, &given)) {
            found = true;
            for (size_t i = 0; i < count; i++)
                any_fits |= fits(signer, &secrets[i], text, &given);
        }
        at += len;
        at += strspn(at, " ");
    }

    uint64_t apart_s = now_s > text->at_s ? now_s - text->at_s : text->at_s - now_s;
    if (!found)
        return ERR_INVALID;
    if (!any_fits)
        return ERR_DENIED;
    return apart_s > tolerance_s ? ERR_TIMEOUT : ERR_OK;
}
