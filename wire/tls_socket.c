#include "wire/tls_socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

bool tls_socket_is_stuck(const struct tls_socket *t)
{
    size_t len;

    tls_session_unsent(t->session, &len);
    return len > 0;
}

bool tls_socket_push(struct tls_socket *t)
{
    const void *bytes;
    size_t len;

    while ((bytes = tls_session_unsent(t->session, &len)) && len > 0) {
        ssize_t sent = send(t->fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR;
        tls_session_sent(t->session, (size_t)sent);
    }
    return true;
}

bool tls_socket_has_unread(const struct tls_socket *t)
{
    return tls_session_has_unread(t->session);
}

/* What to say when there is no text. */
static ssize_t say_why(struct tls_socket *t)
{
    switch (tls_session_state(t->session)) {
    case TLS_SHAKING:
    case TLS_OPEN:
        errno = EAGAIN;
        return -1;
    case TLS_ENDED:
        break;
    case TLS_FAILED:
        t->has_failed = true;
        errno = EPROTO;
        return -1;
    }
    return 0;
}

ssize_t tls_socket_receive(struct tls_socket *t, void *bytes, size_t room)
{
    char sealed[TLS_FEED_MAX];

    if (t->has_failed)
        return recv(t->fd, bytes, room, 0);
    if (!tls_socket_has_unread(t)) {
        ssize_t len = recv(t->fd, sealed, sizeof sealed, 0);
        if (len <= 0)
            return len;
        tls_session_feed(t->session, sealed, (size_t)len);
    }
    size_t len = tls_session_read(t->session, bytes, room);
    bool is_whole = tls_socket_push(t);

    if (len > 0)
        return (ssize_t)len;
    return is_whole || tls_session_state(t->session) == TLS_FAILED ? say_why(t) : -1;
}

/* As much of the pieces, but their first `skip` bytes, as one record takes. */
static size_t gather(const struct iovec *pieces, size_t count, size_t skip,
                     char out[TLS_WRITE_MAX])
{
    size_t len = 0;

    for (size_t i = 0; i < count; i++) {
        size_t skipped = skip < pieces[i].iov_len ? skip : pieces[i].iov_len;
        size_t part = pieces[i].iov_len - skipped;

        skip -= skipped;
        if (part > TLS_WRITE_MAX - len)
            part = TLS_WRITE_MAX - len;
        if (part > 0)
            memcpy(out + len, (const char *)pieces[i].iov_base + skipped, part);
        len += part;
    }
    return len;
}

ssize_t tls_socket_send(struct tls_socket *t, const struct iovec *pieces, size_t count)
{
    char text[TLS_WRITE_MAX];
    size_t sent = 0, len;

    for (;;) {
        if (!tls_socket_push(t))
            return -1;
        if (tls_socket_is_stuck(t))
            break;
        sent += t->owed;
        t->owed = 0;
        len = gather(pieces, count, sent, text);
        if (len == 0)
            return (ssize_t)sent;
        t->owed = tls_session_write(t->session, text, len);
        if (t->owed == 0) {
            errno = EPROTO;
            return -1;
        }
    }
    if (sent > 0)
        return (ssize_t)sent;
    errno = EAGAIN;
    return -1;
}

void tls_socket_end(struct tls_socket *t)
{
    if (tls_socket_is_stuck(t))
        return;
    tls_session_end(t->session);
    tls_socket_push(t);
}
