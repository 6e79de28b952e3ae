#include "signer/certificate.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "core/require.h"
#include "signer/pem.h"

#define CURVE          "P-256"
#define CURVE_X962     "prime256v1" /* the same, as OpenSSL calls it when asked */
#define GROUP_NAME_MAX 32
#define URI_LEN        (sizeof REGION_URI - 1) /* without the name */
#define DAY_S          86400
#define SERIAL_LEN     16 /* of the 20 that RFC 5280, 4.1.2.2, allows */

/* Making. */

static void set_serial(X509 *x)
{
    uint8_t bytes[SERIAL_LEN];

    require(RAND_bytes(bytes, sizeof bytes) == 1);
    bytes[0] = (bytes[0] & 0x3f) | 0x40; /* positive, and always as long */
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    require(number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL);
    BN_free(number);
}

static void set_names(X509 *x, const char *region)
{
    X509_NAME *name = X509_get_subject_name(x);

    require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)region, -1,
                                       -1, 0) == 1);
    require(X509_set_issuer_name(x, name) == 1);
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    require(extension != NULL && X509_add_ext(x, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void add_extensions(X509 *x, const char *region)
{
    char uri[sizeof "URI:" REGION_URI + REGION_NAME_LEN_MAX];

    snprintf(uri, sizeof uri, "URI:" REGION_URI "%s", region);
    add_extension(x, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(x, NID_key_usage, "critical,digitalSignature,keyAgreement");
    add_extension(x, NID_ext_key_usage, "serverAuth,clientAuth");
    add_extension(x, NID_subject_alt_name, uri);
}

static X509 *make(EVP_PKEY *key, const char *region, uint64_t now_s, uint32_t days)
{
    X509 *x = X509_new();
    time_t now = (time_t)now_s;

    require(x != NULL && X509_set_version(x, X509_VERSION_3) == 1);
    set_serial(x);
    set_names(x, region);
    require(X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, &now) != NULL);
    require(X509_time_adj_ex(X509_getm_notAfter(x), (int)days, 0, &now) != NULL);
    require(X509_set_pubkey(x, key) == 1);
    add_extensions(x, region);
    require(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static enum err append_text(BIO *bio, struct buf *out)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    enum err err = buf_append(out, text, (size_t)len);

    OPENSSL_cleanse(text, (size_t)len);
    return err;
}

enum err certificate_create(const char *region, uint64_t now_s, uint32_t days,
                            struct buf *out_certificate, struct buf *out_key)
{
    assert(region_name_is_valid(region) && days > 0 && days <= CERTIFICATE_DAYS_MAX);
    EVP_PKEY *key = EVP_EC_gen(CURVE);
    BIO *certificate_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());

    require(key != NULL && certificate_text != NULL && key_text != NULL);
    X509 *x = make(key, region, now_s, days);
    require(PEM_write_bio_X509(certificate_text, x) == 1);
    require(PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1);

    enum err err = append_text(certificate_text, out_certificate);
    enum err key_err = append_text(key_text, out_key);
    BIO_free(certificate_text);
    BIO_free(key_text);
    X509_free(x);
    EVP_PKEY_free(key);
    return err ? err : key_err;
}

/* Reading. */

static bool is_on_curve(const X509 *x)
{
    char group[GROUP_NAME_MAX];
    size_t len;
    EVP_PKEY *key = X509_get0_pubkey(x);

    return key && EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof group, &len) == 1 &&
           (strcmp(group, CURVE_X962) == 0 || strcmp(group, CURVE) == 0);
}

static bool read_uri(const GENERAL_NAME *name, char out[REGION_NAME_LEN_MAX + 1])
{
    if (name->type != GEN_URI)
        return false;
    const ASN1_STRING *uri = name->d.uniformResourceIdentifier;
    const uint8_t *text = ASN1_STRING_get0_data(uri);
    size_t len = (size_t)ASN1_STRING_length(uri);

    if (len <= URI_LEN || len > URI_LEN + REGION_NAME_LEN_MAX ||
        memcmp(text, REGION_URI, URI_LEN) != 0)
        return false;
    len -= URI_LEN;
    memcpy(out, text + URI_LEN, len);
    out[len] = '\0';
    return strlen(out) == len && region_name_is_valid(out);
}

static bool read_name(const X509 *x, char out[REGION_NAME_LEN_MAX + 1])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    bool good = names && sk_GENERAL_NAME_num(names) == 1 &&
                read_uri(sk_GENERAL_NAME_value(names, 0), out);

    GENERAL_NAMES_free(names);
    return good;
}

static bool read_instant(const ASN1_TIME *time, uint64_t *out_s)
{
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int days, seconds;

    require(epoch != NULL);
    bool good = ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 && days >= 0 && seconds >= 0;
    if (good)
        *out_s = (uint64_t)days * DAY_S + (uint64_t)seconds;
    ASN1_TIME_free(epoch);
    return good;
}

/* NULL, or what is wrong. */
static const char *read_facts(const X509 *x, struct certificate *out)
{
    unsigned len = 0;

    if (!is_on_curve(x))
        return "has another key than one on the curve P-256";
    if (!read_name(x, out->name))
        return "has other alternative names than one URI, region:NAME";
    if (!read_instant(X509_get0_notBefore(x), &out->not_before_s) ||
        !read_instant(X509_get0_notAfter(x), &out->not_after_s))
        return "has a date that isn't one since 1970";
    require(X509_digest(x, EVP_sha256(), out->sha256, &len) == 1 && len == REGION_DIGEST_LEN);
    return NULL;
}

enum err certificate_read(const char *pem, struct certificate *out, const char **out_why)
{
    struct certificate certificate = { .not_after_s = 0 };
    X509 *x = pem_certificate(pem);
    const char *why = x ? read_facts(x, &certificate) : "isn't one certificate as PEM";

    X509_free(x);
    ERR_clear_error();
    if (why) {
        *out_why = why;
        return ERR_INVALID;
    }
    *out = certificate;
    return ERR_OK;
}

bool certificate_has_key(const char *pem, const char *key_pem)
{
    X509 *x = pem_certificate(pem);
    EVP_PKEY *key = pem_key(key_pem);
    bool has = x && key && X509_check_private_key(x, key) == 1;

    EVP_PKEY_free(key);
    X509_free(x);
    ERR_clear_error();
    return has;
}
