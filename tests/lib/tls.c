#include "tests/lib/tls.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <uv.h>

#include "core/mem.h"
#include "tests/lib/certificates.h"

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

static void show(struct tls_server *s, const struct made_certificate *made)
{
    BIO *certificate_text = BIO_new_mem_buf(made->certificate.bytes, -1);
    BIO *key_text = BIO_new_mem_buf(made->key.bytes, -1);
    X509 *certificate = PEM_read_bio_X509(certificate_text, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(key_text, NULL, NULL, NULL);

    check(SSL_CTX_use_certificate(s->context, certificate) == 1 &&
          SSL_CTX_use_PrivateKey(s->context, key) == 1);
    X509_free(certificate);
    EVP_PKEY_free(key);
    BIO_free(certificate_text);
    BIO_free(key_text);
}

struct tls_server *tls_server_open(const char *cert_path)
{
    struct tls_server *s = xcalloc(1, sizeof *s);
    struct made_certificate made = make_certificate(
        &(struct certificate_kind){ .names = "DNS:receiver.test,IP:127.0.0.1" });
    FILE *file = fopen(cert_path, "w");

    check(file && fputs(buf_text(&made.certificate), file) >= 0 && fclose(file) == 0);
    s->context = SSL_CTX_new(TLS_server_method());
    show(s, &made);
    made_certificate_fini(&made);
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
