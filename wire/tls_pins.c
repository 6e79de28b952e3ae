#include "wire/tls_pins.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "core/mem.h"
#include "core/require.h"

struct pin {
    char name[REGION_NAME_LEN_MAX + 1];
    uint8_t sha256[REGION_DIGEST_LEN];
};

struct tls_pins {
    size_t count;
    size_t room;
    struct pin *items;
};

static bool read_digest(const X509 *certificate, uint8_t out[REGION_DIGEST_LEN])
{
    unsigned len = 0;

    return X509_digest(certificate, EVP_sha256(), out, &len) == 1 && len == REGION_DIGEST_LEN;
}

/* Making. */

static void add(struct tls_pins *pins, const char *name, const X509 *certificate)
{
    if (pins->count == pins->room)
        pins->items = xgrow(pins->items, &pins->room, 4, sizeof *pins->items);
    struct pin *pin = &pins->items[pins->count++];

    memcpy(pin->name, name, strlen(name) + 1);
    require(read_digest(certificate, pin->sha256));
}

/* Certificates and white space. */
static bool add_all(struct tls_pins *pins, const char *name, BIO *text)
{
    size_t before = pins->count;
    X509 *certificate;

    while ((certificate = PEM_read_bio_X509(text, NULL, NULL, NULL))) {
        add(pins, name, certificate);
        X509_free(certificate);
    }
    unsigned long error = ERR_peek_last_error();
    ERR_clear_error();
    return pins->count > before && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static const char *add_peer(struct tls_pins *pins, const struct tls_peer *peer)
{
    size_t len = strnlen(peer->certificates, TLS_PEMS_MAX + 1);

    if (!region_name_is_valid(peer->name))
        return "a peer's name isn't one";
    if (len > TLS_PEMS_MAX)
        return "a peer's certificates are too long";
    BIO *text = BIO_new_mem_buf(peer->certificates, (int)len);
    require(text != NULL);
    bool good = add_all(pins, peer->name, text);
    BIO_free(text);
    return good ? NULL : "a peer's certificate isn't PEM";
}

enum err tls_pins_new(const struct tls_peer *peers, size_t count, struct tls_pins **out,
                      const char **out_why)
{
    struct tls_pins *pins = xcalloc(1, sizeof *pins);

    for (size_t i = 0; i < count; i++) {
        const char *why = add_peer(pins, &peers[i]);
        if (why) {
            tls_pins_free(pins);
            *out_why = why;
            return ERR_INVALID;
        }
    }
    *out = pins;
    return ERR_OK;
}

void tls_pins_free(struct tls_pins *pins)
{
    if (!pins)
        return;
    free(pins->items);
    free(pins);
}

/* Checking. */

static const struct pin *find(const struct tls_pins *pins, const X509 *certificate)
{
    uint8_t sha256[REGION_DIGEST_LEN];

    if (!certificate || !read_digest(certificate, sha256))
        return NULL;
    for (size_t i = 0; i < pins->count; i++)
        if (memcmp(pins->items[i].sha256, sha256, REGION_DIGEST_LEN) == 0)
            return &pins->items[i];
    return NULL;
}

const char *tls_pins_name(const struct tls_pins *pins, const void *x509)
{
    const struct pin *pin = find(pins, x509);

    return pin ? pin->name : NULL;
}

static bool is_uri_of(const GENERAL_NAME *name, const char *region)
{
    size_t prefix_len = strlen(REGION_URI), region_len = strlen(region);

    if (name->type != GEN_URI)
        return false;
    const ASN1_STRING *uri = name->d.uniformResourceIdentifier;
    const uint8_t *text = ASN1_STRING_get0_data(uri);
    return (size_t)ASN1_STRING_length(uri) == prefix_len + region_len &&
           memcmp(text, REGION_URI, prefix_len) == 0 &&
           memcmp(text + prefix_len, region, region_len) == 0;
}

static bool names(const X509 *certificate, const char *region)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++)
        found = found || is_uri_of(sk_GENERAL_NAME_value(all, i), region);
    GENERAL_NAMES_free(all);
    return found;
}

/* As codes of OpenSSL that make it send the most fitting alert, too. */
enum {
    STRANGER = X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, /* alert: unknown ca */
    EXPIRED = X509_V_ERR_CERT_HAS_EXPIRED,             /* certificate expired */
    EARLY = X509_V_ERR_CERT_NOT_YET_VALID,             /* bad certificate */
    MISNAMED = X509_V_ERR_HOSTNAME_MISMATCH,           /* bad certificate */
};

static int judge(const struct tls_pins *pins, const X509 *certificate)
{
    const struct pin *pin = find(pins, certificate);

    if (!pin)
        return STRANGER;
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) >= 0)
        return EARLY;
    if (X509_cmp_current_time(X509_get0_notAfter(certificate)) <= 0)
        return EXPIRED;
    return names(certificate, pin->name) ? X509_V_OK : MISNAMED;
}

static int on_certificate(X509_STORE_CTX *ctx, void *pins)
{
    int result = judge(pins, X509_STORE_CTX_get0_cert(ctx));

    X509_STORE_CTX_set_error(ctx, result);
    return result == X509_V_OK;
}

void tls_pins_guard(const struct tls_pins *pins, void *ssl_ctx)
{
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, on_certificate, (void *)(uintptr_t)pins);
}

const char *tls_pins_why(long verify_result)
{
    switch (verify_result) {
    case STRANGER:
        return "shows a certificate that isn't pinned here";
    case EXPIRED:
        return "shows a certificate that has expired";
    case EARLY:
        return "shows a certificate that isn't valid yet";
    case MISNAMED:
        return "shows a certificate that doesn't name the region it is pinned for";
    default:
        return NULL;
    }
}
