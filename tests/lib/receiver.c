#include "tests/lib/receiver.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/mem.h"

#define REQUEST_MAX (4u << 20)
#define READ_ROOM   65536

struct stream {
    struct list link;
    struct receiver *receiver;
    struct buf request;
    uv_tcp_t tcp;
    uv_write_t write;
    char room[READ_ROOM];
};

static void on_connection(uv_stream_t *listener, int status);
static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_read(uv_stream_t *tcp, ssize_t len, const uv_buf_t *room);
static void on_written(uv_write_t *write, int status);
static void on_closed(uv_handle_t *handle);

void receiver_open(struct receiver *r, uv_loop_t *loop)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int len = sizeof address;

    *r = (struct receiver){ .answer = "HTTP/1.1 204 No Content\r\n\r\n",
                            .last = BUF_INIT(REQUEST_MAX) };
    list_init(&r->streams);
    r->listener.data = r;
    if (uv_tcp_init(loop, &r->listener) != 0 ||
        uv_tcp_bind(&r->listener, (struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&r->listener, 128, on_connection) != 0 ||
        uv_tcp_getsockname(&r->listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    r->port = ntohs(address.sin_port);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct receiver *r = listener->data;
    struct stream *s = xcalloc(1, sizeof *s);

    assert(status == 0);
    s->receiver = r;
    s->request = BUF_INIT(REQUEST_MAX);
    s->tcp.data = s;
    s->write.data = s;
    if (uv_tcp_init(listener->loop, &s->tcp) != 0 ||
        uv_accept(listener, (uv_stream_t *)&s->tcp) != 0)
        abort();
    list_append(&r->streams, &s->link);
    r->connections++;
    r->open++;
    uv_read_start((uv_stream_t *)&s->tcp, on_room, on_read);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct stream *s = handle->data;

    (void)hint;
    *out = uv_buf_init(s->room, sizeof s->room);
}

static void close_stream(struct stream *s)
{
    if (!uv_is_closing((uv_handle_t *)&s->tcp))
        uv_close((uv_handle_t *)&s->tcp, on_closed);
}

static void write_text(struct stream *s, const char *text)
{
    uv_buf_t bytes = uv_buf_init((char *)text, (unsigned)strlen(text));

    uv_write(&s->write, (uv_stream_t *)&s->tcp, &bytes, 1, on_written);
}

static void react(struct stream *s)
{
    struct receiver *r = s->receiver;

    switch (r->reaction) {
    case REACT_ANSWER:
    case REACT_ANSWER_AND_CLOSE:
    case REACT_ANSWER_FOREVER:
        write_text(s, r->answer);
        break;
    case REACT_NOTHING:
        break;
    case REACT_CLOSE:
        close_stream(s);
        break;
    case REACT_RESET:
        uv_tcp_close_reset(&s->tcp, on_closed);
        break;
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct stream *s = write->data;
    struct receiver *r = s->receiver;

    if (status != 0 || r->reaction == REACT_ANSWER_AND_CLOSE)
        close_stream(s);
    else if (r->reaction == REACT_ANSWER_FOREVER)
        write_text(s, r->more);
}

static bool is_whole(const struct buf *request)
{
    const char *text = buf_text(request);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length:");

    if (!end)
        return false;
    size_t body_len = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return request->len >= (size_t)(end + 4 - text) + body_len;
}

static void on_read(uv_stream_t *tcp, ssize_t len, const uv_buf_t *room)
{
    struct stream *s = tcp->data;
    struct receiver *r = s->receiver;

    if (len < 0) {
        close_stream(s);
        return;
    }
    if (buf_append(&s->request, room->base, (size_t)len) != ERR_OK)
        abort();
    if (!is_whole(&s->request))
        return;
    r->requests++;
    buf_clear(&r->last);
    if (buf_append(&r->last, s->request.bytes, s->request.len) != ERR_OK)
        abort();
    buf_clear(&s->request);
    react(s);
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = handle->data;

    list_remove(&s->link);
    s->receiver->open--;
    buf_fini(&s->request);
    free(s);
}

void receiver_hang_up(struct receiver *r)
{
    for (struct list *l = r->streams.next; l != &r->streams; l = l->next)
        close_stream(container_of(l, struct stream, link));
}

void receiver_close(struct receiver *r)
{
    receiver_hang_up(r);
    uv_close((uv_handle_t *)&r->listener, NULL);
    buf_fini(&r->last);
}

uint16_t unused_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    close(fd);
    return ntohs(address.sin_port);
}
