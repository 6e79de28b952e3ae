/* TLS socket: a session on a non-blocking socket, to be read and written as the socket itself
 * would be. For the server's connections.
 *
 * What the session has to say by itself is sent along. While some of it is stuck, for the kernel
 * has no room, the socket isn't to be read: that bounds what waits.
 *
 * Thread: the session's. */
#ifndef WIRE_TLS_SOCKET_H
#define WIRE_TLS_SOCKET_H

#include <sys/types.h>
#include <sys/uio.h>

#include "wire/tls.h"

struct tls_socket {
    struct tls_session *session;
    int fd;
    size_t owed;     /* bytes that were taken from the sender, and not reported as sent */
    bool has_failed; /* and it was said */
};

/* As recv(2): 0 when the peer has ended its part, by TLS or without; EAGAIN when there is no
 * text yet. EPROTO when the session fails, once: the peer was told why, and from then on whatever
 * it sends is returned as it is, to be thrown away. */
ssize_t tls_socket_receive(struct tls_socket *t, void *bytes, size_t room);

/* There is text to receive for which the socket won't be readable. */
bool tls_socket_has_unread(const struct tls_socket *t);

/* As sendmsg(2). What isn't reported as sent may be under way already: call it with the same
 * bytes again. */
ssize_t tls_socket_send(struct tls_socket *t, const struct iovec *pieces, size_t count);

/* Bytes of the session's wait for the socket to be writable; tls_socket_push() then sends them.
 * False: the socket is broken. */
bool tls_socket_is_stuck(const struct tls_socket *t);
bool tls_socket_push(struct tls_socket *t);

/* Tell the peer that nothing more follows, if there is room to. */
void tls_socket_end(struct tls_socket *t);

#endif
