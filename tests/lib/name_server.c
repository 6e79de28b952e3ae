#include "tests/lib/name_server.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RFC 1035, section 4. */
#define HEADER_LEN   12
#define TYPE_A       1
#define FLAGS_ANSWER 0x8580 /* response, authoritative, recursion both ways */
#define NO_SUCH_NAME 3

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out);
static void on_question(uv_udp_t *udp, ssize_t len, const uv_buf_t *room,
                        const struct sockaddr *from, unsigned flags);

void name_server_open(struct name_server *s, uv_loop_t *loop, const struct zone_name *zone)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int len = sizeof address;

    *s = (struct name_server){ .zone = zone, .ttl_s = 60 };
    s->udp.data = s;
    if (uv_udp_init(loop, &s->udp) != 0 ||
        uv_udp_bind(&s->udp, (struct sockaddr *)&address, 0) != 0 ||
        uv_udp_getsockname(&s->udp, (struct sockaddr *)&address, &len) != 0 ||
        uv_udp_recv_start(&s->udp, on_room, on_question) != 0)
        abort();
    snprintf(s->address, sizeof s->address, "127.0.0.1:%u", ntohs(address.sin_port));
}

void name_server_close(struct name_server *s)
{
    uv_close((uv_handle_t *)&s->udp, NULL);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *out)
{
    struct name_server *s = handle->data;

    (void)hint;
    *out = uv_buf_init(s->room, sizeof s->room);
}

/* Labels to dots; the number of bytes they take, or 0. */
static size_t read_name(const char *at, size_t len, char *out, size_t room)
{
    size_t used = 0, out_len = 0;

    while (used < len && at[used] != 0) {
        size_t label = (uint8_t)at[used++];
        if (label > len - used || out_len + label + 2 > room)
            return 0;
        memcpy(out + out_len, at + used, label);
        out[out_len + label] = '.';
        out_len += label + 1;
        used += label;
    }
    out[out_len > 0 ? out_len - 1 : 0] = 0;
    return used + 1;
}

static void put16(char *at, unsigned value)
{
    at[0] = (char)(value >> 8);
    at[1] = (char)value;
}

/* One A record; the name is a pointer to the question's. */
static size_t put_address(char *at, uint32_t ttl_s, const char *address)
{
    put16(at, 0xc000 | HEADER_LEN);
    put16(at + 2, TYPE_A);
    put16(at + 4, 1);
    put16(at + 6, ttl_s >> 16);
    put16(at + 8, ttl_s & 0xffff);
    put16(at + 10, 4);
    if (inet_pton(AF_INET, address, at + 12) != 1)
        abort();
    return 16;
}

static const struct zone_name *find(const struct name_server *s, const char *name)
{
    for (const struct zone_name *z = s->zone; z->name; z++)
        if (strcasecmp(z->name, name) == 0)
            return z;
    return NULL;
}

static void on_question(uv_udp_t *udp, ssize_t len, const uv_buf_t *room,
                        const struct sockaddr *from, unsigned flags)
{
    struct name_server *s = udp->data;
    char name[256];

    (void)flags;
    if (len <= HEADER_LEN || !from)
        return;
    size_t name_len =
        read_name(room->base + HEADER_LEN, (size_t)len - HEADER_LEN, name, sizeof name);
    size_t used = HEADER_LEN + name_len + 4;
    if (name_len == 0 || used > (size_t)len)
        return;

    bool asks_a = room->base[HEADER_LEN + name_len + 1] == TYPE_A;
    const struct zone_name *z = find(s, name);
    unsigned count = 0;
    char answer[1500];
    s->questions += asks_a;
    if (z && !z->addresses[0])
        return;
    memcpy(answer, room->base, used);
    for (; z && asks_a && count < ZONE_ADDRESSES_MAX && z->addresses[count]; count++)
        used += put_address(answer + used, s->ttl_s, z->addresses[count]);
    put16(answer + 2, FLAGS_ANSWER | (z ? 0 : NO_SUCH_NAME));
    put16(answer + 6, count);
    put16(answer + 8, 0);
    put16(answer + 10, 0);
    uv_buf_t bytes = uv_buf_init(answer, (unsigned)used);
    uv_udp_try_send(&s->udp, &bytes, 1, from);
}
