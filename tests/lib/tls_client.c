#include "tests/lib/tls_client.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "core/mem.h"

#define ERROR_TEXT_MAX 256

struct tls_client {
    SSL_CTX *context;
    SSL *ssl;
    bool was_ended;
    char error[ERROR_TEXT_MAX];
};

static void check(int ok)
{
    if (!ok)
        abort();
}

static EVP_PKEY *read_key(const struct made_certificate *made)
{
    BIO *text = BIO_new_mem_buf(made->key.bytes, (int)made->key.len);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(text, NULL, NULL, NULL);

    check(key != NULL);
    BIO_free(text);
    return key;
}

static X509 *read_certificate(const struct made_certificate *made)
{
    BIO *text = BIO_new_mem_buf(made->certificate.bytes, (int)made->certificate.len);
    X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);

    check(certificate != NULL);
    BIO_free(text);
    return certificate;
}

/* OpenSSL compares keys. With another public key in the object the bytes it sends stay as they
 * were read. */
static void take_identity(struct tls_client *c, const struct tls_client_options *options)
{
    X509 *certificate = read_certificate(options->identity);
    EVP_PKEY *key = read_key(options->key_of ? options->key_of : options->identity);

    if (options->key_of)
        check(X509_set_pubkey(certificate, key) == 1);
    check(SSL_CTX_use_certificate(c->context, certificate) == 1);
    check(SSL_CTX_use_PrivateKey(c->context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

struct tls_client *tls_client_new(const struct tls_client_options *options)
{
    struct tls_client *c = xcalloc(1, sizeof *c);

    c->context = SSL_CTX_new(TLS_client_method());
    if (options->is_old)
        check(SSL_CTX_set_max_proto_version(c->context, TLS1_2_VERSION) == 1);
    if (options->identity)
        take_identity(c, options);
    if (options->alpn)
        check(SSL_CTX_set_alpn_protos(c->context, (const uint8_t *)options->alpn,
                                      (unsigned)strlen(options->alpn)) == 0);
    c->ssl = SSL_new(c->context);
    SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(c->ssl);
    return c;
}

void tls_client_free(struct tls_client *c)
{
    if (!c)
        return;
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    free(c);
}

/* What came of the last call. */
static void note(struct tls_client *c, int result)
{
    switch (SSL_get_error(c->ssl, result)) {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        c->was_ended = true;
        break;
    default:
        ERR_error_string_n(ERR_peek_error(), c->error, sizeof c->error);
        break;
    }
    ERR_clear_error();
}

void tls_client_turn(struct tls_client *c)
{
    ERR_clear_error();
    note(c, SSL_do_handshake(c->ssl));
}

bool tls_client_is_open(const struct tls_client *c)
{
    return SSL_is_init_finished(c->ssl);
}

const char *tls_client_error(const struct tls_client *c)
{
    return c->error;
}

void tls_client_write(struct tls_client *c, const void *bytes, size_t len)
{
    check(SSL_write(c->ssl, bytes, (int)len) == (int)len);
}

size_t tls_client_read(struct tls_client *c, void *bytes, size_t room)
{
    ERR_clear_error();
    int len = SSL_read(c->ssl, bytes, (int)room);

    note(c, len);
    return len > 0 ? (size_t)len : 0;
}

bool tls_client_was_ended(const struct tls_client *c)
{
    return c->was_ended;
}

void tls_client_end(struct tls_client *c)
{
    check(SSL_shutdown(c->ssl) >= 0);
}

void tls_client_update_keys(struct tls_client *c)
{
    check(SSL_key_update(c->ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    check(SSL_do_handshake(c->ssl) == 1);
}

size_t tls_client_take(struct tls_client *c, void *bytes, size_t room)
{
    int len = BIO_read(SSL_get_wbio(c->ssl), bytes, (int)room);

    return len > 0 ? (size_t)len : 0;
}

void tls_client_give(struct tls_client *c, const void *bytes, size_t len)
{
    check(BIO_write(SSL_get_rbio(c->ssl), bytes, (int)len) == (int)len);
}
