/* TLS client: OpenSSL's, in memory, to talk to a struct tls_session. */
#ifndef TESTS_LIB_TLS_CLIENT_H
#define TESTS_LIB_TLS_CLIENT_H

#include "tests/lib/certificates.h"
#include "wire/tls.h"

struct tls_client;

struct tls_client_options {
    const struct made_certificate *identity; /* NULL: shows none */
    const struct made_certificate *key_of; /* signs with this one's key; NULL: the identity's */
    const char *alpn;                      /* in its wire form; NULL: none */
    bool is_old;                           /* speaks TLS 1.2 at most */
};

struct tls_client *tls_client_new(const struct tls_client_options *options);
void tls_client_free(struct tls_client *c); /* NULL does nothing */

/* Go on with the handshake. */
void tls_client_turn(struct tls_client *c);
bool tls_client_is_open(const struct tls_client *c);

/* After a failure: what OpenSSL says of it, the server's alert for one; "" before. */
const char *tls_client_error(const struct tls_client *c);

void tls_client_write(struct tls_client *c, const void *bytes, size_t len);
size_t tls_client_read(struct tls_client *c, void *bytes, size_t room);
bool tls_client_was_ended(const struct tls_client *c); /* by the server, in order */
void tls_client_end(struct tls_client *c);

/* Ask for new keys, both ways. */
void tls_client_update_keys(struct tls_client *c);

/* Bytes between it and the server: all there are, up to `room`. */
size_t tls_client_take(struct tls_client *c, void *bytes, size_t room);
void tls_client_give(struct tls_client *c, const void *bytes, size_t len);

#endif
