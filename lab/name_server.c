#include "lab/name_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADER_LEN   12
#define TAIL_LEN     4 /* type and class of a question */
#define NAME_MAX_LEN 256
#define TYPE_A       1
#define CLASS_IN     1
#define TTL_S        60
#define FLAGS        0x8580 /* response, authoritative, recursion both ways */
#define NO_SUCH_NAME 3

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_question(uv_udp_t *udp, ssize_t len, const uv_buf_t *room,
                        const struct sockaddr *from, unsigned flags);

static enum err from_errno(int error)
{
    return error == EADDRINUSE ? ERR_IN_USE : ERR_UNAVAILABLE;
}

/* Exclusively: that it is bound says that the network is taken. */
static enum err bind_to(const char *address, int *out_fd)
{
    struct sockaddr_in where = { .sin_family = AF_INET, .sin_port = htons(PLAN_NAME_PORT) };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &where.sin_addr) != 1)
        return ERR_UNAVAILABLE;
    if (bind(fd, (const struct sockaddr *)&where, sizeof where) != 0) {
        enum err err = from_errno(errno);

        close(fd);
        return err;
    }
    *out_fd = fd;
    return ERR_OK;
}

enum err name_server_open(struct name_server *server, uv_loop_t *loop, const struct plan *plan,
                          size_t region)
{
    char address[PLAN_ADDRESS_MAX];
    int fd;

    *server = (struct name_server){ .plan = plan, .region = region };
    plan_address(plan, region, region, address);
    enum err err = bind_to(address, &fd);
    if (err)
        return err;
    server->udp.data = server;
    if (uv_udp_init(loop, &server->udp) != 0 || uv_udp_open(&server->udp, fd) != 0 ||
        uv_udp_recv_start(&server->udp, on_room, on_question) != 0)
        abort();
    return ERR_OK;
}

void name_server_close(struct name_server *server)
{
    uv_close((uv_handle_t *)&server->udp, NULL);
}

/* Labels to dots; the number of bytes they take, or 0. */
static size_t read_name(const char *at, size_t len, char out[NAME_MAX_LEN])
{
    size_t used = 0, out_len = 0;

    while (used < len && at[used] != 0) {
        size_t label = (uint8_t)at[used++];

        if (label > len - used || out_len + label + 2 > NAME_MAX_LEN)
            return 0;
        memcpy(out + out_len, at + used, label);
        out[out_len + label] = '.';
        out_len += label + 1;
        used += label;
    }
    if (used == len || out_len == 0)
        return 0;
    out[out_len - 1] = '\0';
    return used + 1;
}

static void put16(char *at, unsigned value)
{
    at[0] = (char)(value >> 8 & 0xff);
    at[1] = (char)(value & 0xff);
}

static unsigned get16(const char *at)
{
    return (unsigned)(uint8_t)at[0] << 8 | (uint8_t)at[1];
}

/* One A record; its name is a pointer to the question's. */
static void put_address(char *at, const char *address)
{
    put16(at, 0xc000 | HEADER_LEN);
    put16(at + 2, TYPE_A);
    put16(at + 4, CLASS_IN);
    put16(at + 6, 0);
    put16(at + 8, TTL_S);
    put16(at + 10, sizeof(struct in_addr));
    if (inet_pton(AF_INET, address, at + HEADER_LEN) != 1)
        abort();
}

/* The region whose receiver it is; `plan->count` when it is none. */
static size_t find(const struct plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->count; i++) {
        char hook[PLAN_HOOK_NAME_MAX];

        plan_hook_name(plan, i, hook);
        if (strcasecmp(hook, name) == 0)
            return i;
    }
    return plan->count;
}

size_t name_server_answer(const struct plan *plan, size_t region, const char *question,
                          size_t len, char out[NAME_SERVER_ANSWER_MAX])
{
    char name[NAME_MAX_LEN], address[PLAN_ADDRESS_MAX];

    if (len < HEADER_LEN + TAIL_LEN || len > NAME_SERVER_QUESTION_MAX)
        return 0;
    size_t name_len = read_name(question + HEADER_LEN, len - HEADER_LEN - TAIL_LEN, name);
    if (name_len == 0)
        return 0;
    size_t used = HEADER_LEN + name_len + TAIL_LEN;
    size_t found = find(plan, name);
    bool known = found < plan->count;
    bool asks_a = get16(question + HEADER_LEN + name_len) == TYPE_A;

    memcpy(out, question, used);
    put16(out + 2, FLAGS | (known ? 0 : NO_SUCH_NAME));
    put16(out + 4, 1);
    put16(out + 6, known && asks_a);
    put16(out + 8, 0);
    put16(out + 10, 0);
    if (!known || !asks_a)
        return used;
    plan_address(plan, region, found, address);
    put_address(out + used, address);
    return used + NAME_SERVER_RECORD_LEN;
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct name_server *server = handle->data;

    (void)hint;
    *out = uv_buf_init(server->room, sizeof server->room);
}

static void on_question(uv_udp_t *udp, ssize_t len, const uv_buf_t *room,
                        const struct sockaddr *from, unsigned flags)
{
    const struct name_server *server = udp->data;
    char answer[NAME_SERVER_ANSWER_MAX];

    if (len <= 0 || !from || (flags & UV_UDP_PARTIAL))
        return;
    size_t used =
        name_server_answer(server->plan, server->region, room->base, (size_t)len, answer);
    uv_buf_t bytes = uv_buf_init(answer, (unsigned)used);
    if (used > 0)
        uv_udp_try_send(udp, &bytes, 1, from); /* who gets no answer asks again */
}
