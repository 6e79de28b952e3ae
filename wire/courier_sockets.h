/* Sockets: the connections of one courier on its loop: private to the courier.
 *
 * Each has a watch as long as it is open, rather than as long as libcurl asks for it: a request on
 * a kept connection then costs no epoll_ctl(2).
 *
 * libcurl 7.88 closes a socket whose connection never came about (TLS included) without its
 * callback. So whoever opened one says so when it ends unconnected: sockets_forget().
 *
 * Thread: the courier's. */
#ifndef WIRE_COURIER_SOCKETS_H
#define WIRE_COURIER_SOCKETS_H

#include <curl/curl.h>
#include <uv.h>

#include "core/err.h"

struct watch;

struct sockets {
    uv_loop_t *loop;
    void (*on_ready)(struct sockets *s, curl_socket_t fd, int select); /* CURL_CSELECT_… */
    void (*on_closed)(struct sockets *s); /* a watch is gone, after its socket */
    size_t count;                         /* watches, those being closed included */
    struct watch **by_fd;
    size_t room;
};

void sockets_init(struct sockets *s, uv_loop_t *loop);
void sockets_fini(struct sockets *s); /* no watch is left */

/* A watched socket for libcurl, or CURL_SOCKET_BAD and errno. */
curl_socket_t sockets_open(struct sockets *s, const struct curl_sockaddr *address,
                           const void *opener);

/* libcurl has closed what `opener` opened as `fd`, if it didn't say so already. Before the loop
 * turns or anything else is opened: the number may come again. */
void sockets_forget(struct sockets *s, curl_socket_t fd, const void *opener);

/* libcurl has closed all. */
void sockets_forget_all(struct sockets *s);

/* libcurl's CURLOPT_CLOSESOCKETFUNCTION; `ctx` is the struct sockets. */
int sockets_on_close(void *ctx, curl_socket_t fd);

/* libcurl wants these events (CURL_POLL_…) from now on. */
void sockets_want(struct sockets *s, curl_socket_t fd, int events);

#endif
