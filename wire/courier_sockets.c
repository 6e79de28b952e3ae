#include "wire/courier_sockets.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/mem.h"

#define ROOM_FIRST 64

struct watch {
    struct sockets *owner;
    const void *opener;
    curl_socket_t fd;
    int wanted; /* UV_… events libcurl asked for; 0 = it is idle */
    int armed;  /* events the loop watches for */
    uv_poll_t poll;
};

static void on_event(uv_poll_t *poll, int status, int events);
static void on_watch_closed(uv_handle_t *handle);

void sockets_init(struct sockets *s, uv_loop_t *loop)
{
    *s = (struct sockets){ .loop = loop };
}

void sockets_fini(struct sockets *s)
{
    assert(s->count == 0);
    free(s->by_fd);
}

static void make_room(struct sockets *s, size_t fd)
{
    while (s->room <= fd)
        s->by_fd = xgrow(s->by_fd, &s->room, ROOM_FIRST, sizeof(struct watch *));
}

/* The descriptor is closed already, or about to be. */
static void forget(struct sockets *s, curl_socket_t fd)
{
    struct watch *w = s->by_fd[fd];

    s->by_fd[fd] = NULL;
    uv_close((uv_handle_t *)&w->poll, on_watch_closed);
}

curl_socket_t sockets_open(struct sockets *s, const struct curl_sockaddr *address,
                           const void *opener)
{
    curl_socket_t fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK,
                              address->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;

    make_room(s, (size_t)fd);
    if (s->by_fd[fd])
        forget(s, fd);
    struct watch *w = xcalloc(1, sizeof *w);
    int rc = uv_poll_init_socket(s->loop, &w->poll, fd);
    if (rc != 0) {
        free(w);
        close(fd);
        errno = -rc;
        return CURL_SOCKET_BAD;
    }
    w->owner = s;
    w->opener = opener;
    w->fd = fd;
    w->poll.data = w;
    s->by_fd[fd] = w;
    s->count++;
    return fd;
}

int sockets_on_close(void *ctx, curl_socket_t fd)
{
    forget(ctx, fd);
    return close(fd);
}

void sockets_forget(struct sockets *s, curl_socket_t fd, const void *opener)
{
    if (s->by_fd[fd] && s->by_fd[fd]->opener == opener)
        forget(s, fd);
}

void sockets_forget_all(struct sockets *s)
{
    for (size_t fd = 0; fd < s->room; fd++)
        if (s->by_fd[fd])
            forget(s, (curl_socket_t)fd);
}

static void arm(struct watch *w, int events)
{
    if (w->armed == events)
        return;
    if (events == 0)
        uv_poll_stop(&w->poll);
    else
        uv_poll_start(&w->poll, events, on_event);
    w->armed = events;
}

void sockets_want(struct sockets *s, curl_socket_t fd, int events)
{
    struct watch *w = s->by_fd[fd];

    if (!w)
        return;
    w->wanted = 0;
    if (events == CURL_POLL_IN || events == CURL_POLL_INOUT)
        w->wanted |= UV_READABLE;
    if (events == CURL_POLL_OUT || events == CURL_POLL_INOUT)
        w->wanted |= UV_WRITABLE;
    arm(w, w->wanted ? w->wanted : UV_READABLE);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watch *w = poll->data;
    int select = status < 0 ? CURL_CSELECT_ERR : 0;

    /* The peer closed an idle connection: libcurl notices when it comes to use it again, and
     * until then the event would repeat forever. */
    if (w->wanted == 0) {
        arm(w, 0);
        return;
    }
    if (events & UV_READABLE)
        select |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        select |= CURL_CSELECT_OUT;
    w->owner->on_ready(w->owner, w->fd, select);
}

static void on_watch_closed(uv_handle_t *handle)
{
    struct watch *w = handle->data;
    struct sockets *s = w->owner;

    free(w);
    s->count--;
    s->on_closed(s);
}
