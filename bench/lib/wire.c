#include "bench/lib/wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define BACKLOG 1024

void wire_die(const char *what)
{
    perror(what);
    exit(1);
}

size_t wire_message_len(char *bytes, size_t len, size_t *out_body)
{
    bytes[len] = '\0';
    char *end = memmem(bytes, len, "\r\n\r\n", 4);
    if (!end)
        return 0;

    size_t body = (size_t)(end - bytes) + 4;
    size_t body_len = 0;
    *end = '\0'; /* look no further than the header */
    const char *field = strcasestr(bytes, "\r\ncontent-length:");
    *end = '\r';
    if (field)
        body_len = strtoul(field + 17, NULL, 10);
    *out_body = body;
    return len >= body + body_len ? body + body_len : 0;
}

static int tcp_socket(void)
{
    const int on = 1;

    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        wire_die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static struct sockaddr_in local(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void set_nonblocking(int fd)
{
    if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
        wire_die("fcntl");
}

int wire_listen(uint16_t port)
{
    const struct sockaddr_in address = local(port);
    const int on = 1;
    int fd = tcp_socket();

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        wire_die("bind");
    if (listen(fd, BACKLOG) != 0)
        wire_die("listen");
    set_nonblocking(fd);
    return fd;
}

int wire_connect(uint16_t port)
{
    const struct sockaddr_in address = local(port);
    int fd = tcp_socket();

    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        wire_die("connect");
    set_nonblocking(fd);
    return fd;
}

uint16_t wire_port(int fd)
{
    struct sockaddr_in address;
    socklen_t len = sizeof address;

    if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        wire_die("getsockname");
    return ntohs(address.sin_port);
}

uint64_t wire_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t to_us(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

uint64_t wire_cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return to_us(usage.ru_utime) + to_us(usage.ru_stime);
}
