#include "tests/lib/tls.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <uv.h>

#include "core/mem.h"

struct tls_server {
    SSL_CTX *context;
    int fd;
    uint16_t port;
    uv_thread_t thread;
    _Atomic unsigned requests;
};

static void check(int ok)
{
    if (!ok)
        abort();
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    check(extension && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    check(X509_set_version(cert, X509_VERSION_3) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"test", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "DNS:receiver.test,IP:127.0.0.1");
    check(X509_sign(cert, key, EVP_sha256()) > 0);
    return cert;
}

static void listen_somewhere(struct tls_server *s)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&address, len) == 0 &&
          listen(s->fd, 16) == 0 && getsockname(s->fd, (struct sockaddr *)&address, &len) == 0);
    s->port = ntohs(address.sin_port);
}

static void answer(struct tls_server *s, int fd)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    char request[4096];
    SSL *ssl = SSL_new(s->context);

    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        s->requests++;
        SSL_write(ssl, text, sizeof text - 1);
        SSL_shutdown(ssl);
    }
    SSL_free(ssl);
    close(fd);
}

static void serve(void *arg)
{
    struct tls_server *s = arg;

    for (int fd; (fd = accept(s->fd, NULL, NULL)) >= 0;)
        answer(s, fd);
}

struct tls_server *tls_server_open(const char *cert_path)
{
    struct tls_server *s = xcalloc(1, sizeof *s);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = make_certificate(key);
    FILE *file = fopen(cert_path, "w");

    check(file && PEM_write_X509(file, cert) == 1 && fclose(file) == 0);
    s->context = SSL_CTX_new(TLS_server_method());
    check(SSL_CTX_use_certificate(s->context, cert) == 1 &&
          SSL_CTX_use_PrivateKey(s->context, key) == 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    listen_somewhere(s);
    check(uv_thread_create(&s->thread, serve, s) == 0);
    return s;
}

uint16_t tls_server_port(const struct tls_server *s)
{
    return s->port;
}

unsigned tls_server_close(struct tls_server *s)
{
    shutdown(s->fd, SHUT_RDWR); /* accept() returns */
    uv_thread_join(&s->thread);
    close(s->fd);
    unsigned requests = s->requests;
    SSL_CTX_free(s->context);
    free(s);
    return requests;
}
