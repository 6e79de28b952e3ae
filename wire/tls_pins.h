/* Pins: the certificates by which peers are known, and the check of the one that a peer shows.
 *
 * It has to be the very certificate that is pinned, by the SHA-256 of its DER; to be valid now;
 * and to have the URI "region:NAME", of the peer that it is pinned for, among its alternative
 * names. That the peer has its key, too, is proved in TLS. Authorities, chains, host names and
 * revocation have no part in it: nobody else's signature makes a certificate good.
 *
 * Thread: immutable; any. */
#ifndef WIRE_TLS_PINS_H
#define WIRE_TLS_PINS_H

#include <stddef.h>

#include "core/err.h"
#include "core/topology.h"

#define TLS_PEMS_MAX 16384 /* bytes of one peer's certificates that we read */

struct tls_peer {
    const char *name;         /* of the region */
    const char *certificates; /* PEM: one; two while one takes the other's place */
};

struct tls_pins;

/* What the peers say is copied. ERR_INVALID: no certificate, or something else, as PEM;
 * `*out_why` is then a fixed text. */
MUST_USE enum err tls_pins_new(const struct tls_peer *peers, size_t count,
                               struct tls_pins **out, const char **out_why);
void tls_pins_free(struct tls_pins *pins); /* NULL does nothing */

/* Have OpenSSL's `ssl_ctx` check every peer so, and not otherwise. The pins are borrowed until
 * its last handshake. */
void tls_pins_guard(const struct tls_pins *pins, void *ssl_ctx);

/* Whose certificate this is, an OpenSSL X509; NULL: nobody's. Borrowed from the pins. */
const char *tls_pins_name(const struct tls_pins *pins, const void *x509);

/* Why the check failed, from OpenSSL's result of it: a fixed phrase about the peer; NULL: it
 * didn't, or failed otherwise. */
const char *tls_pins_why(long verify_result);

#endif
