#include "tests/lib/client.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVED_MAX ((size_t)64 * 1024 * 1024)

#define PIECE_MAX (64 * 1024)

static void on_readable(uv_poll_t *poll, int status, int events);
static void pump(struct client *c);

void client_open(struct client *c, uv_loop_t *loop, uint16_t port)
{
    struct sockaddr_in server = { .sin_family = AF_INET, .sin_port = htons(port) };
    const int on = 1;

    *c = (struct client){ .loop = loop,
                          .said = BUF_INIT(RECEIVED_MAX),
                          .in = BUF_INIT(RECEIVED_MAX),
                          .answer = BUF_INIT(RECEIVED_MAX) };
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(c->fd, (struct sockaddr *)&server, sizeof server);
    assert(rc == 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    rc = uv_poll_init(loop, &c->poll, c->fd);
    assert(rc == 0);
    (void)rc;
    uv_poll_start(&c->poll, UV_READABLE, on_readable);
}

void client_open_tls(struct client *c, uv_loop_t *loop, uint16_t port,
                     const struct tls_client_options *options)
{
    client_open(c, loop, port);
    c->tls = tls_client_new(options);
    pump(c);
}

static void keep(struct buf *b, const void *bytes, size_t len)
{
    enum err err = buf_append(b, bytes, len);

    assert(!err);
    (void)err;
}

static void hear(struct client *c, const char *bytes, size_t len)
{
    char plain[PIECE_MAX];

    if (!c->tls) {
        keep(&c->in, bytes, len);
        return;
    }
    tls_client_give(c->tls, bytes, len);
    pump(c);
    while (tls_client_is_open(c->tls) &&
           (len = tls_client_read(c->tls, plain, sizeof plain)) > 0)
        keep(&c->in, plain, len);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct client *c = (struct client *)((char *)poll - offsetof(struct client, poll));
    char piece[PIECE_MAX];

    (void)events;
    ssize_t len;
    while ((len = recv(c->fd, piece, sizeof piece, MSG_DONTWAIT)) > 0)
        hear(c, piece, (size_t)len);
    if (len == 0 || errno != EAGAIN || status != 0) {
        c->eof = true;
        uv_poll_stop(&c->poll);
    }
}

static void on_poll_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

void client_close(struct client *c)
{
    c->poll.data = c;
    uv_close((uv_handle_t *)&c->poll, on_poll_closed);
    close(c->fd);
    while (c->poll.data)
        uv_run(c->loop, UV_RUN_ONCE);
    tls_client_free(c->tls);
    buf_fini(&c->said);
    buf_fini(&c->in);
    buf_fini(&c->answer);
}

static void transmit(struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;

    while (len > 0 && !c->eof) {
        ssize_t sent = send(c->fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            at += sent;
            len -= (size_t)sent;
        } else if (errno != EAGAIN) {
            uv_run(c->loop, UV_RUN_ONCE); /* to read what the server said before */
            return;
        }
        uv_run(c->loop, UV_RUN_NOWAIT);
    }
}

/* Let TLS say what it has to. */
static void pump(struct client *c)
{
    struct buf sealed = BUF_INIT(2 * RECEIVED_MAX);
    char piece[PIECE_MAX];
    size_t len;

    tls_client_turn(c->tls);
    if (tls_client_is_open(c->tls) && c->said.len > 0) {
        tls_client_write(c->tls, c->said.bytes, c->said.len);
        buf_clear(&c->said);
    }
    while ((len = tls_client_take(c->tls, piece, sizeof piece)) > 0)
        keep(&sealed, piece, len);
    transmit(c, sealed.bytes, sealed.len);
    buf_fini(&sealed);
}

void client_send(struct client *c, const void *bytes, size_t len)
{
    if (!c->tls) {
        transmit(c, bytes, len);
        return;
    }
    keep(&c->said, bytes, len);
    pump(c);
    uv_run(c->loop, UV_RUN_NOWAIT);
}

bool client_shake(struct client *c)
{
    while (!tls_client_is_open(c->tls) && !c->eof)
        uv_run(c->loop, UV_RUN_ONCE);
    return tls_client_is_open(c->tls);
}

void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

/* Move the first `len` received bytes to `answer`. */
static const char *take(struct client *c, size_t len)
{
    buf_clear(&c->answer);
    enum err err = buf_append(&c->answer, c->in.bytes, len);
    assert(!err);
    (void)err;
    memmove(c->in.bytes, c->in.bytes + len, c->in.len - len + 1);
    c->in.len -= len;
    return buf_text(&c->answer);
}

static size_t head_len(struct client *c)
{
    const char *end;

    while (!(end = strstr(buf_text(&c->in), "\r\n\r\n")) && !c->eof)
        uv_run(c->loop, UV_RUN_ONCE);
    return end ? (size_t)(end + 4 - buf_text(&c->in)) : 0;
}

const char *client_head_answer(struct client *c)
{
    size_t len = head_len(c);

    return len > 0 ? take(c, len) : "";
}

const char *client_answer(struct client *c)
{
    size_t len = head_len(c);
    if (len == 0)
        return "";

    const char *field = strcasestr(buf_text(&c->in), "\r\ncontent-length:");
    if (field && field < buf_text(&c->in) + len)
        len += strtoul(field + 17, NULL, 10);
    while (c->in.len < len && !c->eof)
        uv_run(c->loop, UV_RUN_ONCE);
    return c->in.len >= len ? take(c, len) : "";
}

bool client_is_closed(struct client *c)
{
    while (!c->eof && c->in.len == 0)
        uv_run(c->loop, UV_RUN_ONCE);
    return c->in.len == 0;
}
