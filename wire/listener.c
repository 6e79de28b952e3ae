#include "wire/listener.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "core/list.h"
#include "core/log.h"
#include "wire/shortage.h"

#define BACKLOG   1024
#define RETRY_MS  100
#define NOTICE_MS 60000 /* between lines on a shortage that lasts */
#define BATCH     16    /* accepted in one turn: others want the loop too */

static void on_incoming(uv_poll_t *poll, int status, int events);
static void on_retry(uv_timer_t *retry);
static void on_handle_closed(uv_handle_t *handle);

static enum err from_errno(int error)
{
    switch (error) {
    case EADDRINUSE:
        return ERR_IN_USE;
    case EADDRNOTAVAIL:
        return ERR_FOREIGN;
    case EACCES:
    case EPERM:
        return ERR_DENIED;
    default:
        return ERR_UNAVAILABLE;
    }
}

static enum err parse_address(const char *text, uint16_t port, struct sockaddr_storage *out,
                              socklen_t *out_len)
{
    if (uv_ip4_addr(text, port, (struct sockaddr_in *)out) == 0) {
        *out_len = sizeof(struct sockaddr_in);
        return ERR_OK;
    }
    if (uv_ip6_addr(text, port, (struct sockaddr_in6 *)out) == 0) {
        *out_len = sizeof(struct sockaddr_in6);
        return ERR_OK;
    }
    return ERR_INVALID;
}

/* TCP_NODELAY is inherited by what is accepted. */
static int listen_on(int fd, const struct sockaddr_storage *address, socklen_t address_len)
{
    const int on = 1, off = 0;

    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0)
        return -1;
    if (address->ss_family == AF_INET6 &&
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) != 0)
        return -1;
    if (bind(fd, (const struct sockaddr *)address, address_len) != 0)
        return -1;
    return listen(fd, BACKLOG);
}

enum err listener_open(struct listener *l, uv_loop_t *loop, const char *address, uint16_t port)
{
    struct sockaddr_storage where = { 0 };
    socklen_t where_len;

    *l = (struct listener){ .paused = true };
    enum err err = parse_address(address, port, &where, &where_len);
    if (err)
        return err;

    l->fd = socket(where.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0)
        return from_errno(errno);
    if (listen_on(l->fd, &where, where_len) != 0) {
        err = from_errno(errno);
        goto fail;
    }
    if (uv_poll_init(loop, &l->poll, l->fd) != 0) {
        err = ERR_UNAVAILABLE;
        goto fail;
    }
    uv_timer_init(loop, &l->retry);
    return ERR_OK;

fail:
    close(l->fd);
    return err;
}

uint16_t listener_port(const struct listener *l)
{
    struct sockaddr_storage where;
    socklen_t where_len = sizeof where;

    int rc = getsockname(l->fd, (struct sockaddr *)&where, &where_len);
    assert(rc == 0);
    (void)rc;
    return ntohs(where.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&where)->sin6_port
                                             : ((struct sockaddr_in *)&where)->sin_port);
}

void listener_pause(struct listener *l)
{
    l->paused = true;
    uv_poll_stop(&l->poll);
    uv_timer_stop(&l->retry);
}

void listener_resume(struct listener *l)
{
    if (!l->paused || l->closing)
        return;

    l->paused = false;
    uv_poll_start(&l->poll, UV_READABLE, on_incoming);
}

static void wait_out_shortage(struct listener *l, int error)
{
    uint64_t now_ms = uv_now(l->retry.loop);

    if (now_ms >= l->next_notice_ms) {
        log_event(LOG_WARN, "accept_paused", LOG_STR("reason", uv_strerror(-error)));
        l->next_notice_ms = now_ms + NOTICE_MS;
    }
    listener_pause(l);
    uv_timer_start(&l->retry, on_retry, RETRY_MS, 0);
}

static void on_incoming(uv_poll_t *poll, int status, int events)
{
    struct listener *l = container_of(poll, struct listener, poll);

    (void)status, (void)events;
    for (unsigned n = 0; n < BATCH && !l->paused; n++) {
        struct sockaddr_storage peer;
        socklen_t peer_len = sizeof peer;
        int fd =
            accept4(l->fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            l->on_accepted(l, fd, (struct sockaddr *)&peer, peer_len);
        } else if (is_shortage(errno)) {
            wait_out_shortage(l, errno);
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

static void on_retry(uv_timer_t *retry)
{
    listener_resume(container_of(retry, struct listener, retry));
}

void listener_close(struct listener *l, void (*closed)(struct listener *l))
{
    l->closed = closed;
    l->paused = true;
    l->closing = 2;
    uv_close((uv_handle_t *)&l->poll, on_handle_closed);
    uv_close((uv_handle_t *)&l->retry, on_handle_closed);
    l->poll.data = l;
    l->retry.data = l;
    close(l->fd);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct listener *l = handle->data;

    if (--l->closing == 0 && l->closed)
        l->closed(l);
}
