/* TLS: a certificate of our own making, and a server that shows it, on a thread. */
#ifndef TESTS_LIB_TLS_H
#define TESTS_LIB_TLS_H

#include <stdint.h>

struct tls_server;

/* Self-signed for "receiver.test" and 127.0.0.1, written to `cert_path` as PEM. Answers every
 * request, one connection at a time, with 200 and closes. */
struct tls_server *tls_server_open(const char *cert_path);
uint16_t tls_server_port(const struct tls_server *s);

/* The requests it could read. */
unsigned tls_server_close(struct tls_server *s);

#endif
