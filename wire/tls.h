/* TLS: version 1.3 (RFC 8446), the server's side, both sides known by pinned certificates.
 *
 *   bytes from the socket ─► feed ─► read  ─► plain text
 *         bytes to the socket ◄─ unsent ◄─ write ◄─ plain text
 *
 * A session moves bytes in memory: sockets and waiting are the caller's affair. A peer has to show
 * a certificate that the pins (tls_pins.h) accept. No older version, no tickets and so no
 * resumption, no early data, no renegotiation; of ALPN http/1.1, or nothing said.
 *
 * With what signer/ has for signatures and sealing, and with tls_pins, this is where OpenSSL is.
 *
 * Thread: a session any one; a context any, immutable. */
#ifndef WIRE_TLS_H
#define WIRE_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/tls_pins.h"

#define TLS_FEED_MAX  16384 /* bytes of one feed */
#define TLS_WRITE_MAX 16384 /* bytes of plain text in one record */

struct tls_context;

struct tls_options {
    const char *certificate, *key; /* ours, PEM */
    const struct tls_peer *peers;
    size_t peer_count;
};

/* What the options say is copied. ERR_INVALID: `*out_why` says which is not as it should be, a
 * fixed text; ERR_CONFLICT: the key isn't the certificate's. */
MUST_USE enum err tls_context_new(const struct tls_options *options, struct tls_context **out,
                                  const char **out_why);
void tls_context_free(struct tls_context *context); /* after its sessions; NULL does nothing */

struct tls_session;

enum tls_state {
    TLS_SHAKING, /* hands; there is no plain text yet, either way */
    TLS_OPEN,
    TLS_ENDED,  /* the peer won't send more; it may be written to */
    TLS_FAILED, /* for good: tls_session_why(); the last unsent bytes tell the peer */
};

struct tls_session *tls_session_new(const struct tls_context *context);
void tls_session_free(struct tls_session *s); /* NULL does nothing */

enum tls_state tls_session_state(const struct tls_session *s);

/* Bytes from the peer, at most TLS_FEED_MAX; only while nothing is unread. */
void tls_session_feed(struct tls_session *s, const void *bytes, size_t len);

/* Plain text, at most `room` bytes; 0: there is no more without another feed. Goes on with the
 * handshake, too; the state may be another one afterwards, and bytes unsent. */
size_t tls_session_read(struct tls_session *s, void *bytes, size_t room);

/* tls_session_read() hasn't returned 0 since the last feed. */
bool tls_session_has_unread(const struct tls_session *s);

/* Returns how many bytes of plain text, at most TLS_WRITE_MAX, have become unsent ones; none
 * unless it is open or ended. Only while nothing is unsent, which bounds that. */
size_t tls_session_write(struct tls_session *s, const void *bytes, size_t len);

/* We won't write more: tell the peer. */
void tls_session_end(struct tls_session *s);

/* Bytes for the peer. Take what there is, then say how much of it was sent. */
const void *tls_session_unsent(const struct tls_session *s, size_t *out_len);
void tls_session_sent(struct tls_session *s, size_t len);

/* The region at the other end, once it has proved to be that; NULL until then. The name lasts as
 * long as the context. */
const char *tls_session_peer(const struct tls_session *s);

/* Why it failed: a fixed phrase about the peer, "shows a certificate that has expired". */
const char *tls_session_why(const struct tls_session *s);

#endif
