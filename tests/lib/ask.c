#include "tests/lib/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RECEIVED_MAX (64u << 20)

static void on_connected(uv_connect_t *connect, int status);
static void on_written(uv_write_t *write, int status);
static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf);
static void on_received(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf);
static void on_closed(uv_handle_t *handle);

static void require(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "ask: %s\n", what);
    abort();
}

void ask_start(struct ask *c, uv_loop_t *loop, uint16_t port, const void *request, size_t len)
{
    struct sockaddr_in address;

    *c = (struct ask){ .received = BUF_INIT(RECEIVED_MAX) };
    uv_ip4_addr("127.0.0.1", port, &address);
    require(uv_tcp_init(loop, &c->tcp) == 0, "no socket");
    c->tcp.data = c;
    require(uv_tcp_connect(&c->connect, &c->tcp, (struct sockaddr *)&address, on_connected) ==
                0,
            "can't connect");
    while (c->connect.data == NULL)
        uv_run(loop, UV_RUN_ONCE);
    uv_read_start((uv_stream_t *)&c->tcp, on_room, on_received);

    char *copy = malloc(len + 1);
    memcpy(copy, request, len);
    uv_buf_t buf = uv_buf_init(copy, (unsigned)len);
    c->write.data = copy;
    require(uv_write(&c->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) == 0,
            "can't write");
}

static void on_connected(uv_connect_t *connect, int status)
{
    require(status == 0, "not connected");
    connect->data = connect;
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    free(write->data);
}

static void on_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct ask *c = handle->data;

    (void)size;
    *buf = uv_buf_init(c->room, sizeof c->room);
}

static void on_received(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct ask *c = stream->data;

    if (len > 0)
        require(buf_append(&c->received, buf->base, (size_t)len) == ERR_OK, "too much");
    else if (len < 0 && !uv_is_closing((uv_handle_t *)stream))
        uv_close((uv_handle_t *)stream, on_closed);
}

static void on_closed(uv_handle_t *handle)
{
    struct ask *c = handle->data;

    c->closed = true;
}

void ask_wait(struct ask *c, const char *text)
{
    while (!c->closed && !strstr(buf_text(&c->received), text))
        uv_run(c->tcp.loop, UV_RUN_ONCE);
}

struct answer ask_finish(struct ask *c)
{
    struct scan_fault fault;
    struct answer a = { 0 };

    while (!c->closed)
        uv_run(c->tcp.loop, UV_RUN_ONCE);
    a.bytes = c->received;

    const char *text = buf_text(&a.bytes), *end = strstr(text, "\r\n\r\n");
    require(end && sscanf(text, "HTTP/1.1 %u", &a.status) == 1, "not an answer");
    a.body = end + 4;
    a.body_len = a.bytes.len - (size_t)(a.body - text);
    if (a.body_len > 0)
        require(json_parse(a.body, a.body_len, &a.json, &fault) == ERR_OK, "not JSON");
    return a;
}

void ask_leave(struct ask *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp))
        uv_close((uv_handle_t *)&c->tcp, on_closed);
    while (!c->closed)
        uv_run(c->tcp.loop, UV_RUN_ONCE);
    buf_fini(&c->received);
}

void answer_fini(struct answer *a)
{
    json_free(a->json);
    buf_fini(&a->bytes);
}

const char *answer_header(const struct answer *a, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = strchr(buf_text(&a->bytes), '\n'); line && line + 1 < a->body;
         line = strchr(line + 1, '\n'))
        if (strncasecmp(line + 1, name, len) == 0 && line[1 + len] == ':')
            return line + 1 + len + 1 + strspn(line + 1 + len + 1, " ");
    return NULL;
}

const struct json *answer_at(const struct answer *a, const char *path)
{
    const struct json *at = a->json;
    char part[128];

    for (const char *from = path; *from;) {
        size_t len = strcspn(from, "/");
        snprintf(part, sizeof part, "%.*s", (int)len, from);
        at = json_type_of(at) == SCAN_ARRAY ? json_at(at, strtoul(part, NULL, 10))
                                            : json_member(at, part);
        from += len + (from[len] == '/');
    }
    return at;
}

const char *answer_text(const struct answer *a, const char *path)
{
    return json_text(answer_at(a, path));
}
