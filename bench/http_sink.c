/* Http_sink: the receiver of the benchmarks, as cheap as a receiver gets.
 *
 *   http_sink [--port N] [--threads N] [--delay-ms N] [--fail-every N]
 *
 * Prints the port it listens on, on 127.0.0.1, and answers every request with 204; with
 * --fail-every N each N-th with 500. A body that begins with {"sent_us":N, … is one whose
 * latency is known: N is CLOCK_MONOTONIC when it was sent.
 *
 *   GET /stats  {"requests":…,"failed":…,"cpu_us":…,"first_us":…,"last_us":…,"p50_us":…,
 *               "p99_us":…}
 *   GET /reset  the same, then forgets it all
 *
 * Each thread has a listening socket and an epoll of its own; the kernel spreads the
 * connections. */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/lib/histogram.h"
#include "bench/lib/wire.h"
#include "core/list.h"
#include "core/mem.h"

#define THREADS_MAX 64
#define EVENTS_MAX  256
#define BUFFER_LEN  (64 * 1024)

static const char answer_ok[] = "HTTP/1.1 204 No Content\r\n\r\n";
static const char answer_failed[] = "HTTP/1.1 500 Internal Server Error\r\n"
                                    "Content-Length: 0\r\n\r\n";

struct options {
    uint16_t port;
    unsigned threads;
    uint64_t delay_us;
    uint64_t fail_every; /* 0 = never */
};

struct worker {
    pthread_t thread;
    int epoll_fd, listen_fd;
    struct list delayed; /* struct peer, the next to be answered first */

    /* written by this thread, read by the one that is asked for /stats */
    _Atomic uint64_t requests, failed, first_us, last_us;
    _Atomic uint64_t cpu_before_us; /* at the last /reset */
    struct histogram latency;
};

struct peer {
    int fd;
    size_t len; /* bytes received of the current request */
    struct list link;
    uint64_t answer_at_us;
    bool fails;
    char bytes[BUFFER_LEN + 1];
};

static struct options options = { .threads = 1 };
static struct worker workers[THREADS_MAX];

static void *worker_main(void *arg);
static void accept_peer(struct worker *w);
static void peer_readable(struct worker *w, struct peer *peer);
static void peer_request(struct worker *w, struct peer *peer, const char *body);
static void peer_answer(struct peer *peer);
static void answer_delayed(struct worker *w);

static void watch(struct worker *w, int fd, void *ptr)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = ptr };

    if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
        wire_die("epoll_ctl");
}

static int wait_ms(const struct worker *w)
{
    if (list_is_empty(&w->delayed))
        return -1;

    const struct peer *next = container_of(w->delayed.next, struct peer, link);
    uint64_t now = wire_now_us();
    return next->answer_at_us <= now ? 0 : (int)((next->answer_at_us - now + 999) / 1000);
}

static void *worker_main(void *arg)
{
    struct worker *w = arg;
    struct epoll_event events[EVENTS_MAX];

    for (;;) {
        int count = epoll_wait(w->epoll_fd, events, EVENTS_MAX, wait_ms(w));
        if (count < 0 && errno != EINTR)
            wire_die("epoll_wait");
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr)
                peer_readable(w, events[i].data.ptr);
            else
                accept_peer(w);
        }
        answer_delayed(w);
    }
    return NULL;
}

static void accept_peer(struct worker *w)
{
    int fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
        return;

    struct peer *peer = malloc(sizeof *peer); /* not zeroed: most of it is never touched */
    if (!peer)
        abort();
    peer->fd = fd;
    peer->len = 0;
    list_init(&peer->link);
    watch(w, fd, peer);
}

static void peer_close(struct peer *peer)
{
    list_remove(&peer->link);
    close(peer->fd);
    free(peer);
}

static void peer_readable(struct worker *w, struct peer *peer)
{
    ssize_t got = recv(peer->fd, peer->bytes + peer->len, BUFFER_LEN - peer->len, 0);
    if (got <= 0) {
        peer_close(peer); /* the end, an error, or a request above the buffer */
        return;
    }

    size_t body;
    peer->len += (size_t)got;
    if (wire_message_len(peer->bytes, peer->len, &body) == 0)
        return;

    peer->len = 0;
    peer_request(w, peer, peer->bytes + body);
}

/* Counting. */

static void measure(struct worker *w, const char *body)
{
    static const char member[] = "{\"sent_us\":";
    uint64_t now = wire_now_us();

    if (atomic_fetch_add_explicit(&w->requests, 1, memory_order_relaxed) == 0)
        w->first_us = now;
    atomic_store_explicit(&w->last_us, now, memory_order_relaxed);
    if (strncmp(body, member, sizeof member - 1) == 0)
        histogram_add(&w->latency, now - strtoull(body + sizeof member - 1, NULL, 10));
}

static int print_stats(char *out, size_t room)
{
    const struct histogram *latencies[THREADS_MAX];
    uint64_t requests = 0, failed = 0, first_us = UINT64_MAX, last_us = 0;

    for (unsigned i = 0; i < options.threads; i++) {
        const struct worker *w = &workers[i];
        latencies[i] = &w->latency;
        requests += w->requests;
        failed += w->failed;
        if (w->requests > 0 && w->first_us < first_us)
            first_us = w->first_us;
        if (w->last_us > last_us)
            last_us = w->last_us;
    }
    return snprintf(out, room,
                    "{\"requests\":%llu,\"failed\":%llu,\"cpu_us\":%llu,"
                    "\"first_us\":%llu,\"last_us\":%llu,\"p50_us\":%llu,\"p99_us\":%llu}\n",
                    (unsigned long long)requests, (unsigned long long)failed,
                    (unsigned long long)(wire_cpu_us() - workers[0].cpu_before_us),
                    (unsigned long long)(requests ? first_us : 0), (unsigned long long)last_us,
                    (unsigned long long)histogram_percentile(latencies, options.threads, 0.5),
                    (unsigned long long)histogram_percentile(latencies, options.threads, 0.99));
}

static void reset(void)
{
    for (unsigned i = 0; i < options.threads; i++) {
        workers[i].requests = workers[i].failed = 0;
        workers[i].first_us = workers[i].last_us = 0;
        histogram_clear(&workers[i].latency);
    }
    workers[0].cpu_before_us = wire_cpu_us();
}

static void answer_stats(struct peer *peer, bool then_reset)
{
    char body[512], text[1024];

    int body_len = print_stats(body, sizeof body);
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                       "Content-Length: %d\r\n\r\n%s",
                       body_len, body);
    send(peer->fd, text, (size_t)len, MSG_NOSIGNAL);
    if (then_reset)
        reset();
}

/* Answering. */

static void peer_request(struct worker *w, struct peer *peer, const char *body)
{
    bool then_reset = strncmp(peer->bytes, "GET /reset", 10) == 0;

    if (then_reset || strncmp(peer->bytes, "GET /stats", 10) == 0) {
        answer_stats(peer, then_reset);
        return;
    }

    measure(w, body);
    peer->fails = options.fail_every > 0 && w->requests % options.fail_every == 0;
    if (peer->fails)
        atomic_fetch_add_explicit(&w->failed, 1, memory_order_relaxed);
    if (options.delay_us == 0) {
        peer_answer(peer);
        return;
    }
    peer->answer_at_us = wire_now_us() + options.delay_us;
    list_append(&w->delayed, &peer->link);
}

/* A few bytes to a peer that waits for them: they fit, or the peer is gone. */
static void peer_answer(struct peer *peer)
{
    if (peer->fails)
        send(peer->fd, answer_failed, sizeof answer_failed - 1, MSG_NOSIGNAL);
    else
        send(peer->fd, answer_ok, sizeof answer_ok - 1, MSG_NOSIGNAL);
}

static void answer_delayed(struct worker *w)
{
    if (list_is_empty(&w->delayed))
        return;

    uint64_t now = wire_now_us();
    while (!list_is_empty(&w->delayed)) {
        struct peer *peer = container_of(w->delayed.next, struct peer, link);
        if (peer->answer_at_us > now)
            return;
        list_remove(&peer->link);
        peer_answer(peer);
    }
}

/* Start. */

static void read_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "port", required_argument, NULL, 'p' },
        { "threads", required_argument, NULL, 't' },
        { "delay-ms", required_argument, NULL, 'd' },
        { "fail-every", required_argument, NULL, 'f' },
        { 0 },
    };
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        unsigned long value = optarg ? strtoul(optarg, NULL, 10) : 0;
        switch (option) {
        case 'p':
            options.port = (uint16_t)value;
            break;
        case 't':
            options.threads = (unsigned)value;
            break;
        case 'd':
            options.delay_us = value * 1000;
            break;
        case 'f':
            options.fail_every = value;
            break;
        default:
            exit(2);
        }
    }
    if (options.threads < 1 || options.threads > THREADS_MAX) {
        fprintf(stderr, "--threads: 1 to %d\n", THREADS_MAX);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    for (unsigned i = 0; i < options.threads; i++) {
        struct worker *w = &workers[i];
        list_init(&w->delayed);
        w->listen_fd = wire_listen(options.port);
        options.port = wire_port(w->listen_fd);
        w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (w->epoll_fd < 0)
            wire_die("epoll_create1");
        watch(w, w->listen_fd, NULL);
    }
    printf("%u\n", options.port);
    fflush(stdout);

    for (unsigned i = 1; i < options.threads; i++)
        if (pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]) != 0)
            wire_die("pthread_create");
    worker_main(&workers[0]);
    return 0;
}
