#include "tests/lib/certificates.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "signer/certificate.h"

#define RSA_BITS 2048
#define HOUR_S   3600

static void check(int ok)
{
    if (!ok)
        abort();
}

static void add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    check(extension && X509_add_ext(x, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *make(const struct certificate_kind *kind, EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    bool is_dated = kind->from_s != 0 || kind->to_s != 0;

    check(X509_set_version(x, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), is_dated ? kind->from_s : -HOUR_S);
    X509_gmtime_adj(X509_getm_notAfter(x), is_dated ? kind->to_s : HOUR_S);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    add_extension(x, NID_basic_constraints, "critical,CA:TRUE");
    if (kind->names)
        add_extension(x, NID_subject_alt_name, kind->names);
    check(X509_sign(x, key, EVP_sha256()) > 0);
    return x;
}

static EVP_PKEY *make_key(const char *curve)
{
    if (curve && strcmp(curve, "RSA") == 0)
        return EVP_RSA_gen(RSA_BITS);
    return EVP_EC_gen(curve ? curve : "P-256");
}

static void take_text(BIO *bio, struct buf *out)
{
    char *text;
    long len = BIO_get_mem_data(bio, &text);

    check(buf_append(out, text, (size_t)len) == ERR_OK);
    BIO_free(bio);
}

struct made_certificate make_certificate(const struct certificate_kind *kind)
{
    struct made_certificate made = { BUF_INIT(CERTIFICATE_PEM_MAX),
                                     BUF_INIT(CERTIFICATE_PEM_MAX) };
    EVP_PKEY *key = make_key(kind->curve);
    BIO *certificate_text = BIO_new(BIO_s_mem()), *key_text = BIO_new(BIO_s_mem());

    check(key != NULL);
    X509 *x = make(kind, key);
    check(PEM_write_bio_X509(certificate_text, x) == 1 &&
          PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1);
    take_text(certificate_text, &made.certificate);
    take_text(key_text, &made.key);
    X509_free(x);
    EVP_PKEY_free(key);
    return made;
}

struct made_certificate make_region_certificate(const char *region)
{
    struct made_certificate made = { BUF_INIT(CERTIFICATE_PEM_MAX),
                                     BUF_INIT(CERTIFICATE_PEM_MAX) };

    check(certificate_create(region, (uint64_t)time(NULL), CERTIFICATE_DAYS, &made.certificate,
                             &made.key) == ERR_OK);
    return made;
}

void made_certificate_fini(struct made_certificate *made)
{
    buf_fini(&made->certificate);
    buf_fini(&made->key);
}
