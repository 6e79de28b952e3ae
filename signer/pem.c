#include "signer/pem.h"

#include <ctype.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "core/require.h"
#include "signer/certificate.h"

static BIO *open_text(const char *text)
{
    size_t len = strnlen(text, CERTIFICATE_PEM_MAX + 1);

    if (len > CERTIFICATE_PEM_MAX)
        return NULL;
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    require(bio != NULL);
    return bio;
}

/* OpenSSL would ask the terminal. */
static int give_no_password(char *text, int room, int is_written, void *ctx)
{
    (void)text;
    (void)room;
    (void)is_written;
    (void)ctx;
    return -1;
}

static bool is_at_end(BIO *bio)
{
    char c;

    while (BIO_read(bio, &c, 1) == 1)
        if (!isspace((unsigned char)c))
            return false;
    return true;
}

X509 *pem_certificate(const char *text)
{
    BIO *bio = open_text(text);

    if (!bio)
        return NULL;
    X509 *certificate = PEM_read_bio_X509(bio, NULL, give_no_password, NULL);
    if (certificate && !is_at_end(bio)) {
        X509_free(certificate);
        certificate = NULL;
    }
    BIO_free(bio);
    ERR_clear_error();
    return certificate;
}

EVP_PKEY *pem_key(const char *text)
{
    BIO *bio = open_text(text);

    if (!bio)
        return NULL;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_no_password, NULL);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}
